//! A few devices and a server without sockets or a clock, and scenes of theirs to begin from.
//!
//! A scene is what lies on the disks at one moment. It is made once; every input starts from a copy.

use crate::engine::{Server, open, server_key};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::OnceLock,
};
use undertone_core::{
    Account, ChatId, Creation, Loaded, MessageId, Name,
    io::{Changes, Command, Event, HistoryRow, Input, Output, Refused, Reply},
};
use undertone_crypto::{IdentityKey, Phrase};
use undertone_server_core::{MemFiles, Put, Sealed, Ticket};
use undertone_wire::{Answer, CELL_LEN, Cell, DigestPage, Request, ServerAddress};

/// Rounds after which a world that does not come to rest hangs.
const ROUNDS_MAX: usize = 5_000;
/// Outputs after which one step hangs.
const OUTPUTS_MAX: usize = 20_000;

/// When the first device is made, Unix milliseconds.
pub const START_MS: u64 = 1_790_000_000_000;

/// What a device has persisted.
pub type Disk = BTreeMap<(&'static str, Vec<u8>), Vec<u8>>;

/// Where the server of every world is.
pub fn address() -> ServerAddress {
    let key = undertone_server_core::Keys::first(server_key()).first;
    ServerAddress::new("localhost", 7443, key.server_id()).expect("an address")
}

/// The device whose disk this is.
///
/// # Errors
/// When a record is damaged.
pub fn load(disk: &Disk, seed: u8) -> Result<Account, undertone_core::LoadError> {
    let mut records: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ((space, key), bytes) in disk {
        records.entry(*space).or_default().push((key.clone(), bytes.clone()));
    }
    Account::load(Loaded { records, server: address(), seed: [seed; 32] })
}

/// Keeps what a device persists of its engine's state.
pub fn persist(disk: &mut Disk, changes: Changes) {
    for (key, bytes) in changes.records {
        match bytes {
            Some(bytes) => drop(disk.insert(key, bytes)),
            None => drop(disk.remove(&key)),
        }
    }
}

/// Everything that a device wants done after a step.
pub fn outputs(account: &mut Account) -> Vec<Output> {
    let outputs: Vec<_> = std::iter::from_fn(|| account.poll()).take(OUTPUTS_MAX).collect();
    assert!(outputs.len() < OUTPUTS_MAX, "one step has an end");
    outputs
}

/// Something that a server says to a device.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a word is passed on, not kept")]
pub enum Word {
    /// The answer to a request.
    Answer {
        /// The request's number.
        id: u32,
        /// What was asked.
        request: Request,
        /// What is answered.
        answer: Answer,
    },
    /// Digests that nobody asked for.
    Push(DigestPage),
}

/// What a lying server says to a device in the place of a true word.
pub type Lie = Box<dyn FnMut(&Server, usize, Word) -> Vec<Word>>;

/// What becomes of a cell on its way to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives,
    /// Somebody who knows its address fills that with other bytes first.
    TooLate,
    /// It never arrives.
    Lost,
}

/// What becomes of a device's cells.
pub type Fates = Box<dyn FnMut(usize, &Put) -> Fate>;

/// The name of a message: where, by whom, on which device, which.
pub type RowName = (ChatId, IdentityKey, [u8; 16], MessageId);

/// Something that a device told its person, and when.
#[derive(Clone, Debug)]
pub struct Told {
    /// By the world's clock, Unix milliseconds.
    pub at_ms: u64,
    /// How many words of the server the device had heard by then.
    pub heard: usize,
    /// What it told.
    pub event: Event,
}

/// One device, its disk and its person.
pub struct Device {
    /// The engine.
    pub account: Account,
    /// What it has persisted.
    pub disk: Disk,
    /// The history, as its person reads it.
    pub history: BTreeMap<RowName, HistoryRow>,
    /// What its person was told.
    pub told: Vec<Told>,
    /// Words of the server that it has heard.
    pub heard: usize,
    /// Cells that it has sent.
    pub puts: usize,
    /// Whether it is connected.
    pub online: bool,
    inbox: VecDeque<Input>,
    streaming: bool,
    deadline: Option<u64>,
    replies: Vec<Result<Reply, Refused>>,
}

impl Device {
    /// A device that is not connected.
    pub fn new(account: Account, disk: Disk) -> Self {
        Self {
            account,
            disk,
            history: BTreeMap::new(),
            told: Vec::new(),
            heard: 0,
            puts: 0,
            online: false,
            inbox: VecDeque::new(),
            streaming: false,
            deadline: None,
            replies: Vec::new(),
        }
    }

