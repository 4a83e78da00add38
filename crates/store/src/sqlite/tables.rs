//! Records, events and settings.

use crate::{
    EVENTS_KEPT, EventRow, NewEvent, Records, SETTING_BYTES_MAX, StoreError, StoredEvent, rows,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::{BTreeMap, BTreeSet};
use undertone_core::io::{RowName, SPACES};

pub(super) fn write_records(
    connection: &Connection,
    records: &BTreeMap<(&'static str, Vec<u8>), Option<Vec<u8>>>,
) -> Result<(), StoreError> {
    let mut put = connection.prepare_cached(
        "INSERT INTO records (space, key, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (space, key) DO UPDATE SET value = excluded.value",
    )?;
    let mut erase =
        connection.prepare_cached("DELETE FROM records WHERE space = ?1 AND key = ?2")?;
    for ((space, key), value) in records {
        match value {
            Some(value) => put.execute(params![space, key, value])?,
            None => erase.execute(params![space, key])?,
        };
    }
    Ok(())
}

pub(super) fn load_records(connection: &Connection) -> Result<Records, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT key, value FROM records WHERE space = ?1 ORDER BY key")?;
    let mut records = Records::new();
    for space in SPACES {
        let rows = statement.query_map([space], |row| Ok((row.get(0)?, row.get(1)?)))?;
        records.insert(space, rows.collect::<Result<_, _>>()?);
    }
    Ok(records)
}

/// `written` are the rows that the same batch wrote first.
pub(super) fn append_events(
    connection: &Connection,
    events: &[NewEvent],
    mut written: BTreeSet<RowName>,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut append =
        connection.prepare_cached("INSERT INTO events (chat, body) VALUES (?1, ?2)")?;
    for NewEvent { row: event, .. } in events.iter().filter(|event| event.is_kept(&mut written)) {
        append.execute(params![event.chat.as_ref().map(|chat| chat.0), event.body])?;
    }
    let oldest = newest_event(connection)?.saturating_sub(EVENTS_KEPT);
    connection.prepare_cached("DELETE FROM events WHERE seq <= ?1")?.execute([oldest])?;
    Ok(())
}

/// From SQLite's own counter, which outlives the rows.
pub(super) fn newest_event(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'events'")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
}

pub(super) fn events(
    connection: &Connection,
    since: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, chat, body FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![rows::bounded(since), limit], stored_event)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn stored_event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    let chat = row.get::<_, Option<[u8; 16]>>(1)?.map(undertone_core::ChatId);
    Ok(StoredEvent { seq: row.get(0)?, event: EventRow { chat, body: row.get(2)? } })
}

pub(super) fn setting(connection: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM settings WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

pub(super) fn set_setting(
    connection: &Connection,
    name: &str,
    value: Option<&str>,
) -> Result<(), StoreError> {
    match value {
        Some(value) if value.len() > SETTING_BYTES_MAX => {
            return Err(StoreError::Disk(format!("the setting {name} is too long")));
        }
        Some(value) => connection.execute(
            "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [name, value],
        )?,
        None => connection.execute("DELETE FROM settings WHERE name = ?1", [name])?,
    };
    Ok(())
}
