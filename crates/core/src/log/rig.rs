//! A real server in the process, a client of it, and a wire between them that may be bent.

use super::{Ask, LogEvent, LogFollower};
use crate::cells::{CellAsk, CellEvent, Cells};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use undertone_server_core::{Config, Engine, Keys, Memory, Put, Ticket};
use undertone_wire::{
    Answer, Cell, DigestPage, Head, HeadRef, Prefix, Refusal, Request, ServerId, SignedHead, Tag,
    Token, WriteKey, merkle::Frontier,
};

/// 2026-01-01, at the start of a day.
pub(crate) const START_MS: u64 = 1_767_225_600_000;

/// A real engine with a clock of its own.
pub(crate) struct Server {
    pub(crate) engine: Engine<Memory>,
    pub(crate) key: SigningKey,
    pub(crate) now_ms: u64,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::with_key(1)
    }

    pub(crate) fn with_key(seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        Self::over(Memory::default(), Config::new(Keys::first(key.clone())), key, START_MS)
    }

    pub(crate) fn over(store: Memory, config: Config, key: SigningKey, now_ms: u64) -> Self {
        let engine = Engine::open(store, config, now_ms).expect("an engine over a sound store");
        Self { engine, key, now_ms }
    }

    pub(crate) fn id(&self) -> ServerId {
        self.engine.keys().server()
    }

    /// The tag whose preimage is made of this number.
    pub(crate) fn tag(&self, number: u64) -> Tag {
        Tag::derive(&self.id(), &write_key(number))
    }

    /// One tick with these cells, 20 ms after the last; its number.
    pub(crate) fn tick(&mut self, numbers: &[u64]) -> u64 {
        self.now_ms += 20;
        for number in numbers {
            let submitted = self.submit(self.tag(*number), write_key(*number), cell(*number));
            submitted.expect("a PUT in order");
        }
        self.engine.seal(self.now_ms);
        self.newest().tick
    }

    fn submit(&self, tag: Tag, write: WriteKey, cell: Cell) -> Result<(), Refusal> {
        let put = Put { tag, write, cell, token: Token::new(Vec::new()) };
        self.engine.submit(Ticket(0), put)
    }

    /// `count` ticks with one cell each, numbered on from `first`.
    pub(crate) fn ticks(&mut self, first: u64, count: u64) {
        for number in first..first + count {
            self.tick(&[number]);
        }
    }

    pub(crate) fn newest(&self) -> HeadRef {
        self.engine.newest().head.to_ref()
    }

    /// What the server says to anything, a PUT in a tick of its own.
    pub(crate) fn answer(&mut self, request: &Request) -> Answer {
        match request {
            Request::Put { tag, write, cell, .. } => {
                self.now_ms += 20;
                match self.submit(*tag, *write, cell.clone()) {
                    Ok(()) => self.engine.seal(self.now_ms).answers.remove(0).1,
                    Err(refusal) => Answer::Refused(refusal),
                }
            }
            Request::Stream { .. } => Answer::Streaming,
            other => self.engine.answer(other),
        }
    }

    pub(crate) fn page(&self, from: u64) -> DigestPage {
        self.engine.page(from).expect("ticks that are there")
    }

    /// The page with the head that its ticks lead to, as only a lying server can sign it.
    pub(crate) fn forge(&self, mut page: DigestPage) -> DigestPage {
        let mut frontier = self.frontier_at(page.ticks[0].tick - 1);
        let leaves = page.ticks.iter().flat_map(|tick| tick.leaf_hashes());
        leaves.for_each(|leaf| frontier.append(leaf));
        (page.head.head.size, page.head.head.root) = (frontier.size(), frontier.root());
        DigestPage { head: self.sign(page.head), ..page }
    }

    /// As [`forge`](Self::forge), of ticks that are said to follow the tick `before`.
    pub(crate) fn forge_after(
        &self,
        before: u64,
        page: DigestPage,
        recovered_after: Option<u64>,
    ) -> DigestPage {
        let mut frontier = self.frontier_at(before);
        page.ticks.iter().flat_map(|it| it.leaf_hashes()).for_each(|leaf| frontier.append(leaf));
        let Some(last) = page.ticks.last() else { panic!("a page with ticks") };
        let (tick, time_ms) = (last.tick, last.time_ms);
        let (size, root) = (frontier.size(), frontier.root());
        let head = Head { tick, time_ms, size, root, recovered_after, ..page.head.head };
        DigestPage { head: head.sign(&self.key), ..page }
    }

    fn frontier_at(&self, tick: u64) -> Frontier {
        if tick == 0 {
            return Frontier::default();
        }
        let Answer::Proof(proof) = self.engine.proof(0, tick) else { panic!("a proof") };
        Frontier::from_parts(proof.head.head.size, proof.frontier).expect("one root per bit")
    }

    /// A head as a member's message shows it: the newest one with what only a lying server signs.
    pub(crate) fn shown(&self, tick: u64, size: u64, root: [u8; 32]) -> SignedHead {
        let head = Head { tick, size, root, ..self.engine.newest().head.clone() };
        head.sign(&self.key)
    }

    pub(crate) fn sign(&self, head: SignedHead) -> SignedHead {
        head.head.sign(&self.key)
    }
}

