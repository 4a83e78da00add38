//! # Cells on their way to the server and back
//!
//! [`Cells`] holds the outbox of sealed cells and the queue of cells to fetch, and checks every
//! proof that comes back. It is pure, and knows nothing of what a cell means: an [`Owner`] goes in
//! with each and comes back with each [`CellEvent`].
//!
//! **The outbox** outlives crashes: a cell is a record of the space `cell` before its first PUT, and
//! every retry sends the same bytes. Cells leave in the order in which they were put, within the
//! server's window, and only while [`LogFollower::caught_up`] holds: a device walks to the newest
//! head before any PUT (DESIGN.md section 4, *Sealing*). A parcel's head is held back until its parts
//! are stored ([`Put::after`]), a conversation's lane while its epoch may be over. What the answer to
//! a PUT says is news, never a verdict: the first listing in the log decides.
//!
//! **The queue of fetches** is not stored: whoever wants a cell asks again after a start. Each fetch
//! names the tick that lists the cell. An answer counts only with a proof against the newest
//! verified head (or the listed tick's own, to learn whose a listing is); a cell that is listed but not given is asked for again, ever more slowly, and
//! reported as withheld after [`get::TRIES_BEFORE_WITHHELD`] attempts, unless the server proves that the
//! listing was another tag's.
//!
//! A proof that fails is a [`Breach`](crate::log::Breach) of the log and stops everything.

mod again;
mod archive;
mod bytes;
mod evidence;
mod get;
mod origins;
mod put;
mod record;
#[cfg(test)]
mod tests;
mod witness;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use evidence::Evidence;
pub(crate) use origins::{Counts, Listing};
pub(crate) use put::{Put, PutState};

use crate::mutant::{Mutant, planted};
use crate::{ids::ChatId, link::Post, log::LogFollower, stored::LoadError};
use again::Again;
use archive::Archive;
use get::Fetches;
use origins::Origins;
use put::Outbox;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use undertone_crypto::SlotKeys;
use undertone_wire::{Answer, Cell, CellHash, HeadRef, RefusalKind, Request, Tag};
use witness::Witness;

/// What a cell is to the account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Owner {
    /// A slot of a leaf's own lane.
    Lane {
        /// The conversation.
        chat: ChatId,
        /// Its epoch.
        epoch: u64,
        /// The leaf whose lane it is.
        leaf: u32,
        /// The slot.
        slot: u64,
    },
    /// A slot of the control lane.
    Control {
        /// The conversation.
        chat: ChatId,
        /// Its epoch.
        epoch: u64,
        /// The slot.
        slot: u64,
    },
    /// A part of a parcel that is fetched for a control slot.
    ControlPart {
        /// The conversation.
        chat: ChatId,
        /// Its epoch.
        epoch: u64,
        /// The parcel.
        parcel: [u8; 16],
        /// Which part.
        index: u32,
    },
    /// A part of a parcel that is fetched for a lane slot.
    LanePart {
        /// The conversation.
        chat: ChatId,
        /// Its epoch.
        epoch: u64,
        /// The leaf whose lane it is.
        leaf: u32,
        /// The slot.
        slot: u64,
        /// Which part.
        index: u32,
    },
    /// A part of a parcel that is stored; whose it is does not matter.
    Part {
        /// The parcel.
        parcel: [u8; 16],
    },
    /// A letter of first contact.
    Link {
        /// The link.
        link: [u8; 16],
        /// Which letter.
        post: Post,
        /// Which part of the letter; `None` for its cell.
        index: Option<u32>,
    },
    /// The evidence of where another cell was first listed.
    Evidence {
        /// That cell's tag.
        of: [u8; 32],
    },
    /// A part of a Welcome or a tree.
    Join {
        /// The join.
        join: [u8; 32],
        /// 0: the Welcome; 1: the tree.
        what: u8,
        /// Which part.
        index: u32,
    },
}

impl Owner {
    /// The conversation whose cell it is.
    fn chat(&self) -> Option<ChatId> {
        match self {
            Self::Lane { chat, .. }
            | Self::Control { chat, .. }
            | Self::ControlPart { chat, .. }
            | Self::LanePart { chat, .. } => Some(*chat),
            Self::Part { .. } | Self::Link { .. } | Self::Join { .. } | Self::Evidence { .. } => {
                None
            }
        }
    }
}

