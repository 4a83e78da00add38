//! Welcomes that were not used yet, as they are kept, and what is known of each.

use crate::body::{Invite, NamedMember};
use crate::ids::ChatId;
use crate::link::Answer;
use crate::parcel::{Gathering, PARTS_MAX, ParcelRef};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use undertone_crypto::IdentityKey;
use undertone_wire::{HeadRef, decode, encode};

/// Wait before parts that were not there are asked for again, in milliseconds; it doubles each time.
const RETRY_MS: u64 = 2_000;
/// Attempts after which a join is given up: parts are stored before an honest invitation tells of them.
const RETRIES_MAX: u32 = 8;

/// Names a join, with the Welcome and the opening that it is made of: a conversation's id is chosen
/// by whoever invites, so it names nothing alone, and one group may be entered several times.
pub(crate) type JoinId = [u8; 32];

/// Where a join came from.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in super::super) enum Source {
    /// An answer to this link.
    Answer { link: [u8; 16] },
    /// A contact's invitation.
    Invite { from: IdentityKey },
}

/// A Welcome that was not used yet.
#[derive(Clone, Serialize, Deserialize)]
pub(in super::super) struct PendingJoin {
    pub conversation: [u8; 32],
    pub(super) source: Source,
    opening: Vec<u8>,
    welcome: Piece,
    tree: Piece,
    answer: Option<Vec<u8>>,
    pub(super) names: Vec<u8>,
    pub(super) tick: u64,
    pub(super) from: IdentityKey,
    /// The MLS group whose place it says to take.
    #[serde(default)]
    pub(super) succeeds: Option<[u8; 32]>,
    /// Up to which tick the inviter has read what this person wrote there.
    #[serde(default)]
    pub(super) read_to: u64,
    /// An earlier invitation to it was not followed.
    #[serde(default)]
    pub(super) skips: bool,
    /// It was said that it waits.
    #[serde(default)]
    pub(super) told: bool,
    /// Until when that group's cells are waited for, once nothing else is missing.
    #[serde(skip)]
    pub(super) reads_until_ms: Option<u64>,
    #[serde(skip)]
    retries: u32,
    /// When parts that were not there are asked for again.
    #[serde(skip)]
    pub(super) retry_at_ms: Option<u64>,
}

#[derive(Clone, Serialize, Deserialize)]
enum Piece {
    /// Stands in the answer.
    InAnswer,
    Parcel(Vec<u8>),
}

/// All joins under way.
#[derive(Default)]
pub(in super::super) struct Joins {
    pub(super) pending: BTreeMap<JoinId, PendingJoin>,
    pub(super) gathering: BTreeMap<(JoinId, u8), Gathering>,
    pub(super) rewinding: BTreeSet<JoinId>,
    /// Old groups that have to be read before their successors are joined.
    pub(super) awaited: BTreeSet<ChatId>,
    /// Joins whose place is held.
    pub(super) held: BTreeSet<JoinId>,
    /// Contacts whose KeyPackages of this device are used up.
    pub(super) replenish: BTreeSet<IdentityKey>,
}

impl PendingJoin {
    pub(in super::super) fn from_answer(answer: &Answer, source: Source, tick: u64) -> Self {
        Self {
            conversation: answer.conversation,
            source,
            opening: encode(&answer.opening),
            welcome: Piece::InAnswer,
            tree: Piece::InAnswer,
            answer: Some(encode(answer)),
            names: encode(&Vec::<NamedMember>::new()),
            tick,
            from: answer.list.identity,
            succeeds: None,
            read_to: 0,
            skips: false,
            told: false,
            reads_until_ms: None,
            retries: 0,
            retry_at_ms: None,
        }
    }

    pub(super) fn from_invite(from: IdentityKey, invite: &Invite) -> Self {
        Self {
            conversation: invite.conversation,
            source: Source::Invite { from },
            opening: encode(&invite.opening),
            welcome: Piece::Parcel(encode(&invite.welcome)),
            tree: Piece::Parcel(encode(&invite.tree)),
            answer: None,
            names: encode(&invite.names),
            tick: 0,
            from,
            succeeds: invite.succeeds.as_ref().map(|before| before.conversation),
            read_to: invite.succeeds.as_ref().map_or(0, |before| before.read_to),
            skips: false,
            told: false,
            reads_until_ms: None,
            retries: 0,
            retry_at_ms: None,
        }
    }

    /// Who caused it, for what, and by which Welcome.
    pub(in super::super) fn id(&self) -> JoinId {
        let welcome = match &self.welcome {
            Piece::Parcel(bytes) => Some(bytes),
            Piece::InAnswer => self.answer.as_ref(),
        };
        let welcome = Sha256::digest(welcome.map_or(&[][..], Vec::as_slice));
        let hash = Sha256::new().chain_update(b"undertone join 2").chain_update(self.from.0);
        let hash = hash.chain_update(self.conversation).chain_update(welcome);
        hash.chain_update(Sha256::digest(&self.opening)).finalize().into()
    }

