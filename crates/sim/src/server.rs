//! The server: the real engine over its store in memory, and what its door does around it.

use crate::act::DiskFault;
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use undertone_server_core::{CellStore, Config, Engine, Fault, Keys, Memory, Put, Ticket};
use undertone_wire::{Answer, CellHash, DigestPage, Refusal, RefusalKind, ServerAddress, Tag};

/// The server and what it has promised.
pub(crate) struct Server {
    /// `None` while it is down.
    engine: Option<Engine<Memory>>,
    memory: Memory,
    config: Config,
    address: ServerAddress,
    /// PUTs that wait for their tick: the connection and its id there.
    puts: BTreeMap<u64, Waiting>,
    next_put: u64,
    /// What was answered as stored, and when its tick was sealed.
    acknowledged: BTreeMap<Tag, (CellHash, u64)>,
    /// What an operator would put back.
    backup: Option<Memory>,
    /// The next start is from the backup, and says so.
    recovers: bool,
    /// Recoveries that were declared.
    pub recoveries: usize,
    /// Of each: the last tick that survived, and the newest that did not.
    undone: Vec<(u64, u64)>,
    expired_ms: u64,
    /// Whether a tick is due already.
    pub sealing: bool,
    pub sealed_ms: u64,
    /// A planted bug: a restart loses the last durable tick.
    pub forgets: bool,
    /// How long the next failure of its disk keeps it down.
    pub repair_ms: u64,
}

/// A PUT that waits for its tick.
struct Waiting {
    line: u64,
    id: u32,
    tag: Tag,
    cell: CellHash,
}

/// What sealing gave, by connection.
pub(crate) struct Tick {
    pub answers: Vec<(u64, u32, Answer)>,
    pub moved: bool,
    pub failed: bool,
}

impl Server {
    pub(crate) fn new(now_ms: u64) -> Self {
        let config = Config::new(Keys::first(SigningKey::from_bytes(&[42; 32])));
        let memory = Memory::default();
        let engine = Engine::open(memory.clone(), config.clone(), now_ms);
        let engine = engine.expect("an empty store in memory opens");
        let address = ServerAddress::new("localhost", 7443, engine.info().server);
        Self {
            engine: Some(engine),
            memory,
            config,
            address: address.expect("a host, a port and an id are an address"),
            puts: BTreeMap::new(),
            next_put: 0,
            acknowledged: BTreeMap::new(),
            backup: None,
            recovers: false,
            recoveries: 0,
            undone: Vec::new(),
            expired_ms: now_ms,
            sealing: false,
            sealed_ms: 0,
            forgets: false,
            repair_ms: 1_000,
        }
    }

    pub(crate) fn address(&self) -> ServerAddress {
        self.address.clone()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.engine.is_some()
    }

    pub(crate) fn engine(&self) -> Option<&Engine<Memory>> {
        self.engine.as_ref()
    }

    /// Queues a cell; `Err` is the answer at once.
    pub(crate) fn submit(&mut self, line: u64, id: u32, put: Put) -> Result<(), Refusal> {
        let Some(engine) = &self.engine else { return Ok(()) };
        let ticket = self.next_put;
        let waiting = Waiting { line, id, tag: put.tag, cell: put.cell.hash() };
        engine.submit(Ticket(ticket), put)?;
        self.next_put += 1;
        self.puts.insert(ticket, waiting);
        Ok(())
    }

