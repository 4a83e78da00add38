//! Which segments a tick must have closed, worked out anew.

use undertone_wire::{CellLeaf, Prefix, SegmentLeaf, SegmentLevel};

/// The entries of the current day, and where each level's open segment began.
#[derive(Debug, Default)]
pub(super) struct Reopened {
    newest: Option<(u64, u64)>,
    /// First tick per level; `None` while it lies before what is held.
    first_ticks: [Option<u64>; SegmentLevel::ALL.len()],
    /// (prefix, tick) in the order of ticks, for the current day.
    entries: Vec<(Prefix, u64)>,
    /// The next tick begins a life of the log: segments begin with it.
    anew: bool,
}

impl Reopened {
    /// Before the first tick after a recovery: no segment spans it.
    pub(super) fn anew() -> Self {
        Self { anew: true, ..Self::default() }
    }

    /// Whether `closed` is what a tick at `time_ms` had to close. What began before the oldest
    /// tick that is held cannot be judged, and is taken.
    pub(super) fn agrees(&self, closed: &[SegmentLeaf], time_ms: u64, begins_late: bool) -> bool {
        let Some((last_tick, before_ms)) = self.newest else {
            return begins_late || closed.is_empty();
        };
        let ended = SegmentLevel::ALL
            .into_iter()
            .zip(self.first_ticks)
            .filter(|(level, _)| before_ms / level.length_ms() != time_ms / level.length_ms());
        let ended: Vec<_> = ended.collect();
        let judge = |((level, first), leaf): (&(SegmentLevel, Option<u64>), &SegmentLeaf)| {
            let index = before_ms / level.length_ms();
            let named = (leaf.level, leaf.index, leaf.last_tick) == (*level, index, last_tick);
            named
                && first.is_none_or(|first| {
                    leaf.first_tick == first && leaf.entries_hash == self.hash_from(first)
                })
        };
        ended.len() == closed.len() && ended.iter().zip(closed).all(judge)
    }

    fn hash_from(&self, first_tick: u64) -> undertone_wire::Hash {
        let start = self.entries.partition_point(|(_, tick)| *tick < first_tick);
        let mut entries = self.entries[start..].to_vec();
        entries.sort();
        SegmentLeaf::hash_entries(&entries)
    }

    pub(super) fn advance(&mut self, tick: u64, time_ms: u64, leaves: &[CellLeaf]) {
        let is_new = |level: SegmentLevel, before_ms: u64| {
            before_ms / level.length_ms() != time_ms / level.length_ms()
        };
        for (level, first) in SegmentLevel::ALL.into_iter().zip(&mut self.first_ticks) {
            match self.newest {
                Some((_, before_ms)) if is_new(level, before_ms) => *first = Some(tick),
                None if tick == 1 || self.anew => *first = Some(tick),
                _ => {}
            }
        }
        if self.newest.is_some_and(|(_, before_ms)| is_new(SegmentLevel::Day, before_ms)) {
            self.entries.clear();
        }
        self.entries.extend(leaves.iter().map(|leaf| (leaf.tag.prefix(), tick)));
        (self.newest, self.anew) = (Some((tick, time_ms)), false);
    }
}
