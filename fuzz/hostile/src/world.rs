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
    Account, ChatId, Creation, Loaded, Name,
    io::{Changes, Command, Input, Output, Refused, Reply},
};
use undertone_crypto::Phrase;
use undertone_server_core::{MemFiles, Put, Ticket};
use undertone_wire::{Answer, Request, ServerAddress};

/// Rounds after which a world that does not come to rest hangs.
const ROUNDS_MAX: usize = 5_000;
/// Outputs after which one step hangs.
const OUTPUTS_MAX: usize = 20_000;

pub(crate) const START_MS: u64 = 1_790_000_000_000;

/// What a device has persisted.
pub(crate) type Disk = BTreeMap<(&'static str, Vec<u8>), Vec<u8>>;

pub(crate) fn address() -> ServerAddress {
    let key = undertone_server_core::Keys::first(server_key()).first;
    ServerAddress::new("localhost", 7443, key.server_id()).expect("an address")
}

/// The device whose disk this is.
///
/// # Errors
/// When a record is damaged.
pub(crate) fn load(disk: &Disk, seed: u8) -> Result<Account, undertone_core::LoadError> {
    let mut records: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ((space, key), bytes) in disk {
        records.entry(*space).or_default().push((key.clone(), bytes.clone()));
    }
    Account::load(Loaded { records, server: address(), seed: [seed; 32] })
}

/// Keeps what a device persists.
pub(crate) fn persist(disk: &mut Disk, changes: Changes) {
    for (key, bytes) in changes.records {
        match bytes {
            Some(bytes) => drop(disk.insert(key, bytes)),
            None => drop(disk.remove(&key)),
        }
    }
}

/// Everything that a device wants done after a step.
pub(crate) fn outputs(account: &mut Account) -> Vec<Output> {
    let outputs: Vec<_> = std::iter::from_fn(|| account.poll()).take(OUTPUTS_MAX).collect();
    assert!(outputs.len() < OUTPUTS_MAX, "one step has an end");
    outputs
}

pub(crate) struct Device {
    pub(crate) account: Account,
    pub(crate) disk: Disk,
    pub(crate) online: bool,
    inbox: VecDeque<Input>,
    streaming: bool,
    deadline: Option<u64>,
    replies: Vec<Result<Reply, Refused>>,
}

impl Device {
    fn new(account: Account, disk: Disk) -> Self {
        let (inbox, replies) = (VecDeque::new(), Vec::new());
        Self { account, disk, online: false, inbox, streaming: false, deadline: None, replies }
    }
}

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) now_ms: u64,
    pub(crate) devices: Vec<Device>,
    puts: BTreeMap<u64, (usize, u32)>,
    next_put: u64,
}

impl World {
    fn new(files: MemFiles, now_ms: u64) -> Self {
        let server = open(files, now_ms).expect("a folder of this server");
        Self { server, now_ms, devices: Vec::new(), puts: BTreeMap::new(), next_put: 0 }
    }

