//! Measures the engine with its store: `cargo run --release -p undertone-client --example engine`.
//!
//! Devices and one server in this process, without sockets: what is measured is the CPU time of one
//! device's engine and of its SQLCipher store, committed as the driver does (all inputs at hand, then
//! one transaction).

// A measurement prints, and reads the clock that it measures with.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement, not the product")]

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use undertone_core::io::{Changes, Command, Input, Output, Refused, Reply};
use undertone_core::{Account, ChatId, Creation, Loaded, Name};
use undertone_crypto::{IdentityKey, Phrase};
use undertone_server_core::{Config, Engine, Keys, Memory, Put, Ticket};
use undertone_store::{Batch, KdfParams, Profile, Store};
use undertone_wire::{Answer, Request, ServerAddress};

/// CPU time of this thread, in milliseconds.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
}

fn resident_mib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

struct Device {
    account: Account,
    store: Option<Profile>,
    /// For devices without a store of their own.
    records: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
    inbox: VecDeque<Input>,
    replies: VecDeque<Result<Reply, Refused>>,
    streaming: bool,
    online: bool,
    cpu_ms: f64,
    messages: usize,
}

struct World {
    server: Engine<Memory>,
    now_ms: u64,
    devices: Vec<Device>,
    rng: ChaCha20Rng,
    puts: BTreeMap<u64, (usize, u32)>,
}

impl World {
    fn new() -> Self {
        let keys = Keys::first(ed25519_dalek::SigningKey::from_bytes(&[1; 32]));
        let now_ms = 1_790_000_000_000;
        let server = Engine::open(Memory::default(), Config::new(keys), now_ms).unwrap();
        let rng = ChaCha20Rng::seed_from_u64(1);
        Self { server, now_ms, devices: Vec::new(), rng, puts: BTreeMap::new() }
    }

    fn address(&self) -> ServerAddress {
        ServerAddress::new("localhost", 7443, self.server.info().server).unwrap()
    }

    fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        seed
    }

    fn add(&mut self, name: &str, folder: Option<&Path>) -> usize {
        let creation = Creation {
            name: Name::parse(name).unwrap(),
            phrase: Phrase::generate(&mut self.rng),
            server: self.address(),
            seed: self.seed(),
            now_ms: self.now_ms,
        };
        let account = Account::create(creation).unwrap();
        let store = folder.map(|folder| {
            let batch = Batch::default();
            let kdf = KdfParams::default();
            Profile::create(folder, "pass", kdf, &batch, &[], &mut self.rng).unwrap()
        });
        let mut inbox = VecDeque::new();
        inbox.push_back(Input::Connected);
        self.devices.push(Device {
            account,
            store,
            records: BTreeMap::new(),
            inbox,
            replies: VecDeque::new(),
            streaming: false,
            online: true,
            cpu_ms: 0.0,
            messages: 0,
        });
        self.devices.len() - 1
    }

    /// Handles all inputs at hand, commits once, then releases.
    fn step(&mut self, index: usize) -> bool {
        let now_ms = self.now_ms;
        let device = &mut self.devices[index];
        let mut outputs = Vec::new();
        let mut changes = Changes::default();
        let before = cpu_ms();
        let mut busy = false;
        while let Some(input) = device.inbox.pop_front() {
            busy = true;
            device.account.handle(now_ms, input);
            while let Some(output) = device.account.poll() {
                match output {
                    Output::Persist(more) => merge(&mut changes, more),
                    other => outputs.push(other),
                }
            }
        }
        while let Some(output) = device.account.poll() {
            match output {
                Output::Persist(more) => merge(&mut changes, more),
                other => outputs.push(other),
            }
        }
        device.messages += changes.messages.iter().filter(|row| !row.own).count();
        match &mut device.store {
            Some(profile) if !changes.is_empty() => {
                let batch = Batch { changes, ..Batch::default() };
                profile.store().commit(&batch).unwrap();
            }
            _ => {
                for (key, bytes) in changes.records {
                    match bytes {
                        Some(bytes) => drop(device.records.insert(key, bytes)),
                        None => drop(device.records.remove(&key)),
                    }
                }
            }
        }
        device.cpu_ms += cpu_ms() - before;
        for output in outputs {
            self.release(index, output);
        }
        busy
    }

    fn release(&mut self, index: usize, output: Output) {
        match output {
            Output::Transmit { id, request } => self.serve(index, id, request),
            Output::Reply { result, .. } => self.devices[index].replies.push_back(result),
            _ => {}
        }
    }

    fn serve(&mut self, index: usize, id: u32, request: Request) {
        match request {
            Request::Put { tag, write, cell, token } => {
                let put = self.puts.keys().next_back().map_or(0, |last| last + 1);
                match self.server.submit(Ticket(put), Put { tag, write, cell, token }) {
                    Ok(()) => drop(self.puts.insert(put, (index, id))),
                    Err(refusal) => self.answer(index, id, Answer::Refused(refusal)),
                }
            }
            Request::Stream { mut from } => {
                self.answer(index, id, Answer::Streaming);
                while let Ok(page) = self.server.page(from) {
                    let Some(last) = page.ticks.last() else { break };
                    from = last.tick + 1;
                    self.devices[index].inbox.push_back(Input::Push(page));
                }
                self.devices[index].streaming = true;
            }
            other => {
                let answer = self.server.answer(&other);
                self.answer(index, id, answer);
            }
        }
    }

    fn answer(&mut self, index: usize, id: u32, answer: Answer) {
        self.devices[index].inbox.push_back(Input::Answer { id, answer });
    }

    fn tick(&mut self) {
        self.now_ms += 20;
        let sealed = self.server.seal(self.now_ms);
        for (Ticket(put), answer) in sealed.answers {
            if let Some((index, id)) = self.puts.remove(&put)
                && self.devices[index].online
            {
                self.answer(index, id, answer);
            }
        }
        if let Some(page) = sealed.page {
            for device in self.devices.iter_mut().filter(|device| device.streaming) {
                device.inbox.push_back(Input::Push((*page).clone()));
            }
        }
    }

    fn rest(&mut self) {
        loop {
            let mut busy = false;
            for index in 0..self.devices.len() {
                if self.devices[index].online {
                    busy |= self.step(index);
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
    }

    fn set_online(&mut self, index: usize, online: bool) {
        let now_ms = self.now_ms;
        let device = &mut self.devices[index];
        device.online = online;
        device.inbox.clear();
        if online {
            device.inbox.push_back(Input::Connected);
        } else {
            device.streaming = false;
            device.account.handle(now_ms, Input::Disconnected);
        }
    }

    fn order(&mut self, index: usize, command: Command) {
        self.devices[index].inbox.push_back(Input::Command { ticket: 0, command });
    }

    fn command(&mut self, index: usize, command: Command) -> Reply {
        self.order(index, command);
        self.rest();
        self.devices[index].replies.pop_front().unwrap().unwrap()
    }

    fn meet(&mut self, inviter: usize, guest: usize) {
        let expires_ms = self.now_ms + 86_400_000;
        let link = Command::CreateLink { expires_ms, reusable: false };
        let Reply::Link(link) = self.command(inviter, link) else { unreachable!() };
        let accept = Command::Accept { link: link.uri.unwrap(), message: None };
        self.command(guest, accept);
        self.rest();
    }

    fn identity(&mut self, index: usize) -> IdentityKey {
        match self.command(index, Command::Whoami) {
            Reply::Whoami { identity, .. } => identity,
            _ => unreachable!(),
        }
    }

    fn chat(&mut self, index: usize, group: bool) -> ChatId {
        let Reply::Chats(chats) = self.command(index, Command::Chats) else { unreachable!() };
        chats.iter().find(|chat| chat.contact.is_none() == group).unwrap().chat
    }

    fn say(&mut self, index: usize, chat: ChatId, text: &str) {
        let send = Command::Send { chat, text: text.to_owned(), key: None, anyway: false };
        self.order(index, send);
    }
}

fn merge(into: &mut Changes, more: Changes) {
    into.records.extend(more.records);
    into.messages.extend(more.messages);
}

fn receive(count: usize, folder: &Path) {
    let mut world = World::new();
    let (ada, ben) = (world.add("Ada", None), world.add("Ben", Some(folder)));
    world.meet(ada, ben);
    let chat = world.chat(ada, false);
    world.set_online(ben, false);
    for number in 0..count {
        world.say(ada, chat, &format!("message number {number}, of a usual length for a chat"));
        if number % 30 == 29 {
            world.rest();
            world.devices[ada].replies.clear();
        }
    }
    world.rest();
    world.devices[ben].cpu_ms = 0.0;
    world.devices[ben].messages = 0;
    world.set_online(ben, true);
    world.rest();
    let device = &world.devices[ben];
    println!(
        "receive  {} messages of two people: {:.0} ms CPU with the store ({:.0} µs each; limit 4000 ms for 10,000)",
        device.messages,
        device.cpu_ms,
        device.cpu_ms * 1000.0 / device.messages as f64,
    );
}

fn group(members: usize, cells: usize, folder: &Path) {
    let mut world = World::new();
    let ada = world.add("Ada", None);
    let last = members - 1;
    for number in 1..members {
        let own = (number == last).then_some(folder);
        let guest = world.add(&format!("Member {number}"), own);
        world.meet(ada, guest);
    }
    let people: Vec<_> = (1..members).map(|index| world.identity(index)).collect();
    world.devices.iter_mut().for_each(|device| device.cpu_ms = 0.0);
    let name = Name::parse("Everybody").unwrap();
    world.command(ada, Command::CreateGroup { name, members: people });
    world.rest();
    println!(
        "group    of {members}: {:.0} ms CPU to create, {:.0} ms to join (with the store)",
        world.devices[ada].cpu_ms, world.devices[last].cpu_ms,
    );
    if cells == 0 {
        return;
    }
    let chats: Vec<_> = (0..members).map(|index| world.chat(index, true)).collect();
    // Four members write; the others sleep, or this process would decrypt everything for all of them.
    let writers = 4.min(members - 1);
    for index in writers..members {
        world.set_online(index, false);
    }
    for round in 0..cells.div_ceil(writers) {
        for (index, chat) in chats.iter().enumerate().take(writers) {
            world.say(index, *chat, &format!("round {round}"));
        }
        if round % 30 == 29 {
            world.rest();
            world.devices.iter_mut().for_each(|device| device.replies.clear());
        }
    }
    world.rest();
    world.devices[last].cpu_ms = 0.0;
    world.devices[last].messages = 0;
    world.set_online(last, true);
    world.rest();
    let device = &world.devices[last];
    println!(
        "catch-up {} cells in a group of {members}: {:.0} ms CPU with the store ({:.0} µs each)",
        device.messages,
        device.cpu_ms,
        device.cpu_ms * 1000.0 / device.messages.max(1) as f64,
    );
}

/// What a device with many conversations needs, loaded anew.
fn memory(conversations: usize) {
    let mut world = World::new();
    let ada = world.add("Ada", None);
    let mut rest = BTreeSet::new();
    for number in 0..conversations {
        let guest = world.add(&format!("Guest {number}"), None);
        world.meet(ada, guest);
        world.set_online(guest, false);
        rest.insert(guest);
    }
    let records = std::mem::take(&mut world.devices[ada].records);
    let (server, seed) = (world.address(), world.seed());
    drop(world);
    let mut spaces: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut bytes = 0;
    for ((space, key), value) in records {
        bytes += value.len();
        spaces.entry(space).or_default().push((key, value));
    }
    let before = resident_mib();
    let mut account = Account::load(Loaded { records: spaces, server, seed }).unwrap();
    account.handle(1_790_000_900_000, Input::Connected);
    println!(
        "memory   {conversations} conversations: {} KiB of records; +{} MiB resident to load them (limit 60 MiB in all)",
        bytes / 1024,
        resident_mib().saturating_sub(before),
    );
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    memory(100);
    receive(10_000, &folder.path().join("receive"));
    group(100, 0, &folder.path().join("hundred"));
    if std::env::args().any(|arg| arg == "--large") {
        group(250, 10_000, &folder.path().join("large"));
    }
}
