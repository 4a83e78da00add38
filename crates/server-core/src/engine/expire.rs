//! Forgetting: whole hours, once everything in them is older than the retention.
//!
//! A client takes a missing cell for expired, and not for withheld, only where the newest head is
//! later than the cell by the retention; so it does with a head of its own whose proof has expired.
//! A server that nobody writes to therefore seals a head that shows the time before it deletes
//! anything: an empty tick, which lists nothing and takes a few hundred bytes.

use super::Engine;
use crate::{CellStore, HourSpan, LogError, SpineRecord};
use undertone_wire::SegmentLevel;

const HOUR_MS: u64 = SegmentLevel::Hour.length_ms();

impl<S: CellStore> Engine<S> {
    /// Deletes the hours whose every cell is older than the retention, and tells how many cells
    /// that were. Where no head shows yet that they are, an empty tick comes first.
    ///
    /// # Errors
    /// [`LogError`] when the store fails, also where only the empty tick could not be stored (what is
    /// due goes all the same, but for the newest hour), or what has been deleted could not be freed.
    /// What was deleted until then is gone, the rest is whole. The next call goes on.
    pub fn expire(&self, now_ms: u64) -> Result<u64, LogError> {
        let before_ms = now_ms.saturating_sub(self.config.retention_ms);
        let shown = match self.expires_unseen(before_ms) {
            true => self.seal_empty(now_ms).map(drop),
            false => Ok(()),
        };
        let mut cells = 0;
        while let Some(span) = self.store.expirable().filter(|span| is_over(span, before_ms)) {
            cells += self.expire_hour(&span)?;
        }
        let tidied = self.store.tidy();
        // On a disk that was full there is room now.
        shown.or_else(|_| self.seal_empty(now_ms).map(drop))?;
        tidied?;
        Ok(cells)
    }

    /// Whether something is due that somebody could miss, and the newest head is too old to show it.
    fn expires_unseen(&self, before_ms: u64) -> bool {
        let due_ms = before_ms - before_ms % HOUR_MS;
        let Some(ticks) = self.store.ticks() else { return false };
        let first_kept = self.store.first_tick_from(due_ms);
        let last_due = first_kept.map_or(*ticks.end(), |first| first.saturating_sub(1));
        if last_due < *ticks.start() {
            return false;
        }
        // One empty tick alone is missed by nobody: no cell is lost with it, and the head of an
        // hour's last tick stays provable. Else the tick sealed here would beget another.
        let due = *ticks.start()..=last_due;
        let lone = due.start() == due.end() && self.store.cells_in(due) == 0;
        !lone && self.newest().head.time_ms < due_ms.saturating_add(self.config.retention_ms)
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
    (span.hour + 1) * HOUR_MS <= before_ms
}
