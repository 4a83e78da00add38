//! The history of conversations.

use crate::{ChatSummary, HistoryQuery, Listed, StoreError, rows};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::{BTreeMap, BTreeSet};
use undertone_core::{
    ChatId, MessageId,
    io::{HistoryRow, RowName},
};
use undertone_crypto::IdentityKey;

const COLUMNS: &str =
    "chat, author, message, identity, own, place, text, sent_ms, stored_ms, state, read";

/// Writes what is new, and one's own anew; the names of rows of which none stood here before.
pub(super) fn write(
    connection: &Connection,
    messages: &[HistoryRow],
) -> Result<BTreeSet<RowName>, StoreError> {
    let mut written = BTreeSet::new();
    let mut put = connection.prepare_cached(
        "INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?5)
         ON CONFLICT (chat, identity, author, message) DO NOTHING",
    )?;
    let mut replace = connection.prepare_cached(
        "UPDATE messages SET place = ?6, text = ?7, sent_ms = ?8, stored_ms = ?9, state = ?10
         WHERE chat = ?1 AND author = ?2 AND message = ?3 AND identity = ?4 AND own",
    )?;
    for row in messages {
        let values = params![
            row.chat.0,
            row.author,
            row.message.0,
            row.from.0,
            row.own,
            row.order,
            row.text,
            rows::bounded(row.sent_ms),
            row.stored_ms.map(rows::bounded),
            rows::state_word(row.state),
        ];
        if put.execute(values)? == 1 {
            written.insert(row.name());
        } else {
            replace.execute(values)?;
        }
    }
    Ok(written)
}

/// Rows of others that stand elsewhere now; nothing else of them changes.
pub(super) fn write_moved(connection: &Connection, moved: &[HistoryRow]) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "UPDATE messages SET place = ?5, stored_ms = ?6
         WHERE chat = ?1 AND identity = ?2 AND author = ?3 AND message = ?4",
    )?;
    for row in moved {
        put.execute(params![
            row.chat.0,
            row.from.0,
            row.author,
            row.message.0,
            row.order,
            row.stored_ms.map(rows::bounded),
        ])?;
    }
    Ok(())
}

pub(super) fn list(
    connection: &Connection,
    query: &HistoryQuery,
) -> Result<Vec<Listed>, StoreError> {
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let mut found = match query.before {
        None => newest(connection, &query.chat, limit)?,
        Some(before) => match place_of(connection, &query.chat, &before)? {
            Some((place, rowid)) => older(connection, &query.chat, &place, rowid, limit)?,
            None => Vec::new(),
        },
    };
    found.reverse();
    Ok(found)
}

fn newest(connection: &Connection, chat: &ChatId, limit: i64) -> Result<Vec<Listed>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages WHERE chat = ?1 ORDER BY place DESC, rowid DESC LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![chat.0, limit], listed)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn older(
    connection: &Connection,
    chat: &ChatId,
    place: &[u8],
    rowid: i64,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages WHERE chat = ?1 AND (place, rowid) < (?2, ?3)
         ORDER BY place DESC, rowid DESC LIMIT ?4"
    ))?;
    let rows = statement.query_map(params![chat.0, place, rowid, limit], listed)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Where a message stands; of two that bear one id, the first.
fn place_of(
    connection: &Connection,
    chat: &ChatId,
    message: &MessageId,
) -> Result<Option<(Vec<u8>, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT place, rowid FROM messages WHERE message = ?1 AND chat = ?2
         ORDER BY place, rowid LIMIT 1",
    )?;
    let place = statement
        .query_row(params![message.0, chat.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(place)
}

pub(super) fn by_id(
    connection: &Connection,
    message: &MessageId,
) -> Result<Vec<Listed>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages WHERE message = ?1 ORDER BY rowid"
    ))?;
    let rows = statement.query_map([message.0], listed)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn summaries(
    connection: &Connection,
) -> Result<BTreeMap<ChatId, ChatSummary>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT chat, (SELECT count(*) FROM messages AS m WHERE m.chat = c.chat AND m.read = 0)
         FROM (SELECT DISTINCT chat FROM messages) AS c",
    )?;
    let counts = statement
        .query_map([], |row| Ok((ChatId(row.get(0)?), row.get(1)?)))?
        .collect::<Result<Vec<(ChatId, u64)>, _>>()?;
    let mut summaries = BTreeMap::new();
    for (chat, unread) in counts {
        let last = newest(connection, &chat, 1)?.pop().map(|listed| listed.row);
        summaries.insert(chat, ChatSummary { unread, last });
    }
    Ok(summaries)
}

pub(super) fn mark_read(
    connection: &Connection,
    chat: &ChatId,
    messages: &[MessageId],
) -> Result<u64, StoreError> {
    let mut mark = connection.prepare_cached(
        "UPDATE messages SET read = 1 WHERE chat = ?1 AND message = ?2 AND read = 0",
    )?;
    let mut marked = 0;
    for message in messages {
        marked += mark.execute(params![chat.0, message.0])? as u64;
    }
    Ok(marked)
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        row: HistoryRow {
            chat: ChatId(row.get(0)?),
            author: row.get(1)?,
            message: MessageId(row.get(2)?),
            from: IdentityKey(row.get(3)?),
            own: row.get(4)?,
            order: row.get(5)?,
            text: row.get(6)?,
            sent_ms: row.get(7)?,
            stored_ms: row.get(8)?,
            state: rows::state_from(row, 9)?,
        },
        read: row.get(10)?,
    })
}
