//! A world for tests: devices and one server on a virtual clock, without a socket.
//!
//! Every device is a real [`Account`] with a disk that holds what was persisted and nothing else;
//! the server is the real engine over its store in memory. A crash drops the account between any
//! two of its outputs and loads it again from its disk.

use crate::account::{Account, Creation, Loaded};
use crate::ids::{ChatId, Name};
use crate::io::{
    ChatView, Command, Event, HistoryRow, Input, LinkView, MessageState, Output, Refused, Reply,
    RowName,
};
use crate::log::rig;
use ed25519_dalek::SigningKey;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use undertone_crypto::{IdentityKey, Phrase, SlotKeys};
use undertone_server_core::{CellStore, Config, Engine, Keys, Memory, Put, Ticket};
use undertone_wire::{Answer, Cell, Request, ServerAddress, Tag};

/// Rounds after which a world that does not come to rest is called restless.
const ROUNDS_MAX: usize = 20_000;

/// What a device has persisted.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    pub records: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
    /// By chat, author and message, as every store keeps it.
    pub history: BTreeMap<RowName, HistoryRow>,
}

/// One device.
pub(crate) struct Person {
    pub account: Account,
    pub phrase: Phrase,
    pub disk: Disk,
    pub events: Vec<Event>,
    pub online: bool,
    connected: bool,
    pub(crate) streaming: bool,
    inbox: VecDeque<Input>,
    outbox: VecDeque<Output>,
    replies: BTreeMap<u64, Result<Reply, Refused>>,
    next_ticket: u64,
    deadline: Option<u64>,
    /// Every join that was begun, as it was persisted.
    pub joins_begun: Vec<Vec<u8>>,
    /// Crash before acting on this many further outputs.
    pub crash_after: Option<usize>,
    /// By how much this device's clock is wrong.
    pub skew_ms: i64,
}

