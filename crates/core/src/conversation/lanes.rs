//! Reading lanes: strictly in order, each cell judged alike by every member.
//!
//! A cell *counts* iff all of L01–L09 hold. The effective tick of a slot is the greatest tick among
//! its lane's slots up to it, void ones included; a lane ends at its first slot that is not listed.
//! Slots that are listed already are fetched ahead, since a round trip per message would be slow.

mod arrivals;

use super::fault::Fault;
use super::receive::{Arrival, Entry};
use super::state::Chain;
use super::witness::shows_its_log;
use super::{Conversation, Ctx, Reading};
use crate::body::Body;
use crate::cells::{Listing, Owner, PutState};
use crate::head::{HeadProof, Payload, SignedHead};
use crate::io::Event;
use crate::mutant::{Mutant, planted};
use crate::parcel::{Gathering, MESSAGE_PARTS_MAX, ParcelRef};
use std::collections::VecDeque;
use undertone_crypto::SlotKeys;
use undertone_crypto::cell::open;
use undertone_crypto::mls::{Blame, Member, Refused};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{Cell, Tag, decode};

/// How many listed slots of a lane are fetched ahead.
pub(super) const AHEAD: usize = 64;

/// Which epoch is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// The present one.
    Now,
    /// One that has ended, by its index among those that are remembered.
    Past(usize),
}

/// Slots of one lane that are listed and not read yet.
pub(super) struct Ahead {
    /// The first slot that is not in `reads`.
    next: Chain,
    reads: VecDeque<LaneRead>,
    /// That slot is listed, not before this tick: where it was first is being asked.
    asks: Option<(Tag, u64)>,
}

/// One listed slot.
pub(super) struct LaneRead {
    keys: SlotKeys,
    /// The tick that counts.
    listed: u64,
    /// The tick in which the server lists it now.
    stands: u64,
    cell: Option<Cell>,
    parts: Option<Gathering>,
    withheld: bool,
    expired: bool,
}

/// Names the lane of a leaf in an epoch.
pub(super) type LaneOf = (u64, u32);

/// How far reading came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reached {
    /// Everything up to the limit is read.
    Limit,
    /// A cell is listed and was asked for several times in vain.
    Withheld,
    /// A cell is on its way.
    Fetching,
}

impl Ahead {
    /// Whether a listed slot is not read.
    pub(super) fn is_waiting(&self) -> bool {
        !self.reads.is_empty() || self.asks.is_some()
    }

    /// Forgets all but the first `keep` slots of a lane whose next slot to read is `next`.
    fn cut(&mut self, mut next: Chain, keep: usize) {
        self.reads.truncate(keep);
        self.reads.iter().for_each(|_| next.step());
        (self.next, self.asks) = (next, None);
    }

    /// Whether a listed slot is on its way.
    pub(super) fn is_fetching(&self) -> bool {
        self.reads.front().map_or(self.asks.is_some(), |read| !read.withheld)
    }

    /// The tick of the first slot of `lane` that is listed and not read; where it is not known yet, one
    /// that is not after it.
    pub(super) fn first_unread(&self, lane: &super::Lane) -> Option<u64> {
        let asked = || self.asks.map(|(_, tick)| tick.max(lane.effective));
        self.first_listed(lane).or_else(asked)
    }

    /// The effective tick of the first slot of `lane` that is not read, where it is known.
    fn first_listed(&self, lane: &super::Lane) -> Option<u64> {
        self.reads.front().map(|read| read.listed.max(lane.effective))
    }

    /// Whether a slot of `lane` is listed within `limit` and not read.
    pub(super) fn waits_within(&self, limit: u64, lane: &super::Lane) -> bool {
        self.first_listed(lane).is_some_and(|tick| tick <= limit)
    }
}

/// The check that a cell failed which does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    /// L01: the outer seal does not open.
    Seal,
    /// L02: the content is not a head.
    Head,
    /// L03: the head names another leaf, or that leaf did not sign it for this slot.
    Author,
    /// L04: the place is not the number of counting cells before it.
    Place,
    /// L05: a part is not listed in time, there are too many, or they are others.
    Parts,
    /// L06: MLS does not accept it.
    Mls,
    /// L07: MLS says that another leaf wrote it.
    Sender,
    /// L08: the body is not the one that the head commits to.
    Commitment,
    /// L09: the body is not in the grammar, or of another conversation.
    Body,
}