/// What a request was for; the account keeps it beside the request's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellAsk {
    /// The storing of a cell.
    Put(Tag),
    /// The fetching of one, which this tick lists where one is known to, in the tree of this head.
    Get(Tag, Option<u64>, HeadRef),
    /// The storing of one that the server has lost.
    Again(Tag),
}

/// What came of putting a cell again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restored {
    /// Everybody will take its first listing for the one that counts.
    Whole,
    /// It is listed again, but not with evidence in time: others take the new listing for its first.
    Late,
    /// Another cell has taken its place, or the server refuses it.
    Lost,
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CellEvent {
    /// The server holds it, and proved so.
    Stored {
        /// Whose.
        owner: Owner,
        /// Where.
        tag: Tag,
        /// The tick that lists it.
        tick: u64,
    },
    /// Another cell holds its tag, and the server proved so. It has left the outbox, unless it is a
    /// part: then it stays and holds back its parcel's head.
    Taken {
        /// Whose.
        owner: Owner,
        /// Where.
        tag: Tag,
        /// Hash of the cell that is there.
        cell: CellHash,
        /// The tick that lists that cell.
        tick: u64,
    },
    /// A cell that a restored server had lost was put again.
    Again {
        /// Whose.
        owner: Owner,
        /// Where.
        tag: Tag,
        /// What that led to.
        outcome: Restored,
    },
    /// The server will never store it; it stays in the outbox and is not sent again until a restart.
    Refused {
        /// Whose.
        owner: Owner,
        /// Where.
        tag: Tag,
        /// Why.
        kind: RefusalKind,
    },
    /// A cell that was fetched, with its proof verified.
    Got {
        /// Who wanted it.
        owner: Owner,
        /// Where.
        tag: Tag,
        /// The cell.
        cell: Cell,
        /// The tick that lists it.
        tick: u64,
    },
    /// Proved: what this tick lists under the tag's prefix are other tags.
    Absent {
        /// Who wanted it.
        owner: Owner,
        /// Where.
        tag: Tag,
        /// The tick that lists the others; `None` when no listing was known.
        tick: Option<u64>,
    },
    /// The server lists it and does not give it. It is asked for again, and again.
    Withheld {
        /// Who wanted it.
        owner: Owner,
        /// Where.
        tag: Tag,
        /// Attempts so far.
        tries: u32,
    },
    /// Older than the server's retention: it will never come.
    Expired {
        /// Who wanted it.
        owner: Owner,
        /// Where.
        tag: Tag,
    },
}

/// The outbox and the fetches; see the module's head.
#[derive(Default)]
pub(crate) struct Cells {
    outbox: Outbox,
    fetches: Fetches,
    archive: Archive,
    again: Again,
    origins: Origins,
    witness: Witness,
    out: Out,
}

type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What waits for the account.
#[derive(Default)]
struct Out {
    events: VecDeque<CellEvent>,
    changes: Changes,
}

impl Cells {
    /// Goes on from the records of [`take_changes`](Self::take_changes).
    ///
    /// # Errors
    /// When a record is damaged or from a newer version.
    pub(crate) fn load<'a>(
        records: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, LoadError> {
        let mut cells = Self::default();
        for (key, bytes) in records {
            let (tag, put) = record::load(key, bytes)?;
            cells.outbox.restore(tag, put);
        }
        Ok(cells)
    }

