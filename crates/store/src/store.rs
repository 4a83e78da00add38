//! The contract of a store, in one trait.

use crate::{Records, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use undertone_core::{
    ChatId, MessageId,
    io::{Changes, HistoryRow, RowName},
};

/// Events kept; older ones are forgotten, and `watch --since` begins at the oldest that is left.
pub const EVENTS_KEPT: u64 = 100_000;

/// Longest value of a setting, in bytes.
pub const SETTING_BYTES_MAX: usize = 4096;

/// What one step of the driver makes durable, as a whole or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    /// The engine's.
    pub changes: Changes,
    /// Numbered in this order.
    pub events: Vec<NewEvent>,
}

/// An event to be numbered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What is kept.
    pub row: EventRow,
    /// The message that it announces. The event is left out unless the batch writes the row of that name
    /// first, and also when an earlier event of the batch announces the same.
    pub announces: Option<RowName>,
}

impl NewEvent {
    /// Whether it is kept; takes what it announces out of the rows that the batch writes first.
    pub(crate) fn is_kept(&self, written: &mut BTreeSet<RowName>) -> bool {
        self.announces.is_none_or(|row| written.remove(&row))
    }
}

impl From<EventRow> for NewEvent {
    fn from(row: EventRow) -> Self {
        Self { row, announces: None }
    }
}

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// The conversation it belongs to.
    pub chat: Option<ChatId>,
    /// JSON, opaque here. It names messages, it does not repeat them.
    pub body: String,
}

/// A numbered event. Numbers grow by one, are never given twice, and survive restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number; the first is 1.
    pub seq: u64,
    /// As it was stored.
    pub event: EventRow,
}

/// A piece of a conversation's history.
#[derive(Clone, Copy, Debug)]
pub struct HistoryQuery {
    /// Which conversation.
    pub chat: ChatId,
    /// At most so many, the newest ones.
    pub limit: usize,
    /// Only what stands before this message.
    pub before: Option<MessageId>,
}

/// A message in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The message.
    pub row: HistoryRow,
    /// Whether it has been marked as read here. One's own always are.
    pub read: bool,
}

/// What a list of conversations shows of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatSummary {
    /// Messages of others that are not marked as read.
    pub unread: u64,
    /// The newest message.
    pub last: Option<HistoryRow>,
}

/// What the driver keeps. Every engine passes the same conformance suite.
///
/// * [`Self::commit`] is atomic and, when it returns, durable.
/// * A key of [`Changes::records`] is unique within its space; `None` erases, and erased bytes
///   do not stay on disk after the next [`Self::forget_erased`], or after the store is closed.
/// * An own [`HistoryRow`] replaces the one before of the same [`RowName`] and stays marked as read.
///   Somebody else's is never replaced: what was read stays as it was read. A row of [`Changes::moved`]
///   takes its place and its time, and nothing else.
/// * A message is announced once, in the batch that writes its row first: see [`NewEvent::announces`].
/// * Reading takes no side effects; an error leaves everything as it was.
pub trait Store: Send {
    /// Makes `batch` durable; the number of the newest event, 0 if there never was one.
    ///
    /// # Errors
    /// Nothing of the batch was kept.
    fn commit(&mut self, batch: &Batch) -> Result<u64, StoreError>;

    /// All records of the engine.
    ///
    /// # Errors
    /// When they cannot be read.
    fn load_records(&self) -> Result<Records, StoreError>;

    /// Messages of one conversation, oldest first. An unknown `before` gives none.
    ///
    /// # Errors
    /// When they cannot be read.
    fn history(&self, query: &HistoryQuery) -> Result<Vec<Listed>, StoreError>;

    /// The messages that bear this id: one, as ids are made from author and content.
    ///
    /// # Errors
    /// When they cannot be read.
    fn message(&self, message: &MessageId) -> Result<Vec<Listed>, StoreError>;

    /// Unread and newest of every conversation that has messages.
    ///
    /// # Errors
    /// When they cannot be read.
    fn summaries(&self) -> Result<BTreeMap<ChatId, ChatSummary>, StoreError>;

    /// Marks these messages of `chat` as read; how many were not yet.
    ///
    /// # Errors
    /// Nothing was marked.
    fn mark_read(&mut self, chat: &ChatId, messages: &[MessageId]) -> Result<u64, StoreError>;

    /// The number of the newest event, 0 if there never was one.
    ///
    /// # Errors
    /// When it cannot be read.
    fn newest_event(&self) -> Result<u64, StoreError>;

    /// At most `limit` events after number `since`, in order.
    ///
    /// # Errors
    /// When they cannot be read.
    fn events(&self, since: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// A setting of this device.
    ///
    /// # Errors
    /// When it cannot be read.
    fn setting(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Sets, or with `None` removes, a setting.
    ///
    /// # Errors
    /// The setting is as before.
    fn set_setting(&mut self, name: &str, value: Option<&str>) -> Result<(), StoreError>;

    /// Lets no file hold any more what was erased or replaced before: where a commit goes to a log
    /// first, the log still has the pages as they were. Costs some syncs.
    ///
    /// # Errors
    /// Some of it may still be there; nothing else is touched.
    fn forget_erased(&mut self) -> Result<(), StoreError>;

    /// Reads and authenticates everything; what is wrong, a line each.
    ///
    /// # Errors
    /// When the check itself could not run.
    fn check(&self) -> Result<Vec<String>, StoreError>;
}
