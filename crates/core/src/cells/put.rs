//! The outbox.

use super::{CellAsk, CellEvent, Changes, Out, Owner, archive::Archive, backoff_ms, record};
use crate::ids::ChatId;
use crate::log::{Breach, LogFollower};
use record::Stored;
use std::collections::{BTreeMap, BTreeSet};
use undertone_wire::{
    Answer, Cell, CellHash, Receipt, Refusal, RefusalKind, Request, Tag, Token, WriteKey,
};

/// A sealed cell to be stored.
#[derive(Clone)]
pub(crate) struct Put {
    /// Where.
    pub(crate) tag: Tag,
    /// The tag's preimage.
    pub(crate) write: WriteKey,
    /// The sealed bytes, the same for ever.
    pub(crate) cell: Cell,
    /// Comes back with every event.
    pub(crate) owner: Owner,
    /// Waits until these parcels have no part in the outbox any more.
    pub(crate) after: Vec<[u8; 16]>,
}

/// Where a cell of the outbox stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PutState {
    /// Will be sent, again if need be.
    Waiting,
    /// Sent on this connection and not answered.
    InFlight,
    /// The server will not have it.
    Refused,
    /// The server proved that this tick lists it.
    Stored(u64),
}

/// A cell that the server has not acknowledged.
struct Live {
    stored: Stored,
    state: PutState,
}

/// A cell that the server has proved to hold.
struct Done {
    owner: Owner,
    cell: Cell,
    tick: u64,
}

#[derive(Default)]
pub(super) struct Outbox {
    live: BTreeMap<Tag, Live>,
    done: BTreeMap<Tag, Done>,
    /// How many parts of a parcel are not stored.
    parts: BTreeMap<[u8; 16], usize>,
    /// Conversations whose lane cells are held back.
    held: BTreeSet<ChatId>,
    /// Changes of conversations that are held back, by their parcels.
    held_changes: BTreeMap<ChatId, [u8; 16]>,
    /// Sendable cells, by the order of putting.
    ready: BTreeSet<(u64, Tag)>,
    in_flight: usize,
    next_order: u64,
    tries: u32,
    not_before_ms: u64,
    /// Whether the server said last that it can store nothing.
    server_full: bool,
}

impl Outbox {
    pub(super) fn restore(&mut self, tag: Tag, stored: Stored) {
        self.next_order = self.next_order.max(stored.order + 1);
        match stored.tick {
            Some(tick) => {
                let Put { owner, cell, .. } = stored.put;
                self.done.insert(tag, Done { owner, cell, tick });
            }
            None => self.admit(tag, stored),
        }
    }

    pub(super) fn put(&mut self, put: Put, changes: &mut Changes) -> bool {
        let tag = put.tag;
        if self.state(&tag).is_some() {
            return false;
        }
        let stored = Stored { put, order: self.next_order, tick: None };
        self.next_order += 1;
        changes.insert(tag.0.to_vec(), Some(record::save(&stored)));
        self.admit(tag, stored);
        if std::mem::take(&mut self.server_full) {
            // Somebody waits for this one: whether there is room now is asked at once.
            self.not_before_ms = 0;
        }
        true
    }

    fn admit(&mut self, tag: Tag, stored: Stored) {
        if let Owner::Part { parcel } = stored.put.owner {
            *self.parts.entry(parcel).or_default() += 1;
        }
        self.ready.insert((stored.order, tag));
        self.live.insert(tag, Live { stored, state: PutState::Waiting });
    }

    /// Whether a cell has to wait for others.
    fn is_blocked(&self, put: &Put) -> bool {
        let held = match put.owner {
            Owner::Lane { chat, .. } => self.held.contains(&chat),
            Owner::Control { chat, .. } => self.held_changes.contains_key(&chat),
            Owner::Part { parcel } => self.held_changes.values().any(|held| *held == parcel),
            _ => false,
        };
        held || put.after.iter().any(|parcel| self.parts.contains_key(parcel))
    }

    pub(super) fn hold_lane(&mut self, chat: ChatId, hold: bool) {
        if hold {
            self.held.insert(chat);
        } else {
            self.held.remove(&chat);
        }
    }

    pub(super) fn hold_change(&mut self, chat: ChatId, parcel: Option<[u8; 16]>) {
        match parcel {
            Some(parcel) => drop(self.held_changes.insert(chat, parcel)),
            None => drop(self.held_changes.remove(&chat)),
        }
    }

    pub(super) fn cell(&self, tag: &Tag) -> Option<Cell> {
        let live = self.live.get(tag).map(|live| &live.stored.put.cell);
        live.or_else(|| self.done.get(tag).map(|done| &done.cell)).cloned()
    }

    pub(super) fn forget(&mut self, tag: &Tag, changes: &mut Changes) {
        if self.take(tag).is_some() || self.done.remove(tag).is_some() {
            changes.insert(tag.0.to_vec(), None);
        }
    }

    pub(super) fn state(&self, tag: &Tag) -> Option<PutState> {
        let done = || self.done.get(tag).map(|done| PutState::Stored(done.tick));
        self.live.get(tag).map(|live| live.state).or_else(done)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Tag, &Owner, PutState)> {
        let live = self.live.iter().map(|(tag, live)| (tag, &live.stored.put.owner, live.state));
        let done =
            self.done.iter().map(|(tag, done)| (tag, &done.owner, PutState::Stored(done.tick)));
        live.chain(done)
    }

