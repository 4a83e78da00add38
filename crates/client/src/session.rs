//! What front ends hold.

use crate::{LinkState, Stopped, Storage, driver::Asked, storage::StorageError};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{mpsc, oneshot, watch};
use undertone_core::{
    ChatId, MessageId,
    io::{Command, Refused, Reply},
};
use undertone_store::{ChatSummary, HistoryQuery, Listed, Store, StoreError, StoredEvent};
use undertone_transport::Hurry;

/// A way to one running driver. Clones are equal; the driver ends when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Session {
    asked: mpsc::Sender<Asked>,
    storage: Storage,
    steps: watch::Receiver<u64>,
    newest: watch::Receiver<u64>,
    caught_up: watch::Receiver<Option<u64>>,
    link: watch::Receiver<LinkState>,
    failure: watch::Receiver<Option<Arc<StorageError>>>,
    hurry: Hurry,
}

/// Why a command or a query came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommandError {
    /// The engine refused; nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store failed, and with it the driver.
    #[error(transparent)]
    Store(Arc<StorageError>),
    /// The driver has ended.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The receiving ends, as the driver's starter made them.
pub(crate) struct Watched {
    pub(crate) steps: watch::Receiver<u64>,
    pub(crate) newest: watch::Receiver<u64>,
    pub(crate) caught_up: watch::Receiver<Option<u64>>,
    pub(crate) link: watch::Receiver<LinkState>,
    pub(crate) failure: watch::Receiver<Option<Arc<StorageError>>>,
    pub(crate) hurry: Hurry,
}

impl Session {
    pub(crate) fn new(asked: mpsc::Sender<Asked>, storage: Storage, watched: Watched) -> Self {
        let Watched { steps, newest, caught_up, link, failure, hurry } = watched;
        Self { asked, storage, steps, newest, caught_up, link, failure, hurry }
    }

    /// Gives the engine a command and waits for its reply; what the reply tells is on disk.
    ///
    /// # Errors
    /// [`CommandError::Refused`] when the engine says no.
    pub async fn command(&self, command: Command) -> Result<Reply, CommandError> {
        let (answer, answered) = oneshot::channel();
        if self.asked.send(Asked { command, answer }).await.is_err() {
            return Err(self.why_stopped().await);
        }
        match answered.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(self.why_stopped().await),
        }
    }

    /// Messages of a conversation, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn history(&self, query: HistoryQuery) -> Result<Vec<Listed>, CommandError> {
        self.query(move |store| store.history(&query)).await
    }

    /// The messages that bear an id: one, unless somebody copied another's.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn message(&self, message: MessageId) -> Result<Vec<Listed>, CommandError> {
        self.query(move |store| store.message(&message)).await
    }

    /// Unread and newest of every conversation with messages.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn summaries(&self) -> Result<BTreeMap<ChatId, ChatSummary>, CommandError> {
        self.query(|store| store.summaries()).await
    }

    /// Marks messages as read; how many were not yet.
    ///
    /// # Errors
    /// Nothing was marked.
    pub async fn mark_read(
        &self,
        chat: ChatId,
        messages: Vec<MessageId>,
    ) -> Result<u64, CommandError> {
        self.query(move |store| store.mark_read(&chat, &messages)).await
    }

    /// At most `limit` events after number `since`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn events(&self, since: u64, limit: usize) -> Result<Vec<StoredEvent>, CommandError> {
        self.query(move |store| store.events(since, limit)).await
    }

    /// A setting of this device.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn setting(&self, name: &'static str) -> Result<Option<String>, CommandError> {
        self.query(move |store| store.setting(name)).await
    }

    /// Sets, or with `None` removes, a setting.
    ///
    /// # Errors
    /// The setting is as before.
    pub async fn set_setting(
        &self,
        name: &'static str,
        value: Option<String>,
    ) -> Result<(), CommandError> {
        self.query(move |store| store.set_setting(name, value.as_deref())).await
    }

    /// Reads and authenticates the whole profile; what is wrong, a line each.
    ///
    /// # Errors
    /// When the check itself could not run.
    pub async fn check(&self) -> Result<Vec<String>, CommandError> {
        self.query(|store| store.check()).await
    }

    /// The number of the newest event; changes are seen by `changed()`.
    pub fn newest_event(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }

    /// The tick up to which everything is known, once that is so on the present connection.
    pub fn caught_up(&self) -> watch::Receiver<Option<u64>> {
        self.caught_up.clone()
    }

    /// Grows with every step of the driver, also with those that make no event.
    pub(crate) fn steps(&self) -> watch::Receiver<u64> {
        self.steps.clone()
    }

    /// How the server is reached.
    pub fn link(&self) -> watch::Receiver<LinkState> {
        self.link.clone()
    }

    /// Asks the link for an attempt now, and tells which had begun.
    pub(crate) fn hurry(&self) -> &Hurry {
        &self.hurry
    }

    async fn query<T, F>(&self, job: F) -> Result<T, CommandError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    {
        match self.storage.run(job).await {
            Ok(found) => Ok(found),
            Err(StorageError::Stopped(_)) => Err(self.why_stopped().await),
            Err(error @ StorageError::Store(_)) => Err(CommandError::Store(Arc::new(error))),
        }
    }

    /// The failure that ended the driver. It is told right after the end, so it is waited for.
    pub(crate) async fn why_stopped(&self) -> CommandError {
        let mut failure = self.failure.clone();
        match failure.wait_for(Option::is_some).await.ok().and_then(|told| told.clone()) {
            Some(error) => CommandError::Store(error),
            None => CommandError::Stopped(Stopped),
        }
    }
}
