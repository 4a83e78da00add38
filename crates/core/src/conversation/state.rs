//! What a conversation remembers. Everything here is persisted.

use crate::account::Me;
use crate::body::Content;
use crate::ids::{MessageId, Name};
use crate::io::Role;
use crate::parcel::ParcelRef;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;
use std::collections::{BTreeMap, BTreeSet};
use undertone_crypto::mls::Member;
use undertone_crypto::{DeviceId, EpochLog, IdentityKey, Slot, SlotKeys};
use undertone_wire::{HeadRef, ServerId};

/// One epoch of the group, as its cells are addressed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Epoch {
    /// The MLS epoch.
    pub number: u64,
    /// Tick of the head that opened it: the closing tick of the epoch before.
    pub opened: u64,
    /// Next control slot that is not decided.
    pub control: Chain,
    /// Greatest tick among the control slots before that one.
    pub closing: u64,
    /// The lanes, by leaf, as far as they are read.
    pub lanes: BTreeMap<u32, Lane>,
    /// One's own lane, as far as it is written.
    pub own: OwnLane,
}

/// How far a lane is read.
#[derive(Serialize, Deserialize)]
pub(crate) struct Lane {
    /// Next slot to read.
    pub next: Chain,
    /// Effective tick of the slot before it.
    pub effective: u64,
    /// Counting cells before it.
    pub place: u64,
    /// Cells before it, since the last counting one, that expired unread: each may have counted.
    pub unknown: u64,
}

/// How far one's own lane is written.
#[derive(Serialize, Deserialize)]
pub(crate) struct OwnLane {
    /// One's own leaf.
    pub leaf: u32,
    /// Next slot to write.
    pub next: Chain,
    /// Place of the next message.
    pub place: u64,
}

/// A position in a chain of slots, with its keys at hand.
#[derive(Serialize, Deserialize)]
#[serde(from = "(u64, ByteArray<32>)", into = "(u64, ByteArray<32>)")]
pub(crate) struct Chain {
    slot: Slot,
    keys: Option<SlotKeys>,
}

impl Chain {
    pub(crate) fn new(slot: Slot) -> Self {
        Self { slot, keys: None }
    }

    pub(crate) fn index(&self) -> u64 {
        self.slot.index()
    }

    /// Address and keys of this slot; derived once.
    pub(crate) fn keys(&mut self, server: &ServerId) -> &SlotKeys {
        self.keys.get_or_insert_with(|| self.slot.keys(server))
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Goes on to the next slot; this one's secret is gone.
    pub(crate) fn step(&mut self) {
        *self = Self::new(self.slot.next());
    }
}

impl Clone for Chain {
    fn clone(&self) -> Self {
        Self::new(self.slot.clone())
    }
}

impl From<(u64, ByteArray<32>)> for Chain {
    fn from((index, secret): (u64, ByteArray<32>)) -> Self {
        Self::new(Slot::from_parts(index, secret.into_array()))
    }
}

impl From<Chain> for (u64, ByteArray<32>) {
    fn from(chain: Chain) -> Self {
        let (index, secret) = chain.slot.dangerous_parts();
        (index, ByteArray::new(secret))
    }
}

impl Epoch {
    /// The epoch that opens with the head `opening`.
    pub(crate) fn open(
        number: u64,
        opening: HeadRef,
        log: &EpochLog,
        members: &[Member],
        own_leaf: u32,
    ) -> Self {
        let lane = |member: &Member| {
            let next = Chain::new(log.lane(member.leaf));
            (member.leaf, Lane { next, effective: opening.tick, place: 0, unknown: 0 })
        };
        Self {
            number,
            opened: opening.tick,
            control: Chain::new(log.control()),
            closing: opening.tick,
            lanes: members.iter().map(lane).collect(),
            own: OwnLane { leaf: own_leaf, next: Chain::new(log.lane(own_leaf)), place: 0 },
        }
    }
}

/// An epoch that ended while a listed lane cell was not delivered.
#[derive(Serialize, Deserialize)]
pub(crate) struct Past {
    /// Its lanes, as far as they were read.
    pub epoch: Epoch,
    /// Its closing tick.
    pub closed: u64,
    /// Its members.
    pub members: Vec<PastMember>,
}

/// A device as the others in a group tell it apart. Its owner chooses the id, and may choose
/// another's; the key is one that nobody else can sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Author {
    pub identity: IdentityKey,
    pub device: DeviceId,
    #[serde(with = "serde_bytes")]
    pub mls_key: [u8; 32],
}

