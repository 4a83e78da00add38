//! Planted bugs, for the simulator's own test: each must be found within a number of seeds.
//!
//! They exist only under the feature `mutants`, which the simulator alone turns on; without it
//! [`planted`] is a constant and nothing is left of them. The binary refuses to be built with them.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// Whether this build can be made wrong on purpose.
pub const HAS_MUTANTS: bool = cfg!(feature = "mutants");

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident $word:literal),* $(,)?) => {
        /// A planted bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant {
            $($(#[$doc])* $name,)*
        }

        impl Mutant {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// A stable word.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

mutants! {
    /// What is sealed is not persisted before it is released.
    SkipPersist "skip-persist",
    /// The last part of a parcel is never stored.
    DropPart "drop-part",
    /// A lane is read beyond the closing tick.
    LateCell "late-cell",
    /// The winning commit is merged twice.
    DoubleMerge "double-merge",
    /// After a restart one's own lane is written from where it was read.
    ReuseSlot "reuse-slot",
    /// A control slot that another's commit has taken is held to be one's own.
    IgnoreTaken "ignore-taken",
    /// A message goes out to people whom its author has not seen.
    ChangedAudience "changed-audience",
    /// V1: a message is stored as soon as the server has answered.
    StoredOnAnswer "stored-on-answer",
    /// V4: one's own commit is merged before the lanes are read.
    MergeUnread "merge-unread",
    /// V8: cells are put before the newest head was walked to.
    PutUnwalked "put-unwalked",
    /// V9: what is written after a removal was asked for does not wait for it.
    SealPastRemoval "seal-past-removal",
    /// V12: the numbers of what did not count are not given back.
    KeepNumbers "keep-numbers",
    /// V13: after a restart a second commit is made in the same epoch.
    SecondCommit "second-commit",
    /// A commit that has won and that this device does not follow is skipped.
    SkipUnfollowed "skip-unfollowed",
    /// A message that expired unread is not told of.
    SilentGap "silent-gap",
    /// A conversation that cannot be followed is not told of.
    SilentStuck "silent-stuck",
    /// Numbers of a device that left and came back go on.
    StaleNumbers "stale-numbers",
    /// A Welcome is not sent.
    LostWelcome "lost-welcome",
    /// What was sealed in an epoch that ended is not sealed again.
    NoReseal "no-reseal",
    /// A message that was received is shown once more.
    ShownTwice "shown-twice",
    /// The cells of changes are all sealed with one nonce.
    SameNonce "same-nonce",
}

/// Randomness that is none: the same numbers every time.
pub(crate) fn same_again() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([0; 32])
}

#[cfg(feature = "mutants")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Plants a bug in every engine of this thread, or none.
#[cfg(feature = "mutants")]
pub fn plant(mutant: Option<Mutant>) {
    PLANTED.set(mutant);
}

/// Whether this bug is planted.
#[cfg(feature = "mutants")]
pub(crate) fn planted(mutant: Mutant) -> bool {
    PLANTED.get() == Some(mutant)
}

/// None is.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn planted(_: Mutant) -> bool {
    false
}
