//! The scene in which every row is played: Ada owns a group with Ben, an admin, and Chloe; Ada is a
//! contact of both. Everybody has spoken once.

use crate::row::{Notice, Outcome};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{collections::BTreeMap, sync::OnceLock};
use undertone_core::{
    ChatId, Name,
    fuzzing::Insider,
    io::{Command, Event, Health, Input, MessageState, Output, Reply, Role},
};
use undertone_crypto::{IdentityKey, SlotKeys};
use undertone_hostile::{
    engine::{Server, open},
    world::{Device, Disk, START_MS, Scene, Told, Word, World, load, outputs},
};
use undertone_server_core::{MemFiles, Put, Ticket};
use undertone_wire::{Cell, DigestPage, Tag, WriteKey};

pub(crate) const ADA: usize = 0;
pub(crate) const BEN: usize = 1;
pub(crate) const CHLOE: usize = 2;
pub(crate) const NAMES: [&str; 3] = ["Ada", "Ben", "Chloe"];
const EVERYBODY: [usize; 3] = [ADA, BEN, CHLOE];

/// Plays the scene's beginning now, not in a row: with every check in force.
pub(crate) fn prepare() {
    scene();
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(begin)
}

fn begin() -> Scene {
    let mut world = World::new(MemFiles::default(), START_MS);
    NAMES.into_iter().for_each(|name| world.arrive(name));
    world.meet(ADA, BEN, false);
    world.meet(ADA, CHLOE, false);
    let members = vec![world.identity(BEN), world.identity(CHLOE)];
    let name = Name::parse("Desk").expect("a name");
    world.command(ADA, Command::CreateGroup { name, members }).expect("a group");
    let (chat, member) = (world.chat(ADA).expect("the group"), world.identity(BEN));
    world.command(ADA, Command::SetRole { chat, member, role: Role::Admin }).expect("an admin");
    EVERYBODY.into_iter().for_each(|who| world.say(who, "good morning"));
    // Who has joined refreshes their keys within minutes.
    (0..20).for_each(|_| world.pass(30_000));
    world.scene()
}

/// Where a misdeed began.
#[derive(Clone, Default)]
struct Mark {
    told: usize,
    heard: usize,
    skipped: BTreeMap<&'static str, u64>,
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) rng: ChaCha20Rng,
    marks: Vec<Mark>,
    began_ms: u64,
}

impl Stage {
    /// Everybody is online and at rest.
    pub(crate) fn new() -> Self {
        let mut world = scene().world();
        EVERYBODY.into_iter().for_each(|who| world.connect(who));
        world.rest();
        let rng = ChaCha20Rng::from_seed([11; 32]);
        let mut stage = Self { world, rng, marks: Vec::new(), began_ms: 0 };
        stage.misdeed();
        stage
    }

    /// The misdeed begins here: bounds count from now on.
    pub(crate) fn misdeed(&mut self) {
        self.began_ms = self.world.now_ms;
        self.marks = EVERYBODY.into_iter().map(|who| self.mark(who)).collect();
    }

    fn mark(&mut self, who: usize) -> Mark {
        let skipped = self.health(who).skipped;
        let device = &self.world.devices[who];
        Mark { told: device.told.len(), heard: device.heard, skipped }
    }

    /// The server's words to one device, from now on.
    pub(crate) fn lie_to(
        &mut self,
        victim: usize,
        mut lie: impl FnMut(&Server, Word) -> Vec<Word> + 'static,
    ) {
        self.misdeed();
        self.world.lie = Some(Box::new(
            move |server, who, word| {
                if who == victim { lie(server, word) } else { vec![word] }
            },
        ));
    }

    /// The same to everybody.
    pub(crate) fn lie(&mut self, mut lie: impl FnMut(&Server, Word) -> Vec<Word> + 'static) {
        self.misdeed();
        self.world.lie = Some(Box::new(move |server, _, word| lie(server, word)));
    }

    pub(crate) fn away(&mut self, who: usize) {
        self.world.disconnect(who);
    }

    pub(crate) fn back(&mut self, who: usize) {
        self.world.connect(who);
        self.world.rest();
    }

    /// The connection breaks and another opens.
    pub(crate) fn reconnect(&mut self, who: usize) {
        self.away(who);
        self.back(who);
    }

    /// Lets time pass, second by second.
    pub(crate) fn wait(&mut self, seconds: u64) {
        (0..seconds).for_each(|_| self.world.pass(1_000));
    }

    pub(crate) fn desk(&mut self, who: usize) -> ChatId {
        self.world.chat(who).expect("everybody is in the group")
    }

