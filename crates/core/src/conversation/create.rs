//! How a conversation begins on this device.

use super::presence::Presence;
use super::succession::Succession;
use super::{Conversation, Ctx, Dirty, Epoch, Live, Pace, Reading};
use crate::account::NotReady;
use crate::body::{Content, Hello, NamedMember};
use crate::ids::{ChatId, Name};
use crate::io::ChatState;
use crate::policy::Policy;
use rand::{Rng, RngCore};
use std::collections::{BTreeMap, BTreeSet};
use undertone_crypto::mls::{CommitSpec, Group, KeyPackageBytes, Refused};
use undertone_crypto::{EpochLog, IdentityKey};
use undertone_wire::HeadRef;

/// A two-party conversation that was just made, and what the other side needs to join it.
pub(crate) struct Founded {
    /// The conversation.
    pub conversation: Conversation,
    /// For the KeyPackage of the offer.
    pub welcome: Vec<u8>,
    /// The ratchet tree.
    pub tree: Vec<u8>,
    /// The head that opens epoch 1.
    pub opening: HeadRef,
}

/// What a Welcome says, once its parcels have arrived.
pub(crate) struct Welcomed<'a> {
    /// The MLS group that it must lead into.
    pub conversation: [u8; 32],
    /// The Welcome.
    pub welcome: &'a [u8],
    /// The ratchet tree.
    pub tree: &'a [u8],
    /// The head that opens the first epoch.
    pub opening: HeadRef,
    /// The newest MLS epoch of an earlier stay: a Welcome leads only into a later one, where no key
    /// of this device was used yet.
    pub after: Option<u64>,
    /// In a contact: the other person.
    pub peer: Option<IdentityKey>,
    /// Names as the inviter knows them.
    pub names: &'a [NamedMember],
}

/// Longest wait before a joiner refreshes its keys: a minute per leaf.
const HEAL_SPREAD_MS: u64 = 60_000;

impl Conversation {
    /// A new group with nobody else in it; epoch 0 opens with the creator's newest head.
    ///
    /// # Errors
    /// [`NotReady`] before the server's log was ever seen.
    pub(crate) fn found_group(policy: &Policy, ctx: &mut Ctx<'_>) -> Result<Self, NotReady> {
        let opening = ctx.log.head().ok_or(NotReady)?;
        let group = create(policy, ctx)?;
        let mut conversation = Self::begin(group, opening, None, ChatState::Open, ctx)?;
        conversation.say_hello(ctx);
        Ok(conversation)
    }

    /// A new contact: epoch 0 is local and its commit never stored; epoch 1 opens with the creator's
    /// newest head. Nothing is written in it while it is `held`.
    ///
    /// # Errors
    /// [`NotReady`] before the server's log was ever seen, or when the KeyPackage is of no use.
    pub(crate) fn found_contact(
        peer: IdentityKey,
        package: &[u8],
        ctx: &mut Ctx<'_>,
    ) -> Result<Founded, NotReady> {
        let opening = ctx.log.head().ok_or(NotReady)?;
        let mut group = create(&Policy::contact(), ctx)?;
        let add = vec![KeyPackageBytes(package.to_vec())];
        let spec = CommitSpec { add, ..CommitSpec::default() };
        let commit = group.commit(ctx.mls, &ctx.me.leaf_key, spec).map_err(not_ready)?;
        group.merge_pending(ctx.mls).map_err(not_ready)?;
        let tree = group.tree();
        let state = ChatState::Requested;
        let mut conversation = Self::begin(group, opening, Some(peer), state, ctx)?;
        conversation.held = true;
        conversation.say_hello(ctx);
        let welcome = commit.welcome.ok_or(NotReady)?;
        Ok(Founded { conversation, welcome, tree, opening })
    }