    /// What is persisted of the history: one's own message changes, another's is what it was.
    fn write_down(&mut self, rows: Vec<HistoryRow>) {
        for row in rows {
            let name = (row.chat, row.from, row.author, row.message);
            if row.own {
                self.history.insert(name, row);
            } else {
                self.history.entry(name).or_insert(row);
            }
        }
    }
}

/// Devices, the server that they talk to, and whatever it does beside the truth.
pub struct World {
    /// The server of everybody who has no other.
    pub server: Server,
    /// Copies of it that went their own way, by the device that is shown each.
    pub forks: BTreeMap<usize, Server>,
    /// Whether what is put to one of these servers is put to all of them.
    pub relays: bool,
    /// What becomes of a cell on its way; all arrive where nothing is said.
    pub fate: Option<Fates>,
    /// What is said in the place of the truth.
    pub lie: Option<Lie>,
    /// How far the servers' clocks are ahead, in milliseconds.
    pub ahead_ms: u64,
    /// Unix milliseconds.
    pub now_ms: u64,
    /// Everybody.
    pub devices: Vec<Device>,
    puts: BTreeMap<u64, (usize, u32, Request)>,
    next_put: u64,
}

impl World {
    /// A world without devices, whose server has these files.
    pub fn new(files: MemFiles, now_ms: u64) -> Self {
        Self {
            server: open(files, now_ms).expect("a folder of this server"),
            forks: BTreeMap::new(),
            relays: false,
            fate: None,
            lie: None,
            ahead_ms: 0,
            now_ms,
            devices: Vec::new(),
            puts: BTreeMap::new(),
            next_put: 0,
        }
    }

    /// A new person with a new device.
    pub fn arrive(&mut self, name: &str) {
        let number = self.devices.len() as u8;
        let creation = Creation {
            name: Name::parse(name).expect("a name"),
            phrase: Phrase::generate(&mut ChaCha20Rng::from_seed([number; 32])),
            server: address(),
            seed: [number + 1; 32],
            now_ms: self.now_ms,
        };
        let account = Account::create(creation).expect("a profile");
        self.devices.push(Device::new(account, Disk::new()));
        self.connect(self.devices.len() - 1);
        self.rest();
    }

    /// A connection to the server opens.
    pub fn connect(&mut self, who: usize) {
        self.devices[who].online = true;
        self.devices[who].inbox.push_back(Input::Connected);
    }

    /// Whatever is under way is lost.
    pub fn disconnect(&mut self, who: usize) {
        self.puts.retain(|_, (owner, ..)| *owner != who);
        let device = &mut self.devices[who];
        (device.online, device.streaming) = (false, false);
        device.inbox.clear();
        self.handle(who, Input::Disconnected);
    }

