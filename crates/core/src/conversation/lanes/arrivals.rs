//! Cells and parts that arrive for lanes, and those that do not.

use super::{LaneOf, LaneRead};
use crate::conversation::{Conversation, Ctx};
use crate::io::Event;
use undertone_wire::{Cell, Tag};

impl Conversation {
    /// A lane cell that was asked for has arrived.
    pub(crate) fn on_lane_cell(&mut self, lane: LaneOf, slot: u64, cell: Cell) {
        if let Some(read) = self.read_of_slot(lane, slot) {
            read.cell = Some(cell);
        }
    }

    /// Cells that are listed, asked for in vain, and still awaited.
    pub(crate) fn withheld(&self) -> usize {
        let reads = self.reading.lanes.values().flat_map(|ahead| &ahead.reads);
        reads.filter(|read| read.withheld && read.cell.is_none()).count()
    }

    /// A part of a lane cell's parcel has arrived.
    pub(crate) fn on_lane_part(&mut self, lane: LaneOf, slot: u64, index: u32, cell: Cell) {
        let parts = self.read_of_slot(lane, slot).and_then(|read| read.parts.as_mut());
        if let Some(parts) = parts {
            parts.take(index, cell);
        }
    }

    /// The server lists a lane cell, or a part of it, and did not deliver it when asked repeatedly.
    pub(crate) fn on_lane_withheld(&mut self, lane: LaneOf, slot: u64, ctx: &mut Ctx<'_>) {
        let Some(read) = self.read_of_slot(lane, slot) else { return };
        if std::mem::replace(&mut read.withheld, true) {
            return;
        }
        let Some(at) = self.find_epoch(lane.0) else { return };
        let who = self.author_name(at, lane.1, ctx);
        let text = format!(
            "Messages from {who} are listed by the server but not delivered; still asking for them."
        );
        ctx.news.event(Event::Gap { chat: self.chat, text });
    }

    /// A lane cell is gone from the server for good.
    pub(crate) fn on_lane_expired(&mut self, lane: LaneOf, slot: u64) {
        if let Some(read) = self.read_of_slot(lane, slot) {
            read.expired = true;
        }
    }

    /// What was taken for the listing of a lane cell is another tag's: the slot may not be listed at
    /// all, so the lane is searched again from there.
    pub(crate) fn on_lane_absent(&mut self, lane: LaneOf, slot: u64, tag: Tag, tick: u64) {
        self.reading.collisions.note(tag, tick);
        self.reading.scanned.remove(&lane.0);
        let Some(at) = self.find_epoch(lane.0) else { return };
        let Some(next) = self.epoch_at(at).lanes.get(&lane.1).map(|read| read.next.clone()) else {
            return;
        };
        let keep = slot.checked_sub(next.index()).and_then(|keep| usize::try_from(keep).ok());
        if let (Some(ahead), Some(keep)) = (self.reading.lanes.get_mut(&lane), keep) {
            ahead.cut(next, keep);
        }
    }

    /// What was taken for the listing of a part is another tag's: its head is judged by what is left.
    pub(crate) fn on_lane_part_absent(&mut self, tag: Tag, tick: u64) {
        self.reading.collisions.note(tag, tick);
    }

    fn read_of_slot(&mut self, lane: LaneOf, slot: u64) -> Option<&mut LaneRead> {
        let at = self.find_epoch(lane.0)?;
        let next = self.epoch_at(at).lanes.get(&lane.1)?.next.index();
        self.read_mut(lane, usize::try_from(slot.checked_sub(next)?).ok()?)
    }

    pub(super) fn read_mut(&mut self, lane: LaneOf, ahead: usize) -> Option<&mut LaneRead> {
        self.reading.lanes.get_mut(&lane)?.reads.get_mut(ahead)
    }
}
