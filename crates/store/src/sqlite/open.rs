//! Opening the database file without ever making an empty one by mistake.

use super::{Sqlite, migrate};
use crate::{DatabaseKey, StoreError, folder};
use rusqlite::{Connection, OpenFlags};
use std::{fs, path::Path};

/// SQLCipher's page.
const PAGE_LEN: u64 = 4096;

impl Sqlite {
    /// Makes a new database in a file that does not exist yet.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn create(path: &Path, key: &DatabaseKey) -> Result<Self, StoreError> {
        folder::create_private(path)?;
        let mut connection = connect(path, key)?;
        migrate::begin(&mut connection)?;
        Ok(Self { connection })
    }

    /// Opens an existing database and brings it to the newest format.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a file that is missing, cut short or not this key's,
    /// [`StoreError::Newer`] for a later format.
    pub fn open(path: &Path, key: &DatabaseKey) -> Result<Self, StoreError> {
        // SQLite takes a file of no bytes for a new database; a profile's never is one.
        match fs::metadata(path) {
            Ok(metadata) if metadata.len() >= PAGE_LEN => {}
            Ok(_) => return Err(StoreError::Damaged("profile.db is cut short".to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::Damaged("profile.db is missing".to_owned()));
            }
            Err(error) => return Err(StoreError::from_io("opening profile.db", &error)),
        }
        let mut connection = connect(path, key)?;
        migrate::bring_up(&mut connection)?;
        whole(&connection, path)?;
        Ok(Self { connection })
    }
}

fn connect(path: &Path, key: &DatabaseKey) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "key", &*key.dangerous_pragma())?;
    // SQLCipher's own words on stderr would stand among ours; its errors come back as values.
    // Before the key is set this would be undone.
    connection.pragma_update(None, "cipher_log_level", "NONE")?;
    connection.pragma_update(None, "cipher_memory_security", "ON")?;
    // The first real read: a wrong key or a damaged first page shows here.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Folds the write-ahead log into the database and empties it.
pub(super) fn fold_log(connection: &Connection) -> Result<(), StoreError> {
    let blocked: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    // Somebody reads an older state: the log is not empty, and another call will do it.
    if blocked { Err(StoreError::InUse) } else { Ok(()) }
}

/// A file cut at its end may open and fail much later; better at once. The write-ahead log is
/// folded in first, because pages that stand in it alone are not missing.
fn whole(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    fold_log(connection)?;
    let pages: u64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let length = fs::metadata(path)
        .map_err(|error| StoreError::from_io("measuring profile.db", &error))?
        .len();
    if length < pages * PAGE_LEN {
        return Err(StoreError::Damaged("profile.db is cut short".to_owned()));
    }
    Ok(())
}
