//! The queue of fetches.

use super::{CellAsk, CellEvent, Owner, backoff_ms};
use crate::log::{Breach, LogFollower};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use undertone_wire::{Answer, Cell, HeadRef, ListedProof, RefusalKind, Request, Tag};

/// Attempts after which a listed cell that does not come is reported.
pub(super) const TRIES_BEFORE_WITHHELD: u32 = 3;

/// Fetches that wait or are in flight at most: a whole parcel with its head, several times over.
pub(super) const QUEUE_MAX: usize = 4_096;

/// Most who wait for one cell.
const OWNERS_MAX: usize = 8;

/// Fetches in flight at most.
const WINDOW: usize = 32;

/// Silence that counts as a refusal: a server cannot withhold a cell by saying nothing.
const ANSWER_WITHIN_MS: u64 = 30_000;

type Events = VecDeque<CellEvent>;

struct Fetch {
    /// Everybody who waits for it: two letters may name one parcel.
    owners: Vec<Owner>,
    /// The tick that lists it, where one is known to.
    tick: Option<u64>,
    tries: u32,
    place: Place,
    /// Its turn among those that are due at one time.
    turn: u64,
    /// Ask for the tree as it was at `tick`: the newest holds the tag, but in a later tick.
    at_its_tick: bool,
}

#[derive(Clone, Copy)]
enum Place {
    /// May be sent from this time on.
    Ready(u64),
    /// In flight: the head whose tree is to prove, and when the answer is overdue.
    Flying(HeadRef, u64),
}

#[derive(Default)]
pub(super) struct Fetches {
    all: BTreeMap<Tag, Fetch>,
    /// Fetches not in flight, by (due, turn).
    ready: BTreeMap<(u64, u64), Tag>,
    /// Fetches in flight, by (overdue, turn).
    flying: BTreeMap<(u64, u64), Tag>,
    next_turn: u64,
}

impl Fetches {
    pub(super) fn want(&mut self, tag: Tag, tick: Option<u64>, owner: Owner) -> bool {
        if let Some(fetch) = self.all.get_mut(&tag) {
            if !fetch.owners.contains(&owner) && fetch.owners.len() < OWNERS_MAX {
                fetch.owners.push(owner);
            }
            return true;
        }
        if self.all.len() >= QUEUE_MAX {
            return false;
        }
        let (turn, place) = (self.next_turn, Place::Ready(0));
        self.next_turn += 1;
        self.ready.insert((0, turn), tag);
        let fetch = Fetch { owners: vec![owner], tick, tries: 0, place, turn, at_its_tick: false };
        self.all.insert(tag, fetch);
        true
    }

    pub(super) fn cancel(&mut self, tag: &Tag) {
        if let Some(fetch) = self.all.remove(tag) {
            self.leave(fetch.place, fetch.turn);
        }
    }

    fn leave(&mut self, place: Place, turn: u64) {
        match place {
            Place::Ready(due_ms) => self.ready.remove(&(due_ms, turn)),
            Place::Flying(_, overdue_ms) => self.flying.remove(&(overdue_ms, turn)),
        };
    }

    fn set_place(&mut self, tag: Tag, place: Place) {
        let Some(fetch) = self.all.get_mut(&tag) else { return };
        let (before, turn) = (std::mem::replace(&mut fetch.place, place), fetch.turn);
        self.leave(before, turn);
        match place {
            Place::Ready(due_ms) => self.ready.insert((due_ms, turn), tag),
            Place::Flying(_, overdue_ms) => self.flying.insert((overdue_ms, turn), tag),
        };
    }

    pub(super) fn cancel_where(&mut self, gone: impl Fn(&Owner) -> bool) {
        let unwanted = self.all.iter().filter(|(_, fetch)| fetch.owners.iter().all(&gone));
        let tags: Vec<Tag> = unwanted.map(|(tag, _)| *tag).collect();
        tags.iter().for_each(|tag| self.cancel(tag));
    }

    pub(super) fn poll(
        &mut self,
        now_ms: u64,
        log: &LogFollower,
        events: &mut Events,
    ) -> Option<(CellAsk, Request)> {
        self.give_up_on_silence(now_ms, events);
        let (&(due_ms, _), &tag) = self.ready.first_key_value()?;
        if due_ms > now_ms || self.flying.len() >= WINDOW {
            return None;
        }
        let fetch = self.all.get(&tag)?;
        let listed = fetch.tick.filter(|_| fetch.at_its_tick);
        let at_its_tick = listed.and_then(|tick| log.head_at(tick));
        let head = at_its_tick.or_else(|| log.head())?;
        self.set_place(tag, Place::Flying(head, now_ms + ANSWER_WITHIN_MS));
        Some((CellAsk::Get(tag), Request::Get { tag, size: head.size }))
    }

    fn give_up_on_silence(&mut self, now_ms: u64, events: &mut Events) {
        while let Some((&(overdue_ms, _), &tag)) = self.flying.first_key_value() {
            if overdue_ms > now_ms {
                return;
            }
            self.withheld(now_ms, tag, events);
        }
    }

    /// Fetches that have not been tried in vain often enough to be reported.
    pub(super) fn hopeful(&self) -> usize {
        self.all.values().filter(|fetch| fetch.tries < TRIES_BEFORE_WITHHELD).count()
    }

    /// The next time after `now_ms` at which something is due.
    pub(super) fn deadline(&self, now_ms: u64) -> Option<u64> {
        let after = (now_ms.saturating_add(1), 0);
        let ready = self.ready.range(after..).next();
        let overdue = self.flying.range(after..).next();
        ready.into_iter().chain(overdue).map(|((at_ms, _), _)| *at_ms).min()
    }

