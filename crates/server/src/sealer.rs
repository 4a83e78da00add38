//! The one thread that writes.
//!
//! A cell that comes after quiet is sealed at once; otherwise a tick lasts at least `tick.min_ms`,
//! so that one sync, one Merkle root and one signature serve everybody who wrote meanwhile. While a
//! tick grows the thread sleeps: PUTs gather in the engine's bounded queue and wake nobody.
//!
//! Clients that write as soon as they are answered come back together, a little later than the
//! tick is old enough. If the first few of them were sealed alone, all others would wait for one
//! tick more, and every second tick would be nearly empty. So a tick that has gathered less than
//! three quarters of what the one before it answered waits longer, up to once more its length.
//!
//! The thread ends when it is told to, after a last tick with everything that was handed in.

use crate::{
    clock,
    error::ServeError,
    folder::Folder,
    service::{ServerEngine, Service},
    trouble::Trouble,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::watch};

/// How often what has expired is looked for.
const EXPIRY: Duration = Duration::from_secs(60);

/// Wakes the sealing thread when it has nothing to do.
#[derive(Clone, Debug)]
pub(crate) struct Bell {
    state: Arc<State>,
    ring: SyncSender<()>,
}

#[derive(Debug, Default)]
struct State {
    idle: AtomicBool,
    stopping: AtomicBool,
}

impl Bell {
    /// Something waits to be sealed.
    pub(crate) fn ring(&self) {
        if self.state.idle.swap(false, Ordering::SeqCst) {
            self.ring_anyway();
        }
    }

    fn stop(&self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        self.ring_anyway();
    }

    fn ring_anyway(&self) {
        // A bell that rings already is enough, and one that nobody hears any more is no matter.
        self.ring.try_send(()).ok();
    }
}

/// The other end of the bell.
#[derive(Debug)]
pub(crate) struct Ear {
    state: Arc<State>,
    heard: Receiver<()>,
}

impl Ear {
    fn stopping(&self) -> bool {
        self.state.stopping.load(Ordering::SeqCst)
    }

    fn set_idle(&self, idle: bool) {
        self.state.idle.store(idle, Ordering::SeqCst);
    }

    /// Sleeps until then, or until the bell rings.
    fn sleep_until(&self, then: Instant) {
        let left = then.saturating_duration_since(clock::now());
        match self.heard.recv_timeout(left) {
            // Nobody is left to ring: the server is stopping.
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

/// A bell and its ear.
pub(crate) fn bell() -> (Bell, Ear) {
    let state = Arc::new(State::default());
    let (ring, heard) = mpsc::sync_channel(1);
    (Bell { state: Arc::clone(&state), ring }, Ear { state, heard })
}

/// The sealing thread's handle; the thread ends when it is dropped.
pub(crate) struct Sealer {
    engine: Arc<ServerEngine>,
    bell: Bell,
    newest: watch::Receiver<u64>,
    thread: Option<JoinHandle<()>>,
}

impl Sealer {
    /// Starts the thread; it keeps the folder locked for as long as it may write. Must be called
    /// within the runtime that serves the connections.
    pub(crate) fn start(
        folder: Folder,
        engine: Arc<ServerEngine>,
        service: Arc<Service>,
        (bell, ear): (Bell, Ear),
    ) -> Result<Self, ServeError> {
        let (newest_in, newest) = watch::channel(engine.newest().head.tick);
        let worker = Worker {
            engine: Arc::clone(&engine),
            tick: service.config.tick.min(),
            service,
            ear,
            newest: newest_in,
            before: 0,
            expired: clock::now(),
            runtime: Handle::current(),
            begun: folder.has_begun(),
            failing: Trouble::default(),
            overdue: false,
            lingering: Trouble::default(),
            folder,
        };
        let thread = std::thread::Builder::new()
            .name("sealer".into())
            .spawn(move || worker.run())
            .map_err(|error| ServeError::Internal(error.to_string()))?;
        Ok(Self { engine, bell, newest, thread: Some(thread) })
    }

    /// The number of the newest tick, as it grows.
    pub(crate) fn newest(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }

    /// Takes nothing any more and seals what there is, at once.
    pub(crate) fn finish(&self) {
        self.engine.close();
        self.bell.stop();
    }

    /// Waits for the thread to end after [`Sealer::finish`].
    pub(crate) async fn join(mut self) -> Result<(), ServeError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        match tokio::task::spawn_blocking(move || thread.join()).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(ServeError::Internal("the sealing thread died".into())),
        }
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        self.finish();
    }
}

struct Worker {
    engine: Arc<ServerEngine>,
    service: Arc<Service>,
    ear: Ear,
    tick: Duration,
    newest: watch::Sender<u64>,
    /// PUTs that the last tick answered.
    before: usize,
    expired: Instant,
    runtime: Handle,
    begun: bool,
    failing: Trouble,
    /// Whether something has expired and is still there.
    overdue: bool,
    lingering: Trouble,
    folder: Folder,
}

impl Worker {
    fn run(mut self) {
        let mut earliest = clock::now();
        self.expire();
        while self.wait_for_work(earliest) {
            earliest = clock::now() + self.tick;
            self.seal();
            self.expire_in_time();
        }
        while self.engine.pending() > 0 {
            self.seal();
        }
    }