    fn arrive(&mut self, name: &str) {
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

    pub(crate) fn connect(&mut self, who: usize) {
        self.devices[who].online = true;
        self.devices[who].inbox.push_back(Input::Connected);
    }

    /// Whatever is under way is lost.
    pub(crate) fn disconnect(&mut self, who: usize) {
        self.puts.retain(|_, (owner, _)| *owner != who);
        let device = &mut self.devices[who];
        (device.online, device.streaming) = (false, false);
        device.inbox.clear();
        self.handle(who, Input::Disconnected);
    }

    /// Runs until nothing happens any more.
    pub(crate) fn rest(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut busy = false;
            for who in 0..self.devices.len() {
                if let Some(input) = self.devices[who].inbox.pop_front() {
                    self.handle(who, input);
                    busy = true;
                }
            }
            if self.server.pending() > 0 {
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
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        for device in self.devices.iter_mut().filter(|device| device.online) {
            if device.deadline.is_some_and(|at| at <= self.now_ms) {
                device.deadline = None;
                device.inbox.push_back(Input::Wake);
            }
        }
        self.rest();
    }

    fn tick(&mut self) {
        self.now_ms += 20;
        let sealed = self.server.seal(self.now_ms);
        for (Ticket(put), answer) in sealed.answers {
            if let Some((who, id)) = self.puts.remove(&put) {
                self.devices[who].inbox.push_back(Input::Answer { id, answer });
            }
        }
        if let Some(page) = sealed.page {
            for device in self.devices.iter_mut().filter(|device| device.streaming) {
                device.inbox.push_back(Input::Push((*page).clone()));
            }
        }
    }

    fn handle(&mut self, who: usize, input: Input) {
        let device = &mut self.devices[who];
        device.account.handle(self.now_ms, input);
        for output in outputs(&mut device.account) {
            self.act(who, output);
        }
    }

    fn act(&mut self, who: usize, output: Output) {
        let device = &mut self.devices[who];
        match output {
            Output::Persist(changes) => persist(&mut device.disk, changes),
            Output::Transmit { id, request } => self.serve(who, id, request),
            Output::Reply { result, .. } => device.replies.push(result),
            Output::Deadline(at) => device.deadline = Some(at),
            Output::Event(_) => {}
        }
    }

    fn serve(&mut self, who: usize, id: u32, request: Request) {
        let inbox = &mut self.devices[who].inbox;
        match request {
            Request::Put { tag, write, cell, token } => {
                let put = Put { tag, write, cell, token };
                self.next_put += 1;
                match self.server.submit(Ticket(self.next_put), put) {
                    Ok(()) => drop(self.puts.insert(self.next_put, (who, id))),
                    Err(refusal) => {
                        inbox.push_back(Input::Answer { id, answer: Answer::Refused(refusal) });
                    }
                }
            }
            Request::Stream { from } => {
                inbox.push_back(Input::Answer { id, answer: Answer::Streaming });
                inbox.extend(pages(&self.server, from).into_iter().map(Input::Push));
                self.devices[who].streaming = true;
            }
            read => inbox.push_back(Input::Answer { id, answer: self.server.answer(&read) }),
        }
    }

    /// Gives a command and rests.
    pub(crate) fn command(&mut self, who: usize, command: Command) -> Option<Reply> {
        self.devices[who].inbox.push_back(Input::Command { ticket: 1, command });
        self.rest();
        std::mem::take(&mut self.devices[who].replies).pop()?.ok()
    }

    fn meet(&mut self, inviter: usize, guest: usize, reusable: bool) {
        let expires_ms = self.now_ms + 86_400_000;
        let link = self.command(inviter, Command::CreateLink { expires_ms, reusable });
        let Some(Reply::Link(link)) = link else { panic!("no link") };
        let (link, message) = (link.uri.expect("an open link"), Some("hello".to_owned()));
        self.command(guest, Command::Accept { link, message }).expect("accepted");
    }

    /// The first group of a device; before there is one, its first conversation.
    pub(crate) fn chat(&mut self, who: usize) -> Option<ChatId> {
        let Some(Reply::Chats(mut chats)) = self.command(who, Command::Chats) else { return None };
        chats.sort_by_key(|chat| (chat.contact.is_some(), chat.chat));
        chats.first().map(|chat| chat.chat)
    }

    fn say(&mut self, who: usize, text: &str) {
        let chat = self.chat(who).expect("a conversation");
        let (text, key) = (text.to_owned(), None);
        self.command(who, Command::Send { chat, text, key, anyway: false });
    }

    fn identity(&mut self, who: usize) -> undertone_crypto::IdentityKey {
        match self.command(who, Command::Whoami) {
            Some(Reply::Whoami { identity, .. }) => identity,
            other => panic!("nobody: {other:?}"),
        }
    }

    fn scene(&self) -> Scene {
        let files = self.server.store().files().copy();
        let disks = self.devices.iter().map(|device| device.disk.clone()).collect();
        Scene { files, now_ms: self.now_ms, disks }
    }
}

/// All pages from a tick on.
pub(crate) fn pages(server: &Server, from: u64) -> Vec<undertone_wire::DigestPage> {
    let (mut from, mut pages) = (from, Vec::new());
    while let Ok(page) = server.page(from) {
        let Some(last) = page.ticks.last() else { break };
        from = last.tick.saturating_add(1);
        pages.push(page);
    }
    pages
}

/// What lies on the disks at one moment: the server's, and those of Ada, Ben and Mal.
pub(crate) struct Scene {
    pub(crate) files: MemFiles,
    pub(crate) now_ms: u64,
    pub(crate) disks: Vec<Disk>,
}

pub(crate) const ADA: usize = 0;
pub(crate) const BEN: usize = 1;
pub(crate) const MAL: usize = 2;

impl Scene {
    /// A world that goes on from here; nobody is connected.
    pub(crate) fn world(&self) -> World {
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
pub(crate) fn scenes() -> &'static [Scene] {
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
