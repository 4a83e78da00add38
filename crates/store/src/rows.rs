//! Values as the database takes them.

use rusqlite::{Row, types::Type};
use undertone_core::io::MessageState;

/// SQLite's integers end at 2^63: a hostile clock must not make a row unwritable.
pub(crate) fn bounded(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn state_word(state: MessageState) -> &'static str {
    match state {
        MessageState::Queued => "queued",
        MessageState::Waiting => "waiting",
        MessageState::Stored => "stored",
        MessageState::Failed => "failed",
        MessageState::Received => "received",
    }
}

pub(crate) fn state_from(row: &Row<'_>, column: usize) -> rusqlite::Result<MessageState> {
    let word: String = row.get(column)?;
    Ok(match word.as_str() {
        "queued" => MessageState::Queued,
        "waiting" => MessageState::Waiting,
        "stored" => MessageState::Stored,
        "failed" => MessageState::Failed,
        "received" => MessageState::Received,
        _ => {
            let error = format!("{word} is no state of a message").into();
            return Err(rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error));
        }
    })
}
