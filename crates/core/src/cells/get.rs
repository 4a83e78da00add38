//! The queue of fetches.
//!
//! A fetch is of the cell that one tick lists, since a verdict depends on that listing: the same tag
//! may be wanted by another's in a later tick. Where the newest tree holds the tag in another tick,
//! the listing is another tag's of the same prefix: proved at once by an earlier tick, and in the tree
//! as the listed tick left it where the other is later. So whenever a device asks, it comes to the
//! same answer.

use super::{CellAsk, CellEvent, Owner, backoff_ms, witness::Witness};
use crate::log::{Breach, LogFollower};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{Answer, Cell, HeadRef, ListedProof, RefusalKind, Request, Tag};

/// Attempts after which a listed cell that does not come is reported.
pub(super) const TRIES_BEFORE_WITHHELD: u32 = 3;

/// Fetches that wait or are in flight at most: a whole parcel with its head, several times over.
pub(super) const QUEUE_MAX: usize = 4_096;

/// Most who wait for one cell.
const OWNERS_MAX: usize = 8;

/// Fetches in flight at most.
const WINDOW: usize = 32;

/// Silence that counts as a refusal, where the connection brings other things: a server cannot
/// withhold a cell by saying nothing. A connection that brings nothing at all may be dead.
const ANSWER_WITHIN_MS: u64 = 30_000;

/// Flights in a row that may end with a connection, or on one that brings nothing, before that is
/// withholding too: a server could fall silent whenever it is asked for one cell.
const UNANSWERED_MAX: u32 = 6;

type Events = VecDeque<CellEvent>;

/// A tag, and the tick that lists it where one is known to.
type Want = (Tag, Option<u64>);

struct Fetch {
    /// It was sealed here, and the answer to its PUT has not come.
    own: bool,
    /// Everybody who waits for it: two letters may name one parcel.
    owners: Vec<Owner>,
    tries: u32,
    /// Flights since the last answer that nothing came back from, and how much the server had said
    /// when the first of them ended.
    unanswered: (u32, u64),
    place: Place,
    /// Its turn among those that are due at one time.
    turn: u64,
    /// The head of the listed tick, when its tree is to be asked: the newest holds the tag, but in a
    /// later tick.
    at_its_tick: Option<HeadRef>,
}

#[derive(Clone, Copy)]
enum Place {
    /// May be sent from this time on.
    Ready(u64),
    /// In flight: the head whose tree is to prove, and how long it is waited for.
    Flying(HeadRef, Patience),
    /// Waits for the head of its tick, which the log was asked for, until this time at most.
    Headless(u64),
}

/// How long an answer is waited for.
#[derive(Clone, Copy)]
struct Patience {
    /// Until this time.
    until_ms: u64,
    /// How much the server had said when it was asked.
    heard: u64,
}

impl Fetch {
    /// Whether it has not been tried in vain often enough to be reported.
    fn is_hopeful(&self) -> bool {
        self.tries < TRIES_BEFORE_WITHHELD
    }

    /// Whether it may have to be put again some day: it is of a commit, or one's own. Those are kept
    /// with the proof of their own tick.
    fn is_to_be_kept(&self) -> bool {
        let control =
            |owner: &Owner| matches!(owner, Owner::Control { .. } | Owner::ControlPart { .. });
        self.own || self.owners.iter().any(control)
    }
}

#[derive(Default)]
pub(super) struct Fetches {
    all: BTreeMap<Want, Fetch>,
    /// Fetches not in flight, by (due, turn).
    ready: BTreeMap<(u64, u64), Want>,
    /// Fetches in flight and those that wait for a head, by (overdue, turn).
    flying: BTreeMap<(u64, u64), Want>,
    next_turn: u64,
    /// Counts what the server has said.
    heard: u64,
}