    /// Says something in the group.
    pub(crate) fn say(&mut self, who: usize, text: &str) {
        let chat = self.desk(who);
        self.say_in(who, chat, text);
    }

    pub(crate) fn say_in(&mut self, who: usize, chat: ChatId, text: &str) {
        let (text, key) = (text.to_owned(), None);
        self.world.command(who, Command::Send { chat, text, key, anyway: false });
    }

    /// Says something to a contact.
    pub(crate) fn whisper(&mut self, who: usize, to: usize, text: &str) {
        let chat = self.contact(who, to).expect("they are contacts");
        self.say_in(who, chat, text);
    }

    pub(crate) fn contact(&mut self, who: usize, other: usize) -> Option<ChatId> {
        let identity = self.world.identity(other);
        let Some(Reply::Chats(chats)) = self.world.command(who, Command::Chats) else {
            return None;
        };
        chats.iter().find(|chat| chat.contact == Some(identity)).map(|chat| chat.chat)
    }

    pub(crate) fn rename(&mut self, who: usize, name: &str) {
        let (chat, name) = (self.desk(who), Name::parse(name).expect("a name"));
        self.world.command(who, Command::Rename { chat, name });
    }

    /// The group's name, as somebody sees it.
    pub(crate) fn title(&mut self, who: usize) -> String {
        let Some(Reply::Chats(chats)) = self.world.command(who, Command::Chats) else {
            return String::new();
        };
        let group = chats.iter().find(|chat| chat.contact.is_none());
        group.map(|chat| chat.name.to_string()).unwrap_or_default()
    }

    /// Whether this text stands in somebody's history as sent or received.
    pub(crate) fn reads(&self, who: usize, text: &str) -> bool {
        self.times_read(who, text) > 0
    }

    pub(crate) fn times_read(&self, who: usize, text: &str) -> usize {
        let rows = self.world.devices[who].history.values();
        let counts = |state| matches!(state, MessageState::Stored | MessageState::Received);
        rows.filter(|row| row.text == text && counts(row.state)).count()
    }

    /// The state of one's own message.
    pub(crate) fn state(&self, who: usize, text: &str) -> Option<MessageState> {
        let mut rows = self.world.devices[who].history.values();
        rows.find(|row| row.own && row.text == text).map(|row| row.state)
    }

    pub(crate) fn health(&mut self, who: usize) -> Health {
        match self.world.command(who, Command::Health) {
            Some(Reply::Health(health)) => health,
            other => panic!("no health: {other:?}"),
        }
    }

    /// The server says something to a device on its own account.
    pub(crate) fn push(&mut self, who: usize, page: DigestPage) {
        self.world.say_to(who, Word::Push(page));
        self.world.rest();
    }

    /// The server's folder as it is now.
    pub(crate) fn folder(&self) -> MemFiles {
        self.world.server.store().files().copy()
    }

    /// From now on this device is shown another server with these files and the true key.
    pub(crate) fn fork(&mut self, who: usize, files: MemFiles) {
        let server = open(files, self.world.now_ms).expect("a folder of this server");
        self.world.forks.insert(who, server);
    }
}

/// What the server does beside its answers.
impl Stage {
    /// From now on these files are what the server has.
    pub(crate) fn serve(&mut self, files: MemFiles) {
        self.world.server = open(files, self.world.now_ms).expect("a folder of this server");
    }

    /// A stranger stores a cell that is nothing to anybody, in a tick of its own.
    pub(crate) fn noise(&mut self, number: u64) {
        let put = noise(&self.world.server, number);
        self.world.server.submit(Ticket(0), put).expect("the key fits");
        self.world.rest();
    }

    /// The same on the server that this device is shown.
    pub(crate) fn noise_to(&mut self, who: usize) {
        let server = self.world.server_of(who);
        let put = noise(server, server.newest().head.tick);
        server.submit(Ticket(0), put).expect("the key fits");
        self.world.rest();
    }

    /// Ada and Ben give the group a name at the same time.
    pub(crate) fn race(&mut self, by_ada: &str, by_ben: &str) {
        let chats = [self.desk(ADA), self.desk(BEN)];
        for (who, name) in [(ADA, by_ada), (BEN, by_ben)] {
            let (chat, name) = (chats[who], Name::parse(name).expect("a name"));
            self.world.order(who, Command::Rename { chat, name });
        }
        self.world.rest();
    }
}

/// What a member with an altered client does.
impl Stage {
    /// What somebody knows as a member of the group.
    pub(crate) fn insider(&mut self, who: usize) -> Insider {
        let (chat, server) = (self.desk(who), self.world.server.info().server);
        Insider::of(&self.world.devices[who].account, chat, server).expect("a member")
    }

