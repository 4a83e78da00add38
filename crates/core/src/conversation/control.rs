//! The control lane: which commit wins this epoch.

use super::fault::Fault;
use super::judge::{Bounds, Case, Halt, Judgement, Verdict, Win};
use super::{Conversation, Ctx, Reading};
use crate::cells::{Counts, Listing, Owner};
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
    Stuck { closing: u64, halt: Halt },
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
        let control = self.judge_slots(ctx);
        self.reading.limit = match &control {
            Control::Open => None,
            Control::Waiting(listed) => Some(listed - 1),
            Control::Won(win) => Some(win.closing),
            Control::Stuck { closing, .. } => Some(*closing),
        };
        control
    }

    fn judge_slots(&mut self, ctx: &mut Ctx<'_>) -> Control {
        loop {
            let keys = self.epoch.control.keys(&ctx.me.server).clone();
            let listing = self.reading.collisions.listed(&keys, self.epoch.opened, ctx);
            let Some(Listing { stands, counts }) = listing else {
                self.reading.control = None;
                return Control::Open;
            };
            let listed = match counts {
                Counts::At(listed) => listed,
                Counts::NotBefore(earliest) => return Control::Waiting(earliest),
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
                ctx.cells.get(keys.tag, Some(stands), Owner::Control { chat, epoch, slot });
                return Control::Waiting(listed);
            }
            match self.verdict(ctx) {
                None => return Control::Waiting(listed),
                Some(Verdict::Void(check)) => {
                    self.count_skipped(check.number());
                    self.skip_void(listed, ctx);
                }
                Some(Verdict::Stuck(halt)) => {
                    return Control::Stuck { closing: self.epoch.closing.max(listed), halt };
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
        // None yet where it is not known whether they are listed in time.
        let Some(parts) = &read.parts else { return };
        let parcel = parts.reference().local_id();
        for index in parts.missing().take(super::lanes::AHEAD) {
            let keys = parts.reference().keys(&ctx.me.server, index);
            let listing = self.reading.collisions.listed(&keys, bounds.opened, ctx);
            let stands = listing.map(|listing| listing.stands);
            ctx.cells.get(keys.tag, stands, Owner::ControlPart { chat, epoch, parcel, index });
        }
    }

    fn skip_void(&mut self, listed: u64, ctx: &mut Ctx<'_>) {
        self.epoch.closing = self.epoch.closing.max(listed);
        self.keep_control(ctx);
        self.epoch.control.step();
        self.reading.control = None;
        self.touch();
        self.move_pending(ctx);
    }

    /// Keeps the control cell that was judged, in case the server loses it.
    fn keep_control(&mut self, ctx: &mut Ctx<'_>) {
        let (chat, epoch, slot) = (self.chat, self.epoch.number, self.epoch.control.index());
        let keys = self.epoch.control.keys(&ctx.me.server);
        ctx.cells.keep_fetched(keys, Owner::Control { chat, epoch, slot }, ctx.log);
    }

    /// Keeps the commit that is merged.
    pub(super) fn keep_commit(&mut self, ctx: &mut Ctx<'_>) {
        let parts = self.reading.control.as_ref().and_then(|read| read.parts.as_ref());
        if let Some(parcel) = parts.map(|parts| parts.reference().clone()) {
            let owner = Owner::Part { parcel: parcel.local_id() };
            for index in 0..parcel.parts() {
                let keys = parcel.keys(&ctx.me.server, index);
                ctx.cells.keep_fetched(&keys, owner.clone(), ctx.log);
            }
        }
        self.keep_control(ctx);
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
