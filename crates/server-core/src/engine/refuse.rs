//! Refusals in words.

use crate::{LogError, StoreError};
use undertone_wire::{Answer, Refusal, RefusalKind};

/// A refusal with the words for people.
pub(super) fn refusal(kind: RefusalKind) -> Refusal {
    let message = match kind {
        RefusalKind::Malformed => "this request is not understood",
        RefusalKind::WrongKey => "the write key does not open this tag",
        RefusalKind::Busy => "too much is in flight; ask again later",
        RefusalKind::Storage => "the server cannot store now; nothing acknowledged was lost",
        RefusalKind::Expired => "this is older than what the server keeps",
        RefusalKind::Future => "this does not exist yet",
        RefusalKind::Token => "this server takes no tokens yet",
        RefusalKind::Closing => "the server is shutting down",
    };
    Refusal { kind, message: message.as_bytes().to_vec().into() }
}

pub(super) fn refused(kind: RefusalKind) -> Answer {
    Answer::Refused(refusal(kind))
}

/// Why a read failed, as a client may know it.
pub(super) fn of_log(error: &LogError) -> Refusal {
    refusal(match error {
        LogError::Expired => RefusalKind::Expired,
        LogError::Future => RefusalKind::Future,
        LogError::Store(_) => RefusalKind::Storage,
    })
}

impl From<StoreError> for Refused {
    fn from(_: StoreError) -> Self {
        Self(refusal(RefusalKind::Storage))
    }
}

impl From<LogError> for Refused {
    fn from(error: LogError) -> Self {
        Self(of_log(&error))
    }
}

impl From<RefusalKind> for Refused {
    fn from(kind: RefusalKind) -> Self {
        Self(refusal(kind))
    }
}

/// The error of everything that ends in an answer.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Refusal);

/// An answer, whichever way it went.
pub(super) fn answer(result: Result<Answer, Refused>) -> Answer {
    result.unwrap_or_else(|refused| Answer::Refused(refused.0))
}