/// The number of another tag with the prefix of `tag`: prefixes have to be short.
pub(crate) fn decoy(server: &ServerId, tag: &Tag) -> u64 {
    let prefix = tag.prefix();
    let collides = |number: &u64| {
        let other = Tag::derive(server, &write_key(*number));
        other != *tag && other.prefix() == prefix
    };
    (1_000_000..).find(collides).expect("short prefixes collide soon")
}

pub(crate) fn write_key(number: u64) -> WriteKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    WriteKey(bytes)
}

pub(crate) fn cell(number: u64) -> Cell {
    let mut bytes = [0x5a; undertone_wire::CELL_LEN];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Cell::from_array(bytes)
}

/// A device with its disk.
pub(crate) struct Client {
    pub(crate) log: LogFollower,
    pub(crate) cells: Cells,
    pub(crate) events: Vec<LogEvent>,
    pub(crate) cell_events: Vec<CellEvent>,
    pub(crate) asked: Vec<Request>,
    streaming_from: Option<u64>,
    log_disk: BTreeMap<Vec<u8>, Vec<u8>>,
    cell_disk: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) now_ms: u64,
}

/// What the wire does to an answer.
pub(crate) type Bend<'a> = dyn FnMut(&Request, Answer) -> Answer + 'a;

/// What a request was for, as the account keeps it.
pub(crate) enum Purpose {
    Log(Ask),
    Cell(CellAsk),
}

impl Client {
    pub(crate) fn new(server: ServerId) -> Self {
        Self {
            log: LogFollower::new(server),
            cells: Cells::default(),
            events: Vec::new(),
            cell_events: Vec::new(),
            asked: Vec::new(),
            streaming_from: None,
            log_disk: BTreeMap::new(),
            cell_disk: BTreeMap::new(),
            now_ms: START_MS,
        }
    }

    /// A device that has adopted the server's newest head.
    pub(crate) fn of(server: &mut Server) -> Self {
        let mut client = Self::new(server.id());
        client.connect(server);
        client.events.clear();
        client.asked.clear();
        client
    }

    pub(crate) fn connect(&mut self, server: &mut Server) {
        self.connect_bent(server, &mut |_, answer| answer);
    }

    pub(crate) fn connect_bent(&mut self, server: &mut Server, bend: &mut Bend<'_>) {
        self.disconnect();
        self.log.connected();
        self.run_bent(server, bend);
    }

    pub(crate) fn disconnect(&mut self) {
        self.streaming_from = None;
        self.log.disconnected();
        self.cells.disconnected();
    }