    pub(crate) fn identity(&mut self, who: usize) -> IdentityKey {
        self.world.identity(who)
    }

    /// Stores a cell as whoever knows the key of the tag.
    pub(crate) fn put(&mut self, keys: &SlotKeys, cell: Cell) {
        self.put_at(keys.tag, keys.write, cell);
        self.world.rest();
    }

    pub(crate) fn put_at(&mut self, tag: Tag, write: WriteKey, cell: Cell) {
        let put = Put { tag, write, cell, token: Vec::new().into() };
        self.world.server.submit(Ticket(0), put).expect("the key fits");
    }
}

/// Others than the three.
impl Stage {
    /// A second device with all that is on somebody's disk; offline.
    pub(crate) fn copy(&mut self, who: usize) -> usize {
        let disk = self.world.devices[who].disk.clone();
        let account = load(&disk, 50).expect("what was persisted loads");
        self.world.devices.push(Device::new(account, disk));
        self.world.devices.len() - 1
    }

    /// Somebody new, who is online.
    pub(crate) fn stranger(&mut self, name: &str) -> usize {
        self.world.arrive(name);
        self.world.devices.len() - 1
    }

    /// A link of somebody's that many may use.
    pub(crate) fn card_of(&mut self, who: usize) -> String {
        let expires_ms = self.world.now_ms + 7 * 86_400_000;
        let card = self.world.command(who, Command::CreateLink { expires_ms, reusable: true });
        let Some(Reply::Link(link)) = card else { panic!("no link: {card:?}") };
        link.uri.expect("an open link")
    }

    /// Somebody accepts a link: what they are told.
    pub(crate) fn accept(&mut self, who: usize, link: String) -> Outcome {
        let reply = self.world.try_command(who, Command::Accept { link, message: None });
        self.wait(5);
        let Some(Err(refused)) = reply else { return self.seen() };
        let heard = self.world.devices[who].heard - self.marks[who].heard;
        Outcome::Noticed(vec![Notice {
            who: NAMES[who],
            what: format!("refusal {}", refused.code),
            words: heard,
            seconds: 0,
            evidence: false,
        }])
    }

    /// Ben adds somebody while Ada, who does not know it yet, writes this.
    pub(crate) fn race_add(&mut self, whom: usize, text: &str) {
        let (chat, members) = (self.desk(ADA), vec![self.identity(whom)]);
        self.away(BEN);
        self.say_offline(BEN, text);
        self.world.command(ADA, Command::Add { chat, members });
        self.wait(5);
        self.back(BEN);
    }

    fn say_offline(&mut self, who: usize, text: &str) {
        let (chat, text, key) = (self.desk(who), text.to_owned(), None);
        self.world.command(who, Command::Send { chat, text, key, anyway: false });
    }
}

/// What honest people notice.
impl Stage {
    /// What everybody was told since the misdeed began.
    pub(crate) fn seen(&mut self) -> Outcome {
        let notices: Vec<_> =
            EVERYBODY.into_iter().filter_map(|who| self.notice(who, kind)).collect();
        if let Some(loud) = EVERYBODY.into_iter().find(|who| self.sends_although_halted(*who)) {
            return Outcome::Broken(format!("{} goes on sending", NAMES[loud]));
        }
        if notices.is_empty() { Outcome::Nothing } else { Outcome::Noticed(notices) }
    }

    /// As [`seen`](Self::seen), of those who were told a sentence that holds these words.
    pub(crate) fn seen_words(&self, words: &str, what: &str) -> Outcome {
        let matches = |event: &Event| text(event).contains(words).then(|| what.to_owned());
        let notices: Vec<_> =
            EVERYBODY.into_iter().filter_map(|who| self.notice(who, matches)).collect();
        if notices.is_empty() { Outcome::Nothing } else { Outcome::Noticed(notices) }
    }

    fn notice(&self, who: usize, kind: impl Fn(&Event) -> Option<String>) -> Option<Notice> {
        let (device, mark) = (&self.world.devices[who], &self.marks[who]);
        let mut new = device.told[mark.told..].iter();
        let (told, what) = new.find_map(|told| Some((told, kind(&told.event)?)))?;
        let Told { at_ms, heard, .. } = told;
        Some(Notice {
            who: NAMES[who],
            what,
            words: heard - mark.heard,
            seconds: (at_ms - self.began_ms).div_ceil(1_000),
            evidence: is_halted_at_start(&device.disk),
        })
    }

    /// A device that has stopped puts nothing more, whatever it is told.
    fn sends_although_halted(&mut self, who: usize) -> bool {
        if self.health(who).halted.is_none() {
            return false;
        }
        let puts = self.world.devices[who].puts;
        self.say(who, "is anybody there?");
        self.wait(5);
        self.world.devices[who].puts > puts
    }

