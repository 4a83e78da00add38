//! # The account: one device of one person
//!
//! Routes: what happens goes to the log follower, the cells, a conversation, a link; what they bring
//! forth comes back as one [`Changes`] value per step, persisted before anything of that step is
//! released. A device, loaded from what was persisted, goes on as if it had never stopped.

mod accept;
mod answers;
mod care;
mod clock;
mod commands;
mod contacts;
mod doors;
mod first;
#[cfg(any(test, feature = "fuzzing"))]
mod fuzzing;
mod groups;
mod invite;
mod join;
mod letters;
mod links;
mod news;
mod recovery;
mod reentry;
mod renew;
mod reopen;
mod requests;
mod restart;
mod route;
mod standing;
mod views;

pub(crate) use contacts::Contacts;
pub(crate) use news::{Invitation, News, Task};

use crate::cells::{CellAsk, Cells};
use crate::conversation::{Conversation, Ctx, Outgoing};
use crate::ids::{ChatId, MessageId, Name};
use crate::io::{Changes, Input, Output, Refused, SPACES};
use crate::log::{Ask, LogFollower};
use crate::mutant::{Mutant, planted};
use crate::stored::{LoadError, from_bytes, to_bytes};
use accept::Accepting;
use clock::Clock;
use join::Joins;
use links::Links;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use requests::Requests;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use undertone_crypto::mls::Mls;
use undertone_crypto::{
    Device, DeviceId, DeviceList, Identity, IdentityKey, LeafKey, Phrase, SignedDeviceList,
};
use undertone_wire::{KeyRing, ServerAddress, ServerId, decode, encode};

/// Who one is on this device.
pub(crate) struct Me {
    pub name: Name,
    pub identity: IdentityKey,
    pub device: DeviceId,
    pub leaf_key: LeafKey,
    pub list: SignedDeviceList,
    pub server: ServerId,
    /// `HOST:PORT`, for links.
    pub address: String,
}

/// What a new profile is made of.
pub struct Creation {
    /// The person's name, as others will see it.
    pub name: Name,
    /// The words that the identity comes from.
    pub phrase: Phrase,
    /// The server.
    pub server: ServerAddress,
    /// Randomness of the operating system.
    pub seed: [u8; 32],
    /// This device's clock, Unix milliseconds.
    pub now_ms: u64,
}

/// What a profile was persisted as.
pub struct Loaded {
    /// All records, by space.
    pub records: BTreeMap<&'static str, Records>,
    /// The server's address; its id must be the one that the profile was made for.
    pub server: ServerAddress,
    /// Randomness of the operating system.
    pub seed: [u8; 32],
}

/// Something cannot be done before the server's log was seen for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server was never reached")]
pub(crate) struct NotReady;

/// The engine; see the module's head.
pub struct Account {
    me: Me,
    log: LogFollower,
    cells: Cells,
    mls: Mls,
    contacts: Contacts,
    links: Links,
    requests: Requests,
    accepting: BTreeMap<[u8; 16], Accepting>,
    joins: Joins,
    conversations: BTreeMap<ChatId, Conversation>,
    /// What was sent under callers' own keys, by the salt that the key gives.
    sent_keys: BTreeMap<[u8; 16], MessageId>,
    /// KeyPackages that contacts were given, the newest set last.
    given: BTreeMap<ChatId, Vec<Vec<Vec<u8>>>>,
    rng: ChaCha20Rng,
    clock: Clock,
    connected: bool,
    halted: Option<(String, String)>,
    /// This profile was copied or put back: nothing is sent with its keys.
    copied: bool,
    /// Until when groups wait for what contacts have said.
    contacts_until_ms: Option<u64>,
    due: BTreeSet<ChatId>,
    log_moved: bool,
    tend_due: bool,
    asks: BTreeMap<u32, Purpose>,
    next_id: u32,
    news: News,
    out: VecDeque<Output>,
}

/// What a request was for.
enum Purpose {
    Log(Ask),
    Cell(CellAsk),
}

#[derive(Serialize, Deserialize)]
struct StoredMe {
    name: Name,
    identity: IdentityKey,
    device: DeviceId,
    leaf_key: [u8; 32],
    list: Vec<u8>,
    server: [u8; 32],
}

/// A refusal in words.
pub(crate) fn refuse(code: &'static str, message: &str, hint: &str) -> Refused {
    Refused { code, message: message.to_owned(), hint: hint.to_owned() }
}