impl Fault for Skip {
    fn number(self) -> &'static str {
        match self {
            Self::Seal => "L01",
            Self::Head => "L02",
            Self::Author => "L03",
            Self::Place => "L04",
            Self::Parts => "L05",
            Self::Mls => "L06",
            Self::Sender => "L07",
            Self::Commitment => "L08",
            Self::Body => "L09",
        }
    }

    fn switch(self) -> Option<Check> {
        match self {
            Self::Head => Some(Check::LaneHead),
            Self::Mls => Some(Check::LaneMls),
            Self::Seal
            | Self::Author
            | Self::Place
            | Self::Parts
            | Self::Sender
            | Self::Commitment
            | Self::Body => None,
        }
    }
}

/// What becomes of a lane cell.
enum LaneVerdict {
    /// It is part of the transcript.
    Counts(Box<Entry>),
    /// It is one's own message of this number in the queue, and part of the transcript.
    Own(u64),
    /// It is not, for anybody.
    Skip(Skip),
    /// Its parts have to be fetched first.
    NeedParts,
}

/// One slot before its judge.
struct Slot {
    leaf: u32,
    index: u64,
    listed: u64,
    effective: u64,
    keys: SlotKeys,
}

impl Conversation {
    /// Reads every lane of an epoch up to the tick `limit`.
    pub(super) fn read_lanes(&mut self, at: At, limit: u64, ctx: &mut Ctx<'_>) -> Reached {
        // Without its MLS state every cell would look wrong to this device alone.
        if self.live(ctx).is_none() {
            self.become_stuck("its MLS state cannot be read", ctx);
        }
        let mut reached = Reached::Limit;
        for leaf in self.lanes_with_news(at, ctx) {
            if self.is_live() {
                reached = reached.max(self.read_lane(at, leaf, limit, ctx));
            }
        }
        reached
    }

    /// The lanes that may have something to read: all of them when the log has moved, otherwise those
    /// with slots that are listed and not read, and after a recovery one's own, where something may come
    /// back. In a large group most lanes are silent.
    fn lanes_with_news(&mut self, at: At, ctx: &Ctx<'_>) -> Vec<u32> {
        let (number, _, own) = self.facts(at);
        let walked = ctx.log.walked();
        if self.reading.scanned.insert(number, walked) != Some(walked) {
            return self.epoch_at(at).lanes.keys().copied().collect();
        }
        let own = self.may_have_ended(ctx).then_some(own);
        let waiting = self.reading.lanes.range((number, 0)..=(number, u32::MAX));
        let news =
            |((_, leaf), ahead): &(&LaneOf, &Ahead)| ahead.is_waiting() || Some(*leaf) == own;
        waiting.filter(news).map(|((_, leaf), _)| *leaf).collect()
    }

    fn read_lane(&mut self, at: At, leaf: u32, limit: u64, ctx: &mut Ctx<'_>) -> Reached {
        loop {
            self.fetch_ahead(at, leaf, ctx);
            let Some(slot) = self.next_slot(at, leaf, limit) else {
                return self.reached_without_slot(at, leaf, limit, ctx);
            };
            let key = (self.epoch_at(at).number, leaf);
            let read = &self.reading.lanes[&key].reads[0];
            if read.expired && !planted(Mutant::WaitForLost) {
                self.pass_expired(at, &slot, ctx);
                continue;
            }
            // Whether one's own message counts decides if it is sent again: that has to be known.
            let foreign = leaf != self.epoch_at(at).own.leaf;
            let skippable = read.withheld && foreign && !planted(Mutant::WaitForLost);
            let waiting = if skippable { Reached::Withheld } else { Reached::Fetching };
            let Some(cell) = read.cell.clone() else { return waiting };
            let verdict = self.judge_lane(at, &slot, &cell, ctx);
            if !self.is_live() {
                // Judging found that this device cannot go on: the slot stays unread.
                return Reached::Limit;
            }
            match verdict {
                LaneVerdict::NeedParts => return waiting,
                LaneVerdict::Counts(entry) => {
                    self.pass(at, &slot, true, ctx);
                    self.receive(*entry, ctx);
                }
                LaneVerdict::Own(seq) => {
                    self.pass(at, &slot, true, ctx);
                    self.own_counts(seq, slot.effective, slot.index, ctx);
                }
                LaneVerdict::Skip(check) => {
                    self.count_skipped(check.number());
                    self.pass(at, &slot, false, ctx);
                }
            }
            if !self.is_live() {
                return Reached::Limit;
            }
        }
    }

