//! What a device has persisted: all that is left of it after a crash.
//!
//! The store's own suite holds the history's part of it to the store's contract, for which it is public.

use std::collections::{BTreeMap, BTreeSet};
use undertone_core::io::{Changes, HistoryRow, RowName};
use undertone_core::{Account, ChatId, Loaded, MessageId, Records};
use undertone_crypto::IdentityKey;
use undertone_wire::ServerAddress;

/// The records and the history of one device.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    records: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
    history: BTreeMap<RowName, HistoryRow>,
    /// Messages of others that the newest step wrote first, and that are not announced yet.
    unannounced: BTreeSet<RowName>,
}

impl Disk {
    /// Makes one step durable. As the store's contract says: an own row replaces the one of its name, and
    /// somebody else's stays as it was.
    pub fn commit(&mut self, changes: Changes) {
        for (key, value) in changes.records {
            match value {
                Some(value) => drop(self.records.insert(key, value)),
                None => drop(self.records.remove(&key)),
            }
        }
        self.unannounced.clear();
        for row in changes.messages {
            match self.history.get_mut(&row.name()) {
                Some(before) if before.own => *before = HistoryRow { own: true, ..row },
                Some(_) => {}
                None => {
                    self.unannounced.insert(row.name());
                    self.history.insert(row.name(), row);
                }
            }
        }
        for row in changes.moved {
            if let Some(moved) = self.history.get_mut(&row.name()) {
                moved.move_to(row);
            }
        }
    }

    /// Whether this message is announced now: the newest step wrote its row first, and it was not
    /// announced yet.
    pub fn announces(&mut self, row: &RowName) -> bool {
        self.unannounced.remove(row)
    }

    /// Starts the device again.
    ///
    /// # Errors
    /// What the engine says when it cannot read what it wrote itself.
    pub(crate) fn load(&self, server: ServerAddress, seed: [u8; 32]) -> Result<Account, String> {
        let mut records: BTreeMap<&'static str, Records> = BTreeMap::new();
        for ((space, key), bytes) in &self.records {
            records.entry(*space).or_default().push((key.clone(), bytes.clone()));
        }
        Account::load(Loaded { records, server, seed }).map_err(|error| error.to_string())
    }

    /// The history.
    pub fn rows(&self) -> impl Iterator<Item = &HistoryRow> {
        self.history.values()
    }

    pub(crate) fn row(&self, chat: ChatId, message: MessageId) -> Option<&HistoryRow> {
        let first = RowName { chat, message, from: IdentityKey([0; 32]), author: [0; 16] };
        let found = self.history.range(first..).next().map(|(_, row)| row);
        found.filter(|row| (row.chat, row.message) == (chat, message))
    }

    /// Number and bytes of the records, by space.
    pub(crate) fn size(&self) -> BTreeMap<&'static str, (usize, usize)> {
        let mut sizes = BTreeMap::new();
        for ((space, key), bytes) in &self.records {
            let (count, total): &mut (usize, usize) = sizes.entry(*space).or_default();
            *count += 1;
            *total += key.len() + bytes.len();
        }
        sizes
    }
}