    /// Runs until nothing happens any more.
    pub fn rest(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut busy = false;
            for who in 0..self.devices.len() {
                if let Some(input) = self.devices[who].inbox.pop_front() {
                    self.handle(who, input);
                    busy = true;
                }
            }
            if self.servers().any(|server| server.pending() > 0) {
                self.tick();
                busy = true;
            }
            if !busy {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Lets time pass in one step and wakes who wanted to be woken.
    pub fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        for device in self.devices.iter_mut().filter(|device| device.online) {
            if device.deadline.is_some_and(|at| at <= self.now_ms) {
                device.deadline = None;
                device.inbox.push_back(Input::Wake);
            }
        }
        self.rest();
    }

    fn servers(&self) -> impl Iterator<Item = &Server> {
        std::iter::once(&self.server).chain(self.forks.values())
    }

    /// The server that a device talks to.
    pub fn server_of(&self, who: usize) -> &Server {
        self.forks.get(&who).unwrap_or(&self.server)
    }

    /// Seals what is pending, on every server.
    fn tick(&mut self) {
        self.now_ms += 20;
        let now_ms = self.now_ms + self.ahead_ms;
        let all: Vec<usize> = (0..self.devices.len()).collect();
        let forked = |who: &usize| self.forks.contains_key(who);
        let of_main = all.into_iter().filter(|who| !forked(who)).collect();
        let mut sealed = vec![(of_main, self.server.seal(now_ms))];
        sealed.extend(self.forks.iter().map(|(who, server)| (vec![*who], server.seal(now_ms))));
        for (listeners, sealed) in sealed {
            self.tell_sealed(&listeners, sealed);
        }
    }

    fn tell_sealed(&mut self, listeners: &[usize], sealed: Sealed) {
        for (Ticket(put), answer) in sealed.answers {
            let mine = self.puts.get(&put).is_some_and(|(who, ..)| listeners.contains(who));
            if let Some((who, id, request)) = self.puts.remove(&put).filter(|_| mine) {
                self.say_to(who, Word::Answer { id, request, answer });
            }
        }
        let Some(page) = sealed.page else { return };
        for who in listeners {
            if self.devices[*who].streaming {
                self.say_to(*who, Word::Push((*page).clone()));
            }
        }
    }

    /// The server says something, or what it says instead.
    pub fn say_to(&mut self, who: usize, word: Word) {
        let server = self.forks.get(&who).unwrap_or(&self.server);
        let words = match &mut self.lie {
            Some(lie) => lie(server, who, word),
            None => vec![word],
        };
        let inputs = words.into_iter().map(|word| match word {
            Word::Answer { id, answer, .. } => Input::Answer { id, answer },
            Word::Push(page) => Input::Push(page),
        });
        self.devices[who].inbox.extend(inputs);
    }

    fn handle(&mut self, who: usize, input: Input) {
        let device = &mut self.devices[who];
        device.heard += usize::from(matches!(input, Input::Answer { .. } | Input::Push(_)));
        device.account.handle(self.now_ms, input);
        for output in outputs(&mut device.account) {
            self.act(who, output);
        }
    }

    fn act(&mut self, who: usize, output: Output) {
        let device = &mut self.devices[who];
        match output {
            Output::Persist(mut changes) => {
                device.write_down(std::mem::take(&mut changes.messages));
                persist(&mut device.disk, changes);
            }
            Output::Transmit { id, request } => self.serve(who, id, request),
            Output::Reply { result, .. } => device.replies.push(result),
            Output::Deadline(at) => device.deadline = Some(at),
            Output::Event(event) => {
                let (at_ms, heard) = (self.now_ms, device.heard);
                device.told.push(Told { at_ms, heard, event });
            }
        }
    }

    fn serve(&mut self, who: usize, id: u32, request: Request) {
        match request {
            Request::Put { tag, write, cell, token } => {
                self.devices[who].puts += 1;
                let put = Put { tag, write, cell, token };
                self.submit(who, id, put);
            }
            Request::Stream { from } => {
                self.say_to(who, Word::Answer { id, request, answer: Answer::Streaming });
                for page in pages(self.server_of(who), from) {
                    self.say_to(who, Word::Push(page));
                }
                self.devices[who].streaming = true;
            }
            read => {
                let answer = self.server_of(who).answer(&read);
                self.say_to(who, Word::Answer { id, request: read, answer });
            }
        }
    }

    fn submit(&mut self, who: usize, id: u32, put: Put) {
        self.next_put += 1;
        let Put { tag, write, cell, token } = put.clone();
        let request = Request::Put { tag, write, cell, token };
        if self.relays {
            for server in self.servers().filter(|it| !std::ptr::eq(*it, self.server_of(who))) {
                // One that has another cell there keeps that.
                drop(server.submit(Ticket(0), put.clone()));
            }
        }
        let fate = self.fate.as_mut().map_or(Fate::Arrives, |fate| fate(who, &put));
        match fate {
            Fate::Arrives => {}
            Fate::Lost => return,
            Fate::TooLate => {
                let other = Put { cell: Cell::from_array([5; CELL_LEN]), ..put.clone() };
                drop(self.server_of(who).submit(Ticket(0), other));
            }
        }
        match self.server_of(who).submit(Ticket(self.next_put), put) {
            Ok(()) => drop(self.puts.insert(self.next_put, (who, id, request))),
            Err(refusal) => {
                self.say_to(who, Word::Answer { id, request, answer: Answer::Refused(refusal) });
            }
        }
    }

    /// Gives a command and rests.
    pub fn command(&mut self, who: usize, command: Command) -> Option<Reply> {
        self.try_command(who, command)?.ok()
    }

    /// Gives a command without waiting for anything.
    pub fn order(&mut self, who: usize, command: Command) {
        self.devices[who].inbox.push_back(Input::Command { ticket: 1, command });
    }

    /// Gives a command and rests; `None` when it is not answered yet.
    pub fn try_command(&mut self, who: usize, command: Command) -> Option<Result<Reply, Refused>> {
        self.order(who, command);
        self.rest();
        std::mem::take(&mut self.devices[who].replies).pop()
    }

    /// Two people become contacts by a link.
    pub fn meet(&mut self, inviter: usize, guest: usize, reusable: bool) {
        let expires_ms = self.now_ms + 86_400_000;
        let link = self.command(inviter, Command::CreateLink { expires_ms, reusable });
        let Some(Reply::Link(link)) = link else { panic!("no link") };
        let (link, message) = (link.uri.expect("an open link"), Some("hello".to_owned()));
        self.command(guest, Command::Accept { link, message }).expect("accepted");
    }

    /// The first group of a device; before there is one, its first conversation.
    pub fn chat(&mut self, who: usize) -> Option<ChatId> {
        let Some(Reply::Chats(mut chats)) = self.command(who, Command::Chats) else { return None };
        chats.sort_by_key(|chat| (chat.contact.is_some(), chat.chat));
        chats.first().map(|chat| chat.chat)
    }

    /// Says something in the first group.
    pub fn say(&mut self, who: usize, text: &str) {
        let chat = self.chat(who).expect("a conversation");
        let (text, key) = (text.to_owned(), None);
        self.command(who, Command::Send { chat, text, key, anyway: false });
    }

    /// Who a device's person is.
    pub fn identity(&mut self, who: usize) -> IdentityKey {
        match self.command(who, Command::Whoami) {
            Some(Reply::Whoami { identity, .. }) => identity,
            other => panic!("nobody: {other:?}"),
        }
    }

    /// What lies on the disks now.
    pub fn scene(&self) -> Scene {
        let files = self.server.store().files().copy();
        let disks = self.devices.iter().map(|device| device.disk.clone()).collect();
        Scene { files, now_ms: self.now_ms, disks }
    }
}

/// All pages from a tick on.
pub fn pages(server: &Server, from: u64) -> Vec<undertone_wire::DigestPage> {
    let (mut from, mut pages) = (from, Vec::new());
    while let Ok(page) = server.page(from) {
        let Some(last) = page.ticks.last() else { break };
        from = last.tick.saturating_add(1);
        pages.push(page);
    }
    pages
}

/// What lies on the disks at one moment: the server's, and those of Ada, Ben and Mal.
pub struct Scene {
    /// The server's folder.
    pub files: MemFiles,
    /// When, Unix milliseconds.
    pub now_ms: u64,
    /// The devices' disks.
    pub disks: Vec<Disk>,
}

/// The first device.
pub const ADA: usize = 0;
/// The second device.
pub const BEN: usize = 1;
/// The third device of the fuzz targets' scenes, who means harm.
pub const MAL: usize = 2;

impl Scene {
    /// A world that goes on from here; nobody is connected.
    pub fn world(&self) -> World {
        let mut world = World::new(self.files.copy(), self.now_ms);
        for (disk, seed) in self.disks.iter().zip(7..) {
            let account = load(disk, seed).expect("what was persisted loads");
            world.devices.push(Device::new(account, disk.clone()));
        }
        world
    }
}

/// The scenes, oldest first: three strangers; contacts, of whom one asks by a reusable link; a
/// group; the same group after talk, a commit, and an hour.
pub fn scenes() -> &'static [Scene] {
    static SCENES: OnceLock<Vec<Scene>> = OnceLock::new();
    SCENES.get_or_init(play)
}

fn play() -> Vec<Scene> {
    let mut world = World::new(MemFiles::default(), START_MS);
    ["Ada", "Ben", "Mal"].into_iter().for_each(|name| world.arrive(name));
    let mut scenes = vec![world.scene()];
    world.meet(ADA, BEN, false);
    world.meet(ADA, MAL, false);
    world.meet(BEN, MAL, true);
    scenes.push(world.scene());
    let members = vec![world.identity(BEN), world.identity(MAL)];
    let name = Name::parse("Desk").expect("a name");
    world.command(ADA, Command::CreateGroup { name, members }).expect("a group");
    scenes.push(world.scene());
    for (who, text) in [(ADA, "good morning"), (BEN, "and to you"), (MAL, "who is late?")] {
        world.say(who, text);
    }
    world.say(ADA, &"a long story ".repeat(300));
    let (chat, name) = (world.chat(ADA).expect("the group"), Name::parse("News").expect("a name"));
    world.command(ADA, Command::Rename { chat, name });
    world.pass(3_600_000);
    world.say(BEN, "an hour later");
    scenes.push(world.scene());
    scenes
}