    pub(super) fn poll(&mut self, now_ms: u64, window: usize) -> Option<(CellAsk, Request)> {
        if now_ms < self.not_before_ms || self.in_flight >= window {
            return None;
        }
        let free = |(_, tag): &&(u64, Tag)| {
            self.live.get(tag).is_some_and(|live| !self.is_blocked(&live.stored.put))
        };
        let (order, tag) = *self.ready.iter().find(free)?;
        self.ready.remove(&(order, tag));
        let live = self.live.get_mut(&tag)?;
        live.state = PutState::InFlight;
        self.in_flight += 1;
        let Put { write, cell, .. } = &live.stored.put;
        let token = Token::new(Vec::new());
        let request = Request::Put { tag, write: *write, cell: cell.clone(), token };
        Some((CellAsk::Put(tag), request))
    }

    /// When sending goes on after a refusal, if that is after `now_ms`.
    pub(super) fn deadline(&self, now_ms: u64) -> Option<u64> {
        (!self.ready.is_empty() && self.not_before_ms > now_ms).then_some(self.not_before_ms)
    }

    pub(super) fn disconnected(&mut self) {
        for (tag, live) in &mut self.live {
            if matches!(live.state, PutState::InFlight | PutState::Waiting) {
                live.state = PutState::Waiting;
                self.ready.insert((live.stored.order, *tag));
            }
        }
        self.in_flight = 0;
        self.tries = 0;
        self.not_before_ms = 0;
        self.server_full = false;
    }

    pub(super) fn server_full(&self) -> bool {
        self.server_full && !self.ready.is_empty()
    }

    pub(super) fn on_answer(
        &mut self,
        now_ms: u64,
        tag: Tag,
        answer: Answer,
        log: &mut LogFollower,
        archive: &mut Archive,
        out: &mut Out,
    ) -> Result<(), Breach> {
        let Some(hash) = self.answered(&tag) else { return Ok(()) };
        self.server_full = false;
        match answer {
            Answer::Stored(receipt) => self.stored(tag, hash, receipt, log, archive, out),
            Answer::Taken { cell, receipt } if cell != hash => {
                self.taken(tag, cell, &receipt, log, out)
            }
            Answer::Refused(refusal) => {
                self.refused(now_ms, tag, &refusal, out);
                Ok(())
            }
            _ => Err(Breach::Answer),
        }
    }

    /// Ends the flight of a cell; its hash. `None` when it was forgotten meanwhile.
    fn answered(&mut self, tag: &Tag) -> Option<CellHash> {
        let live = self.live.get_mut(tag)?;
        if live.state != PutState::InFlight {
            return None;
        }
        live.state = PutState::Waiting;
        self.in_flight = self.in_flight.saturating_sub(1);
        Some(live.stored.put.cell.hash())
    }

    fn stored(
        &mut self,
        tag: Tag,
        hash: CellHash,
        receipt: Receipt,
        log: &mut LogFollower,
        archive: &mut Archive,
        out: &mut Out,
    ) -> Result<(), Breach> {
        let tick = log.verify_receipt(&receipt, &tag, hash)?;
        self.tries = 0;
        let Some(mut live) = self.take(&tag) else { return Ok(()) };
        live.stored.tick = Some(tick);
        let part = matches!(live.stored.put.owner, Owner::Part { .. });
        let record = (!part).then(|| record::save(&live.stored));
        out.changes.insert(tag.0.to_vec(), record);
        let Put { owner, cell, write, .. } = live.stored.put;
        archive.keep(tag, (write, cell.clone()), owner.clone(), receipt, log.time_ms());
        if !part {
            self.done.insert(tag, Done { owner: owner.clone(), cell, tick });
        }
        out.events.push_back(CellEvent::Stored { owner, tag, tick });
        Ok(())
    }

    fn taken(
        &mut self,
        tag: Tag,
        cell: CellHash,
        receipt: &Receipt,
        log: &mut LogFollower,
        out: &mut Out,
    ) -> Result<(), Breach> {
        let tick = log.verify_receipt(receipt, &tag, cell)?;
        self.tries = 0;
        let owner = match self.live.get_mut(&tag) {
            // Nobody else can know a part's tag. It stays, so that its parcel's head never goes. A
            // lane's cell stays until its slot is read: somebody may have sealed the same again.
            Some(live)
                if matches!(live.stored.put.owner, Owner::Part { .. } | Owner::Lane { .. }) =>
            {
                live.state = PutState::Refused;
                live.stored.put.owner.clone()
            }
            _ => {
                let Some(live) = self.take(&tag) else { return Ok(()) };
                out.changes.insert(tag.0.to_vec(), None);
                live.stored.put.owner
            }
        };
        out.events.push_back(CellEvent::Taken { owner, tag, cell, tick });
        Ok(())
    }

    fn refused(&mut self, now_ms: u64, tag: Tag, refusal: &Refusal, out: &mut Out) {
        let Some(live) = self.live.get_mut(&tag) else { return };
        match refusal.kind {
            RefusalKind::Busy | RefusalKind::Storage | RefusalKind::Closing => {
                self.server_full = refusal.kind == RefusalKind::Storage;
                self.ready.insert((live.stored.order, tag));
                if now_ms >= self.not_before_ms {
                    self.not_before_ms = now_ms + backoff_ms(self.tries);
                    self.tries = self.tries.saturating_add(1);
                }
            }
            kind => {
                live.state = PutState::Refused;
                let owner = live.stored.put.owner.clone();
                out.events.push_back(CellEvent::Refused { owner, tag, kind });
            }
        }
    }

    fn take(&mut self, tag: &Tag) -> Option<Live> {
        let live = self.live.remove(tag)?;
        if let Owner::Part { parcel } = live.stored.put.owner
            && let Some(left) = self.parts.get_mut(&parcel)
        {
            *left -= 1;
            if *left == 0 {
                self.parts.remove(&parcel);
            }
        }
        self.ready.remove(&(live.stored.order, *tag));
        if live.state == PutState::InFlight {
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        Some(live)
    }
}