    /// Everything that the device and the server have to say to each other.
    pub(crate) fn run(&mut self, server: &mut Server) {
        self.run_bent(server, &mut |_, answer| answer);
    }

    pub(crate) fn run_bent(&mut self, server: &mut Server, bend: &mut Bend<'_>) {
        loop {
            while let Some((purpose, request)) = self.next_request() {
                if let Request::Stream { from } = request {
                    self.streaming_from = Some(from);
                }
                let answer = bend(&request, server.answer(&request));
                self.asked.push(request);
                self.take(purpose, answer);
            }
            self.collect();
            if !self.push_missing(server) {
                return;
            }
        }
    }

    fn next_request(&mut self) -> Option<(Purpose, Request)> {
        if let Some((ask, request)) = self.log.poll_request() {
            return Some((Purpose::Log(ask), request));
        }
        let (ask, request) = self.cells.poll_request(self.now_ms, &self.log)?;
        Some((Purpose::Cell(ask), request))
    }

    pub(crate) fn take(&mut self, purpose: Purpose, answer: Answer) {
        self.cells.hear();
        match purpose {
            Purpose::Log(ask) => self.log.on_answer(ask, answer),
            Purpose::Cell(ask) => self.cells.on_answer(self.now_ms, ask, answer, &mut self.log),
        }
        self.collect();
    }

    /// Pushes what the stream owes; whether that was anything.
    fn push_missing(&mut self, server: &Server) -> bool {
        match self.streaming_from {
            Some(from) if from <= server.newest().tick && !self.log.halted() => {
                let page = server.page(from);
                self.streaming_from = Some(page.head.head.tick + 1);
                self.push(page);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn push(&mut self, page: DigestPage) {
        self.cells.hear();
        self.log.on_push(page);
        self.collect();
    }

    /// Takes events and makes changes durable.
    pub(crate) fn collect(&mut self) {
        write(&mut self.log_disk, self.log.take_changes());
        write(&mut self.cell_disk, self.cells.take_changes());
        while let Some(event) = self.log.poll_event() {
            match event {
                LogEvent::HeadAt { tick } => {
                    self.cells.on_head(self.now_ms, tick, self.log.head_at(tick));
                }
                LogEvent::NoHeadAt { tick } => self.cells.on_head(self.now_ms, tick, None),
                _ => {}
            }
            self.events.push(event);
        }
        self.cell_events.extend(std::iter::from_fn(|| self.cells.poll_event()));
    }

    /// The device after a crash: what was durable, and nothing else.
    pub(crate) fn restart(&mut self, server: ServerId) {
        let records = self.log_disk.iter().map(|(key, value)| (&key[..], &value[..]));
        self.log = LogFollower::load(server, records).expect("records as they were written");
        let records = self.cell_disk.iter().map(|(key, value)| (&key[..], &value[..]));
        self.cells = Cells::load(records).expect("records as they were written");
        self.streaming_from = None;
        self.events.clear();
        self.cell_events.clear();
        self.asked.clear();
        self.collect();
    }

    /// The first tick that lists this prefix, as far as this device knows.
    pub(crate) fn first_listing(&self, prefix: Prefix) -> Option<u64> {
        self.log.listed_in(prefix, 0)
    }

    pub(crate) fn log_disk(&self) -> &BTreeMap<Vec<u8>, Vec<u8>> {
        &self.log_disk
    }

    /// The numbers of the checks that failed, as the alarms say them.
    pub(crate) fn alarms(&self) -> Vec<&str> {
        let texts = self.events.iter().filter_map(|event| match event {
            LogEvent::Alarm(alarm) => Some(alarm.text.as_str()),
            _ => None,
        });
        texts.filter_map(|text| Some(text.split_once('(')?.1.split_once(')')?.0)).collect()
    }
}

fn write(disk: &mut BTreeMap<Vec<u8>, Vec<u8>>, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
    for (key, value) in changes {
        match value {
            Some(value) => drop(disk.insert(key, value)),
            None => drop(disk.remove(&key)),
        }
    }
}
