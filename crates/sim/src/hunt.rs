//! Planted bugs, and the hunt for them: what the simulator is worth.
//!
//! Each bug names the signs by which it is to be known. It is *found* only by a seed in which one of
//! these signs shows, and in which nothing is wrong without the bug: a violation that is there anyway
//! finds nothing.

use crate::outcome::{Violation, Wrong};
use crate::{Outcome, Plan, Shape, run, run_on_lying_disk};
#[cfg(feature = "mutants")]
use undertone_core::Mutant;

/// Seeds in which a bug must have shown, unless it says otherwise.
const SEEDS: u64 = 40;

/// Three people, of whom one is away until what was said has expired.
#[cfg(feature = "mutants")]
const AWAY: Shape = Shape { people: 3, faults: 0, long: true, ..Shape::STANDARD };

/// A planted bug, how it is known, and where it is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    bug: Bug,
    signs: &'static [Wrong],
    /// The worlds in which it shows; `None` for those of [`Plan::of_seed`].
    shape: Option<Shape>,
    seeds: u64,
}

#[derive(Clone, Copy, Debug)]
enum Bug {
    LyingDisk,
    #[cfg(feature = "mutants")]
    Engine(Mutant),
}

/// How a bug was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Seeds that were played, this one included.
    pub seeds: u64,
    /// The seed that shows it.
    pub seed: u64,
    /// The sign.
    pub sign: Violation,
}

impl Planted {
    /// All of them; the engine's only in a build that has them.
    pub fn all() -> Vec<Self> {
        let lying = Self::new(Bug::LyingDisk, &[Wrong::ServerLost]);
        [vec![lying], Self::of_engine()].concat()
    }

    #[cfg(feature = "mutants")]
    fn of_engine() -> Vec<Self> {
        Mutant::ALL.iter().map(|mutant| Self::of(*mutant)).collect()
    }

    #[cfg(not(feature = "mutants"))]
    const fn of_engine() -> Vec<Self> {
        Vec::new()
    }

    const fn new(bug: Bug, signs: &'static [Wrong]) -> Self {
        Self { bug, signs, shape: None, seeds: SEEDS }
    }

    #[cfg(feature = "mutants")]
    fn of(mutant: Mutant) -> Self {
        let planted = Self::new(Bug::Engine(mutant), signs(mutant));
        match mutant {
            // A later message of the same author tells of the gap by its number: here hardly anything is
            // said after the absence.
            Mutant::SilentGap => Self { shape: Some(Shape { acts: 4, ..AWAY }), ..planted },
            _ => planted,
        }
    }

    /// A stable word.
    pub fn word(&self) -> &'static str {
        match self.bug {
            Bug::LyingDisk => "lose-last-tick",
            #[cfg(feature = "mutants")]
            Bug::Engine(mutant) => mutant.word(),
        }
    }

    /// Seeds within which it has to be found.
    pub fn seeds(&self) -> u64 {
        self.seeds
    }

    /// Plays seeds from `from` on until one shows the bug; `None` when none of `seeds` does.
    pub fn hunt(&self, from: u64, seeds: u64) -> Option<Found> {
        (from..from.saturating_add(seeds)).find_map(|seed| {
            let sign = self.shows_in(&self.plan(seed))?;
            Some(Found { seeds: seed - from + 1, seed, sign })
        })
    }

    fn plan(&self, seed: u64) -> Plan {
        self.shape.map_or_else(|| Plan::of_seed(seed), |shape| Plan::of_shape(seed, shape))
    }

    fn shows_in(&self, plan: &Plan) -> Option<Violation> {
        let mut violations = self.play(plan).violations.into_iter();
        let sign = violations.find(|violation| self.signs.contains(&violation.wrong))?;
        run(plan, false).violations.is_empty().then_some(sign)
    }

    fn play(&self, plan: &Plan) -> Outcome {
        match self.bug {
            Bug::LyingDisk => run_on_lying_disk(plan),
            #[cfg(feature = "mutants")]
            Bug::Engine(mutant) => crate::run_mutant(plan, mutant),
        }
    }
}

/// What a bug of the engine is known by. A device that meets cells of its own that it does not know, or
/// knows no more, says that it was copied: a false alarm, since it was not.
#[cfg(feature = "mutants")]
const fn signs(mutant: Mutant) -> &'static [Wrong] {
    match mutant {
        Mutant::SkipPersist | Mutant::ReuseSlot => &[Wrong::SlotTwice, Wrong::FalseAlarm],
        Mutant::SecondCommit | Mutant::OwnUnknown => &[Wrong::FalseAlarm],
        Mutant::DropPart => &[Wrong::Restless],
        Mutant::LateCell
        | Mutant::DoubleMerge
        | Mutant::IgnoreTaken
        | Mutant::SkipUnfollowed
        | Mutant::VoidUnknown => &[Wrong::Split],
        Mutant::ChangedAudience | Mutant::SealPastRemoval => &[Wrong::Leak],
        Mutant::StoredOnAnswer => &[Wrong::Split, Wrong::Lost],
        Mutant::MergeUnread | Mutant::SilentGap | Mutant::StaleNumbers => &[Wrong::Lost],
        Mutant::WaitForLost => &[Wrong::NoProgress],
        Mutant::PutUnwalked => &[Wrong::Unwalked],
        Mutant::KeepNumbers => &[Wrong::FalseGap],
        Mutant::SilentStuck => &[Wrong::SilentStuck],
        Mutant::LostWelcome => &[Wrong::NotJoined],
        Mutant::NoReseal => &[Wrong::Lost, Wrong::NoProgress],
        Mutant::ShownTwice => &[Wrong::Doubled],
        Mutant::SameNonce => &[Wrong::NonceTwice],
    }
}