impl From<&Member> for Author {
    fn from(member: &Member) -> Self {
        let Member { identity, device, mls_key, .. } = *member;
        Self { identity, device, mls_key }
    }
}

/// A member of an epoch that has ended.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct PastMember {
    pub leaf: u32,
    pub identity: IdentityKey,
    pub device: DeviceId,
    #[serde(with = "serde_bytes")]
    pub mls_key: [u8; 32],
    #[serde(with = "serde_bytes")]
    pub key_hash: [u8; 32],
    /// It was removed since, and may be back: its numbers in this epoch are of another count.
    pub stay_ended: bool,
}

impl PastMember {
    pub(super) fn author(&self) -> Author {
        let Self { identity, device, mls_key, .. } = *self;
        Author { identity, device, mls_key }
    }
}

impl From<&Member> for PastMember {
    fn from(member: &Member) -> Self {
        let Member { leaf, identity, device, mls_key, key_hash } = *member;
        Self { leaf, identity, device, mls_key, key_hash, stay_ended: false }
    }
}

impl From<PastMember> for Member {
    fn from(member: PastMember) -> Self {
        let PastMember { leaf, identity, device, mls_key, key_hash, .. } = member;
        Self { leaf, identity, device, mls_key, key_hash }
    }
}

/// A message of one's own that is not known to be stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    /// The same after every re-sealing.
    pub message: MessageId,
    /// What makes that id, with author and content.
    #[serde(with = "serde_bytes")]
    pub salt: [u8; 16],
    /// Kind of the content.
    pub kind: u16,
    /// The content.
    pub content: Vec<u8>,
    /// The author's clock when it was written.
    pub sent_ms: u64,
    /// The people who were shown when it was written.
    pub audience: BTreeSet<IdentityKey>,
    /// How far it is.
    pub state: OutgoingState,
    /// Parcels that it tells of: they are stored first.
    pub after: Vec<[u8; 16]>,
}

/// How far a message on its way is.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum OutgoingState {
    /// Goes out by itself.
    Queued,
    /// Waits for its author: people have joined since it was written.
    Waiting,
    /// Stands in a slot of the present epoch.
    Sealed(Placed),
    /// Counts, unless the epoch turns out to have ended in a time that a restored server has lost.
    Counted {
        /// The running number it was given.
        number: u64,
        /// Its effective tick.
        effective: u64,
    },
}

/// A message in a slot. Its MLS bytes move unchanged to another slot when this one is taken.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Placed {
    /// The slot of one's own lane.
    pub slot: u64,
    /// Counting cells before it.
    pub place: u64,
    /// The running number it was given.
    pub number: u64,
    /// *C* of the head.
    #[serde(with = "serde_bytes")]
    pub body: [u8; 32],
    /// The head's payload, as on the wire.
    pub payload: Vec<u8>,
    /// The parcel that its head waits for.
    pub parcel: Option<[u8; 16]>,
}

/// One's own commit of this epoch; there is never a second one.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pending {
    /// The control slot in which it stands now.
    pub slot: u64,
    /// Its parcel, as on the wire.
    pub parcel: Vec<u8>,
    /// Hash of its declared change.
    #[serde(with = "serde_bytes")]
    pub change: [u8; 32],
    /// For those whom it adds.
    pub welcome: Option<Vec<u8>>,
    /// Whom it adds.
    pub adds: Vec<IdentityKey>,
}