    /// Asks for the cells of slots that are listed.
    fn fetch_ahead(&mut self, at: At, leaf: u32, ctx: &mut Ctx<'_>) {
        let (number, opened, own) = self.facts(at);
        let next = self.epoch_at(at).lanes[&leaf].next.clone();
        let fresh = || Ahead { next, reads: VecDeque::new(), asks: None };
        let ahead = self.reading.lanes.entry((number, leaf)).or_insert_with(fresh);
        // The queue of fetches may have been full: what has not come is asked for again.
        for (slot, read) in (ahead.next.index() - ahead.reads.len() as u64..).zip(&mut ahead.reads)
        {
            if read.cell.is_none() && !read.expired {
                read.cell = own_cell(leaf == own, &read.keys, ctx);
            }
            if read.cell.is_none() && !read.expired {
                let owner = Owner::Lane { chat: self.chat, epoch: number, leaf, slot };
                ctx.cells.get(read.keys.tag, Some(read.stands), owner);
            }
        }
        while ahead.reads.len() < AHEAD {
            let slot = ahead.next.index();
            let keys = ahead.next.keys(&ctx.me.server).clone();
            let listing = match own_tick(leaf == own, &keys, ctx) {
                Some(tick) => {
                    (ctx.log.times_listed(keys.prefix, tick) > 0).then_some(Listing::plain(tick))
                }
                None => self.reading.collisions.listed(&keys, opened, ctx),
            };
            ahead.asks = listing.and_then(|it| it.not_before()).map(|tick| (keys.tag, tick));
            let Some((stands, listed)) = listing.and_then(|it| Some((it.stands, it.tick()?)))
            else {
                return;
            };
            let cell = own_cell(leaf == own, &keys, ctx);
            if cell.is_none() {
                let owner = Owner::Lane { chat: self.chat, epoch: number, leaf, slot };
                ctx.cells.get(keys.tag, Some(stands), owner);
            }
            let (parts, withheld, expired) = (None, false, false);
            ahead.reads.push_back(LaneRead {
                keys,
                listed,
                stands,
                cell,
                parts,
                withheld,
                expired,
            });
            ahead.next.step();
        }
    }

    /// The next slot, if its effective tick is within the limit.
    fn next_slot(&self, at: At, leaf: u32, limit: u64) -> Option<Slot> {
        let epoch = self.epoch_at(at);
        let lane = &epoch.lanes[&leaf];
        let read = self.reading.lanes[&(epoch.number, leaf)].reads.front()?;
        let effective = lane.effective.max(read.listed);
        (effective <= limit).then(|| Slot {
            leaf,
            index: lane.next.index(),
            listed: read.listed,
            effective,
            keys: read.keys.clone(),
        })
    }

    /// Whether a lane ends there, or goes on with a slot of which it is not known yet where it was
    /// first listed.
    fn reached_without_slot(
        &mut self,
        at: At,
        leaf: u32,
        limit: u64,
        ctx: &mut Ctx<'_>,
    ) -> Reached {
        let (number, _, own) = self.facts(at);
        if leaf == own && at == At::Now && self.own_comes_back(limit, ctx) {
            return Reached::Fetching;
        }
        let ahead = self.reading.lanes.get(&(number, leaf));
        let asks = ahead.filter(|ahead| ahead.reads.is_empty()).and_then(|ahead| ahead.asks);
        match asks {
            Some((tag, tick)) if tick <= limit => {
                let hopeful = leaf == own || ctx.cells.is_asking_for_origin(&tag);
                if hopeful { Reached::Fetching } else { Reached::Withheld }
            }
            _ => Reached::Limit,
        }
    }

