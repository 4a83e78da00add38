//! One step of a conversation after something has changed: read, merge, write.

use super::control::Control;
use super::judge::Halt;
use super::lanes::{At, Reached};
use super::{Conversation, Ctx, Intent};
use crate::io::ChatKind;
use crate::mutant::{Mutant, planted};

impl Conversation {
    /// Does everything that can be done now.
    pub(crate) fn advance(&mut self, ctx: &mut Ctx<'_>) {
        self.hold_pending(ctx);
        self.read_past(ctx);
        while self.is_live() && self.advance_epoch(ctx) {}
        if self.is_live() {
            self.write(ctx);
        }
    }

    /// Reads the present epoch as far as possible; true when it has ended and another began.
    fn advance_epoch(&mut self, ctx: &mut Ctx<'_>) -> bool {
        match self.control(ctx) {
            Control::Open => {
                ctx.cells.hold_lane(self.chat, false);
                self.read_lanes(At::Now, ctx.log.walked(), ctx);
                false
            }
            Control::Waiting(listed) => {
                ctx.cells.hold_lane(self.chat, true);
                if self.pending.is_none() || !planted(Mutant::MergeUnread) {
                    self.read_lanes(At::Now, listed - 1, ctx);
                }
                false
            }
            Control::Won(win) => {
                ctx.cells.hold_lane(self.chat, true);
                let limit = if planted(Mutant::LateCell) { u64::MAX } else { win.closing };
                let reached = match win.theirs.is_none() && planted(Mutant::MergeUnread) {
                    true => self.leave_unread(),
                    false => self.read_lanes(At::Now, limit, ctx),
                };
                reached != Reached::Fetching && self.is_live() && self.merge(&win, ctx)
            }
            Control::Stuck { closing, halt } => {
                ctx.cells.hold_lane(self.chat, true);
                if self.read_lanes(At::Now, closing, ctx) != Reached::Fetching && self.is_live() {
                    self.halt(&halt, ctx);
                }
                false
            }
        }
    }

    /// A planted bug: what is listed in this epoch and not read is forgotten.
    fn leave_unread(&mut self) -> Reached {
        let ended = self.epoch.number;
        self.reading.lanes.retain(|(epoch, _), _| *epoch != ended);
        Reached::Limit
    }

    fn halt(&mut self, halt: &Halt, ctx: &mut Ctx<'_>) {
        match halt {
            Halt::Unfollowed(why) => self.become_stuck(why, ctx),
            Halt::Copied => self.become_copied("a commit was made in this device's name", ctx),
        }
    }

    /// Reads epochs that have ended and still wait for a cell; forgets those that are complete.
    fn read_past(&mut self, ctx: &mut Ctx<'_>) {
        for index in (0..self.past.len()).rev() {
            let (opened, closed) = (self.past[index].epoch.opened, self.past[index].closed);
            let live = self.is_live();
            if live
                && self.read_lanes(At::Past(index), closed, ctx) == Reached::Limit
                && self.is_live()
                && !Self::reads_on(opened, closed, ctx)
            {
                let number = self.past.remove(index).epoch.number;
                self.reading.lanes.retain(|(epoch, _), _| *epoch != number);
                self.reading.scanned.remove(&number);
                self.forget_secrets(ctx);
            }
        }
    }

    /// Erases the message secrets of epochs that nothing waits for any more.
    pub(super) fn forget_secrets(&mut self, ctx: &mut Ctx<'_>) {
        let oldest = self.past.iter().map(|past| past.epoch.number).min();
        let oldest = oldest.unwrap_or(self.epoch.number);
        let Some(live) = self.live(ctx) else { return };
        if let Err(refused) = live.group.forget_epochs_before(ctx.mls, oldest) {
            self.become_stuck(&format!("old secrets cannot be erased ({refused})"), ctx);
        }
        self.touch();
    }

    /// Seals what waits, and makes the commit that is wanted; only in an epoch that is open as far
    /// as the newest head that the server has shown.
    fn write(&mut self, ctx: &mut Ctx<'_>) {
        let open = self.reading.control.is_none() && !self.succession.yields;
        let waits = ctx.groups_wait && self.kind() == ChatKind::Group;
        // What a restored server has lost goes first.
        if !open || waits || !ctx.log.caught_up() || ctx.cells.is_restoring() {
            return;
        }
        if self.is_own_place_unsure() {
            self.want(Intent::Heal);
        }
        if self.may_seal() {
            self.seal_queue(ctx);
        }
        if self.is_live() {
            self.want_silent_removed(ctx);
            self.commit_or_go_on(ctx);
        }
    }

    /// What waited for a wish that is given up waits no more.
    fn commit_or_go_on(&mut self, ctx: &mut Ctx<'_>) {
        let wishes = self.intents.len();
        self.commit_if_due(ctx);
        if self.intents.len() < wishes && self.may_seal() && self.is_live() {
            self.seal_queue(ctx);
        }
    }

    fn may_seal(&self) -> bool {
        !self.held && !self.is_own_place_unsure()
    }

    /// Whether the others may count fewer of one's own cells in this epoch: what is written now might
    /// not count. Whoever leaves has nothing to lose by it.
    fn is_own_place_unsure(&self) -> bool {
        let own = self.epoch.lanes.get(&self.epoch.own.leaf);
        !self.leaving && own.is_some_and(|lane| lane.unknown > 0)
    }
}