    /// Takes up the records of [`take_archived`](Self::take_archived).
    ///
    /// # Errors
    /// When a record is damaged or from a newer version.
    pub(crate) fn load_archive<'a>(
        &mut self,
        records: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), LoadError> {
        records.into_iter().try_for_each(|(key, bytes)| self.archive.load(key, bytes))
    }

    /// Puts a sealed cell into the outbox. The tag must be new to it: a slot is sealed once.
    /// Nothing changes when the tag is already there; `false` then.
    pub(crate) fn put(&mut self, put: Put) -> bool {
        self.outbox.put(put, &mut self.out.changes)
    }

    /// Puts the parts of a parcel into the outbox; they leave it once they are stored.
    pub(crate) fn put_parts(&mut self, parts: Vec<(SlotKeys, Cell)>, parcel: [u8; 16]) {
        let kept = parts.len() - usize::from(planted(Mutant::DropPart));
        for (keys, cell) in parts.into_iter().take(kept) {
            let owner = Owner::Part { parcel };
            self.put(Put { tag: keys.tag, write: keys.write, cell, owner, after: Vec::new() });
        }
    }

    /// Holds back the lane cells of a conversation whose epoch may be over, or lets them go.
    pub(crate) fn hold_lane(&mut self, chat: ChatId, hold: bool) {
        self.outbox.hold_lane(chat, hold);
    }

    /// Holds a conversation's change back, cell and parcel, or with `None` lets it go.
    pub(crate) fn hold_change(&mut self, chat: ChatId, parcel: Option<[u8; 16]>) {
        self.outbox.hold_change(chat, parcel);
    }

    /// Takes a conversation's lane and control cells out of the outbox.
    pub(crate) fn forget_chat(&mut self, chat: ChatId) {
        self.forget_where(|owner| owner.chat() == Some(chat));
    }

    /// Takes the letters of a link out of the outbox.
    pub(crate) fn forget_link(&mut self, id: &[u8; 16]) {
        self.forget_where(|owner| matches!(owner, Owner::Link { link, .. } if link == id));
    }

    /// Nothing is put any more.
    pub(crate) fn forget_all(&mut self) {
        self.forget_where(|_| true);
    }

    fn forget_where(&mut self, gone: impl Fn(&Owner) -> bool) {
        let tags: Vec<Tag> =
            self.outbox().filter(|(_, owner, _)| gone(owner)).map(|(tag, ..)| *tag).collect();
        tags.iter().for_each(|tag| self.forget(tag));
    }

    /// A cell of the outbox, stored or not.
    pub(crate) fn sealed_cell(&self, tag: &Tag) -> Option<Cell> {
        self.outbox.cell(tag)
    }

    /// A cell of the outbox of which the server has proved that it holds just these bytes.
    pub(crate) fn stored_cell(&self, tag: &Tag) -> Option<Cell> {
        self.is_stored(tag).then(|| self.sealed_cell(tag)).flatten()
    }

    /// The tick in which a cell of the outbox was stored before a recovery has undone that: it comes
    /// back, and counts there.
    pub(crate) fn comes_back(&self, tag: &Tag, log: &LogFollower) -> Option<u64> {
        self.archive.undone_tick(tag, log).filter(|_| self.is_stored(tag))
    }

    /// Whether the server has proved to hold a cell of the outbox.
    fn is_stored(&self, tag: &Tag) -> bool {
        matches!(self.put_state(tag), Some(PutState::Stored(_)))
    }

    /// Takes a cell out of the outbox, stored or not.
    pub(crate) fn forget(&mut self, tag: &Tag) {
        self.outbox.forget(tag, &mut self.out.changes);
    }

    /// Where a cell of the outbox stands.
    pub(crate) fn put_state(&self, tag: &Tag) -> Option<PutState> {
        self.outbox.state(tag)
    }

    /// Everything in the outbox.
    pub(crate) fn outbox(&self) -> impl Iterator<Item = (&Tag, &Owner, PutState)> {
        self.outbox.iter()
    }

    /// Wants the cell that `tick` lists under the prefix of `tag`; with `None`, the cell that stands
    /// there whenever it was listed, and [`CellEvent::Absent`] when none does. Wanting it again changes
    /// nothing. `false` when the queue is full ([`get::QUEUE_MAX`]): ask again when something has
    /// arrived.
    pub(crate) fn get(&mut self, tag: Tag, tick: Option<u64>, owner: Owner) -> bool {
        let own = self.outbox.state(&tag).is_some();
        self.fetches.want(tag, tick, owner, own)
    }

    /// Cells that are being fetched and have not been withheld.
    pub(crate) fn fetching(&self) -> usize {
        self.fetches.hopeful()
    }

    /// Whether the evidence of where this cell was first listed is being fetched and has not been
    /// withheld.
    pub(crate) fn is_asking_for_origin(&self, tag: &Tag) -> bool {
        let of_tag = |owner: &Owner| matches!(owner, Owner::Evidence { of } if *of == tag.0);
        self.fetches.is_hopeful_of(of_tag)
    }

    /// Whether the server said last that it can store nothing: its disk is full or failing.
    pub(crate) fn server_full(&self) -> bool {
        self.outbox.server_full()
    }

    /// Wants no cell of this conversation any more.
    pub(crate) fn cancel_gets(&mut self, chat: ChatId) {
        self.fetches.cancel_where(|owner| owner.chat() == Some(chat));
    }

    /// Wants no part of this join for now.
    pub(crate) fn cancel_join(&mut self, id: &[u8; 32]) {
        let of_join = |owner: &Owner| matches!(owner, Owner::Join { join, .. } if join == id);
        self.fetches.cancel_where(of_join);
    }

    /// The next request that may be sent now.
    pub(crate) fn poll_request(
        &mut self,
        now_ms: u64,
        log: &LogFollower,
    ) -> Option<(CellAsk, Request)> {
        if !log.caught_up() && !planted(Mutant::PutUnwalked) {
            return None;
        }
        let fetch = self.fetches.poll(now_ms, log, &mut self.out.events);
        if fetch.is_none() && self.again.is_busy() {
            return self.poll_again(now_ms, log);
        }
        fetch.or_else(|| self.outbox.poll(now_ms, log.puts_in_flight_max()))
    }

    /// The server's answer to a request of [`poll_request`](Self::poll_request).
    pub(crate) fn on_answer(
        &mut self,
        now_ms: u64,
        ask: CellAsk,
        answer: Answer,
        log: &mut LogFollower,
    ) {
        if log.halted() {
            return;
        }
        let outcome = match ask {
            CellAsk::Put(tag) => {
                self.outbox.on_answer(now_ms, tag, answer, log, &mut self.archive, &mut self.out)
            }
            CellAsk::Again(tag) => self.on_again(now_ms, tag, answer, log),
            CellAsk::Get(tag, tick, head) => {
                let Self { fetches, witness, out, .. } = self;
                let asked = ((tag, tick), head);
                fetches.on_answer(now_ms, asked, answer, log, witness, &mut out.events)
            }
        };
        if let Err(breach) = outcome {
            log.accuse(breach);
        }
    }

    /// The head of `tick` is known, or cannot be had: what [`LogFollower::want_head_at`] came to.
    pub(crate) fn on_head(&mut self, now_ms: u64, tick: u64, head: Option<HeadRef>) {
        self.fetches.on_head(now_ms, tick, head, &mut self.out.events);
    }

    /// The connection brings something: it lives.
    pub(crate) fn hear(&mut self) {
        self.fetches.hear();
    }

    /// The connection is gone: what was in flight is sent again on the next.
    pub(crate) fn disconnected(&mut self, now_ms: u64) {
        self.outbox.disconnected();
        self.again.disconnected();
        self.fetches.disconnected(now_ms, &mut self.out.events);
    }

    /// The next time after `now_ms` at which [`poll_request`](Self::poll_request) may have something
    /// that it has not now, Unix milliseconds.
    pub(crate) fn next_deadline(&self, now_ms: u64) -> Option<u64> {
        let outbox = self.outbox.deadline(now_ms);
        let again = self.again.deadline(now_ms);
        outbox.into_iter().chain(again).chain(self.fetches.deadline(now_ms)).min()
    }

    /// The next thing to know.
    pub(crate) fn poll_event(&mut self) -> Option<CellEvent> {
        self.out.events.pop_front()
    }

    /// What changed since the last call, for the space `cell`.
    pub(crate) fn take_changes(&mut self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        std::mem::take(&mut self.out.changes).into_iter().collect()
    }

    /// What changed since the last call, for the space `archive`.
    pub(crate) fn take_archived(&mut self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        std::mem::take(&mut self.archive.changes).into_iter().collect()
    }
}

/// The wait before attempt `tries + 1`, Unix milliseconds: doubling from half a second to a minute.
fn backoff_ms(tries: u32) -> u64 {
    (500_u64 << tries.min(7)).min(60_000)
}