/// Devices, a server, a clock.
pub(crate) struct World {
    pub server: Engine<Memory>,
    pub now_ms: u64,
    pub people: BTreeMap<&'static str, Person>,
    rng: ChaCha20Rng,
    puts: BTreeMap<u64, (&'static str, u32)>,
    next_put: u64,
    /// Cells that the server accepts and does not seal yet.
    pub hold_ticks: bool,
    /// PUTs that are lost on the way.
    pub swallow: Option<Swallow>,
    /// Cells that the server lists and does not deliver.
    pub withheld: BTreeSet<Tag>,
    /// People whose fetches are not answered.
    pub unanswered: BTreeSet<&'static str>,
    /// What left each device for which slot: nothing ever seals two cells for one (DESIGN.md
    /// section 8), also not after a crash or with an older copy of the profile.
    sent: BTreeMap<(&'static str, Tag), Cell>,
}

/// Decides by author and cell whether a PUT is lost.
pub(crate) type Swallow = Box<dyn FnMut(&'static str, &Tag, &Cell) -> bool>;

impl Disk {
    fn load(&self, server: &ServerAddress, seed: [u8; 32]) -> Account {
        let mut records: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((space, key), bytes) in &self.records {
            records.entry(*space).or_default().push((key.clone(), bytes.clone()));
        }
        let loaded = Loaded { records, server: server.clone(), seed };
        Account::load(loaded).expect("what was persisted loads")
    }
}

impl World {
    pub(crate) fn new(seed: u64, names: &[&'static str]) -> Self {
        let keys = Keys::first(SigningKey::from_bytes(&[42; 32]));
        let now_ms = 1_790_000_000_000;
        let server = Engine::open(Memory::default(), Config::new(keys), now_ms);
        let mut world = Self {
            server: server.expect("a new server opens"),
            now_ms,
            people: BTreeMap::new(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            puts: BTreeMap::new(),
            next_put: 0,
            hold_ticks: false,
            swallow: None,
            withheld: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            sent: BTreeMap::new(),
        };
        for name in names {
            world.arrive(name);
        }
        world.rest();
        world
    }

    fn address(&self) -> ServerAddress {
        ServerAddress::new("localhost", 7443, self.server.info().server).expect("an address")
    }

    fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        seed
    }

    fn arrive(&mut self, name: &'static str) {
        let phrase = Phrase::generate(&mut self.rng);
        let creation = Creation {
            name: Name::parse(name).expect("a name"),
            phrase: phrase.clone(),
            server: self.address(),
            seed: self.seed(),
            now_ms: self.now_ms,
        };
        let person = Person {
            account: Account::create(creation).expect("a profile"),
            phrase,
            disk: Disk::default(),
            events: Vec::new(),
            online: true,
            connected: false,
            streaming: false,
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            replies: BTreeMap::new(),
            next_ticket: 0,
            deadline: None,
            joins_begun: Vec::new(),
            crash_after: None,
            skew_ms: 0,
        };
        self.people.insert(name, person);
    }

    pub(crate) fn person(&mut self, name: &str) -> &mut Person {
        self.people.get_mut(name).expect("somebody of this world")
    }

    /// Lets everything happen that can, without the clock moving; true when something did.
    fn round(&mut self) -> bool {
        let names: Vec<_> = self.people.keys().copied().collect();
        let mut busy = false;
        for name in names {
            busy |= self.step(name);
        }
        if !self.hold_ticks && self.server.pending() > 0 {
            self.tick();
            busy = true;
        }
        busy
    }

    /// Runs until nothing happens any more.
    pub(crate) fn rest(&mut self) {
        for _ in 0..ROUNDS_MAX {
            if !self.round() {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Lets time pass, in steps short enough for every deadline.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            let deadlines =
                self.people.values().filter(|person| person.connected).filter_map(|person| {
                    Some(person.deadline?.saturating_add_signed(-person.skew_ms))
                });
            let next = deadlines.min();
            self.now_ms = next.map_or(end, |next| next.clamp(self.now_ms + 1, end));
            for person in self.people.values_mut() {
                let own_ms = self.now_ms.saturating_add_signed(person.skew_ms);
                if person.connected && person.deadline.is_some_and(|at| at <= own_ms) {
                    person.deadline = None;
                    person.inbox.push_back(Input::Wake);
                }
            }
            self.rest();
        }
    }

    /// Seals one tick and delivers what it brings.
    pub(crate) fn tick(&mut self) {
        self.now_ms += 20;
        let sealed = self.server.seal(self.now_ms);
        for (Ticket(put), answer) in sealed.answers {
            let Some((name, id)) = self.puts.remove(&put) else { continue };
            let person = self.person(name);
            if person.connected {
                person.inbox.push_back(Input::Answer { id, answer });
            }
        }
        if let Some(page) = sealed.page {
            for person in self.people.values_mut().filter(|person| person.streaming) {
                person.inbox.push_back(Input::Push((*page).clone()));
            }
        }
    }

    fn step(&mut self, name: &'static str) -> bool {
        let now_ms = self.now_ms;
        let person = self.person(name);
        if person.online && !person.connected {
            person.connected = true;
            person.inbox.push_back(Input::Connected);
        }
        if !person.online && person.connected {
            self.cut(name);
        }
        let person = self.person(name);
        let input = person.inbox.pop_front();
        let busy = input.is_some();
        if let Some(input) = input {
            person.account.handle(now_ms.saturating_add_signed(person.skew_ms), input);
        }
        while let Some(output) = person.account.poll() {
            person.outbox.push_back(output);
        }
        self.release(name) | busy
    }

    /// Acts on outputs in order, persisting before releasing; crashes where it was asked to.
    fn release(&mut self, name: &'static str) -> bool {
        let mut busy = false;
        while let Some(output) = self.person(name).outbox.pop_front() {
            let person = self.person(name);
            if let Some(left) = &mut person.crash_after {
                if *left == 0 {
                    person.crash_after = None;
                    self.crash(name);
                    return true;
                }
                *left -= 1;
            }
            busy = true;
            self.act(name, output);
        }
        busy
    }

    fn act(&mut self, name: &'static str, output: Output) {
        let person = self.person(name);
        match output {
            Output::Persist(changes) => {
                for ((space, key), bytes) in changes.records {
                    if space == "link" && key.starts_with(b"j") {
                        person.joins_begun.extend(bytes.clone());
                    }
                    match bytes {
                        Some(bytes) => drop(person.disk.records.insert((space, key), bytes)),
                        None => drop(person.disk.records.remove(&(space, key))),
                    }
                }
                for row in changes.messages {
                    if row.own {
                        person.disk.history.insert(row.name(), row);
                    } else {
                        person.disk.history.entry(row.name()).or_insert(row);
                    }
                }
                for row in changes.moved {
                    if let Some(moved) = person.disk.history.get_mut(&row.name()) {
                        moved.move_to(row);
                    }
                }
            }
            Output::Transmit { id, request } => self.serve(name, id, request),
            Output::Event(event) => person.events.push(event),
            Output::Reply { ticket, result } => drop(person.replies.insert(ticket, result)),
            Output::Deadline(at) => person.deadline = Some(at),
        }
    }

    fn serve(&mut self, name: &'static str, id: u32, request: Request) {
        if let Request::Put { tag, cell, .. } = &request {
            let first = self.sent.entry((name, *tag)).or_insert_with(|| cell.clone());
            assert!(first == cell, "{name} sealed two cells for one slot");
        }
        match request {
            Request::Put { tag, cell, .. }
                if self.swallow.as_mut().is_some_and(|lost| lost(name, &tag, &cell)) => {}
            Request::Get { .. } if self.unanswered.contains(name) => {}
            Request::Get { tag, .. } if self.withheld.contains(&tag) => {
                self.answer(name, id, Answer::None { colliding: Vec::new() });
            }
            Request::Put { tag, write, cell, token } => {
                let put = self.next_put;
                self.next_put += 1;
                let submitted = self.server.submit(Ticket(put), Put { tag, write, cell, token });
                match submitted {
                    Ok(()) => drop(self.puts.insert(put, (name, id))),
                    Err(refusal) => self.answer(name, id, Answer::Refused(refusal)),
                }
            }
            Request::Stream { from } => {
                self.answer(name, id, Answer::Streaming);
                self.stream(name, id, from);
            }
            other => {
                let answer = self.server.answer(&other);
                self.answer(name, id, answer);
            }
        }
    }

    /// Sends what is listed from `from` on; a stream that cannot go on ends with a second answer.
    fn stream(&mut self, name: &'static str, id: u32, mut from: u64) {
        loop {
            match self.server.page(from) {
                Ok(page) => {
                    let Some(last) = page.ticks.last().map(|last| last.tick) else { break };
                    from = last + 1;
                    self.person(name).inbox.push_back(Input::Push(page));
                }
                Err(refusal) => return self.answer(name, id, Answer::Refused(refusal)),
            }
        }
        self.person(name).streaming = true;
    }

    /// A cell of nobody in this world takes the log on.
    pub(crate) fn make_noise(&mut self) {
        self.put_number(self.now_ms);
    }

    /// The server forgets what is older than it keeps cells; whoever follows it hears of the tick that
    /// may bring.
    pub(crate) fn expire(&mut self) {
        let before = self.server.newest().head.tick;
        self.server.expire(self.now_ms).expect("a store in memory");
        let newest = self.server.newest().head.tick;
        for tick in before + 1..=newest {
            let page = self.server.page(tick).expect("it was sealed just now");
            for person in self.people.values_mut().filter(|person| person.streaming) {
                person.inbox.push_back(Input::Push(page.clone()));
            }
        }
        self.rest();
    }

    /// How many cells have left a device.
    pub(crate) fn cells_sent(&self, name: &'static str) -> usize {
        self.sent.keys().filter(|(owner, _)| *owner == name).count()
    }

    /// What the server has stored by now.
    pub(crate) fn backup(&self) -> Memory {
        self.server.store().backup()
    }

    /// The server is lost, and begins again from a backup; whoever is online connects to it anew.
    pub(crate) fn restore(&mut self, backup: &Memory) {
        for name in self.people.keys().copied().collect::<Vec<_>>() {
            self.cut(name);
        }
        let store = backup.backup();
        let survived = store.ticks().map(|ticks| *ticks.end());
        let keys = Keys::first(SigningKey::from_bytes(&[42; 32]));
        let config = Config { recovered_after: survived, ..Config::new(keys) };
        self.now_ms += 60_000;
        self.server = Engine::open(store, config, self.now_ms).expect("a backup opens");
    }

    /// Somebody stores a cell who is no device of this world.
    pub(crate) fn put_raw(&mut self, keys: &SlotKeys, cell: Cell) {
        let put = Put { tag: keys.tag, write: keys.write, cell, token: Vec::new().into() };
        self.server.submit(Ticket(u64::MAX), put).expect("the write key fits");
    }

    /// Somebody stores a cell under another tag of the same prefix; prefixes have to be short.
    pub(crate) fn put_decoy(&mut self, tag: &Tag) {
        self.put_number(rig::decoy(&self.server.info().server, tag));
    }

    /// Somebody stores the cell of this number, in a tick of its own.
    pub(crate) fn put_number(&mut self, number: u64) {
        let (write, cell) = (rig::write_key(number), rig::cell(number));
        let tag = Tag::derive(&self.server.info().server, &write);
        let put = Put { tag, write, cell, token: Vec::new().into() };
        self.server.submit(Ticket(u64::MAX), put).expect("the write key fits");
        self.rest();
    }

    fn answer(&mut self, name: &str, id: u32, answer: Answer) {
        self.person(name).inbox.push_back(Input::Answer { id, answer });
    }

    /// The connection breaks: nothing that is under way arrives.
    pub(crate) fn cut(&mut self, name: &'static str) {
        let now_ms = self.now_ms;
        self.puts.retain(|_, (owner, _)| *owner != name);
        let person = self.person(name);
        person.connected = false;
        person.streaming = false;
        person.inbox.clear();
        person.account.handle(now_ms, Input::Disconnected);
        while let Some(output) = person.account.poll() {
            person.outbox.push_back(output);
        }
        self.release(name);
    }

    /// Goes online or offline, and everything that follows from it.
    pub(crate) fn set_online(&mut self, name: &str, online: bool) {
        self.person(name).online = online;
        self.rest();
    }

    /// Ada's group with Ben and Chloe, who are contacts of hers and not of each other, and its chat
    /// at hers.
    pub(crate) fn desk(seed: u64) -> (Self, ChatId) {
        let mut world = Self::new(seed, &["Ada", "Ben", "Chloe"]);
        world.meet("Ada", "Ben");
        world.meet("Ada", "Chloe");
        let ada = world.group("Ada", "Desk", &["Ben", "Chloe"]);
        (world, ada)
    }

    /// The process dies and starts again from its disk.
    pub(crate) fn crash(&mut self, name: &'static str) {
        let (address, seed) = (self.address(), self.seed());
        self.puts.retain(|_, (owner, _)| *owner != name);
        let person = self.person(name);
        person.account = person.disk.load(&address, seed);
        person.connected = false;
        person.streaming = false;
        person.deadline = None;
        person.inbox.clear();
        person.outbox.clear();
    }

    /// Gives a command without waiting for anything.
    pub(crate) fn order(&mut self, name: &'static str, command: Command) -> u64 {
        let person = self.person(name);
        let ticket = person.next_ticket;
        person.next_ticket += 1;
        person.inbox.push_back(Input::Command { ticket, command });
        ticket
    }

    /// Gives a command and rests.
    pub(crate) fn command(
        &mut self,
        name: &'static str,
        command: Command,
    ) -> Result<Reply, Refused> {
        let ticket = self.order(name, command.clone());
        self.rest();
        match self.person(name).replies.remove(&ticket) {
            Some(reply) => reply,
            None => self.command(name, command),
        }
    }

    pub(crate) fn link(&mut self, name: &'static str, reusable: bool) -> LinkView {
        let expires_ms = self.now_ms + 86_400_000;
        match self.command(name, Command::CreateLink { expires_ms, reusable }) {
            Ok(Reply::Link(link)) => link,
            other => panic!("no link: {other:?}"),
        }
    }

    /// Makes two people contacts by a one-time link.
    pub(crate) fn meet(&mut self, inviter: &'static str, guest: &'static str) {
        let link = self.link(inviter, false).uri.expect("an open link");
        let accepted = self.command(guest, Command::Accept { link, message: None });
        assert!(matches!(accepted, Ok(Reply::Chat(_))), "{accepted:?}");
    }

    pub(crate) fn chats(&mut self, name: &'static str) -> Vec<ChatView> {
        match self.command(name, Command::Chats) {
            Ok(Reply::Chats(chats)) => chats,
            other => panic!("no chats: {other:?}"),
        }
    }

    /// The conversation of this name.
    pub(crate) fn chat(&mut self, name: &'static str, title: &str) -> ChatId {
        let chats = self.chats(name);
        let found = chats.iter().find(|chat| chat.name.as_str() == title);
        found.unwrap_or_else(|| panic!("{name} has no {title}: {chats:?}")).chat
    }

    /// Gives a command until it is answered: a crash may swallow it. A refusal that says that it
    /// was done before counts as done.
    pub(crate) fn order_until_done(&mut self, name: &'static str, command: &Command) {
        for _ in 0..3 {
            let ticket = self.order(name, command.clone());
            self.rest();
            match self.person(name).replies.remove(&ticket) {
                Some(Err(refused)) if !matches!(refused.code, "bad_link" | "not_found") => {
                    panic!("{name}: {refused:?}")
                }
                Some(_) => return,
                None => {}
            }
        }
        panic!("{name} gets no reply");
    }

    /// Makes a group unless a crash came after it was made.
    pub(crate) fn group_until_done(
        &mut self,
        name: &'static str,
        title: &str,
        members: &[&'static str],
    ) {
        while self.chat_if_any(name, title).is_none() {
            let members = members.iter().map(|member| self.identity(member)).collect();
            let name_of = Name::parse(title).expect("a name");
            self.order(name, Command::CreateGroup { name: name_of, members });
            self.rest();
        }
    }

    pub(crate) fn chat_if_any(&mut self, name: &'static str, title: &str) -> Option<ChatId> {
        let ticket = self.order(name, Command::Chats);
        self.rest();
        let reply = self.person(name).replies.remove(&ticket);
        let Some(Ok(Reply::Chats(chats))) = reply else { return self.chat_if_any(name, title) };
        chats.into_iter().find(|chat| chat.name.as_str() == title).map(|chat| chat.chat)
    }

    pub(crate) fn identity(&mut self, name: &'static str) -> IdentityKey {
        match self.command(name, Command::Whoami) {
            Ok(Reply::Whoami { identity, .. }) => identity,
            other => panic!("nobody: {other:?}"),
        }
    }

    /// Queues a text without resting.
    pub(crate) fn say(&mut self, name: &'static str, chat: ChatId, text: &str) {
        let (text, key) = (text.to_owned(), None);
        self.order(name, Command::Send { chat, text, key, anyway: false });
    }

    /// A group with members, made by `name`.
    pub(crate) fn group(
        &mut self,
        name: &'static str,
        title: &str,
        members: &[&'static str],
    ) -> ChatId {
        let members = members.iter().map(|member| self.identity(member)).collect();
        let name_of = Name::parse(title).expect("a name");
        let created = self.command(name, Command::CreateGroup { name: name_of, members });
        match created {
            Ok(Reply::Chat(chat)) => chat.chat,
            other => panic!("no group: {other:?}"),
        }
    }

    /// A conversation as one side sees it, in transcript order: `author: text`.
    pub(crate) fn transcript(&mut self, name: &'static str, chat: ChatId) -> Vec<String> {
        let names: BTreeMap<_, _> = self
            .people
            .keys()
            .copied()
            .collect::<Vec<_>>()
            .into_iter()
            .map(|n| (self.identity(n), n))
            .collect();
        let person = self.person(name);
        let mut rows: Vec<_> =
            person.disk.history.values().filter(|row| row.chat == chat).cloned().collect();
        rows.sort_by(|a, b| a.order.cmp(&b.order));
        let counts =
            |row: &&HistoryRow| matches!(row.state, MessageState::Stored | MessageState::Received);
        rows.iter()
            .filter(counts)
            .map(|row| format!("{}: {}", names[&row.from], row.text))
            .collect()
    }

    /// States of one's own messages in a conversation, by text.
    pub(crate) fn states(
        &mut self,
        name: &'static str,
        chat: ChatId,
    ) -> BTreeMap<String, MessageState> {
        let rows = self.person(name).disk.history.values();
        let own = rows.filter(|row| row.own && row.chat == chat);
        own.map(|row| (row.text.clone(), row.state)).collect()
    }

    /// Events of one kind, in words.
    pub(crate) fn told(
        &mut self,
        name: &str,
        pick: impl Fn(&Event) -> Option<String>,
    ) -> Vec<String> {
        self.person(name).events.iter().filter_map(pick).collect()
    }

    pub(crate) fn alarms(&mut self, name: &str) -> Vec<String> {
        self.told(name, |event| match event {
            Event::Alarm { code, .. } => Some(code.clone()),
            _ => None,
        })
    }

    pub(crate) fn gaps(&mut self, name: &str) -> Vec<String> {
        self.told(name, |event| match event {
            Event::Gap { text, .. } => Some(text.clone()),
            _ => None,
        })
    }

    pub(crate) fn members_told(&mut self, name: &str) -> Vec<String> {
        self.told(name, |event| match event {
            Event::Member { text, .. } => Some(text.clone()),
            _ => None,
        })
    }
}