impl Fetches {
    pub(super) fn want(&mut self, tag: Tag, tick: Option<u64>, owner: Owner, own: bool) -> bool {
        let want = (tag, tick);
        if let Some(fetch) = self.all.get_mut(&want) {
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
        self.ready.insert((0, turn), want);
        let fetch = Fetch {
            own,
            owners: vec![owner],
            tries: 0,
            unanswered: (0, 0),
            place,
            turn,
            at_its_tick: None,
        };
        self.all.insert(want, fetch);
        true
    }

    fn cancel(&mut self, want: &Want) {
        if let Some(fetch) = self.all.remove(want) {
            self.leave(fetch.place, fetch.turn);
        }
    }

    fn leave(&mut self, place: Place, turn: u64) {
        match place {
            Place::Ready(due_ms) => self.ready.remove(&(due_ms, turn)),
            Place::Flying(_, Patience { until_ms, .. }) | Place::Headless(until_ms) => {
                self.flying.remove(&(until_ms, turn))
            }
        };
    }

    fn set_place(&mut self, want: Want, place: Place) {
        let Some(fetch) = self.all.get_mut(&want) else { return };
        let (before, turn) = (std::mem::replace(&mut fetch.place, place), fetch.turn);
        self.leave(before, turn);
        match place {
            Place::Ready(due_ms) => self.ready.insert((due_ms, turn), want),
            Place::Flying(_, Patience { until_ms, .. }) | Place::Headless(until_ms) => {
                self.flying.insert((until_ms, turn), want)
            }
        };
    }

    /// What a recovery has undone stands nowhere any more: whoever wants such a cell asks anew.
    pub(super) fn cancel_undone(&mut self, log: &LogFollower) {
        let undone = |want: &&Want| want.1.is_some_and(|tick| log.is_undone(tick));
        let undone: Vec<Want> = self.all.keys().filter(undone).copied().collect();
        undone.iter().for_each(|want| self.cancel(want));
    }

    pub(super) fn cancel_where(&mut self, gone: impl Fn(&Owner) -> bool) {
        let unwanted = self.all.iter().filter(|(_, fetch)| fetch.owners.iter().all(&gone));
        let unwanted: Vec<Want> = unwanted.map(|(want, _)| *want).collect();
        unwanted.iter().for_each(|want| self.cancel(want));
    }

    pub(super) fn poll(
        &mut self,
        now_ms: u64,
        log: &LogFollower,
        events: &mut Events,
    ) -> Option<(CellAsk, Request)> {
        self.give_up_on_silence(now_ms, events);
        let (&(due_ms, _), &want) = self.ready.first_key_value()?;
        if due_ms > now_ms || self.flying.len() >= WINDOW {
            return None;
        }
        let fetch = self.all.get(&want)?;
        let own_tick = want.1.filter(|_| fetch.tries == 0 && fetch.is_to_be_kept());
        let own_tree = || own_tick.and_then(|tick| log.head_at(tick));
        let head = fetch.at_its_tick.or_else(own_tree).or_else(|| log.head())?;
        self.set_place(want, Place::Flying(head, self.patience(now_ms)));
        let (tag, tick) = want;
        Some((CellAsk::Get(tag, tick, head), Request::Get { tag, size: head.size }))
    }

    fn give_up_on_silence(&mut self, now_ms: u64, events: &mut Events) {
        while let Some((&(overdue_ms, _), &want)) = self.flying.first_key_value() {
            if overdue_ms > now_ms {
                return;
            }
            if self.is_dead_since(&want) {
                self.unanswered(now_ms, want, events);
            } else {
                self.withheld(now_ms, want, events);
            }
        }
    }

    /// Whether the server has said nothing at all since this was asked.
    fn is_dead_since(&self, want: &Want) -> bool {
        let place = self.all.get(want).map(|fetch| fetch.place);
        matches!(place, Some(Place::Flying(_, patience)) if patience.heard == self.heard)
    }

    fn patience(&self, now_ms: u64) -> Patience {
        Patience { until_ms: now_ms + ANSWER_WITHIN_MS, heard: self.heard }
    }

    /// The server has said something, whatever it was.
    pub(super) fn hear(&mut self) {
        self.heard = self.heard.wrapping_add(1);
    }

    /// Fetches that have not been tried in vain often enough to be reported.
    pub(super) fn hopeful(&self) -> usize {
        self.all.values().filter(|fetch| fetch.is_hopeful()).count()
    }

    /// Whether one of them is for such an owner.
    pub(super) fn is_hopeful_of(&self, of: impl Fn(&Owner) -> bool) -> bool {
        self.all.values().any(|fetch| fetch.is_hopeful() && fetch.owners.iter().any(&of))
    }

    /// The next time after `now_ms` at which something is due.
    pub(super) fn deadline(&self, now_ms: u64) -> Option<u64> {
        let after = (now_ms.saturating_add(1), 0);
        let ready = self.ready.range(after..).next();
        let overdue = self.flying.range(after..).next();
        ready.into_iter().chain(overdue).map(|((at_ms, _), _)| *at_ms).min()
    }

    pub(super) fn disconnected(&mut self, now_ms: u64, events: &mut Events) {
        let flying: Vec<Want> = self.flying.values().copied().collect();
        flying.into_iter().for_each(|want| self.unanswered(now_ms, want, events));
        // The next connection may show that the log has lost that tick.
        self.all.values_mut().for_each(|fetch| fetch.at_its_tick = None);
    }

    /// The head of `tick` that the log was asked for; `None` when it cannot be had.
    pub(super) fn on_head(
        &mut self,
        now_ms: u64,
        tick: u64,
        head: Option<HeadRef>,
        events: &mut Events,
    ) {
        for want in self.headless(tick) {
            let Some(fetch) = self.all.get_mut(&want) else { continue };
            fetch.at_its_tick = head;
            match head {
                Some(_) => self.set_place(want, Place::Ready(0)),
                None => self.withheld(now_ms, want, events),
            }
        }
    }

    fn headless(&self, tick: u64) -> Vec<Want> {
        let waits = |want: &Want| {
            let place = self.all.get(want).map(|fetch| fetch.place);
            want.1 == Some(tick) && matches!(place, Some(Place::Headless(_)))
        };
        self.flying.values().copied().filter(waits).collect()
    }

    /// An answer to whoever asked for a cell in the tree of this head. One that comes after its flight
    /// was given up still brings the cell; that it does not says nothing of the flight under way.
    pub(super) fn on_answer(
        &mut self,
        now_ms: u64,
        (want, head): (Want, HeadRef),
        answer: Answer,
        log: &mut LogFollower,
        witness: &mut Witness,
        events: &mut Events,
    ) -> Result<(), Breach> {
        if !self.lands(&want, &head) && !matches!(answer, Answer::Found { .. }) {
            return Ok(());
        }
        match answer {
            Answer::Found { proof, .. } if proof.size != head.size => {
                // A listing later than the tree that was asked for.
                self.withheld(now_ms, want, events);
                Ok(())
            }
            Answer::Found { cell, proof } => {
                proof.verify_cell(&head.root, &want.0, &cell).map_err(|_| Breach::CellProof)?;
                if self.all.get(&want).is_some_and(Fetch::is_to_be_kept) {
                    witness.see(want.0, &cell, &proof);
                }
                self.found(now_ms, want, cell, proof.leaf.tick, log, events);
                Ok(())
            }
            Answer::None { colliding } => self.none(now_ms, want, &colliding, &head, log, events),
            Answer::Refused(refusal) => {
                self.refused(now_ms, want, refusal.kind, log, events);
                Ok(())
            }
            _ => Err(Breach::Answer),
        }
    }

    /// Ends the flight of a fetch that asked for the tree of this head; false when there is none.
    fn lands(&mut self, want: &Want, asked: &HeadRef) -> bool {
        let Some(fetch) = self.all.get_mut(want) else { return false };
        let flies = matches!(fetch.place, Place::Flying(head, _) if head == *asked);
        if flies {
            fetch.unanswered = (0, 0);
            self.set_place(*want, Place::Ready(0));
        }
        flies
    }

    /// Proved: the cell stands in this tick. Only a tag's first listing counts, so it decides whose
    /// the listing is that the fetch goes by.
    fn found(
        &mut self,
        now_ms: u64,
        want: Want,
        cell: Cell,
        tick: u64,
        log: &mut LogFollower,
        events: &mut Events,
    ) {
        match want.1.filter(|_| !is_off(Check::FirstListing)) {
            Some(listed) if tick < listed => self.absent(want, events),
            Some(listed) if tick > listed => self.found_later(now_ms, want, listed, log, events),
            _ => self.got(want, &cell, tick, events),
        }
    }

    fn got(&mut self, want: Want, cell: &Cell, tick: u64, events: &mut Events) {
        let owners = self.all.get(&want).map(|fetch| fetch.owners.clone());
        self.cancel(&want);
        let got = |owner| CellEvent::Got { owner, tag: want.0, cell: cell.clone(), tick };
        events.extend(owners.into_iter().flatten().map(got));
    }

    /// The listing cannot be its own: let the server prove whose it is, in the tree as it was then.
    fn found_later(
        &mut self,
        now_ms: u64,
        want: Want,
        listed: u64,
        log: &mut LogFollower,
        events: &mut Events,
    ) {
        let Some(fetch) = self.all.get_mut(&want) else { return };
        if fetch.at_its_tick.is_some() {
            self.withheld(now_ms, want, events);
            return;
        }
        fetch.at_its_tick = log.head_at(listed);
        if fetch.at_its_tick.is_none() {
            log.want_head_at(listed);
            self.set_place(want, Place::Headless(now_ms + ANSWER_WITHIN_MS));
        }
    }

    fn none(
        &mut self,
        now_ms: u64,
        want: Want,
        colliding: &[ListedProof],
        head: &HeadRef,
        log: &LogFollower,
        events: &mut Events,
    ) -> Result<(), Breach> {
        let (tag, tick) = want;
        let mut others = BTreeSet::new();
        // A proof in another tree than the one that was asked for says nothing here.
        for proof in colliding.iter().filter(|proof| proof.size == head.size) {
            proof.verify(&head.root).map_err(|_| Breach::CellProof)?;
            if proof.listed.tag == tag.hash() || proof.listed.tag.prefix() != tag.prefix() {
                return Err(Breach::CellProof);
            }
            if Some(proof.leaf.tick) == tick {
                others.insert(proof.listed.tag);
            }
        }
        let listed = tick.map(|tick| log.times_listed(tag.prefix(), tick));
        if listed.is_none_or(|listed| listed > 0 && others.len() >= listed) {
            self.absent(want, events);
        } else if tick.is_some_and(|tick| log.may_have_expired(tick)) {
            // A server forgets that it ever held what has expired.
            self.expired(want, events);
        } else {
            self.withheld(now_ms, want, events);
        }
        Ok(())
    }

    /// What is listed under the tag's prefix is proved to be another's.
    fn absent(&mut self, want: Want, events: &mut Events) {
        if let Some(fetch) = self.all.get(&want) {
            let (owners, (tag, tick)) = (fetch.owners.clone(), want);
            self.cancel(&want);
            let absent = |owner| CellEvent::Absent { owner, tag, tick };
            events.extend(owners.into_iter().map(absent));
        }
    }

    fn refused(
        &mut self,
        now_ms: u64,
        want: Want,
        kind: RefusalKind,
        log: &LogFollower,
        events: &mut Events,
    ) {
        let expired = want.1.is_none_or(|tick| log.may_have_expired(tick));
        match kind {
            RefusalKind::Expired if expired => self.expired(want, events),
            RefusalKind::Busy | RefusalKind::Closing => {
                self.set_place(want, Place::Ready(now_ms + backoff_ms(0)));
            }
            _ => self.withheld(now_ms, want, events),
        }
    }

    fn expired(&mut self, want: Want, events: &mut Events) {
        if let Some(fetch) = self.all.get(&want) {
            let (owners, tag) = (fetch.owners.clone(), want.0);
            self.cancel(&want);
            events.extend(owners.into_iter().map(|owner| CellEvent::Expired { owner, tag }));
        }
    }

    /// A flight that nothing came back from. What else the server has said since the first of several
    /// shows that it could have answered.
    fn unanswered(&mut self, now_ms: u64, want: Want, events: &mut Events) {
        let Some(fetch) = self.all.get_mut(&want) else { return };
        let (times, since) = fetch.unanswered;
        let since = if times == 0 { self.heard } else { since };
        fetch.unanswered = (times.saturating_add(1), since);
        if times + 1 < UNANSWERED_MAX || self.heard == since {
            return self.set_place(want, Place::Ready(0));
        }
        fetch.unanswered = (0, 0);
        fetch.tries = fetch.tries.max(TRIES_BEFORE_WITHHELD - 1);
        self.withheld(now_ms, want, events);
    }

    fn withheld(&mut self, now_ms: u64, want: Want, events: &mut Events) {
        let Some(fetch) = self.all.get_mut(&want) else { return };
        fetch.at_its_tick = None;
        fetch.tries = fetch.tries.saturating_add(1);
        let (owners, tries, tag) = (fetch.owners.clone(), fetch.tries, want.0);
        self.set_place(want, Place::Ready(now_ms + backoff_ms(tries)));
        if tries == TRIES_BEFORE_WITHHELD && !is_off(Check::WithheldTold) {
            let withheld = |owner| CellEvent::Withheld { owner, tag, tries };
            events.extend(owners.into_iter().map(withheld));
        }
    }
}
