//! Planted bugs, for the simulator's own test: each must be found within a number of seeds.
//!
//! They exist only under the feature `mutants`, which the simulator and the drill alone turn on; without it
//! [`planted`] is a constant and nothing is left of them. The binary refuses to be built with them.
//!
//! Rules of the model (V1–V13) that have none here. V2 and V11 show nothing in the simulator, where nobody
//! tampers; the tamper drill switches them off. The other two cannot be switched off.
//!
//! * V2, the place: nobody squats a slot of another's lane (`lane-place`).
//! * V11, the right before the path: no honest device commits what MLS refuses (`right-first`).
//! * V3, an epoch's addresses are bound to the head that closes the one before: it holds by derivation;
//!   the vectors of the key schedule hold it.
//! * V6, a commit is judged on a copy: `Group::judge` borrows the group and its store without the right
//!   to change them.

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
    /// V5: one's own commit is not known by its payload.
    OwnUnknown "own-unknown",
    /// V7: a lane cell that is listed and never comes holds its epoch open.
    WaitForLost "wait-for-lost",
    /// V10: a commit that adds somebody who is not known here is void here.
    VoidUnknown "void-unknown",
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
