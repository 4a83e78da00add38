//! What a device has persisted: all that is left of it after a crash.

use std::collections::{BTreeMap, BTreeSet};
use undertone_core::io::{Changes, HistoryRow};
use undertone_core::{Account, ChatId, Loaded, MessageId, Records};
use undertone_wire::ServerAddress;

type Place = (ChatId, MessageId, [u8; 16]);

/// The records and the history of one device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    records: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
    history: BTreeMap<Place, HistoryRow>,
    /// Messages of others that the newest step brought once more.
    repeated: BTreeSet<(ChatId, MessageId)>,
}

impl Disk {
    /// Makes one step durable. As the store's contract says: an own row with the same (chat, author,
    /// message) replaces the one before, and somebody else's stays as it was.
    pub(crate) fn commit(&mut self, changes: Changes) {
        for (key, value) in changes.records {
            match value {
                Some(value) => drop(self.records.insert(key, value)),
                None => drop(self.records.remove(&key)),
            }
        }
        self.repeated.clear();
        for row in changes.messages {
            let place = (row.chat, row.message, row.author);
            if self.history.get(&place).is_some_and(|before| !before.own) {
                self.repeated.insert((row.chat, row.message));
            } else {
                self.history.insert(place, row);
            }
        }
        for row in changes.moved {
            if let Some(moved) = self.history.get_mut(&(row.chat, row.message, row.author)) {
                (moved.order, moved.stored_ms) = (row.order, row.stored_ms);
            }
        }
    }

    /// Whether the newest step brought this message here for the first time: only then it is announced.
    pub(crate) fn is_new(&self, chat: ChatId, message: MessageId) -> bool {
        !self.repeated.contains(&(chat, message))
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

    pub(crate) fn rows(&self) -> impl Iterator<Item = &HistoryRow> {
        self.history.values()
    }

    pub(crate) fn row(&self, chat: ChatId, message: MessageId) -> Option<&HistoryRow> {
        let first = (chat, message, [0; 16]);
        let last = (chat, message, [0xff; 16]);
        self.history.range(first..=last).next().map(|(_, row)| row)
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
