//! The store without a disk, for simulation and for tests of the driver.

use crate::{
    Batch, ChatSummary, EVENTS_KEPT, HistoryQuery, Listed, Records, SETTING_BYTES_MAX, Store,
    StoreError, StoredEvent,
};
use std::collections::{BTreeMap, BTreeSet};
use undertone_core::{
    ChatId, MessageId,
    io::{HistoryRow, SPACES},
};

/// Everything in memory; it can be told to fail.
#[derive(Debug, Default)]
pub struct Memory {
    records: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
    /// In the order of their first appearance.
    messages: Vec<Listed>,
    events: Vec<StoredEvent>,
    newest: u64,
    settings: BTreeMap<String, String>,
    full: bool,
}

impl Memory {
    /// From now on every write fails as on a full disk, or no more.
    pub fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    fn writable(&self) -> Result<(), StoreError> {
        if self.full { Err(StoreError::Full) } else { Ok(()) }
    }

    fn find(&mut self, row: &HistoryRow) -> Option<&mut Listed> {
        self.messages.iter_mut().find(|listed| listed.row.name() == row.name())
    }

    /// Whether none of its name stood here before.
    fn put(&mut self, row: &HistoryRow) -> bool {
        match self.find(row) {
            Some(listed) if listed.row.own => listed.row = HistoryRow { own: true, ..row.clone() },
            Some(_) => {}
            None => {
                self.messages.push(Listed { row: row.clone(), read: row.own });
                return true;
            }
        }
        false
    }

    fn in_order(&self, chat: &ChatId) -> Vec<&Listed> {
        let mut found: Vec<_> =
            self.messages.iter().filter(|listed| listed.row.chat == *chat).collect();
        found.sort_by(|a, b| a.row.order.cmp(&b.row.order));
        found
    }
}

impl Store for Memory {
    fn commit(&mut self, batch: &Batch) -> Result<u64, StoreError> {
        self.writable()?;
        for ((space, key), value) in &batch.changes.records {
            match value {
                Some(value) => self.records.insert((space, key.clone()), value.clone()),
                None => self.records.remove(&(*space, key.clone())),
            };
        }
        let written = batch.changes.messages.iter().filter(|row| self.put(row));
        let mut written: BTreeSet<_> = written.map(HistoryRow::name).collect();
        for row in &batch.changes.moved {
            if let Some(listed) = self.find(row) {
                listed.row.move_to(row.clone());
            }
        }
        for event in batch.events.iter().filter(|event| event.is_kept(&mut written)) {
            self.newest += 1;
            self.events.push(StoredEvent { seq: self.newest, event: event.row.clone() });
        }
        let oldest = self.newest.saturating_sub(EVENTS_KEPT);
        self.events.retain(|event| event.seq > oldest);
        Ok(self.newest)
    }

    fn load_records(&self) -> Result<Records, StoreError> {
        let mut records: Records = SPACES.iter().map(|space| (*space, Vec::new())).collect();
        for ((space, key), value) in &self.records {
            records.entry(space).or_default().push((key.clone(), value.clone()));
        }
        Ok(records)
    }

    fn history(&self, query: &HistoryQuery) -> Result<Vec<Listed>, StoreError> {
        let mut found = self.in_order(&query.chat);
        if let Some(before) = query.before {
            let place = found.iter().position(|listed| listed.row.message == before);
            found.truncate(place.unwrap_or(0));
        }
        let skipped = found.len().saturating_sub(query.limit);
        Ok(found.into_iter().skip(skipped).cloned().collect())
    }

    fn message(&self, message: &MessageId) -> Result<Vec<Listed>, StoreError> {
        let named = self.messages.iter().filter(|listed| listed.row.message == *message);
        Ok(named.cloned().collect())
    }

    fn summaries(&self) -> Result<BTreeMap<ChatId, ChatSummary>, StoreError> {
        let mut summaries = BTreeMap::<ChatId, ChatSummary>::new();
        for listed in &self.messages {
            let summary = summaries.entry(listed.row.chat).or_default();
            summary.unread += u64::from(!listed.read);
        }
        for (chat, summary) in &mut summaries {
            summary.last = self.in_order(chat).last().map(|listed| listed.row.clone());
        }
        Ok(summaries)
    }

    fn mark_read(&mut self, chat: &ChatId, messages: &[MessageId]) -> Result<u64, StoreError> {
        self.writable()?;
        let mut marked = 0;
        for listed in &mut self.messages {
            let meant = listed.row.chat == *chat && messages.contains(&listed.row.message);
            if meant && !listed.read {
                listed.read = true;
                marked += 1;
            }
        }
        Ok(marked)
    }

    fn newest_event(&self) -> Result<u64, StoreError> {
        Ok(self.newest)
    }

    fn events(&self, since: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let later = self.events.iter().filter(|event| event.seq > since);
        Ok(later.take(limit).cloned().collect())
    }

    fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.settings.get(name).cloned())
    }

    fn set_setting(&mut self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.writable()?;
        match value {
            Some(value) if value.len() > SETTING_BYTES_MAX => {
                return Err(StoreError::Disk(format!("the setting {name} is too long")));
            }
            Some(value) => self.settings.insert(name.to_owned(), value.to_owned()),
            None => self.settings.remove(name),
        };
        Ok(())
    }

    fn forget_erased(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}