impl From<NotReady> for Refused {
    fn from(_: NotReady) -> Self {
        refuse(
            "not_ready",
            "The server's log has not been seen yet.",
            "Connect once: `undertone sync`.",
        )
    }
}

impl Account {
    /// Makes a profile: an identity from the words, a device, and the first device list. The
    /// identity's secret is not kept by the engine; whoever holds the words keeps it.
    ///
    /// # Errors
    /// When the operating system gives the cryptographic library no randomness.
    pub fn create(creation: Creation) -> Result<Self, LoadError> {
        let mut rng = ChaCha20Rng::from_seed(creation.seed);
        let identity = Identity::from_phrase(&creation.phrase);
        let leaf_key = LeafKey::random(&mut rng);
        let mut device = DeviceId([0; 16]);
        rng.fill_bytes(&mut device.0);
        let list = DeviceList {
            number: 1,
            previous: [0; 32],
            devices: vec![Device { id: device, mls_key: leaf_key.key() }],
            time_ms: creation.now_ms,
        };
        let me = Me {
            name: creation.name,
            identity: identity.key(),
            device,
            leaf_key,
            list: SignedDeviceList::sign(&identity, list),
            server: creation.server.server(),
            address: creation.server.authority(),
        };
        let log = LogFollower::new(me.server);
        let mut account = Self::assemble(me, log, Cells::default(), mls(Vec::new())?, rng);
        account.save_me();
        account.clock.show(creation.now_ms);
        account.flush();
        Ok(account)
    }

    /// Goes on from what was persisted.
    ///
    /// # Errors
    /// When a record is damaged, from a newer program, or of another server than the address says.
    pub fn load(mut loaded: Loaded) -> Result<Self, LoadError> {
        let mut space = |name| loaded.records.remove(name).unwrap_or_default();
        let records: BTreeMap<_, _> = space("account").into_iter().collect();
        let me = load_me(&records, &loaded.server)?;
        let log_records = space("log");
        let log = LogFollower::load(me.server, borrowed(&log_records))?;
        let cell_records = space("cell");
        let mut cells = Cells::load(borrowed(&cell_records))?;
        cells.load_archive(borrowed(&space("archive")))?;
        cells.restore(&log);
        let rng = ChaCha20Rng::from_seed(loaded.seed);
        let mut account = Self::assemble(me, log, cells, mls(space("mls"))?, rng);
        account.load_account(&records)?;
        account.load_conversations(space("chat"), space("out"))?;
        account.load_links(space("link"))?;
        if planted(Mutant::ReuseSlot) {
            account.forget_what_was_sealed();
        }
        if planted(Mutant::SecondCommit) {
            account.with_each(|conversation, ctx| conversation.forget_commit(ctx));
        }
        account.log_moved = true;
        Ok(account)
    }

    fn assemble(
        me: Me,
        log: LogFollower,
        cells: Cells,
        mut mls: Mls,
        mut rng: ChaCha20Rng,
    ) -> Self {
        // Randomness is an argument, inside MLS too: a seed replays a run byte for byte.
        mls.reseed(&mut rng);
        Self {
            contacts: Contacts::new(&me),
            me,
            log,
            cells,
            mls,
            links: Links::default(),
            requests: Requests::default(),
            accepting: BTreeMap::new(),
            joins: Joins::default(),
            conversations: BTreeMap::new(),
            sent_keys: BTreeMap::new(),
            given: BTreeMap::new(),
            rng,
            clock: Clock::default(),
            connected: false,
            halted: None,
            copied: false,
            contacts_until_ms: None,
            due: BTreeSet::new(),
            log_moved: false,
            tend_due: false,
            asks: BTreeMap::new(),
            next_id: 0,
            news: News::default(),
            out: VecDeque::new(),
        }
    }

    /// The server's keys as it showed them last; `None` before the first connection. Whoever dials
    /// for this account accepts no server whose keys do not continue them.
    pub fn server_keys(&self) -> Option<&KeyRing> {
        self.log.server_keys()
    }

    /// Something happened. `now_ms` is what this device's clock shows, Unix milliseconds; it may have
    /// been set since the last time.
    pub fn handle(&mut self, now_ms: u64, input: Input) {
        let started = self.clock.is_unknown();
        self.clock.show(now_ms);
        if started {
            self.conversations.values_mut().for_each(|it| it.set_waits_right(now_ms));
        }
        match input {
            Input::Connected => self.on_connected(),
            Input::Disconnected => self.on_disconnected(),
            Input::Answer { id, answer } => self.on_answer(id, answer),
            Input::Push(page) => {
                self.cells.hear();
                self.log.on_push(page);
            }
            Input::Command { ticket, command } => self.on_command(ticket, command),
            Input::Wake => {
                self.log.retry();
                self.log_moved = true;
            }
        }
        self.settle();
        self.flush();
    }

