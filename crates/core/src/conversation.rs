//! # One conversation: the machine of one MLS group over a write-once store
//!
//! A conversation never trusts an answer to decide: the log's *first listing* of a tag does. Each
//! [`advance`](Conversation::advance) looks at what is listed, in this order:
//!
//! 1. **Control** (`control`, `judge`): control slots take effect strictly in index order; each is
//!    void, wins, or leaves this device stuck. The *closing tick* is the greatest tick among the
//!    slots up to the winner.
//! 2. **Lanes** (`lanes`): every leaf's lane is read strictly in order, up to the closing tick, or up
//!    to the newest walked tick while the epoch is open.
//! 3. **Merge** (`merge`): when the lanes are read, the epoch ends; what did not count is sealed
//!    again in the next one.
//! 4. **Writing** (`send`, `commit`): only in an open epoch, only after walking to the newest head.
//!
//! What is sealed is persisted before it is released; see [`crate::io`]. A lane cell of somebody else
//! that is listed but not delivered does not stop the epoch: it leaves a [`Past`] behind that waits for
//! it, and a visible gap.

mod advance;
mod asking;
mod collisions;
mod commands;
mod commit;
mod control;
mod create;
mod epochs;
mod fault;
mod judge;
mod lanes;
mod lost;
mod merge;
mod presence;
mod read_to;
mod receive;
mod roster;
mod send;
mod standing;
mod state;
mod succession;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod tests_kit;
mod witness;

pub(crate) use create::{Founded, Welcomed};
pub(crate) use roster::Roster;
pub use standing::{Seat, Standing, StandingEpoch};
pub(crate) use state::{
    Author, Epoch, Intent, Lane, Outgoing, OutgoingState, Pace, Past, Pending, Placed,
};
pub(crate) use succession::{Estate, Predecessor, READING_MS};

use crate::account::{Contacts, Me, News, Task};
use crate::cells::Cells;
use crate::ids::{ChatId, Name};
use crate::io::{ChatKind, ChatState, ChatView, Event, MemberView};
use crate::log::LogFollower;
use crate::mutant::{Mutant, planted};
use crate::policy::Policy;
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use undertone_crypto::IdentityKey;
use undertone_crypto::mls::{Group, Member, Mls};

/// What a conversation works with and on; lent to it by the account for one step.
pub(crate) struct Ctx<'a> {
    /// The engine's own time, milliseconds: for whatever waits.
    pub now_ms: u64,
    /// What this device's clock shows, Unix milliseconds: for whatever people see.
    pub wall_ms: u64,
    /// Groups are not written to yet.
    pub groups_wait: bool,
    /// Randomness.
    pub rng: &'a mut ChaCha20Rng,
    /// Who one is.
    pub me: &'a Me,
    /// What the server lists.
    pub log: &'a mut LogFollower,
    /// Cells on their way.
    pub cells: &'a mut Cells,
    /// MLS state of all groups.
    pub mls: &'a mut Mls,
    /// People known here.
    pub contacts: &'a mut Contacts,
    /// What this step brings forth for others.
    pub news: &'a mut News,
}

/// One conversation; see the module's head.
#[derive(Serialize, Deserialize)]
pub(crate) struct Conversation {
    /// Its name on this device.
    pub chat: ChatId,
    /// The MLS group's id.
    pub conversation: [u8; 32],
    /// In a contact: the other person.
    pub peer: Option<IdentityKey>,
    /// The name in the policy; empty for a contact.
    pub title: String,
    /// Where it stands.
    pub state: ChatState,
    /// Nothing is written yet: the answer of first contact is not stored.
    pub held: bool,
    /// One's own leave message was written.
    pub leaving: bool,
    /// Other people's devices that are not in the newest list known: sending stops.
    pub unlisted: BTreeSet<Author>,
    /// The tick that opened this stay; 0 where it is not known.
    #[serde(default)]
    begun: u64,
    epoch: Epoch,
    past: Vec<Past>,
    pending: Option<Pending>,
    intents: Vec<Intent>,
    next_number: u64,
    next_outgoing: u64,
    /// Newest number of each device that counted here.
    numbers: BTreeMap<Author, u64>,
    /// The effective ticks of those, as far as they counted there for good.
    #[serde(default)]
    numbered_in: BTreeMap<Author, u64>,
    /// Others' messages that may not count where they stand.
    #[serde(default)]
    unsure: lost::Unsure,
    /// Devices of which a cell counted.
    joined: BTreeSet<Author>,
    names: BTreeMap<IdentityKey, Name>,
    pace: Pace,
    #[serde(default)]
    presence: presence::Presence,
    /// Whose place in its chat it took, or who took its own.
    #[serde(default)]
    pub succession: succession::Succession,
    /// Who was here when this device left.
    last_people: BTreeSet<IdentityKey>,
    /// In a contact that the other side founded: the tick of the answer that led here.
    #[serde(default)]
    pub by_peer: Option<u64>,
    /// In a contact: whether the other side was told where this device can be asked to begin anew.
    #[serde(default)]
    pub told_door: bool,
    /// Whom this device has asked to be let in again.
    #[serde(default)]
    asked: asking::Asked,
    /// Whose devices have asked this one, and in which tick.
    #[serde(default)]
    askers: BTreeMap<IdentityKey, u64>,
    #[serde(skip)]
    outgoing: BTreeMap<u64, Outgoing>,
    #[serde(skip)]
    live: Option<Box<Live>>,
    #[serde(skip)]
    reading: Reading,
    #[serde(skip)]
    dirty: Dirty,
    /// Cells that did not count since the start, by the number of the check.
    #[serde(skip)]
    skipped: BTreeMap<&'static str, u64>,
}