    /// Waits until something is to be sealed and its tick is old enough; `false` at the end.
    fn wait_for_work(&mut self, earliest: Instant) -> bool {
        while self.engine.pending() == 0 {
            self.ear.set_idle(true);
            // Whoever came between the two looks saw no idle thread to wake.
            if self.engine.pending() == 0 && !self.ear.stopping() {
                self.ear.sleep_until(self.expired + EXPIRY);
            }
            self.ear.set_idle(false);
            if self.ear.stopping() {
                return false;
            }
            self.expire_in_time();
        }
        while clock::now() < earliest && !self.ear.stopping() {
            self.ear.sleep_until(earliest);
        }
        self.gather(earliest + self.tick);
        !self.ear.stopping()
    }

    /// Waits for those whom the last tick answered, but not beyond `limit`.
    fn gather(&self, limit: Instant) {
        while self.engine.pending() < self.before / 4 * 3 && !self.ear.stopping() {
            let now = clock::now();
            if now >= limit {
                return;
            }
            self.ear.sleep_until(limit.min(now + self.tick / 8));
        }
    }

    fn seal(&mut self) {
        let sealed = self.engine.seal(clock::unix_ms());
        if let Some(failure) = sealed.failure
            && let Some(times) = self.failing.count(clock::now())
        {
            tracing::error!(%failure, times, "nothing is stored now");
        }
        if sealed.page.is_some() {
            // Before anybody is told of the first tick.
            self.mark_begun();
        }
        self.before = sealed.answers.len();
        if let Some(page) = sealed.page {
            self.newest.send_replace(page.head.head.tick);
        }
        // On a thread of the runtime: to wake its tasks from here takes a system call for each.
        let service = Arc::clone(&self.service);
        self.runtime.spawn(async move { service.deliver(sealed.answers) });
    }

    /// Ticks are stored all the same when this fails; the next one tries again.
    fn mark_begun(&mut self) {
        if self.begun {
            return;
        }
        match self.folder.mark_begun() {
            Ok(()) => self.begun = true,
            Err(error) => tracing::error!(%error, "that the log has begun could not be noted"),
        }
    }

    /// What could not be deleted is tried again with every tick.
    fn expire_in_time(&mut self) {
        if self.overdue || clock::now() >= self.expired + EXPIRY {
            self.expire();
        }
    }

    fn expire(&mut self) {
        self.expired = clock::now();
        let expired = self.engine.expire(clock::unix_ms());
        self.overdue = expired.is_err();
        match expired {
            Ok(0) => {}
            Ok(cells) => tracing::info!(cells, "expired"),
            Err(error) => {
                if let Some(times) = self.lingering.count(clock::now()) {
                    tracing::error!(%error, times, "what has expired could not be deleted");
                }
            }
        }
        self.newest.send_if_modified(|newest| {
            let now = self.engine.newest().head.tick;
            std::mem::replace(newest, now) != now
        });
    }
}