    /// Whether the next slot of one's own lane held a cell that a recovery has undone and that this
    /// device puts again: it counts where it was first listed, and decides what comes after it.
    fn own_comes_back(&mut self, limit: u64, ctx: &Ctx<'_>) -> bool {
        let own = self.epoch.own.leaf;
        let lane = self.epoch.lanes.get_mut(&own);
        let tag = lane.map(|lane| lane.next.keys(&ctx.me.server).tag);
        let tick = tag.and_then(|tag| ctx.cells.comes_back(&tag, ctx.log));
        tick.is_some_and(|tick| tick <= limit)
    }

    /// The lane goes on behind this slot.
    fn pass(&mut self, at: At, slot: &Slot, counts: bool, ctx: &mut Ctx<'_>) {
        let own = at == At::Now && self.facts(at).2 == slot.leaf;
        let number = self.epoch_at(at).number;
        let lane = self.lane_mut(at, slot.leaf);
        lane.effective = slot.effective;
        lane.place += u64::from(counts);
        lane.next.step();
        if counts && !own {
            lane.unknown = 0;
        }
        if let Some(ahead) = self.reading.lanes.get_mut(&(number, slot.leaf)) {
            ahead.reads.pop_front();
        }
        if own {
            if counts {
                let (chat, leaf, slot_number) = (self.chat, slot.leaf, slot.index);
                let owner = Owner::Lane { chat, epoch: number, leaf, slot: slot_number };
                ctx.cells.keep_fetched(&slot.keys, owner, ctx.log);
            }
            ctx.cells.forget(&slot.keys.tag);
            self.skip_taken(slot.index);
        }
        self.touch();
    }

    /// A slot that somebody squatted before one wrote to it is not for writing any more.
    fn skip_taken(&mut self, index: u64) {
        if self.epoch.own.next.index() == index {
            self.epoch.own.next.step();
        }
    }

    fn pass_expired(&mut self, at: At, slot: &Slot, ctx: &mut Ctx<'_>) {
        if let Some(seq) = self.own_expired(at, slot, ctx) {
            self.pass(at, slot, true, ctx);
            self.lane_mut(at, slot.leaf).unknown += 1;
            let text = "A message of yours expired on the server before this device knew whether it \
                        counted: others may not have it. Send it again where it matters.";
            ctx.news.event(Event::Gap { chat: self.chat, text: text.to_owned() });
            return self.own_counts(seq, slot.effective, slot.index, ctx);
        }
        self.lane_mut(at, slot.leaf).unknown += 1;
        self.pass(at, slot, false, ctx);
        if planted(Mutant::SilentGap) {
            return;
        }
        let who = self.author_name(at, slot.leaf, ctx);
        let text = format!("A message from {who} expired before this device could read it.");
        ctx.news.event(Event::Gap { chat: self.chat, text });
    }

    /// One's own message whose cell is gone: listed where one's own bytes belong, and nobody can show any
    /// more that they were others. Sealed again it would be doubled for whoever has read it. The author is
    /// told, and writes on in the next epoch: here nobody knows their place any more.
    fn own_expired(&self, at: At, slot: &Slot, ctx: &Ctx<'_>) -> Option<u64> {
        let own = at == At::Now && slot.leaf == self.epoch.own.leaf;
        ctx.cells.sealed_cell(&slot.keys.tag).filter(|_| own)?;
        match self.judge_known(slot) {
            Ok(LaneVerdict::Own(seq)) => Some(seq),
            _ => None,
        }
    }

    fn judge_lane(&mut self, at: At, slot: &Slot, cell: &Cell, ctx: &mut Ctx<'_>) -> LaneVerdict {
        let own = at == At::Now && slot.leaf == self.epoch.own.leaf;
        let verdict = if own {
            self.judge_own(slot, cell, ctx)
        } else {
            self.judge_foreign(at, slot, cell, ctx)
        };
        if let Err(skip) = verdict
            && let Some(why) = skip.stops("a message")
        {
            self.become_stuck(&why, ctx);
        }
        verdict.unwrap_or_else(LaneVerdict::Skip)
    }