    pub(crate) fn pending(&self) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine.pending() > 0)
    }

    /// Seals what waits, as far as a tick takes it.
    pub(crate) fn seal(&mut self, now_ms: u64) -> Tick {
        let mut tick = Tick { answers: Vec::new(), moved: false, failed: false };
        let Some(engine) = &self.engine else { return tick };
        let sealed = engine.seal(now_ms);
        tick.moved = sealed.page.is_some();
        tick.failed = sealed.failure.is_some();
        self.sealed_ms = now_ms;
        for (Ticket(ticket), answer) in sealed.answers {
            let Some(waiting) = self.puts.remove(&ticket) else { continue };
            if let Answer::Stored(receipt) = &answer {
                // It may lie there for long, and be answered only now.
                let stored = (waiting.cell, receipt.leaf.time_ms);
                self.acknowledged.entry(waiting.tag).or_insert(stored);
            }
            tick.answers.push((waiting.line, waiting.id, answer));
        }
        tick
    }

    /// The digests from `from` on, if there are any.
    ///
    /// # Errors
    /// As of [`Engine::page`]; while the server is down nobody is answered.
    pub(crate) fn page(&self, from: u64) -> Result<DigestPage, Refusal> {
        let engine = self.engine.as_ref().ok_or_else(|| refusal(RefusalKind::Closing))?;
        engine.page(from)
    }

    /// Whether a stream may begin there: as the server's door says.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) fn may_stream(&self, from: u64) -> Result<(), Refusal> {
        let next = self.newest() + 1;
        let oldest = self.engine.as_ref().and_then(|engine| engine.store().ticks());
        let oldest = oldest.map_or(next, |ticks| *ticks.start());
        match from {
            _ if from > next => Err(refusal(RefusalKind::Future)),
            _ if from < oldest => Err(refusal(RefusalKind::Expired)),
            _ => Ok(()),
        }
    }

    /// Of each tick that the store has: when it was sealed, and how many cells it lists.
    pub(crate) fn ticks(&self) -> Vec<(u64, usize)> {
        let mut ticks = Vec::new();
        let mut from = 1;
        while let Some(page) = self.page(from).ok().filter(|page| !page.ticks.is_empty()) {
            from = page.ticks.last().map_or(u64::MAX, |last| last.tick + 1);
            ticks.extend(page.ticks.iter().map(|tick| (tick.time_ms, tick.prefixes.len())));
        }
        ticks
    }

    pub(crate) fn heartbeat(&self, now_ms: u64) -> Option<DigestPage> {
        self.engine.as_ref().map(|engine| engine.heartbeat(now_ms))
    }

    /// Forgets, hour by hour, what is older than the retention; tells whether that took a tick.
    pub(crate) fn expire(&mut self, now_ms: u64) -> bool {
        const HOUR_MS: u64 = 3_600_000;
        let Some(engine) = &self.engine else { return false };
        if now_ms < self.expired_ms + HOUR_MS {
            return false;
        }
        self.expired_ms = now_ms;
        let before = engine.newest().head.tick;
        // A store that has failed says so to whoever writes next.
        let _ = engine.expire(now_ms);
        engine.newest().head.tick != before
    }

    /// The next write fails.
    pub(crate) fn break_disk(&self, fault: DiskFault) {
        self.memory.fail_next(match fault {
            DiskFault::Lost => Fault::Lost,
            DiskFault::Unseen => Fault::StoredUnseen,
            DiskFault::Full => Fault::Full,
        });
    }

    /// What was not sealed is gone.
    pub(crate) fn crash(&mut self) {
        self.engine = None;
        self.puts.clear();
        self.sealing = false;
    }

    /// Starts from the last durable tick.
    ///
    /// # Errors
    /// What the engine says when it cannot take up its own log.
    pub(crate) fn restart(&mut self, now_ms: u64) -> Result<(), String> {
        if self.forgets {
            self.memory.dangerous_lose_newest();
        }
        self.recover();
        let opened = Engine::open(self.memory.reopen(), self.config.clone(), now_ms);
        self.engine = Some(opened.map_err(|error| error.to_string())?);
        self.keep_promises_that_survived();
        Ok(())
    }

    /// The first time a backup is made; after that the server is lost at its next start, goes on from
    /// the backup, and declares it. Whether it was that.
    pub(crate) fn lose(&mut self) -> bool {
        let backup = self.memory.backup();
        match &self.backup {
            None if backup.ticks().is_some() => self.backup = Some(backup),
            None => {}
            Some(_) => self.recovers = true,
        }
        self.recovers
    }

    fn recover(&mut self) {
        let Some(backup) = self.backup.as_ref().filter(|_| self.recovers) else { return };
        let newest = self.memory.ticks().map_or(0, |ticks| *ticks.end());
        self.memory = backup.backup();
        let survived = self.memory.ticks().map_or(0, |ticks| *ticks.end());
        self.undone.push((survived, newest));
        self.config.recovered_after = self.memory.ticks().map(|ticks| *ticks.end());
        self.recoveries += 1;
    }

    /// What a recovery has declared lost is promised no more; whoever puts it again is promised anew.
    fn keep_promises_that_survived(&mut self) {
        if !std::mem::take(&mut self.recovers) {
            return;
        }
        let Some(engine) = &self.engine else { return };
        self.acknowledged.retain(|tag, _| matches!(engine.store().find(&tag.hash()), Ok(Some(_))));
    }

    /// Whether a recovery has undone a tick.
    pub(crate) fn has_undone(&self, tick: u64) -> bool {
        self.undone.iter().any(|(survived, newest)| (survived + 1..=*newest).contains(&tick))
    }

    /// The newest tick.
    pub(crate) fn newest(&self) -> u64 {
        self.engine.as_ref().map_or(0, |engine| engine.newest().head.tick)
    }

    pub(crate) fn retention_ms(&self) -> u64 {
        self.config.retention_ms
    }

    /// The tick that lists a cell; `None` when none does, and while the server is down.
    pub(crate) fn listed(&self, tag: &Tag) -> Option<u64> {
        let found = self.engine.as_ref()?.store().find(&tag.hash()).ok()??;
        Some(found.0.tick)
    }

    /// Whether this cell is the one that lies under a tag.
    pub(crate) fn holds(&self, tag: &Tag, cell: &CellHash) -> bool {
        let found = self.engine.as_ref().map(|engine| engine.store().find(&tag.hash()));
        matches!(found, Some(Ok(Some((_, leaf)))) if leaf.cell == *cell)
    }

    /// Promises that are not kept, of cells that are not expired.
    pub(crate) fn broken_promises(&self, now_ms: u64) -> Vec<Tag> {
        let Some(engine) = &self.engine else { return Vec::new() };
        let fresh_ms = now_ms.saturating_sub(self.config.retention_ms);
        let held = |tag: &Tag, hash: &CellHash| {
            let found = engine.store().find(&tag.hash());
            matches!(found, Ok(Some((_, leaf))) if leaf.cell == *hash)
        };
        let fresh = self.acknowledged.iter().filter(|(_, (_, at_ms))| *at_ms > fresh_ms);
        fresh.filter(|(tag, (hash, _))| !held(tag, hash)).map(|(tag, _)| *tag).collect()
    }
}

fn refusal(kind: RefusalKind) -> Refusal {
    Refusal { kind, message: Vec::new().into() }
}
