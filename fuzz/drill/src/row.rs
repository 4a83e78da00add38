//! One row of the table.

use crate::held::Held;
use std::fmt;

/// Who tampers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Whoever runs the server, and has its key.
    Server,
    /// A member with an altered client.
    Member,
    /// Whoever hosts the server or stands in the network.
    Host,
    /// Whoever has a device or its disk.
    Thief,
    /// Nobody: what happens is honest.
    Nobody,
}

/// What a row's author expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// These devices tell their people.
    Noticed {
        /// Who.
        by: &'static [&'static str],
        /// What they tell: an alarm's word, or a kind of event.
        what: &'static str,
        /// At the latest.
        within: Within,
        /// Whether a proof stays that outlasts a restart.
        evidence: bool,
    },
    /// All members skip the cell, by this check.
    Skipped {
        /// The check's number.
        check: &'static str,
    },
    /// Nothing comes of it; what was looked at.
    NoEffect(&'static str),
    /// Nobody can notice; why.
    Hidden(&'static str),
}

/// A sign at these devices, within so many seconds.
pub(crate) const fn sign(
    by: &'static [&'static str],
    what: &'static str,
    seconds: u64,
) -> Expected {
    Expected::Noticed { by, what, within: Within::Seconds(seconds), evidence: false }
}

/// A bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// So many words (answers and pushes) that the server says to whoever notices.
    Words(usize),
    /// So much time, by the world's clock.
    Seconds(u64),
}

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// These devices told their people, in the order of devices.
    Noticed(Vec<Notice>),
    /// Checks by which a cell was skipped, the same with everybody.
    Skipped(Vec<&'static str>),
    /// Nobody was told anything.
    Nothing,
    /// What must not be.
    Broken(String),
}

/// What one person was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Who.
    pub who: &'static str,
    /// An alarm's word, or a kind of event.
    pub what: String,
    /// Words that the server had said to the device since the misdeed began.
    pub words: usize,
    /// Seconds since then, by the world's clock.
    pub seconds: u64,
    /// Whether a proof outlasts a restart.
    pub evidence: bool,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noticed(notices) => {
                let who: Vec<_> = notices.iter().map(|notice| notice.who).collect();
                let what = notices.first().map_or("", |notice| notice.what.as_str());
                write!(f, "{}: `{what}`", who.join(", "))
            }
            Self::Skipped(checks) => write!(f, "skipped by all alike ({})", checks.join(", ")),
            Self::Nothing => f.write_str("nobody notices"),
            Self::Broken(what) => write!(f, "broken: {what}"),
        }
    }
}

/// How a row is played.
#[derive(Clone, Copy)]
pub enum Play {
    /// Here.
    Here(fn() -> Outcome),
    /// By tests of other crates.
    Held(&'static [Held]),
}

/// One row.
#[derive(Clone, Copy)]
pub struct Row {
    /// A stable word.
    pub id: &'static str,
    /// Threats of the list that it belongs to; empty of none.
    pub threats: &'static str,
    /// Who does it.
    pub who: Who,
    /// What is done.
    pub what: &'static str,
    /// What is expected.
    pub expected: Expected,
    /// How it is played.
    pub play: Play,
}

/// A row and what came of it.
pub struct Played {
    /// The row.
    pub row: Row,
    /// What came of it; `None` where other tests hold it.
    pub outcome: Option<Outcome>,
}

impl Row {
    /// Plays it.
    pub fn play(self) -> Played {
        let outcome = match self.play {
            Play::Here(play) => Some(play()),
            Play::Held(_) => None,
        };
        Played { row: self, outcome }
    }
}

impl Played {
    /// Whether it came as expected.
    pub fn is_as_expected(&self) -> bool {
        self.outcome.as_ref().is_none_or(|outcome| self.row.expected.is_met_by(outcome))
    }
}

impl Expected {
    fn is_met_by(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Noticed { by, what, within, evidence }, Outcome::Noticed(notices)) => {
                let who: Vec<_> = notices.iter().map(|notice| notice.who).collect();
                let fits = |notice: &Notice| {
                    notice.what == *what && notice.evidence == *evidence && within.holds(notice)
                };
                who == *by && notices.iter().all(fits)
            }
            (Self::Skipped { check }, Outcome::Skipped(checks)) => checks == &[*check],
            (Self::NoEffect(_) | Self::Hidden(_), Outcome::Nothing) => true,
            _ => false,
        }
    }
}

impl Within {
    fn holds(self, notice: &Notice) -> bool {
        match self {
            Self::Words(words) => notice.words <= words,
            Self::Seconds(seconds) => notice.seconds <= seconds,
        }
    }
}