    fn judge_foreign(
        &mut self,
        at: At,
        slot: &Slot,
        cell: &Cell,
        ctx: &mut Ctx<'_>,
    ) -> Result<LaneVerdict, Skip> {
        let head = parse(&slot.keys, cell)?;
        let author = self.author_at(at, slot.leaf, ctx).ok_or(Skip::Author)?;
        let named = head.claims.leaf == slot.leaf;
        let genuine = named && head.verify(&author.mls_key, &slot.keys.tag);
        if !genuine && !is_off(Check::LaneAuthor) {
            return Err(Skip::Author);
        }
        self.check_place(at, slot, head.claims.place)?;
        let Some(payload) = self.payload(at, slot, &head.payload, ctx)? else {
            return Ok(LaneVerdict::NeedParts);
        };
        // Of this epoch and by this leaf, or it leaves no trace: secrets of epochs before may be kept
        // here and not elsewhere, and a copied message must still open at its true place.
        let number = self.epoch_at(at).number;
        let live = self.live(ctx).ok_or(Skip::Mls)?;
        let plain = match live.group.decrypt_from(ctx.mls, &payload, number, slot.leaf) {
            Ok(plain) => plain,
            // A fault of this device alone must not make it judge differently from all others.
            Err(refused) if refused.blame() == Blame::Own => {
                self.become_stuck(&format!("MLS failed on this device ({refused})"), ctx);
                return Err(Skip::Mls);
            }
            Err(Refused::WrongSender) => return Err(Skip::Sender),
            Err(_) => return Err(Skip::Mls),
        };
        let shows_log = shows_its_log(&plain.aad, ctx);
        let body = self.check_body(&head, &plain.payload)?;
        if !shows_log {
            self.tell_hidden_log(at, slot.leaf, ctx);
        }
        let proof = head.proof(&slot.keys.tag);
        self.lane_mut(at, slot.leaf).place = head.claims.place;
        Ok(LaneVerdict::Counts(Box::new(self.entry(at, slot, author, body, plain.payload, proof))))
    }

    /// After cells that expired unread, the author's signed place says how many of them counted.
    fn check_place(&self, at: At, slot: &Slot, place: u64) -> Result<(), Skip> {
        let lane = &self.epoch_at(at).lanes[&slot.leaf];
        let possible = lane.place..=lane.place.saturating_add(lane.unknown);
        let fits = possible.contains(&place) || is_off(Check::LanePlace);
        fits.then_some(()).ok_or(Skip::Place)
    }

    fn check_body(&self, head: &SignedHead, bytes: &[u8]) -> Result<Body, Skip> {
        let committed = Body::commitment(bytes) == head.claims.body;
        if !committed && !is_off(Check::LaneCommitment) {
            return Err(Skip::Commitment);
        }
        let body: Body = decode(bytes).map_err(|_| Skip::Body)?;
        let ours = body.conversation == self.conversation || is_off(Check::LaneConversation);
        ours.then_some(body).ok_or(Skip::Body)
    }

    fn entry(
        &self,
        at: At,
        slot: &Slot,
        author: Member,
        body: Body,
        bytes: Vec<u8>,
        proof: HeadProof,
    ) -> Entry {
        let epoch = self.epoch_at(at).number;
        let (effective, index) = (slot.effective, slot.index);
        let when = self.arrival(at, slot.leaf);
        Entry { epoch, effective, slot: index, author, body, bytes, proof, when }
    }

    fn arrival(&self, at: At, leaf: u32) -> Arrival {
        let At::Past(index) = at else { return Arrival::InTime };
        let mut members = self.past[index].members.iter();
        let ended = members.any(|member| member.leaf == leaf && member.stay_ended);
        if ended { Arrival::OfAnotherStay } else { Arrival::Late }
    }

