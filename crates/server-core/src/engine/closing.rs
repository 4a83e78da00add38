//! Which segments a new tick closes.

use crate::{CellStore, StoreError};
use undertone_wire::{SegmentLeaf, SegmentLevel};

/// For each level the segment that the newest tick lies in, and its first tick.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenSegments {
    newest: Option<(u64, u64)>,
    first_ticks: [u64; SegmentLevel::ALL.len()],
}

impl OpenSegments {
    /// As a store has them; `recovered_after` is what its newest head declares. No segment spans a
    /// recovery: each begins in the present life of the log.
    pub(super) fn of(store: &dyn CellStore, recovered_after: Option<u64>) -> Self {
        let newest = store.ticks().map(|ticks| *ticks.end());
        let newest = newest.and_then(|tick| Some((tick, store.slot(tick)?.time_ms)));
        let Some((tick, time_ms)) = newest else { return Self::default() };
        let life = recovered_after.and_then(|after| store.tick_from(after.saturating_add(1)));
        let life = life.unwrap_or_default();
        let first_ticks = SegmentLevel::ALL.map(|level| {
            let start = time_ms - time_ms % level.length_ms();
            store.first_tick_from(start).unwrap_or(tick).max(life)
        });
        Self { newest, first_ticks }
    }

    /// The leaves of the segments that a tick at `time_ms` closes, the shortest first.
    pub(super) fn closed_by(
        &self,
        time_ms: u64,
        store: &dyn CellStore,
    ) -> Result<Vec<SegmentLeaf>, StoreError> {
        let Some((last_tick, before_ms)) = self.newest else { return Ok(Vec::new()) };
        let mut closed = Vec::new();
        for (level, first_tick) in SegmentLevel::ALL.into_iter().zip(self.first_ticks) {
            let index = before_ms / level.length_ms();
            if index == time_ms / level.length_ms() {
                continue;
            }
            let entries = store.entries(first_tick..=last_tick)?;
            let entries_hash = SegmentLeaf::hash_entries(&entries);
            closed.push(SegmentLeaf { level, index, first_tick, last_tick, entries_hash });
        }
        Ok(closed)
    }

    /// Takes note of a sealed tick.
    pub(super) fn advance(&mut self, tick: u64, time_ms: u64) {
        for (level, first) in SegmentLevel::ALL.into_iter().zip(&mut self.first_ticks) {
            let before = self.newest.map(|(_, before_ms)| before_ms / level.length_ms());
            if before != Some(time_ms / level.length_ms()) {
                *first = tick;
            }
        }
        self.newest = Some((tick, time_ms));
    }
}
