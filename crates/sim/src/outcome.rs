//! What a run came to.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is held to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// A message that its author's device calls stored is missing with somebody entitled to it, and
    /// nothing told them.
    Lost,
    /// A message stands twice in a history, or was shown twice.
    Doubled,
    /// An author's messages stand in another order than they were written.
    Order,
    /// Somebody has a message who was not among those shown to its author, or not in its epoch.
    Leak,
    /// Two members see different rosters, epochs or transcripts.
    Split,
    /// At the quiet end something that was asked for is still undecided.
    NoProgress,
    /// A conversation is stuck although nothing expired unread and nothing was rolled back.
    Stuck,
    /// A conversation became stuck and nobody was told.
    SilentStuck,
    /// A gap was shown where nothing is missing.
    FalseGap,
    /// An alarm without a cause.
    FalseAlarm,
    /// The server lost a cell that it had acknowledged.
    ServerLost,
    /// A device put a cell before it had walked to the newest head.
    Unwalked,
    /// One device sealed two cells for one slot.
    SlotTwice,
    /// One nonce under one slot's key for two cells.
    NonceTwice,
    /// A device cannot read what it persisted itself.
    Unloadable,
    /// A profile that was put back has met its other life, and nobody was told.
    CopyUnsaid,
    /// A message stands where nobody was, or is nobody's.
    Stray,
    /// Stored state grows beyond what was done.
    Unbounded,
    /// A message was accepted by the engine and is in no history of its author.
    Dropped,
    /// Somebody was added and never arrives.
    NotJoined,
    /// The world does not come to rest.
    Restless,
    /// Something panicked.
    Panicked,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub wrong: Wrong,
    /// What was seen.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.wrong, self.text)
    }
}

/// What was exercised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Acts and faults that took effect, by word.
    pub done: BTreeMap<String, u64>,
}

impl Coverage {
    pub(crate) fn count(&mut self, word: &str) {
        match self.done.get_mut(word) {
            Some(count) => *count += 1,
            None => drop(self.done.insert(word.to_owned(), 1)),
        }
    }

    /// Adds up.
    pub fn add(&mut self, other: &Self) {
        for (word, count) in &other.done {
            *self.done.entry(word.clone()).or_default() += count;
        }
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What is wrong, the first thing first; none when all is well.
    pub violations: Vec<Violation>,
    /// What was exercised.
    pub coverage: Coverage,
    /// Virtual time that passed, milliseconds.
    pub simulated_ms: u64,
    /// A hash over everything that left a device: equal for equal runs.
    pub digest: [u8; 32],
    /// What happened, a line each, where it was asked for.
    pub transcript: Vec<String>,
}

impl Outcome {
    /// What `play` comes to, where a panic is one more thing that may be wrong.
    pub(crate) fn of(play: impl FnOnce() -> Self) -> Self {
        let played = catch_unwind(AssertUnwindSafe(play));
        played.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let text = text.unwrap_or_else(|| "without words".to_owned());
            let violation = Violation { wrong: Wrong::Panicked, text };
            Self { violations: vec![violation], ..Self::default() }
        })
    }
}