    pub(super) fn disconnected(&mut self) {
        let flying: Vec<Tag> = self.flying.values().copied().collect();
        flying.into_iter().for_each(|tag| self.set_place(tag, Place::Ready(0)));
    }

    pub(super) fn on_answer(
        &mut self,
        now_ms: u64,
        tag: Tag,
        answer: Answer,
        log: &mut LogFollower,
        events: &mut Events,
    ) -> Result<(), Breach> {
        let Some(head) = self.landed(&tag) else { return Ok(()) };
        match answer {
            Answer::Found { cell, proof } => self.found(now_ms, tag, cell, &proof, &head, events),
            Answer::None { colliding } => self.none(now_ms, tag, &colliding, &head, log, events),
            Answer::Refused(refusal) => {
                self.refused(now_ms, tag, refusal.kind, log, events);
                Ok(())
            }
            _ => Err(Breach::Answer),
        }
    }

    /// Ends the flight of a fetch; the head that was asked for. `None` when it was given up.
    fn landed(&mut self, tag: &Tag) -> Option<HeadRef> {
        let Place::Flying(head, _) = self.all.get(tag)?.place else { return None };
        self.set_place(*tag, Place::Ready(0));
        Some(head)
    }

    fn found(
        &mut self,
        now_ms: u64,
        tag: Tag,
        cell: Cell,
        proof: &ListedProof,
        head: &HeadRef,
        events: &mut Events,
    ) -> Result<(), Breach> {
        let Some(fetch) = self.all.get_mut(&tag) else { return Ok(()) };
        if proof.size != head.size {
            // A listing later than the tree that was asked for.
            self.withheld(now_ms, tag, events);
            return Ok(());
        }
        proof.verify_cell(&head.root, &tag, &cell).map_err(|_| Breach::CellProof)?;
        let tick = proof.leaf.tick;
        if fetch.tick.is_none_or(|listed| listed == tick) {
            let owners = fetch.owners.clone();
            self.cancel(&tag);
            let got = |owner| CellEvent::Got { owner, tag, cell: cell.clone(), tick };
            events.extend(owners.into_iter().map(got));
        } else if fetch.tick.is_some_and(|listed| tick > listed) && !fetch.at_its_tick {
            // Only the first listing counts: let the server prove whose that was.
            fetch.at_its_tick = true;
        } else {
            self.withheld(now_ms, tag, events);
        }
        Ok(())
    }

    fn none(
        &mut self,
        now_ms: u64,
        tag: Tag,
        colliding: &[ListedProof],
        head: &HeadRef,
        log: &LogFollower,
        events: &mut Events,
    ) -> Result<(), Breach> {
        let Some(fetch) = self.all.get(&tag) else { return Ok(()) };
        let mut others = BTreeSet::new();
        // Those that a later tick lists are proved against its own tree: they say nothing here.
        for proof in colliding.iter().filter(|proof| proof.size == head.size) {
            proof.verify(&head.root).map_err(|_| Breach::CellProof)?;
            if proof.listed.tag == tag.hash() || proof.listed.tag.prefix() != tag.prefix() {
                return Err(Breach::CellProof);
            }
            if Some(proof.leaf.tick) == fetch.tick {
                others.insert(proof.listed.tag);
            }
        }
        let listed = fetch.tick.map(|tick| log.times_listed(tag.prefix(), tick));
        if listed.is_none_or(|listed| listed > 0 && others.len() >= listed) {
            self.absent(tag, events);
        } else {
            self.withheld(now_ms, tag, events);
        }
        Ok(())
    }

    /// What is listed under the tag's prefix is proved to be another's.
    pub(super) fn absent(&mut self, tag: Tag, events: &mut Events) {
        if let Some(fetch) = self.all.get(&tag) {
            let (owners, tick) = (fetch.owners.clone(), fetch.tick);
            self.cancel(&tag);
            let absent = |owner| CellEvent::Absent { owner, tag, tick };
            events.extend(owners.into_iter().map(absent));
        }
    }

    fn refused(
        &mut self,
        now_ms: u64,
        tag: Tag,
        kind: RefusalKind,
        log: &LogFollower,
        events: &mut Events,
    ) {
        let listed = self.all.get(&tag).map(|fetch| fetch.tick);
        let expired = listed.is_some_and(|tick| tick.is_none_or(|tick| log.may_have_expired(tick)));
        match kind {
            RefusalKind::Expired if expired => self.expired(tag, events),
            RefusalKind::Busy | RefusalKind::Closing => {
                self.set_place(tag, Place::Ready(now_ms + backoff_ms(0)));
            }
            _ => self.withheld(now_ms, tag, events),
        }
    }

    fn expired(&mut self, tag: Tag, events: &mut Events) {
        if let Some(fetch) = self.all.get(&tag) {
            let owners = fetch.owners.clone();
            self.cancel(&tag);
            events.extend(owners.into_iter().map(|owner| CellEvent::Expired { owner, tag }));
        }
    }

    fn withheld(&mut self, now_ms: u64, tag: Tag, events: &mut Events) {
        let Some(fetch) = self.all.get_mut(&tag) else { return };
        fetch.at_its_tick = false;
        fetch.tries = fetch.tries.saturating_add(1);
        let (owners, tries) = (fetch.owners.clone(), fetch.tries);
        self.set_place(tag, Place::Ready(now_ms + backoff_ms(tries)));
        if tries == TRIES_BEFORE_WITHHELD {
            let withheld = |owner| CellEvent::Withheld { owner, tag, tries };
            events.extend(owners.into_iter().map(withheld));
        }
    }
}
