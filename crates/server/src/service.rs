//! What every connection asks: reads at once, writes by way of the sealing thread.

use crate::{
    clock,
    config::Config,
    hub::{self, Push},
    sealer::Bell,
    session::refused,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};
use tokio::sync::{Semaphore, SemaphorePermit, broadcast, mpsc};
use undertone_server_core::{CellStore, Engine, Files, Put, Segments, Ticket};
use undertone_wire::{Answer, DigestPage, Refusal, RefusalKind, Request};

/// Reads of pages, segments and proofs that run at once; the rest wait their turn.
const HEAVY_READS: usize = 8;

/// Long answers that are held in memory at once, because their clients have not taken them yet;
/// none is longer than about four megabytes.
const LONG_ANSWERS: usize = 64;

/// The engine as this server runs it.
pub(crate) type ServerEngine = Engine<Segments<Arc<dyn Files>>>;

/// The answer to a PUT, with the request's id.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The request's id.
    pub(crate) id: u32,
    /// The answer; boxed, because every connection's queue has room for 32 from the beginning.
    pub(crate) answer: Box<Answer>,
}

/// The server as its connections see it.
pub(crate) struct Service {
    pub(crate) config: Config,
    pub(crate) ring: broadcast::Sender<Push>,
    engine: Arc<ServerEngine>,
    bell: Bell,
    connections: AtomicU64,
    heavy: Semaphore,
    long: Semaphore,
    writers: Mutex<HashMap<u32, mpsc::Sender<Reply>>>,
    next_writer: AtomicU32,
}

impl Service {
    pub(crate) fn new(config: Config, engine: Arc<ServerEngine>, bell: Bell) -> Self {
        Self {
            config,
            ring: hub::ring(),
            engine,
            bell,
            connections: AtomicU64::new(0),
            heavy: Semaphore::new(HEAVY_READS),
            long: Semaphore::new(LONG_ANSWERS),
            writers: Mutex::default(),
            next_writer: AtomicU32::new(0),
        }
    }

    /// Registers a connection that will write; up to `in_flight` answers may wait in it.
    pub(crate) fn writer(self: &Arc<Self>, in_flight: u16) -> (Writer, mpsc::Receiver<Reply>) {
        let (replies, received) = mpsc::channel(usize::from(in_flight.max(1)));
        let mut writers = self.writers();
        let number = loop {
            // After four thousand million connections the first numbers are free again.
            let number = self.next_writer.fetch_add(1, Ordering::Relaxed);
            if !writers.contains_key(&number) {
                break number;
            }
        };
        writers.insert(number, replies);
        drop(writers);
        (Writer { service: Arc::clone(self), number }, received)
    }

    /// Hands the answers of a tick to the connections that are still there.
    pub(crate) fn deliver(&self, answers: Vec<(Ticket, Answer)>) {
        let writers = self.writers();
        for (Ticket(ticket), answer) in answers {
            let (number, id) = split(ticket);
            if let Some(writer) = writers.get(&number) {
                // There is room for as many as may be in flight; a closed one needs none.
                writer.try_send(Reply { id, answer: Box::new(answer) }).ok();
            }
        }
    }

    /// A PUT through the second door.
    pub(crate) async fn put_and_wait(self: &Arc<Self>, put: Put) -> Answer {
        let (writer, mut replies) = self.writer(1);
        if let Err(refusal) = writer.put(0, put) {
            return Answer::Refused(refusal);
        }
        match replies.recv().await {
            Some(Reply { answer, .. }) => *answer,
            None => refused(RefusalKind::Closing),
        }
    }

    /// Answers what neither writes nor streams, on the caller's thread; `None` when that reads so
    /// much that it must not hold up a connection's thread.
    pub(crate) fn read(&self, request: &Request) -> Option<Answer> {
        match request {
            Request::Digest { .. } | Request::Proof { .. } => None,
            Request::Get { tag, size } => self.engine.get_at_hand(tag, *size),
            other => Some(self.engine.answer(other)),
        }
    }

    /// As [`Service::read`], where it holds up nobody.
    pub(crate) async fn read_heavy(self: &Arc<Self>, request: Request) -> Answer {
        let answer = self.heavy(move |engine| engine.answer(&request)).await;
        answer.unwrap_or_else(Answer::Refused)
    }

    /// Leave to hold a long answer until its client has taken it.
    pub(crate) async fn hold_long(&self) -> Option<SemaphorePermit<'_>> {
        self.long.acquire().await.ok()
    }

    /// As [`Service::hold_long`]; `None` when too many are held already.
    pub(crate) fn try_hold_long(&self) -> Option<SemaphorePermit<'_>> {
        self.long.try_acquire().ok()
    }

    /// Whether a stream may begin at tick `from`.
    pub(crate) fn may_stream(&self, from: u64) -> Result<(), RefusalKind> {
        let next = self.engine.newest().head.tick + 1;
        let oldest = self.engine.store().ticks().map_or(next, |ticks| *ticks.start());
        match from {
            _ if from > next => Err(RefusalKind::Future),
            _ if from < oldest => Err(RefusalKind::Expired),
            _ => Ok(()),
        }
    }

    /// A page of ticks from `from` on; empty when there is none yet.
    pub(crate) async fn page(self: &Arc<Self>, from: u64) -> Result<DigestPage, Refusal> {
        self.heavy(move |engine| engine.page(from)).await?
    }

    /// The newest head, signed anew with the time.
    pub(crate) async fn heartbeat(self: &Arc<Self>) -> Result<DigestPage, Refusal> {
        self.heavy(|engine| engine.heartbeat(clock::unix_ms())).await
    }

    /// Open connections, for pacing.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn set_connections(&self, connections: usize) {
        self.connections.store(connections as u64, Ordering::Relaxed);
    }

    /// Runs what may take a while where it holds up nobody.
    async fn heavy<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&ServerEngine) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let closing = |_| refusal(RefusalKind::Closing);
        let turn = self.heavy.acquire().await;
        let _turn = turn.map_err(|_| refusal(RefusalKind::Closing))?;
        let engine = Arc::clone(&self.engine);
        tokio::task::spawn_blocking(move || read(&engine)).await.map_err(closing)
    }

    fn writers(&self) -> MutexGuard<'_, HashMap<u32, mpsc::Sender<Reply>>> {
        // Every change is one insertion or removal: a poisoned map is whole.
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal(kind: RefusalKind) -> Refusal {
    match refused(kind) {
        Answer::Refused(refusal) => refusal,
        _ => unreachable!("a refusal is a refusal"),
    }
}

/// A connection's right to hand in PUTs; what it handed in goes unanswered when it is dropped.
pub(crate) struct Writer {
    service: Arc<Service>,
    number: u32,
}

impl Writer {
    /// Hands in a PUT; the answer comes as a [`Reply`] with this id.
    pub(crate) fn put(&self, id: u32, put: Put) -> Result<(), Refusal> {
        self.service.engine.submit(Ticket(join(self.number, id)), put)?;
        self.service.bell.ring();
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.service.writers().remove(&self.number);
    }
}

/// A ticket names the connection and its request.
fn join(number: u32, id: u32) -> u64 {
    u64::from(number) << 32 | u64::from(id)
}

fn split(ticket: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = ticket.to_be_bytes();
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_name_connection_and_request() {
        for (number, id) in [(0, 0), (1, u32::MAX), (u32::MAX, 1), (0x0102_0304, 0x0506_0708)] {
            assert_eq!(split(join(number, id)), (number, id));
        }
    }
}
