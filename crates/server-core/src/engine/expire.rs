//! Forgetting: whole hours, once everything in them is older than the retention.

use super::Engine;
use crate::{CellStore, HourSpan, LogError, SpineRecord};
use undertone_wire::SegmentLevel;

impl<S: CellStore> Engine<S> {
    /// Deletes the hours whose every cell is older than the retention, and tells how many cells
    /// that were. When that is all there is, an empty tick takes the log on first.
    ///
    /// # Errors
    /// [`LogError`] when the store fails, also where it only fails to free what has been deleted; what
    /// was deleted until then is gone, the rest is whole. The next call goes on.
    pub fn expire(&self, now_ms: u64) -> Result<u64, LogError> {
        let before_ms = now_ms.saturating_sub(self.config.retention_ms);
        let sealed = match self.newest_hour_is_over(before_ms) {
            true => self.seal_empty(now_ms).map(drop),
            false => Ok(()),
        };
        // The hours before the newest do not wait for it.
        let mut cells = 0;
        while let Some(span) = self.store.expirable().filter(|span| is_over(span, before_ms)) {
            cells += self.expire_hour(&span)?;
        }
        let tidied = self.store.tidy();
        sealed?;
        tidied?;
        Ok(cells)
    }

    fn newest_hour_is_over(&self, before_ms: u64) -> bool {
        let Some(newest) = self.store.ticks().map(|ticks| *ticks.end()) else { return false };
        let Some(slot) = self.store.slot(newest) else { return false };
        let hour = slot.time_ms / SegmentLevel::Hour.length_ms();
        let first = self.store.first_tick_from(hour * SegmentLevel::Hour.length_ms());
        end_ms(hour) <= before_ms && self.store.cells_in(first.unwrap_or(newest)..=newest) > 0
    }

    fn expire_hour(&self, span: &HourSpan) -> Result<u64, LogError> {
        // Sealing appends to the log that is read here: one at a time.
        let _sealer = self.sealer();
        let nodes = self.view().log.tiles(span.leaves.clone(), &self.store)?;
        let record = SpineRecord {
            hour: span.hour,
            first_tick: *span.ticks.start(),
            last_tick: *span.ticks.end(),
            first_leaf: span.leaves.start,
            end_leaf: span.leaves.end,
            nodes,
        };
        self.store.expire(&record)?;
        let mut view = self.view_mut();
        view.log.expire(&record);
        view.recent.expire(record.last_tick);
        drop(view);
        self.rebuilt().expire(record.last_tick);
        Ok(span.cells)
    }
}

fn is_over(span: &HourSpan, before_ms: u64) -> bool {
    end_ms(span.hour) <= before_ms
}

fn end_ms(hour: u64) -> u64 {
    (hour + 1) * SegmentLevel::Hour.length_ms()
}