/// The group as MLS sees it, loaded when first needed.
struct Live {
    group: Group,
    members: Vec<Member>,
    policy: Policy,
}

impl Live {
    fn new(group: Group) -> Self {
        let members = group.members();
        let policy = Policy::parse(&group.policy()).unwrap_or_else(Policy::contact);
        Self { group, members, policy }
    }

    /// This device's own leaf.
    fn own(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.leaf == self.group.own_leaf())
    }
}

/// Cells that have arrived and are not judged yet; fetched again after a restart.
#[derive(Default)]
struct Reading {
    control: Option<control::ControlRead>,
    /// The lanes are read up to this tick and no further, since the epoch's end is in sight.
    limit: Option<u64>,
    lanes: BTreeMap<lanes::LaneOf, lanes::Ahead>,
    /// Up to which tick the lanes of an epoch were searched for new slots.
    scanned: BTreeMap<u64, u64>,
    collisions: collisions::Collisions,
}

/// Which records have to be written.
#[derive(Default)]
struct Dirty {
    state: bool,
    outgoing: BTreeSet<u64>,
}

impl Conversation {
    /// Contact or group.
    pub(crate) fn kind(&self) -> ChatKind {
        if self.peer.is_some() { ChatKind::Contact } else { ChatKind::Group }
    }

    /// As a list shows it.
    pub(crate) fn view(&self, contacts: &Contacts) -> ChatView {
        let name = match &self.peer {
            Some(peer) => contacts.name_of(peer),
            None => Name::tamed(&self.title),
        };
        let verified = self.peer.is_some_and(|peer| contacts.is_verified(&peer));
        let named_here = self.peer.is_some_and(|peer| contacts.is_named_here(&peer));
        let (chat, kind, state) = (self.chat, self.kind(), self.state);
        ChatView { chat, name, kind, state, verified, named_here, contact: self.peer }
    }

