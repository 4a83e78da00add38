//! The driver with a scripted engine, a store in memory and no sockets.

mod control;
mod driver;
mod keys;
mod waiting;

use crate::{Engine, Running, Wires, start};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::sync::mpsc;
use undertone_core::io::{Changes, Input, Output};
use undertone_puppet::first;
use undertone_store::{
    Batch, ChatSummary, HistoryQuery, Listed, Memory, Records, Store, StoreError, StoredEvent,
};
use undertone_transport::{Hurry, LinkEvent, Outgoing};
use undertone_wire::Request;

/// What happened, in order, in the engine and in the store.
type Diary = Arc<Mutex<Vec<String>>>;

/// An engine that answers each input by what the script says.
struct Scripted {
    diary: Diary,
    script: Box<dyn FnMut(Input) -> Vec<Output> + Send>,
    out: VecDeque<Output>,
}

impl Engine for Scripted {
    fn handle(&mut self, _: u64, input: Input) {
        let word = match &input {
            Input::Connected => "connected",
            Input::Disconnected => "disconnected",
            Input::Answer { .. } => "answer",
            Input::Push(_) => "push",
            Input::Command { .. } => "command",
            Input::Wake => "wake",
        };
        self.diary.lock().unwrap().push(word.to_owned());
        self.out.extend((self.script)(input));
    }

    fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }
}

/// A store that writes down what is committed, and fails once it is told to.
struct Watched {
    inner: Memory,
    diary: Diary,
    forgets: mpsc::UnboundedSender<()>,
}

impl Store for Watched {
    fn commit(&mut self, batch: &Batch) -> Result<u64, StoreError> {
        let committed = self.inner.commit(batch)?;
        let (records, events) = (batch.changes.records.len(), batch.events.len());
        self.diary.lock().unwrap().push(format!("commit {records} records, {events} events"));
        Ok(committed)
    }

    fn load_records(&self) -> Result<Records, StoreError> {
        self.inner.load_records()
    }

    fn history(&self, query: &HistoryQuery) -> Result<Vec<Listed>, StoreError> {
        self.inner.history(query)
    }

    fn message(&self, message: &undertone_core::MessageId) -> Result<Vec<Listed>, StoreError> {
        self.inner.message(message)
    }

    fn summaries(
        &self,
    ) -> Result<std::collections::BTreeMap<undertone_core::ChatId, ChatSummary>, StoreError> {
        self.inner.summaries()
    }

    fn mark_read(
        &mut self,
        chat: &undertone_core::ChatId,
        messages: &[undertone_core::MessageId],
    ) -> Result<u64, StoreError> {
        self.inner.mark_read(chat, messages)
    }

    fn newest_event(&self) -> Result<u64, StoreError> {
        self.inner.newest_event()
    }

    fn events(&self, since: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.inner.events(since, limit)
    }

    fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.inner.setting(name)
    }

    fn set_setting(&mut self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.inner.set_setting(name, value)
    }

    fn forget_erased(&mut self) -> Result<(), StoreError> {
        let told = self.forgets.send(());
        told.map_err(|_| StoreError::Disk("nobody looks any more".to_owned()))
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        self.inner.check()
    }
}

/// A driver and the far ends of everything that it holds.
struct Rig {
    running: Running,
    events: mpsc::Sender<LinkEvent>,
    frames: mpsc::Receiver<Outgoing>,
    /// Where the link counts its attempts and is asked for more.
    hurry: Hurry,
    diary: Diary,
    /// What was erased is to be forgotten.
    forgets: mpsc::UnboundedReceiver<()>,
}

impl Rig {
    fn new(script: impl FnMut(Input) -> Vec<Output> + Send + 'static) -> Self {
        Self::with_store(Memory::default(), script)
    }

    fn with_store(
        inner: Memory,
        script: impl FnMut(Input) -> Vec<Output> + Send + 'static,
    ) -> Self {
        let diary = Diary::default();
        let (events, events_out) = mpsc::channel(64);
        let (frames_in, frames) = mpsc::channel(1);
        let (script, out) = (Box::new(script), VecDeque::new());
        let engine = Scripted { diary: Arc::clone(&diary), script, out };
        let (forgets_in, forgets) = mpsc::unbounded_channel();
        let store = Watched { inner, diary: Arc::clone(&diary), forgets: forgets_in };
        let wires = Wires::held(events_out, frames_in);
        let hurry = wires.hurry.clone();
        let running = start(engine, store, (), wires).unwrap();
        Self { running, events, frames, hurry, diary, forgets }
    }

    /// The next attempt succeeds.
    async fn connect(&self) {
        self.hurry.begin();
        self.events.send(connected()).await.unwrap();
    }

    fn diary(&self) -> Vec<String> {
        self.diary.lock().unwrap().clone()
    }
}

fn connected() -> LinkEvent {
    LinkEvent::Connected { connection: 1, info: Box::new(undertone_puppet::info(&first(1))) }
}

fn persist(key: &str) -> Output {
    let mut changes = Changes::default();
    changes.records.insert(("account", key.as_bytes().to_vec()), Some(Vec::new()));
    Output::Persist(changes)
}

fn transmit(id: u32) -> Output {
    Output::Transmit { id, request: Request::Info }
}
