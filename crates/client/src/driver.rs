//! The loop.

mod outbox;

use self::outbox::{Outbox, Release};
use crate::{Engine, LinkState, Storage, Wires, clock, storage::StorageError, wait};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use undertone_core::io::{Changes, Command, Event, Input, Refused, Reply};
use undertone_transport::{LinkEvent, Outgoing};
use undertone_wire::Frame;

/// Inputs taken between two commits: what arrives together costs one sync.
const GATHER_MAX: usize = 64;

/// The longest sleep. The system's clock may jump while the machine is suspended, so the deadline
/// is looked at again.
const SLEEP_MS_MAX: u64 = 30_000;

/// Where keys and texts stand: what a batch erases or replaces there must leave the disk.
const SECRET_SPACES: [&str; 4] = ["chat", "link", "mls", "out"];

/// How long erased secrets may stay in the store's log: one folding for all that is erased within.
const FORGET_AFTER: Duration = Duration::from_secs(1);

/// A command and whom to answer.
pub(crate) struct Asked {
    pub(crate) command: Command,
    pub(crate) answer: oneshot::Sender<Result<Reply, Refused>>,
}

/// What the driver tells whoever looks; each is the newest value.
pub(crate) struct Shown {
    /// Grows with every step that changes something, also when it makes no event.
    pub(crate) steps: watch::Sender<u64>,
    /// Number of the newest event.
    pub(crate) newest: watch::Sender<u64>,
    /// The tick up to which all is known, once that is so on this connection.
    pub(crate) caught_up: watch::Sender<Option<u64>>,
    /// The link.
    pub(crate) link: watch::Sender<LinkState>,
}

pub(crate) struct Driver<E> {
    engine: E,
    storage: Storage,
    wires: Wires,
    asked: mpsc::Receiver<Asked>,
    shown: Shown,
    /// Commands that the engine has not answered yet.
    open: BTreeMap<u64, oneshot::Sender<Result<Reply, Refused>>>,
    next_ticket: u64,
    /// The number of the present connection.
    connection: Option<u64>,
    /// Frames that the link has no room for yet; bounded by the engine's windows.
    outbound: VecDeque<Outgoing>,
    deadline_ms: Option<u64>,
    /// When erased secrets are to leave the disk.
    forget_at: Option<Instant>,
    /// Something else than a question has happened since the last step was told.
    moved: bool,
}

/// What woke the loop.
enum Woken {
    Asked(Asked),
    Link(LinkEvent),
    Slept,
    Forget,
    Sent,
    /// Nobody holds a session any more, or the link's task is gone.
    End,
}

impl<E: Engine> Driver<E> {
    pub(crate) fn new(
        engine: E,
        storage: Storage,
        wires: Wires,
        asked: mpsc::Receiver<Asked>,
        shown: Shown,
    ) -> Self {
        Self {
            engine,
            storage,
            wires,
            asked,
            shown,
            open: BTreeMap::new(),
            next_ticket: 1,
            connection: None,
            outbound: VecDeque::new(),
            deadline_ms: None,
            forget_at: None,
            moved: false,
        }
    }

    /// Runs until every session is dropped or a commit fails.
    pub(crate) async fn run(mut self) -> Result<(), StorageError> {
        loop {
            self.settle().await?;
            match self.wait().await {
                Woken::End => return Ok(()),
                Woken::Forget => self.forget().await?,
                woken => self.take(woken),
            }
            self.gather();
        }
    }

    async fn wait(&mut self) -> Woken {
        let sleep = self.sleep();
        tokio::select! {
            asked = self.asked.recv() => asked.map_or(Woken::End, Woken::Asked),
            event = self.wires.events.recv() => event.map_or(Woken::End, Woken::Link),
            () = tokio::time::sleep(sleep), if self.deadline_ms.is_some() => Woken::Slept,
            () = wait::until(self.forget_at) => Woken::Forget,
            permit = self.wires.frames.reserve(), if !self.outbound.is_empty() => {
                if let (Ok(permit), Some(frame)) = (permit, self.outbound.pop_front()) {
                    permit.send(frame);
                }
                Woken::Sent
            }
        }
    }

    fn sleep(&self) -> Duration {
        let left = self.deadline_ms.map_or(0, |at| at.saturating_sub(clock::now_ms()));
        Duration::from_millis(left.min(SLEEP_MS_MAX))
    }