    /// Cells that Ada and Ben skipped since the misdeed began, alike, while the group goes on.
    pub(crate) fn skipped(&mut self) -> Outcome {
        if let told @ Outcome::Noticed(_) = self.seen() {
            return told;
        }
        let (ada, ben) = (self.newly_skipped(ADA), self.newly_skipped(BEN));
        // In one's own lane everything that one did not write looks alike.
        if ada.values().sum::<u64>() != ben.values().sum::<u64>() {
            return Outcome::Broken(format!("Ada skipped {ada:?}, Ben {ben:?}"));
        }
        match self.goes_on() {
            Err(why) => Outcome::Broken(why),
            Ok(()) if ada.is_empty() => Outcome::Nothing,
            Ok(()) => Outcome::Skipped(ada.into_keys().collect()),
        }
    }

    fn newly_skipped(&mut self, who: usize) -> BTreeMap<&'static str, u64> {
        let (mut now, before) = (self.health(who).skipped, &self.marks[who].skipped);
        now.iter_mut().for_each(|(check, count)| *count -= before.get(check).unwrap_or(&0));
        now.retain(|_, count| *count > 0);
        now
    }

    /// Ada and Ben still talk in the group and change it.
    pub(crate) fn goes_on(&mut self) -> Result<(), String> {
        for (who, other, text) in [(ADA, BEN, "we go on"), (BEN, ADA, "so we do")] {
            self.say(who, text);
            self.wait(3);
            if !self.reads(other, text) {
                return Err(format!("{} does not read {}", NAMES[other], NAMES[who]));
            }
        }
        self.rename(ADA, "Newsroom");
        self.wait(70);
        let titles = [self.title(ADA), self.title(BEN)];
        if titles != ["Newsroom", "Newsroom"] {
            return Err(format!("the group cannot be changed: {titles:?}"));
        }
        Ok(())
    }

    /// Whether somebody is offered to begin the group anew.
    pub(crate) fn may_restart(&mut self, who: usize) -> bool {
        match self.world.command(who, Command::GroupCares) {
            Some(Reply::GroupCares(cares)) => cares.iter().any(|care| care.restart.is_some()),
            _ => false,
        }
    }

    /// Whether somebody was told a sentence with these words since the misdeed began.
    pub(crate) fn was_told(&self, who: usize, words: &str) -> bool {
        let new = &self.world.devices[who].told[self.marks[who].told..];
        new.iter().any(|told| text(&told.event).contains(words))
    }
}

/// Whether the device on this disk starts with a breach that it has proof of.
fn is_halted_at_start(disk: &Disk) -> bool {
    let Ok(mut account) = load(disk, 99) else { return false };
    // What was noticed before is told by the first step.
    for command in [Command::Chats, Command::Health] {
        account.handle(START_MS, Input::Command { ticket: 1, command });
    }
    let halted = |output: &Output| match output {
        Output::Reply { result: Ok(Reply::Health(health)), .. } => health.halted.is_some(),
        _ => false,
    };
    outputs(&mut account).iter().any(halted)
}

/// What tells a person that something is not right.
fn kind(event: &Event) -> Option<String> {
    match event {
        Event::Alarm { code, text } => Some(format!("alarm {code}{}", number_in(text))),
        Event::Gap { .. } => Some("gap".to_owned()),
        Event::Stuck { text, .. } if text.contains("was copied") => {
            Some("stuck: this profile was copied".to_owned())
        }
        Event::Stuck { .. } => Some("stuck".to_owned()),
        Event::LinkFailed { code, .. } => Some(format!("refusal {code}")),
        Event::Member { text, .. } if text.contains("may be altered") => {
            Some("warning of an altered program".to_owned())
        }
        _ => None,
    }
}

/// The number of the check that an alarm names: ` L07`.
fn number_in(text: &str) -> String {
    let number = text.split_once("(L").and_then(|(_, rest)| rest.split_once(')'));
    number.map_or_else(String::new, |(number, _)| format!(" L{number}"))
}

fn text(event: &Event) -> &str {
    match event {
        Event::Alarm { text, .. }
        | Event::Gap { text, .. }
        | Event::Stuck { text, .. }
        | Event::Member { text, .. } => text,
        _ => "",
    }
}

fn noise(server: &Server, number: u64) -> Put {
    let mut write = [9; 32];
    write[..8].copy_from_slice(&number.to_be_bytes());
    let write = WriteKey(write);
    let tag = Tag::derive(&server.info().server, &write);
    Put { tag, write, cell: Cell::from_array([9; 2048]), token: Vec::new().into() }
}