    /// Joins by a Welcome. The first cell says so to the others.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn join(welcomed: &Welcomed<'_>, ctx: &mut Ctx<'_>) -> Result<Self, String> {
        let key = &ctx.me.leaf_key;
        let group = Group::join(ctx.mls, key, welcomed.welcome, welcomed.tree);
        let group = group.map_err(|refused| refused.to_string())?;
        if let Some(fault) = fault_of(&group, welcomed) {
            group.forget(ctx.mls).map_err(|refused| refused.to_string())?;
            return Err(fault.to_owned());
        }
        let (opening, peer) = (welcomed.opening, welcomed.peer);
        let joined = Self::begin(group, opening, peer, ChatState::Open, ctx);
        let mut joined = joined.map_err(|_| "its epoch cannot be derived".to_owned())?;
        for named in welcomed.names {
            let name = Name::tamed_bytes(named.name.as_slice());
            joined.names.insert(named.identity, name);
        }
        joined.say_hello(ctx);
        joined.check_listed(ctx);
        Ok(joined)
    }

    fn begin(
        group: Group,
        opening: HeadRef,
        peer: Option<IdentityKey>,
        state: ChatState,
        ctx: &mut Ctx<'_>,
    ) -> Result<Self, NotReady> {
        let exported = group.exporter(ctx.mls).map_err(not_ready)?;
        let log = EpochLog::derive(&exported, &ctx.me.server, &opening);
        let live = Live::new(group);
        let own = live.group.own_leaf();
        let epoch = Epoch::open(live.group.epoch(), opening, &log, &live.members, own);
        let spread = HEAL_SPREAD_MS * live.members.len() as u64;
        let heal_at_ms = ctx.now_ms + ctx.rng.random_range(0..spread);
        let mut begun = Self {
            chat: ChatId(random(ctx)),
            conversation: live.group.id(),
            peer,
            title: String::from_utf8_lossy(live.policy.name.as_slice()).into_owned(),
            state,
            held: false,
            leaving: false,
            unlisted: BTreeSet::new(),
            begun: opening.tick,
            epoch,
            past: Vec::new(),
            pending: None,
            intents: Vec::new(),
            next_number: 1,
            next_outgoing: 0,
            numbers: BTreeMap::new(),
            numbered_in: BTreeMap::new(),
            unsure: super::lost::Unsure::default(),
            joined: BTreeSet::new(),
            names: BTreeMap::new(),
            pace: Pace {
                heal_at_ms,
                own_messages: 0,
                last_commit_ms: ctx.now_ms,
                lost: 0,
                wait_until_ms: 0,
            },
            presence: Presence::default(),
            succession: Succession::default(),
            last_people: BTreeSet::new(),
            by_peer: None,
            told_door: false,
            asked: BTreeMap::new(),
            askers: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            live: Some(Box::new(live)),
            reading: Reading::default(),
            dirty: Dirty { state: true, outgoing: BTreeSet::new() },
            skipped: BTreeMap::new(),
        };
        begun.note_arrivals(ctx);
        Ok(begun)
    }

    /// The first cell of a leaf: it shows the others that this device is here.
    fn say_hello(&mut self, ctx: &mut Ctx<'_>) {
        let name = ctx.me.name.as_str().as_bytes().to_vec().into();
        let hello = Content::Hello(Hello { name, list: ctx.me.list.clone() });
        self.enqueue(None, &hello, ctx);
    }
}

/// What a Welcome must not be.
fn fault_of(group: &Group, welcomed: &Welcomed<'_>) -> Option<&'static str> {
    let policy = Policy::parse(&group.policy());
    if group.id() != welcomed.conversation {
        return Some("it leads into another conversation than it says");
    }
    if welcomed.after.is_some_and(|after| group.epoch() <= after) {
        return Some("it leads back to where this device has been already");
    }
    let Some(policy) = policy else { return Some("its policy cannot be read") };
    let contact = policy.kind == 1;
    let pair = group.members().len() == 2
        && group.members().iter().any(|member| Some(member.identity) == welcomed.peer);
    match (welcomed.peer, contact) {
        (Some(_), true) if pair => None,
        (None, false) => None,
        _ => Some("it is not the kind of conversation that it should be"),
    }
}

fn create(policy: &Policy, ctx: &mut Ctx<'_>) -> Result<Group, NotReady> {
    let id = random(ctx);
    let me = ctx.me;
    let policy = policy.to_bytes();
    Group::create(ctx.mls, &me.leaf_key, me.identity, me.device, &id, &policy).map_err(not_ready)
}

fn not_ready(_: Refused) -> NotReady {
    NotReady
}

fn random<const N: usize>(ctx: &mut Ctx<'_>) -> [u8; N] {
    let mut bytes = [0; N];
    ctx.rng.fill_bytes(&mut bytes);
    bytes
}