impl Pending {
    pub(crate) fn parcel(&self) -> Option<ParcelRef> {
        undertone_wire::decode(&self.parcel).ok()
    }
}

/// Something that a commit is to bring about. Rebuilt in every epoch until it is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Intent {
    /// This contact comes in.
    Add(IdentityKey),
    /// This person was invited and has not come in, or their device has lost the group: their leaf
    /// goes, and they come anew.
    Readd(IdentityKey),
    /// This leaf goes.
    Remove {
        /// The leaf.
        leaf: u32,
        /// Whose it is.
        identity: IdentityKey,
        /// The leaver's own words, as on the wire.
        left: Option<Vec<u8>>,
        /// Whether a person here asked for it: what is written afterwards is not for them.
        asked: bool,
        /// Whether the reason is that nothing was heard of it.
        #[serde(default)]
        unheard: bool,
        /// Not before this time, by the engine's own clock; `u64::MAX` leaves it to others.
        not_before_ms: u64,
    },
    /// The group has another name.
    Rename(Name),
    /// A person has another role.
    SetRole(IdentityKey, Role),
    /// One's own keys are fresh.
    Heal,
}

impl Intent {
    pub(crate) fn is_removal(&self) -> bool {
        matches!(self, Self::Remove { .. })
    }
}

/// When commits are made that nobody asked for, and how losers make way.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pace {
    /// When to refresh one's own keys.
    pub heal_at_ms: u64,
    /// One's own messages since the last refresh.
    pub own_messages: u32,
    /// When the newest commit won.
    pub last_commit_ms: u64,
    /// Races lost in a row.
    pub lost: u32,
    /// No commit before this time.
    pub wait_until_ms: u64,
}

impl Pace {
    /// Races in a row after which the wait grows no more.
    const LOST_MAX: u32 = 8;

    /// Makes way for whoever won, twice as long after every race.
    pub(crate) fn lose(&mut self, now_ms: u64) {
        self.lost = (self.lost + 1).min(Self::LOST_MAX);
        self.wait_until_ms = now_ms + (1000 << self.lost);
    }

    /// Until when to make way. A time that is further off than the longest wait was set by a clock
    /// that was wrong: it holds nothing up.
    pub(crate) fn waits_until_ms(&self, now_ms: u64) -> u64 {
        let believed = self.wait_until_ms <= now_ms.saturating_add(1000 << Self::LOST_MAX);
        if believed { self.wait_until_ms } else { now_ms }
    }
}

impl Outgoing {
    /// A message that waits to be sealed.
    pub(crate) fn new(
        me: &Me,
        salt: [u8; 16],
        content: &Content,
        sent_ms: u64,
        audience: BTreeSet<IdentityKey>,
    ) -> Self {
        let (kind, content) = content.to_parts();
        Self {
            message: MessageId::of(&me.identity, &me.device, &salt, kind, &content),
            salt,
            kind,
            content,
            sent_ms,
            audience,
            state: OutgoingState::Queued,
            after: Vec::new(),
        }
    }

    /// Its running number, once it has one.
    pub(crate) fn number(&self) -> Option<u64> {
        match &self.state {
            OutgoingState::Sealed(placed) => Some(placed.number),
            OutgoingState::Counted { number, .. } => Some(*number),
            OutgoingState::Queued | OutgoingState::Waiting => None,
        }
    }

    /// Whether it is stored, as far as is known.
    pub(crate) fn has_counted(&self) -> bool {
        matches!(self.state, OutgoingState::Counted { .. })
    }

    /// Where it stands, if it stands anywhere.
    pub(crate) fn placed(&self) -> Option<&Placed> {
        match &self.state {
            OutgoingState::Sealed(placed) => Some(placed),
            _ => None,
        }
    }
}
