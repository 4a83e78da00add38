//! The store on SQLCipher.
//!
//! WAL with `synchronous = FULL`: a commit is one sync of the log. `secure_delete` overwrites what
//! is erased, and folding the log in removes the pages as they were before; temporary tables stay in memory, and every page is authenticated by SQLCipher, so a
//! changed byte is an error and not a wrong answer.

mod history;
mod migrate;
mod open;
mod tables;

use crate::{Batch, ChatSummary, HistoryQuery, Listed, Records, Store, StoreError, StoredEvent};
use rusqlite::Connection;
use std::collections::BTreeMap;
use undertone_core::{ChatId, MessageId};

/// A profile's database.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    /// Pretends that a newer program wrote the database.
    #[cfg(test)]
    pub(crate) fn dangerous_set_format(&self, format: u32) {
        self.connection.pragma_update(None, "user_version", format).unwrap();
    }

    /// From now on the file cannot grow, as on a full disk.
    #[cfg(test)]
    pub(crate) fn dangerous_fill_disk(&self) {
        self.connection.query_row("PRAGMA max_page_count = 1", [], |_| Ok(())).unwrap();
    }

    /// Whether what is erased is also overwritten, on this connection.
    #[cfg(test)]
    pub(crate) fn overwrites_erased(&self) -> bool {
        let value = self.connection.pragma_query_value(None, "secure_delete", |row| row.get(0));
        value == Ok(1)
    }

    /// Closes the file; its write-ahead log is folded in.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        self.connection.close().map_err(|(_, error)| error.into())
    }
}

impl Store for Sqlite {
    fn commit(&mut self, batch: &Batch) -> Result<u64, StoreError> {
        let transaction = self.connection.transaction()?;
        tables::write_records(&transaction, &batch.changes.records)?;
        let written = history::write(&transaction, &batch.changes.messages)?;
        history::write_moved(&transaction, &batch.changes.moved)?;
        tables::append_events(&transaction, &batch.events, written)?;
        let newest = tables::newest_event(&transaction)?;
        transaction.commit()?;
        Ok(newest)
    }

    fn load_records(&self) -> Result<Records, StoreError> {
        tables::load_records(&self.connection)
    }

    fn history(&self, query: &HistoryQuery) -> Result<Vec<Listed>, StoreError> {
        history::list(&self.connection, query)
    }

    fn message(&self, message: &MessageId) -> Result<Vec<Listed>, StoreError> {
        history::by_id(&self.connection, message)
    }

    fn summaries(&self) -> Result<BTreeMap<ChatId, ChatSummary>, StoreError> {
        history::summaries(&self.connection)
    }

    fn mark_read(&mut self, chat: &ChatId, messages: &[MessageId]) -> Result<u64, StoreError> {
        let transaction = self.connection.transaction()?;
        let marked = history::mark_read(&transaction, chat, messages)?;
        transaction.commit()?;
        Ok(marked)
    }

    fn newest_event(&self) -> Result<u64, StoreError> {
        tables::newest_event(&self.connection)
    }

    fn events(&self, since: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        tables::events(&self.connection, since, limit)
    }

    fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        tables::setting(&self.connection, name)
    }

    fn set_setting(&mut self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        tables::set_setting(&self.connection, name, value)
    }

    fn forget_erased(&mut self) -> Result<(), StoreError> {
        open::fold_log(&self.connection)
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        let mut faults = Vec::new();
        for pragma in ["PRAGMA cipher_integrity_check", "PRAGMA quick_check"] {
            let mut statement = self.connection.prepare(pragma)?;
            let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
            faults.extend(lines.collect::<Result<Vec<_>, _>>()?);
        }
        faults.retain(|line| line != "ok");
        Ok(faults)
    }
}