    /// Whether messages may be written at all.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.state, ChatState::Open | ChatState::Requested)
    }

    /// The oldest tick whose listings this conversation still looks at.
    pub(crate) fn needs_listings_from(&self) -> Option<u64> {
        let past = self.past.iter().map(|past| past.epoch.opened);
        let open = self.is_live().then_some(self.epoch.opened);
        past.chain(open).min()
    }

    /// The members, as a person wants to see them.
    pub(crate) fn members(&mut self, ctx: &mut Ctx<'_>) -> Vec<MemberView> {
        let Some(live) = self.live(ctx) else { return Vec::new() };
        let members: BTreeSet<_> = live.members.iter().map(|member| member.identity).collect();
        let policy = live.policy.clone();
        let joined: BTreeSet<_> = self.joined.iter().map(|author| author.identity).collect();
        let invited = self.invited(ctx);
        let view = |identity: IdentityKey| MemberView {
            identity,
            name: self.name_of(&identity, ctx),
            role: policy.role(&identity),
            joined: identity == ctx.me.identity || joined.contains(&identity),
            invited_since_ms: invited.get(&identity).copied(),
            own: identity == ctx.me.identity,
        };
        members.into_iter().map(view).collect()
    }

    /// The names of all who are or were here, as far as they were ever told.
    pub(crate) fn all_names(&mut self, ctx: &mut Ctx<'_>) -> BTreeMap<IdentityKey, Name> {
        let present = self.members(ctx).into_iter().map(|member| member.identity);
        let people: Vec<_> = present.chain(self.names.keys().copied()).collect();
        let own = [ctx.me.identity];
        people.into_iter().chain(own).map(|it| (it, self.name_of(&it, ctx))).collect()
    }

    /// A person's name: set here, known as a contact, or as said in this conversation.
    pub(crate) fn name_of(&self, identity: &IdentityKey, ctx: &Ctx<'_>) -> Name {
        if *identity == ctx.me.identity {
            return ctx.me.name.clone();
        }
        let known = ctx.contacts.known_name(identity);
        known.or_else(|| self.names.get(identity).cloned()).unwrap_or_else(|| Name::tamed(""))
    }

    /// The group, loaded when first asked for; `None` once this device is out of it.
    fn live(&mut self, ctx: &mut Ctx<'_>) -> Option<&mut Live> {
        if self.live.is_none() {
            let group = Group::load(ctx.mls, &self.conversation);
            self.live = group.ok().map(Live::new).map(Box::new);
        }
        self.live.as_deref_mut()
    }

    /// Cells that did not count since the start, by the number of the check that they failed.
    pub(crate) fn skipped(&self) -> &BTreeMap<&'static str, u64> {
        &self.skipped
    }

    fn count_skipped(&mut self, check: &'static str) {
        *self.skipped.entry(check).or_default() += 1;
    }

    fn touch(&mut self) {
        self.dirty.state = true;
    }

    fn set_state(&mut self, state: ChatState, ctx: &mut Ctx<'_>) {
        if self.state != state {
            self.state = state;
            self.touch();
            if self.succession.retired {
                return;
            }
            let view = self.view(ctx.contacts);
            ctx.news.event(Event::Chat(view));
        }
    }

    /// This device cannot follow: nothing more is sent or read here, and the person is told.
    pub(crate) fn become_stuck(&mut self, why: &str, ctx: &mut Ctx<'_>) {
        if self.is_live() {
            self.succession.lost_at = Some(self.read_to(ctx));
        }
        self.set_state(ChatState::Stuck, ctx);
        // Nothing leaves any more, not even after a restart; what did not count stays queued.
        ctx.cells.forget_chat(self.chat);
        ctx.cells.cancel_gets(self.chat);
        self.take_back(u64::MAX);
        let text = format!(
            "This device cannot follow the conversation any more: {why}. \
             Nothing is sent here until it is begun anew."
        );
        if !planted(Mutant::SilentStuck) {
            ctx.news.event(Event::Stuck { chat: self.chat, text });
        }
    }

    /// Nothing more is sent or read here.
    pub(crate) fn stop(&mut self, why: &str, ctx: &mut Ctx<'_>) {
        if self.is_live() {
            self.become_stuck(why, ctx);
        }
    }

    /// Somebody else writes in this device's name, with the same keys: everything stops.
    fn become_copied(&mut self, what: &str, ctx: &mut Ctx<'_>) {
        let why = format!("{what} that it did not make; this profile was copied or put back");
        self.become_stuck(&why, ctx);
        ctx.news.task(Task::Copied);
    }

    /// Whether an epoch that opened in `tick` was over before this stay began.
    pub(crate) fn began_after(&self, tick: u64) -> bool {
        tick < self.begun
    }

    /// The newest epoch that was followed here; kept after the end.
    pub(crate) fn newest_epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Whether somebody was in the conversation when this device left it.
    pub(crate) fn had_member(&self, identity: &IdentityKey) -> bool {
        self.last_people.contains(identity)
    }

    /// What is gone cannot be caught up with.
    pub(crate) fn lose_track(&mut self, why: &str, ctx: &mut Ctx<'_>) {
        if !self.is_live() {
            return;
        }
        if self.is_own_silent(ctx) {
            let why = format!(
                "{why}. After 90 days without a sign of it the others' devices take it out of the                  group; somebody who may add members can add you again"
            );
            return self.become_stuck(&why, ctx);
        }
        self.become_stuck(why, ctx);
    }

    /// Writes what changed into the step's records.
    pub(crate) fn save(&mut self, news: &mut News) {
        let dirty = std::mem::take(&mut self.dirty);
        if dirty.state {
            news.record("chat", self.chat.0.to_vec(), Some(crate::stored::to_bytes(self)));
        }
        for seq in dirty.outgoing {
            let key = [&self.chat.0[..], &seq.to_be_bytes()].concat();
            let bytes = self.outgoing.get(&seq).map(crate::stored::to_bytes);
            news.record("out", key, bytes);
        }
    }

    /// The answer of first contact is stored: what is queued may go out.
    pub(crate) fn release_hold(&mut self) {
        self.held = false;
        self.touch();
    }

    /// Goes on under the name that an earlier stay in the same group had here.
    pub(crate) fn rename_chat(&mut self, chat: ChatId) {
        for seq in self.outgoing.keys() {
            self.dirty.outgoing.insert(*seq);
        }
        self.chat = chat;
        self.touch();
    }

    /// Takes back one message that was on its way when the profile was closed.
    pub(crate) fn restore_outgoing(&mut self, seq: u64, outgoing: Outgoing) {
        self.outgoing.insert(seq, outgoing);
    }
}