    pub(super) fn leads_where(&self, other: &Self) -> bool {
        (self.from, self.conversation) == (other.from, other.conversation)
    }

    /// The Welcome (0) or the tree (1), where it came with the join itself.
    pub(super) fn enclosed(&self, what: u8) -> Option<Vec<u8>> {
        match if what == 0 { &self.welcome } else { &self.tree } {
            Piece::InAnswer => {
                let answer = self.answer()?;
                let piece = if what == 0 { answer.welcome } else { answer.tree };
                Some(piece.as_slice().to_vec())
            }
            Piece::Parcel(_) => None,
        }
    }

    /// Where the Welcome (0) or the tree (1) lies, if an invitation can say so.
    pub(super) fn parcel(&self, what: u8) -> Option<ParcelRef> {
        let Piece::Parcel(parcel) = (if what == 0 { &self.welcome } else { &self.tree }) else {
            return None;
        };
        let parcel = decode::<ParcelRef>(parcel).ok();
        parcel.filter(|parcel| (1..=PARTS_MAX).contains(&parcel.parts()))
    }

    pub(in super::super) fn opening(&self) -> Option<HeadRef> {
        decode(&self.opening).ok()
    }

    #[cfg(test)]
    pub(in super::super) fn open_at_for_tests(&mut self, opening: HeadRef) {
        self.opening = encode(&opening);
    }

    /// The answer that it came by.
    pub(in super::super) fn answer(&self) -> Option<Answer> {
        self.answer.as_ref().and_then(|bytes| decode(bytes).ok())
    }
}

impl Joins {
    /// A contact whose KeyPackages were used up when the profile was closed.
    pub(in super::super) fn load_replenish(&mut self, from: IdentityKey) {
        self.replenish.insert(from);
    }

    /// Whether a join is under way that came by this link: what it needs is kept.
    pub(in super::super) fn comes_by(&self, link: &[u8; 16]) -> bool {
        let by_link =
            |join: &PendingJoin| matches!(&join.source, Source::Answer { link: of } if of == link);
        self.pending.values().any(by_link)
    }

    pub(in super::super) fn needs_listings_from(&self) -> Option<u64> {
        self.pending.values().filter_map(PendingJoin::opening).map(|opening| opening.tick).min()
    }

    /// Welcomes that may be used soon: not those that are asked for again later, nor those that wait
    /// for the end of a stay.
    pub(in super::super) fn under_way(&self) -> usize {
        let soon = |(id, join): &(&JoinId, &PendingJoin)| {
            join.retry_at_ms.is_none() && !self.held.contains(*id)
        };
        self.pending.iter().filter(soon).count()
    }

    pub(in super::super) fn next_wake_ms(&self) -> Option<u64> {
        let waits = |join: &PendingJoin| [join.retry_at_ms, join.reads_until_ms];
        self.pending.values().flat_map(waits).flatten().filter(|at| *at > 0).min()
    }

    /// The waits that are over.
    pub(super) fn end_waits(&mut self, now_ms: u64) {
        for join in self.pending.values_mut() {
            join.retry_at_ms = join.retry_at_ms.filter(|at| *at > now_ms);
            // Over for good: it does not begin again.
            join.reads_until_ms = join.reads_until_ms.map(|at| if at > now_ms { at } else { 0 });
        }
    }

    /// Something was not there; asked for again soon. All parts of one round come back at once:
    /// they are one attempt.
    pub(super) fn retry(&mut self, id: &JoinId, now_ms: u64) -> Retry {
        let Some(join) = self.pending.get_mut(id) else { return Retry::Waits };
        if join.retry_at_ms.is_some() {
            return Retry::Waits;
        }
        join.retries += 1;
        join.retry_at_ms = Some(now_ms + (RETRY_MS << join.retries.min(8)));
        if join.retries > RETRIES_MAX { Retry::GivenUp } else { Retry::Begins }
    }

    /// Invitations by the same person to the same conversation, other than `join`.
    pub(super) fn rivals<'a>(
        &'a self,
        join: &'a PendingJoin,
    ) -> impl Iterator<Item = &'a PendingJoin> {
        let id = join.id();
        let invited = |other: &PendingJoin| matches!(other.source, Source::Invite { .. });
        let rivals = self.pending.values().filter(move |other| join.leads_where(other));
        rivals.filter(move |other| invited(other) && other.id() != id)
    }
}

/// What the absence of a part means for its join.
pub(super) enum Retry {
    /// A pause begins.
    Begins,
    /// One is under way.
    Waits,
    /// It was tried often enough.
    GivenUp,
}