    /// What else is ready goes into the same commit.
    fn gather(&mut self) {
        for _ in 0..GATHER_MAX {
            if let Ok(event) = self.wires.events.try_recv() {
                self.take(Woken::Link(event));
            } else if let Ok(asked) = self.asked.try_recv() {
                self.take(Woken::Asked(asked));
            } else {
                return;
            }
        }
    }

    fn take(&mut self, woken: Woken) {
        match woken {
            Woken::Asked(Asked { command, answer }) => {
                let ticket = self.next_ticket;
                self.next_ticket += 1;
                self.open.insert(ticket, answer);
                self.handle(Input::Command { ticket, command });
            }
            Woken::Link(event) => self.take_link(event),
            Woken::Slept => self.wake(),
            Woken::Forget | Woken::Sent | Woken::End => {}
        }
    }

    fn take_link(&mut self, event: LinkEvent) {
        self.moved = true;
        match event {
            LinkEvent::Connected { connection, .. } => {
                self.connection = Some(connection);
                self.shown.link.send_replace(LinkState::Up);
                self.handle(Input::Connected);
            }
            LinkEvent::Disconnected { attempt, why, .. } => {
                self.shown.caught_up.send_replace(None);
                self.shown.link.send_modify(|state| *state = state.after(attempt, &why));
                self.outbound.clear();
                if self.connection.take().is_some() {
                    self.handle(Input::Disconnected);
                }
            }
            LinkEvent::Frame(frame) => self.take_frame(*frame),
        }
    }

    fn take_frame(&mut self, frame: Frame) {
        match frame {
            Frame::Answer { id, answer } => self.handle(Input::Answer { id, answer }),
            Frame::Push(page) => self.handle(Input::Push(page)),
            Frame::Request { .. } => {
                tracing::warn!("the server sent a request, which no server may");
            }
        }
    }

    fn wake(&mut self) {
        if self.deadline_ms.is_some_and(|at| at <= clock::now_ms()) {
            self.deadline_ms = None;
            self.moved = true;
            self.handle(Input::Wake);
        }
    }

    fn handle(&mut self, input: Input) {
        self.engine.handle(clock::now_ms(), input);
    }

    /// Collects what the engine has to say, commits, releases.
    async fn settle(&mut self) -> Result<(), StorageError> {
        let Outbox { batch, releases } = Outbox::collect(&mut self.engine);
        if !batch.changes.is_empty() || !batch.events.is_empty() {
            self.moved = true;
            if replaces_secrets(&batch.changes) {
                self.forget_at.get_or_insert_with(|| Instant::now() + FORGET_AFTER);
            }
            let newest = self.storage.run(move |store| store.commit(&batch)).await?;
            self.shown.newest.send_if_modified(|shown| std::mem::replace(shown, newest) != newest);
        }
        releases.into_iter().for_each(|release| self.release(release));
        // Told for a mere question, whoever asks again after every step would never rest.
        if std::mem::take(&mut self.moved) {
            self.shown.steps.send_modify(|steps| *steps += 1);
        }
        Ok(())
    }

    /// Lets erased secrets leave the disk. A store that cannot do it now still has them, encrypted:
    /// no reason to end, and the next folding takes them along.
    async fn forget(&mut self) -> Result<(), StorageError> {
        self.forget_at = None;
        match self.storage.run(|store| store.forget_erased()).await {
            Err(StorageError::Store(error)) => {
                tracing::warn!(%error, "what was erased is still on disk");
                Ok(())
            }
            done => done,
        }
    }

    fn release(&mut self, release: Release) {
        match release {
            Release::Transmit { id, request } => {
                // Without a connection it is lost, as the engine expects.
                if let Some(connection) = self.connection {
                    let frame = Frame::Request { id, request };
                    self.outbound.push_back(Outgoing { connection, frame });
                }
            }
            Release::Reply { ticket, result } => {
                if let Some(answer) = self.open.remove(&ticket) {
                    // Whoever asked may have gone in the meantime.
                    let _ = answer.send(result);
                }
            }
            Release::Event(Event::CaughtUp { tick }) => {
                self.shown.caught_up.send_replace(Some(tick));
            }
            // Its row is kept, and `newest` has been told.
            Release::Event(_) => {}
            Release::Deadline(at_ms) => self.deadline_ms = Some(at_ms),
        }
    }
}

fn replaces_secrets(changes: &Changes) -> bool {
    changes.records.keys().any(|(space, _)| SECRET_SPACES.contains(space))
}
