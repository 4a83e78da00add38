//! The control lane: which commit wins this epoch.

use super::judge::{Bounds, Case, Judgement, Verdict, Win};
use super::{Conversation, Ctx, Reading};
use crate::cells::Owner;
use crate::parcel::Gathering;
use undertone_wire::{Cell, Tag};

/// Where the control lane stands, as far as the log is walked.
pub(super) enum Control {
    /// No undecided slot is listed: the epoch is open.
    Open,
    /// The next slot is listed in this tick and cannot be judged yet.
    Waiting(u64),
    /// A commit has won.
    Won(Box<Win>),
    /// A commit has won that this device cannot follow; the epoch closed at this tick.
    Stuck { closing: u64, why: String },
}

/// The control slot that is being judged.
pub(super) struct ControlRead {
    /// Tick of its first listing.
    pub listed: u64,
    /// Its cell, once delivered.
    pub cell: Option<Cell>,
    /// Its parts.
    pub parts: Option<Gathering>,
    /// Whether its parts were found to be listed in time: that does not change, unless a listing
    /// turns out to be another tag's.
    pub listings_fit: bool,
    /// The verdict, once there is one: judging costs, and never changes.
    pub verdict: Option<Verdict>,
}

impl Conversation {
    /// Judges control slots in order until one is open, waits, or ends the epoch.
    pub(super) fn control(&mut self, ctx: &mut Ctx<'_>) -> Control {
        loop {
            let tag = self.epoch.control.keys(&ctx.me.server).tag;
            let listed = self.reading.collisions.listed(&tag, self.epoch.opened, ctx.log);
            let Some(listed) = listed else {
                self.reading.control = None;
                return Control::Open;
            };
            let read = self.reading.control.get_or_insert(ControlRead {
                listed,
                cell: None,
                parts: None,
                listings_fit: false,
                verdict: None,
            });
            if read.cell.is_none() {
                let (chat, epoch) = (self.chat, self.epoch.number);
                let slot = self.epoch.control.index();
                ctx.cells.get(tag, Some(listed), Owner::Control { chat, epoch, slot });
                return Control::Waiting(listed);
            }
            match self.verdict(ctx) {
                None => return Control::Waiting(listed),
                Some(Verdict::Void(check)) => {
                    self.count_skipped(check.number());
                    self.skip_void(listed, ctx);
                }
                Some(Verdict::Stuck(why)) => {
                    return Control::Stuck { closing: self.epoch.closing.max(listed), why };
                }
                Some(Verdict::Won(win)) => return Control::Won(win),
            }
        }
    }

    fn verdict(&mut self, ctx: &mut Ctx<'_>) -> Option<Verdict> {
        let mut read = self.reading.control.take()?;
        if read.verdict.is_none() {
            read.verdict = self.judge_control(&mut read, ctx);
        }
        let verdict = read.verdict.clone();
        self.reading.control = Some(read);
        verdict
    }

    fn judge_control(&mut self, read: &mut ControlRead, ctx: &mut Ctx<'_>) -> Option<Verdict> {
        let closing = self.epoch.closing.max(read.listed);
        let keys = self.epoch.control.keys(&ctx.me.server).clone();
        let bounds = Bounds { opened: self.epoch.opened, listed: read.listed, closing };
        let pending = self.pending.as_ref().map(|pending| pending.parcel.clone());
        let conversation = self.conversation;
        self.live(ctx)?;
        let Self { live: Some(live), reading: Reading { collisions, .. }, .. } = self else {
            return None;
        };
        let conversation = &conversation;
        let case = Case { live, conversation, keys: &keys, bounds, pending, collisions };
        match case.judge(read, ctx) {
            Judgement::Done(verdict) => Some(verdict),
            Judgement::NeedParts => {
                self.fetch_parts(read, bounds, ctx);
                None
            }
        }
    }

    /// Asks for the parts that have not come.
    fn fetch_parts(&self, read: &ControlRead, bounds: Bounds, ctx: &mut Ctx<'_>) {
        let (chat, epoch) = (self.chat, self.epoch.number);
        let parts = read.parts.as_ref().expect("parts are needed of a known parcel");
        let parcel = parts.reference().local_id();
        for index in parts.missing().take(super::lanes::AHEAD) {
            let tag = parts.reference().keys(&ctx.me.server, index).tag;
            let listed = self.reading.collisions.listed(&tag, bounds.opened, ctx.log);
            ctx.cells.get(tag, listed, Owner::ControlPart { chat, epoch, parcel, index });
        }
    }

    fn skip_void(&mut self, listed: u64, ctx: &mut Ctx<'_>) {
        self.epoch.closing = self.epoch.closing.max(listed);
        self.epoch.control.step();
        self.reading.control = None;
        self.touch();
        self.move_pending(ctx);
    }

    /// A control cell that was asked for has arrived.
    pub(crate) fn on_control_cell(&mut self, epoch: u64, slot: u64, cell: Cell) {
        if (epoch, slot) == (self.epoch.number, self.epoch.control.index())
            && let Some(read) = &mut self.reading.control
        {
            read.cell = Some(cell);
        }
    }

    /// A part of the control cell's parcel has arrived.
    pub(crate) fn on_control_part(&mut self, epoch: u64, parcel: [u8; 16], index: u32, cell: Cell) {
        if epoch == self.epoch.number
            && let Some(parts) = self.reading.control.as_mut().and_then(|read| read.parts.as_mut())
            && parts.reference().local_id() == parcel
        {
            parts.take(index, cell);
        }
    }

    /// What was taken for the listing of this control cell, or of one of its parts, is another
    /// tag's: it is judged by what is left.
    pub(crate) fn on_control_absent(&mut self, tag: Tag, tick: u64, part: bool) {
        self.reading.collisions.note(tag, tick);
        match &mut self.reading.control {
            Some(read) if part => read.listings_fit = false,
            read => *read = None,
        }
    }
}
