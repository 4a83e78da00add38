//! Numbered migrations; `PRAGMA user_version` says which were applied.

use crate::StoreError;
use rusqlite::{Connection, Transaction};

/// Marks our files (`PRAGMA application_id`): "UTpr".
const APPLICATION_ID: i32 = 0x5554_7072;

/// In order; one is never changed once it was released.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/0001_begin.sql")];

/// The newest database format that this program knows.
pub(crate) fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// Gives a fresh database its tables.
pub(crate) fn begin(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    apply(&transaction, 0)?;
    Ok(transaction.commit()?)
}

/// Brings an existing database to the newest format.
///
/// # Errors
/// [`StoreError::Damaged`] when it is not one of ours or lost its tables: an emptied file must
/// never pass for a new profile.
pub(crate) fn bring_up(connection: &mut Connection) -> Result<(), StoreError> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if id != APPLICATION_ID || found == 0 {
        return Err(StoreError::Damaged("profile.db is not a profile's database".to_owned()));
    }
    if found > newest() {
        return Err(StoreError::Newer { found, known: newest() });
    }
    if found < newest() {
        let transaction = connection.transaction()?;
        apply(&transaction, found)?;
        transaction.commit()?;
    }
    Ok(())
}

fn apply(transaction: &Transaction<'_>, from: u32) -> Result<(), StoreError> {
    for migration in MIGRATIONS.iter().skip(from as usize) {
        transaction.execute_batch(migration)?;
    }
    Ok(transaction.pragma_update(None, "user_version", newest())?)
}