    /// The payload, gathered from its parts where it is a parcel; `None` while they are fetched.
    fn payload(
        &mut self,
        at: At,
        slot: &Slot,
        payload: &Payload,
        ctx: &mut Ctx<'_>,
    ) -> Result<Option<Vec<u8>>, Skip> {
        let parcel = match payload {
            Payload::Inline(bytes) => return Ok(Some(bytes.as_slice().to_vec())),
            Payload::Parcel(parcel) => parcel,
        };
        let (number, opened, _) = self.facts(at);
        if !self.check_parts(parcel, slot, opened, ctx)? {
            return Ok(None);
        }
        let chat = self.chat;
        let Reading { lanes, collisions, .. } = &mut self.reading;
        let read = lanes.get_mut(&(number, slot.leaf)).and_then(|ahead| ahead.reads.front_mut());
        let parts = &mut read.ok_or(Skip::Parts)?.parts;
        let parts = parts.get_or_insert_with(|| Gathering::new(parcel.clone()));
        let missing: Vec<u32> = parts.missing().take(AHEAD).collect();
        for &index in &missing {
            let keys = parcel.keys(&ctx.me.server, index);
            let (epoch, leaf, slot) = (number, slot.leaf, slot.index);
            let stands = collisions.listed(&keys, opened, ctx).map(|listing| listing.stands);
            ctx.cells.get(keys.tag, stands, Owner::LanePart { chat, epoch, leaf, slot, index });
        }
        if !missing.is_empty() {
            return Ok(None);
        }
        parts.payload(&ctx.me.server).map(Some).map_err(|_| Skip::Parts)
    }

    /// Every part is listed after the epoch opened and not after its head; false while that is not
    /// known of all.
    fn check_parts(
        &self,
        parcel: &ParcelRef,
        slot: &Slot,
        opened: u64,
        ctx: &mut Ctx<'_>,
    ) -> Result<bool, Skip> {
        let fits = (1..=MESSAGE_PARTS_MAX).contains(&parcel.parts());
        let collisions = &self.reading.collisions;
        let listed = || collisions.all_listed(parcel, opened, slot.listed, ctx);
        fits.then(listed).flatten().ok_or(Skip::Parts)
    }

    /// One's own slot: one's own bytes, somebody else's, or the sign of a copied profile.
    fn judge_own(
        &mut self,
        slot: &Slot,
        cell: &Cell,
        ctx: &mut Ctx<'_>,
    ) -> Result<LaneVerdict, Skip> {
        let content = open(&slot.keys, cell).ok();
        let sealed = ctx.cells.sealed_cell(&slot.keys.tag);
        let known = sealed.and_then(|sealed| open(&slot.keys, &sealed).ok());
        // Equal content under another nonce is one's own too: any member can seal it again.
        if known.is_some() && known == content {
            return self.judge_known(slot);
        }
        let head = content.and_then(|content| SignedHead::parse(&content));
        let by_me = head.is_some_and(|head| head.verify(&ctx.me.leaf_key.key(), &slot.keys.tag));
        if by_me && !is_off(Check::CopiedProfile) {
            self.become_copied("a message was written in this device's name", ctx);
            return Err(Skip::Author);
        }
        self.go_back(slot.index, ctx);
        Err(Skip::Seal)
    }

    /// One's own bytes count unless the message has moved to a later slot since.
    fn judge_known(&self, slot: &Slot) -> Result<LaneVerdict, Skip> {
        let place = self.epoch.lanes[&slot.leaf].place;
        let here = |outgoing: &super::Outgoing| {
            outgoing.placed().is_some_and(|at| (at.slot, at.place) == (slot.index, place))
        };
        let found = self.outgoing.iter().find(|(_, outgoing)| here(outgoing));
        found.map(|(seq, _)| LaneVerdict::Own(*seq)).ok_or(Skip::Place)
    }
}

/// One's own cell needs no fetching when the server has proved that it holds it.
fn own_cell(own: bool, keys: &SlotKeys, ctx: &Ctx<'_>) -> Option<Cell> {
    if own { ctx.cells.stored_cell(&keys.tag) } else { None }
}

/// The tick of one's own cell that the server has proved: no other listing of the prefix is meant.
fn own_tick(own: bool, keys: &SlotKeys, ctx: &Ctx<'_>) -> Option<u64> {
    match ctx.cells.put_state(&keys.tag) {
        Some(PutState::Stored(tick)) if own && !ctx.log.is_undone(tick) => Some(tick),
        _ => None,
    }
}

fn parse(keys: &SlotKeys, cell: &Cell) -> Result<SignedHead, Skip> {
    let content = open(keys, cell).map_err(|_| Skip::Seal)?;
    SignedHead::parse(&content).ok_or(Skip::Head)
}
