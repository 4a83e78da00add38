//! What a restored server has lost, in one conversation (ADR 0010).
//!
//! A lost change comes back with its first listing when a member who has merged it comes back. Until
//! then this epoch may in truth have ended: no change is made for a while, and what one writes in it
//! is remembered until the epoch's end is known, to be sealed again if it came too late; what one reads
//! there moves then with its author's next sealing.

use super::{Author, Conversation, Ctx, Reading};
use crate::ids::MessageId;
use crate::log::Hole;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// For so long no change is made after a recovery: those who know of a lost one come back.
const WAIT_MS: u64 = 240_000;
/// For so long an epoch of which some was lost is read on: its authors come back.
const READ_ON_MS: u64 = 7 * 86_400_000;

/// Others' messages of which it is remembered at most that they may not count where they stand.
const UNSURE_MAX: usize = 4_096;

/// Others' messages that were read in an epoch which may in truth have ended before.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Unsure {
    /// The ticks of those in the present epoch.
    read: BTreeMap<MessageId, u64>,
    /// Those that did not count: their authors write them again.
    void: BTreeSet<MessageId>,
}

impl Unsure {
    /// Beyond the limit a message stays where it stands.
    pub(super) fn note(&mut self, message: MessageId, tick: u64) {
        if self.read.len() + self.void.len() < UNSURE_MAX {
            self.read.insert(message, tick);
        }
    }

    /// Whether this message stands at a place that did not count; it does no more.
    pub(super) fn comes_again(&mut self, message: &MessageId) -> bool {
        self.void.remove(message)
    }

    fn settle(&mut self, closing: u64) {
        let read = std::mem::take(&mut self.read).into_iter();
        self.void.extend(read.filter(|(_, tick)| *tick > closing).map(|(message, _)| message));
    }
}

impl Conversation {
    /// The server has lost ticks; `until` is the first of its new life.
    pub(crate) fn wait_for_the_lost(&mut self, until: u64, ctx: &mut Ctx<'_>) {
        // What was seen listed and is not read yet stands elsewhere now, if anywhere.
        self.reading = Reading::default();
        if self.is_live() && self.epoch.opened < until {
            self.pace.wait_until_ms = self.pace.wait_until_ms.max(ctx.now_ms + WAIT_MS);
            self.touch();
        }
        self.hold_pending(ctx);
    }

    /// One's own change that was under way may have been stored in the lost time. Whoever has followed it
    /// then shows where it was first listed, and is let go first: else it would count twice.
    pub(super) fn hold_pending(&mut self, ctx: &mut Ctx<'_>) {
        let waits = ctx.now_ms < self.pace.waits_until_ms(ctx.now_ms);
        let waits = waits && self.may_have_ended(ctx);
        let pending = self.pending.as_ref().filter(|_| waits).and_then(super::Pending::parcel);
        ctx.cells.hold_change(self.chat, pending.map(|parcel| parcel.local_id()));
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

    /// Whether the server was restored since the present epoch opened.
    pub(super) fn may_have_ended(&self, ctx: &Ctx<'_>) -> bool {
        self.may_have_ended_before(u64::MAX, ctx)
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
        self.numbered_in.get(author).is_none_or(|tick| ctx.log.is_undone(*tick))
    }

    /// The epoch has ended at the tick `closing`: what was read in it above that comes again, with the
    /// number that it had.
    pub(super) fn settle_unsure(&mut self, closing: u64) {
        self.unsure.settle(closing);
        self.numbered_in.retain(|_, tick| *tick <= closing);
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