    /// What the driver has to do next, in this order, after each [`handle`](Self::handle).
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Runs `step` on one conversation with everything that it works on.
    fn with<T>(
        &mut self,
        chat: ChatId,
        step: impl FnOnce(&mut Conversation, &mut Ctx<'_>) -> T,
    ) -> Option<T> {
        let (conversations, mut ctx) = self.parts();
        let conversation = conversations.get_mut(&chat)?;
        let was_live = conversation.is_live();
        let result = step(conversation, &mut ctx);
        conversation.save(ctx.news);
        // An invitation may wait for the end of this stay.
        let ended = was_live && !conversation.is_live();
        self.log_moved |= ended;
        Some(result)
    }

    /// One step of every conversation.
    fn with_each(&mut self, mut step: impl FnMut(&mut Conversation, &mut Ctx<'_>)) {
        for chat in self.conversations.keys().copied().collect::<Vec<_>>() {
            self.with(chat, &mut step);
        }
    }

    fn ctx(&mut self) -> Ctx<'_> {
        self.parts().1
    }

    /// The conversations, and what one of them works with.
    fn parts(&mut self) -> (&mut BTreeMap<ChatId, Conversation>, Ctx<'_>) {
        let ctx = Ctx {
            now_ms: self.clock.now_ms(),
            wall_ms: self.clock.wall_ms(),
            groups_wait: self.contacts_until_ms.is_some(),
            rng: &mut self.rng,
            me: &self.me,
            log: &mut self.log,
            cells: &mut self.cells,
            mls: &mut self.mls,
            contacts: &mut self.contacts,
            news: &mut self.news,
        };
        (&mut self.conversations, ctx)
    }

    /// A conversation that has just begun.
    fn adopt(&mut self, mut conversation: Conversation) -> ChatId {
        let chat = conversation.chat;
        conversation.save(&mut self.news);
        self.conversations.insert(chat, conversation);
        self.due.insert(chat);
        chat
    }

    fn save_me(&mut self) {
        let stored = StoredMe {
            name: self.me.name.clone(),
            identity: self.me.identity,
            device: self.me.device,
            leaf_key: *self.me.leaf_key.dangerous_bytes().dangerous_bytes(),
            list: encode(&self.me.list),
            server: self.me.server.0,
        };
        self.news.record("account", b"me".to_vec(), Some(to_bytes(&stored)));
    }

    fn load_account(&mut self, records: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<(), LoadError> {
        self.copied = records.contains_key(renew::COPIED);
        for (key, bytes) in records {
            match key.split_first() {
                Some((b'p', _)) => self.contacts.load(bytes)?,
                Some((b'k', salt)) => {
                    let salt = salt.try_into().map_err(|_| damaged("a send key"))?;
                    let id = bytes.as_slice().try_into().map_err(|_| damaged("a send key"))?;
                    self.sent_keys.insert(salt, MessageId(id));
                }
                Some((b'n', who)) => {
                    let who = who.try_into().map_err(|_| damaged("a contact"))?;
                    self.joins.load_replenish(IdentityKey(who));
                }
                Some((b'g', chat)) => {
                    let chat = chat.try_into().map_err(|_| damaged("a set of KeyPackages"))?;
                    self.given.insert(ChatId(chat), from_bytes(bytes)?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A planted bug.
    fn forget_what_was_sealed(&mut self) {
        for (chat, conversation) in &mut self.conversations {
            self.cells.forget_chat(*chat);
            conversation.write_from_where_it_is_read();
        }
    }

    fn load_conversations(&mut self, chats: Records, outgoing: Records) -> Result<(), LoadError> {
        for (_, bytes) in chats {
            let conversation: Conversation = from_bytes(&bytes)?;
            self.due.insert(conversation.chat);
            self.conversations.insert(conversation.chat, conversation);
        }
        for (key, bytes) in outgoing {
            let (chat, seq) = key.split_first_chunk().ok_or_else(|| damaged("a queue key"))?;
            let seq = seq.try_into().map_err(|_| damaged("a queue key"))?;
            let outgoing: Outgoing = from_bytes(&bytes)?;
            let conversation = self.conversations.get_mut(&ChatId(*chat));
            let conversation = conversation.ok_or_else(|| damaged("a queued message"))?;
            conversation.restore_outgoing(u64::from_be_bytes(seq), outgoing);
        }
        Ok(())
    }
}

/// Keys with their bytes.
pub type Records = Vec<(Vec<u8>, Vec<u8>)>;

fn borrowed(records: &Records) -> impl Iterator<Item = (&[u8], &[u8])> {
    records.iter().map(|(key, bytes)| (key.as_slice(), bytes.as_slice()))
}

fn damaged(what: &str) -> LoadError {
    LoadError::Damaged(what.to_owned())
}

fn mls(records: Records) -> Result<Mls, LoadError> {
    Mls::load(records).map_err(|refused| LoadError::Damaged(refused.to_string()))
}

fn load_me(records: &BTreeMap<Vec<u8>, Vec<u8>>, server: &ServerAddress) -> Result<Me, LoadError> {
    let bytes = records.get(&b"me"[..]).ok_or_else(|| damaged("the profile has no identity"))?;
    let stored: StoredMe = from_bytes(bytes)?;
    if stored.server != server.server().0 {
        return Err(damaged("the address is another server's"));
    }
    Ok(Me {
        name: stored.name,
        identity: stored.identity,
        device: stored.device,
        leaf_key: LeafKey::from_seed(&stored.leaf_key),
        list: decode(&stored.list).map_err(|_| damaged("the device list"))?,
        server: ServerId(stored.server),
        address: server.authority(),
    })
}

/// One step's end.
impl Account {
    /// Gathers everything that the step changed, then what it releases.
    fn flush(&mut self) {
        self.prune_listings();
        self.news.records_of("log", self.log.take_changes());
        let cells = self.cells.take_changes();
        if !planted(Mutant::SkipPersist) {
            self.news.records_of("cell", cells);
        }
        self.news.records_of("archive", self.cells.take_archived());
        self.news.records_of("mls", self.mls.take_changes());
        let changes: Changes = self.news.take_changes();
        if !changes.is_empty() {
            self.out.push_back(Output::Persist(changes));
        }
        self.transmit();
        self.out.extend(self.news.take_released());
        if let Some(deadline) = self.deadline() {
            self.out.push_back(Output::Deadline(deadline));
        }
    }

    fn transmit(&mut self) {
        if !self.connected {
            return;
        }
        while let Some((ask, request)) = self.log.poll_request() {
            self.send(Purpose::Log(ask), request);
        }
        while let Some((ask, request)) = self.cells.poll_request(self.clock.now_ms(), &self.log) {
            self.send(Purpose::Cell(ask), request);
        }
    }

    fn send(&mut self, purpose: Purpose, request: undertone_wire::Request) {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.asks.insert(id, purpose);
        self.out.push_back(Output::Transmit { id, request });
    }

    /// Forgets listings that nobody here looks at any more.
    fn prune_listings(&mut self) {
        let conversations = self.conversations.values();
        let needed = conversations.filter_map(Conversation::needs_listings_from);
        let needed = needed.chain(self.links.needs_listings_from());
        let needed = needed.chain(self.joins.needs_listings_from());
        let oldest = needed.min().unwrap_or_else(|| self.log.walked());
        if oldest > self.log.retained_from() {
            self.log.retain_from(oldest);
        }
    }

    fn deadline(&self) -> Option<u64> {
        if !self.connected || self.halted.is_some() {
            return None;
        }
        let now_ms = self.clock.now_ms();
        // Nothing is written before the newest head is known; its arrival wakes by itself.
        let conversations = self.conversations.values().filter(|_| self.log.caught_up());
        let wakes = conversations.filter_map(|it| it.next_wake_ms(now_ms));
        let cells = self.cells.next_deadline(now_ms);
        let joins = self.joins.next_wake_ms();
        let links = self.links.next_wake_ms();
        let log = self.log.is_stalled().then_some(now_ms.saturating_add(1_000));
        let first = self.contacts_until_ms;
        let all = wakes.chain(cells).chain(joins).chain(links).chain(log).chain(first);
        let earliest = all.min()?;
        Some(self.clock.wall_at(earliest.max(now_ms + 1)))
    }
}

/// Names all spaces that [`Loaded::records`] may hold.
pub fn spaces() -> impl Iterator<Item = &'static str> {
    SPACES.into_iter()
}

/// Doors for tests that play a malicious member.
#[cfg(test)]
impl Account {
    pub(crate) fn conversation_for_tests(&mut self, chat: ChatId) -> &mut Conversation {
        self.conversations.get_mut(&chat).expect("a conversation")
    }

    pub(crate) fn leaf_key_for_tests(&self) -> LeafKey {
        self.me.leaf_key.clone()
    }

    pub(crate) fn encrypt_for_tests(
        &mut self,
        chat: ChatId,
        aad: &[u8],
        payload: &[u8],
    ) -> Vec<u8> {
        let conversation = self.conversations.get_mut(&chat).expect("a conversation");
        let group = conversation.group_mut();
        group.encrypt(&mut self.mls, &self.me.leaf_key, aad, payload).expect("encrypted")
    }

    /// Calls this device by another id, as whoever has the identity's words may.
    pub(crate) fn name_device_for_tests(&mut self, device: DeviceId, phrase: &Phrase) {
        let mut list = self.me.list.list.clone();
        list.devices = vec![Device { id: device, mls_key: self.me.leaf_key.key() }];
        self.me.device = device;
        self.me.list = SignedDeviceList::sign(&Identity::from_phrase(phrase), list);
        self.contacts = Contacts::new(&self.me);
        self.save_me();
        self.flush();
    }

    pub(crate) fn device_for_tests(&self) -> DeviceId {
        self.me.device
    }

    pub(crate) fn signed_head_for_tests(&self) -> undertone_wire::SignedHead {
        self.log.signed_head().expect("a head").clone()
    }

    /// Hears of an invitation once more, perhaps with another opening head.
    pub(crate) fn repeat_join_for_tests(
        &mut self,
        join: &[u8],
        opening: Option<undertone_wire::HeadRef>,
    ) {
        let mut join: join::PendingJoin = from_bytes(join).expect("as it was persisted");
        if let Some(opening) = opening {
            join.open_at_for_tests(opening);
        }
        self.admit(join);
        self.settle();
        self.flush();
    }

    /// As if a later device list of this person were known.
    pub(crate) fn renumber_list_for_tests(&mut self, identity: &IdentityKey, number: u64) {
        self.contacts.renumber_list_for_tests(identity, number);
    }

    /// Leaves only the last resort of what a contact has sent.
    pub(crate) fn use_up_packages_for_tests(&mut self, identity: &IdentityKey) {
        self.contacts.use_up_packages_for_tests(identity);
    }

    /// As if this device failed on the newest change of a conversation.
    pub(crate) fn lose_for_tests(&mut self, chat: ChatId) {
        self.with(chat, |chat, ctx| chat.become_stuck("a test says so", ctx));
        self.settle();
        self.flush();
    }

    /// Says something as a raw kind of content, whatever it is.
    pub(crate) fn say_for_tests(&mut self, chat: ChatId, content: &crate::body::Content) {
        self.with(chat, |to, ctx| to.enqueue(None, content, ctx));
        self.due.insert(chat);
        self.settle();
        self.flush();
    }

    /// Wishes for somebody who is inside: they go and come in one commit if a removal is wished for.
    pub(crate) fn want_back_for_tests(&mut self, chat: ChatId, identity: IdentityKey) {
        self.with(chat, |to, ctx| to.want_for_tests(identity, ctx));
    }

    /// Adds a leaf whose key this device made, in somebody else's name.
    pub(crate) fn add_forged_leaf_for_tests(&mut self, chat: ChatId, identity: IdentityKey) {
        let forged = LeafKey::random(&mut self.rng);
        self.want_leaf_for_tests(chat, identity, &forged);
        self.settle();
        self.flush();
    }

    /// Wishes for a leaf that MLS refuses: with a signature key that sits in the group already.
    pub(crate) fn want_twin_for_tests(&mut self, chat: ChatId, identity: IdentityKey) {
        let key = self.me.leaf_key.clone();
        self.want_leaf_for_tests(chat, identity, &key);
    }

    fn want_leaf_for_tests(&mut self, chat: ChatId, identity: IdentityKey, key: &LeafKey) {
        let device = DeviceId([66; 16]);
        let package = self.mls.key_package(key, identity, device, true).expect("a package");
        drop(self.contacts.forge_package_for_tests(identity, package.0));
        self.with(chat, |to, ctx| to.want_for_tests(identity, ctx));
        self.due.insert(chat);
    }

    pub(crate) fn heal_commit_for_tests(&mut self, chat: ChatId) -> Vec<u8> {
        let conversation = self.conversations.get_mut(&chat).expect("a conversation");
        let spec = undertone_crypto::mls::CommitSpec::default();
        let made = conversation.group_mut().commit(&mut self.mls, &self.me.leaf_key, spec);
        made.expect("a commit").commit
    }
}

#[cfg(test)]
mod tests;
