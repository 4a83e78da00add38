//! What a server, or somebody in its place, may do to the log, by the number of the check.

use serde::{Deserialize, Serialize};
use undertone_wire::HeadRef;

/// Two heads of one server that cannot both be true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// What was noticed, as [`Alarm::code`].
    pub(crate) code: String,
    /// What was noticed, as [`Alarm::text`].
    pub(crate) text: String,
    /// The head that was verified here: number, size, root.
    pub(crate) own: (u64, u64, [u8; 32]),
    /// The head that contradicts it.
    pub(crate) other: (u64, u64, [u8; 32]),
    /// The other head with the server's signature, as on the wire, where it came signed.
    pub(crate) other_signed: Option<Vec<u8>>,
}

/// A breach in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// A stable word.
    pub(crate) code: String,
    /// What was noticed and what it means.
    pub(crate) text: String,
}

/// A failed check. The numbers name the tests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Breach {
    /// L01: the pinned server id is not this server's.
    #[error("another server answers at this address")]
    WrongServer,
    /// L02: the keys do not follow each other, or not from those known before.
    #[error("the server's keys do not follow from the one that is pinned")]
    KeySuccession,
    /// L03: the head is not signed by the key of its tick.
    #[error("a head of the log is not signed by the server's key")]
    Signature,
    /// L04: ticks are missing, doubled or out of order.
    #[error("the log's ticks do not follow each other")]
    TickOrder,
    /// L05: a tick's prefixes are not sorted.
    #[error("a tick's list is not in order")]
    PrefixOrder,
    /// L06: the server's time ran backwards.
    #[error("the server's time ran backwards")]
    Time,
    /// L07: the root that was computed here is not the signed one.
    #[error("the log's contents do not match its signed root")]
    Root(Box<Evidence>),
    /// L08: two heads of one tick differ.
    #[error("the server shows two different logs")]
    SplitView(Box<Evidence>),
    /// L09: the newest head is behind one's own, and no recovery was declared.
    #[error("the server's log went back without a declared recovery")]
    Rollback(Box<Evidence>),
    /// L10: the newest head is not a continuation of one's own.
    #[error("the server's log is not a continuation of the one known here")]
    Inconsistent(Box<Evidence>),
    /// L11: a closed segment is not what the log commits to.
    #[error("a stretch of the log is not what the log commits to")]
    Segment,
    /// L12: a closed segment contradicts the ticks that were walked.
    #[error("a stretch of the log contradicts its ticks")]
    SegmentLies,
    /// L13: a head carried in a message is not in one's own log.
    #[error("somebody was shown another log by this server")]
    Foreign(Box<Evidence>),
    /// L14: the answer does not belong to the question.
    #[error("the server's answer does not belong to the question")]
    Answer,
    /// L15: a cell's proof, taken from the same head, does not verify.
    #[error("the proof of a cell does not verify")]
    CellProof,
}

impl Breach {
    /// The number of the check.
    pub(crate) fn number(&self) -> &'static str {
        match self {
            Self::WrongServer => "L01",
            Self::KeySuccession => "L02",
            Self::Signature => "L03",
            Self::TickOrder => "L04",
            Self::PrefixOrder => "L05",
            Self::Time => "L06",
            Self::Root(_) => "L07",
            Self::SplitView(_) => "L08",
            Self::Rollback(_) => "L09",
            Self::Inconsistent(_) => "L10",
            Self::Segment => "L11",
            Self::SegmentLies => "L12",
            Self::Foreign(_) => "L13",
            Self::Answer => "L14",
            Self::CellProof => "L15",
        }
    }

    /// A stable word for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::WrongServer => "wrong_server",
            Self::KeySuccession => "server_key",
            Self::Signature => "bad_signature",
            Self::TickOrder | Self::PrefixOrder | Self::Time => "log_disorder",
            Self::Root(_) | Self::Segment | Self::SegmentLies => "log_forged",
            Self::SplitView(_) | Self::Inconsistent(_) | Self::Foreign(_) => "split_view",
            Self::Rollback(_) => "log_rollback",
            Self::Answer => "bad_answer",
            Self::CellProof => "bad_receipt",
        }
    }

    /// The breach in words.
    pub(crate) fn alarm(&self) -> Alarm {
        let kept = if self.evidence().is_some() { " Both heads are kept as evidence." } else { "" };
        let number = self.number();
        let text = format!("{self} ({number}). Nothing is sent to it until this is settled.{kept}");
        Alarm { code: self.code().to_owned(), text }
    }

    /// The pair of heads that prove it.
    pub(crate) fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Root(pair)
            | Self::SplitView(pair)
            | Self::Rollback(pair)
            | Self::Inconsistent(pair)
            | Self::Foreign(pair) => Some(pair),
            _ => None,
        }
    }
}

impl Evidence {
    /// What to tell of it, also after a restart.
    pub(crate) fn alarm(&self) -> Alarm {
        Alarm { code: self.code.clone(), text: self.text.clone() }
    }

    /// The pair as what proves this breach.
    pub(super) fn of(breach: &Breach) -> Option<Self> {
        let Alarm { code, text } = breach.alarm();
        breach.evidence().map(|pair| Self { code, text, ..pair.clone() })
    }

    /// One's own head and the one that contradicts it, not yet of any breach.
    pub(crate) fn pair(own: HeadRef, other: HeadRef, signed: Option<Vec<u8>>) -> Box<Self> {
        Box::new(Self {
            code: String::new(),
            text: String::new(),
            own: (own.tick, own.size, own.root),
            other: (other.tick, other.size, other.root),
            other_signed: signed,
        })
    }
}
