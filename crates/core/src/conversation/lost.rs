//! What a restored server has lost, in one conversation (ADR 0010).
//!
//! A lost change comes back with its first listing when a member who has merged it comes back. Until
//! then this epoch may in truth have ended: no change is made for a while, and what one writes in it
//! is remembered until the epoch's end is known, to be sealed again if it came too late.

use super::{Author, Conversation, Ctx, Reading};
use crate::log::Hole;

/// For so long no change is made after a recovery: those who know of a lost one come back.
const WAIT_MS: u64 = 240_000;
/// For so long an epoch of which some was lost is read on: its authors come back.
const READ_ON_MS: u64 = 7 * 86_400_000;

impl Conversation {
    /// The server has lost ticks; `until` is the first of its new life.
    pub(crate) fn wait_for_the_lost(&mut self, until: u64, ctx: &mut Ctx<'_>) {
        // What was seen listed and is not read yet stands elsewhere now, if anywhere.
        self.reading = Reading::default();
        if self.is_live() && self.epoch.opened < until {
            self.pace.wait_until_ms = self.pace.wait_until_ms.max(ctx.now_ms + WAIT_MS);
            self.touch();
        }
    }

    /// A change that was followed here could not be put again as it was: those who had not followed
    /// it never will.
    pub(crate) fn on_lost_change(&mut self, epoch: u64, ctx: &mut Ctx<'_>) {
        if epoch < self.epoch.number && self.is_live() {
            self.become_stuck(
                "the server was restored from a backup and lost a change of it, and another has \
                 taken its place",
                ctx,
            );
        }
    }

    /// What was taken for the first listing of some cell is not: the lanes are searched again.
    pub(crate) fn look_again(&mut self) {
        self.reading.scanned.clear();
    }

    /// Whether the end of the present epoch may have been lost and come back, for what counts in
    /// `tick`.
    pub(super) fn may_have_ended_before(&self, tick: u64, ctx: &Ctx<'_>) -> bool {
        let opened = self.epoch.opened;
        ctx.log.holes().iter().any(|hole| opened < hole.until && hole.until <= tick)
    }

    /// Whether a message may bear a number that its author has used: the newest one counted in a time
    /// that the server has lost since, and they may not know. That it may be the same message once more
    /// does no harm: histories keep one.
    pub(super) fn may_repeat_numbers(&self, author: &Author, ctx: &Ctx<'_>) -> bool {
        self.numbered_in.get(author).is_some_and(|tick| ctx.log.is_undone(*tick))
    }

    /// Whether an epoch that lasted from `opened` to `closed` is read on: some of it was lost, and not
    /// every author has come back, yet. What they put again counts in the tick in which it was first.
    pub(super) fn reads_on(opened: u64, closed: u64, ctx: &Ctx<'_>) -> bool {
        let now_ms = ctx.log.time_ms();
        let recent = |time_ms: u64| now_ms.saturating_sub(time_ms) < READ_ON_MS;
        let lost = |hole: &Hole| opened < hole.until && hole.after < closed;
        ctx.log.holes().iter().any(|hole| lost(hole) && recent(hole.time_ms))
    }
}
