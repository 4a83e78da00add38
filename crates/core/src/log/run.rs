//! A run of consecutive ticks: what they list, searchable, and their heads where they are known.

use super::{
    HeadMark,
    records::{unversioned, versioned},
};
use crate::stored::LoadError;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_wire::{Prefix, SegmentAnswer, TickDigest};

/// Entries and heads of a run at most, where runs are merged: about a megabyte as a record.
const WEIGHT_MAX: usize = 16_384;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    first: u64,
    last: u64,
    /// Heads of its ticks, ascending; ticks that came in a closed segment have none.
    marks: Vec<HeadMark>,
    /// (prefix, tick), sorted.
    entries: Vec<(Prefix, u64)>,
}

#[derive(TlsSize, TlsSerialize, TlsDeserializeBytes)]
struct Record {
    first: u64,
    last: u64,
    marks: Vec<HeadMark>,
    entries: Vec<RecordEntry>,
}

#[derive(Debug, TlsSize, TlsSerialize, TlsDeserializeBytes)]
struct RecordEntry {
    prefix: Prefix,
    /// Tick, counted from the run's first.
    offset: u32,
}

impl Run {
    /// A page's ticks with their marks; `None` of nothing.
    pub(super) fn of_ticks(ticks: &[TickDigest], marks: Vec<HeadMark>) -> Option<Self> {
        let (first, last) = (marks.first()?.tick, marks.last()?.tick);
        let listed = |tick: &TickDigest| {
            let number = tick.tick;
            tick.prefixes.iter().map(move |prefix| (*prefix, number)).collect::<Vec<_>>()
        };
        let mut entries: Vec<_> = ticks.iter().flat_map(listed).collect();
        entries.sort_unstable();
        Some(Self { first, last, marks, entries })
    }

    /// A verified segment's ticks.
    pub(super) fn of_segment(answer: &SegmentAnswer) -> Self {
        let entries = answer.entries.iter().map(|entry| (entry.prefix, entry.tick)).collect();
        let (first, last) = (answer.leaf.first_tick, answer.leaf.last_tick);
        Self { first, last, marks: Vec::new(), entries }
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn entries(&self) -> &[(Prefix, u64)] {
        &self.entries
    }

    pub(super) fn mark_at(&self, tick: u64) -> Option<HeadMark> {
        let at = self.marks.binary_search_by_key(&tick, |mark| mark.tick).ok()?;
        self.marks.get(at).copied()
    }

    /// The first tick above `after` that lists `prefix`.
    pub(super) fn first_after(&self, prefix: Prefix, after: u64) -> Option<u64> {
        let at = self.entries.partition_point(|entry| *entry <= (prefix, after));
        self.entries.get(at).filter(|entry| entry.0 == prefix).map(|entry| entry.1)
    }

    pub(super) fn times_listed(&self, prefix: Prefix, tick: u64) -> usize {
        let from = self.entries.partition_point(|entry| *entry < (prefix, tick));
        let until = self.entries.partition_point(|entry| *entry <= (prefix, tick));
        until - from
    }

    /// Whether `next` should become part of this run: sizes grow geometrically, so that every
    /// entry is written about log2([`WEIGHT_MAX`]) times in all.
    pub(super) fn takes_in(&self, next: &Self) -> bool {
        let (own, other) = (self.weight(), next.weight());
        own <= 2 * other && own + other <= WEIGHT_MAX && self.spans_with(next)
    }

    fn weight(&self) -> usize {
        self.entries.len() + self.marks.len()
    }

    /// Whether both runs together are still short enough for one record.
    fn spans_with(&self, next: &Self) -> bool {
        u32::try_from(next.last.saturating_sub(self.first)).is_ok()
    }

    /// Both runs as one; `next` follows this one.
    pub(super) fn merge(mut self, next: Self) -> Self {
        self.last = next.last;
        self.marks.extend(next.marks);
        self.entries.extend(next.entries);
        self.entries.sort_unstable();
        self
    }

    /// The ticks above `tick` list nothing that counts by itself.
    pub(super) fn undo_after(mut self, tick: u64) -> Self {
        self.entries.retain(|entry| entry.1 <= tick);
        self
    }

    /// What remains up to `tick`; `None` when that is nothing.
    pub(super) fn cut_after(mut self, tick: u64) -> Option<Self> {
        self.last = self.last.min(tick);
        self.marks.retain(|mark| mark.tick <= tick);
        self.entries.retain(|entry| entry.1 <= tick);
        (self.first <= tick).then_some(self)
    }

    /// What remains above `tick`; `None` when that is nothing.
    pub(super) fn cut_before(mut self, tick: u64) -> Option<Self> {
        self.first = self.first.max(tick.saturating_add(1));
        self.marks.retain(|mark| mark.tick > tick);
        self.entries.retain(|entry| entry.1 > tick);
        (self.first <= self.last).then_some(self)
    }

    pub(super) fn to_record(&self) -> Vec<u8> {
        let offset = |tick: u64| {
            u32::try_from(tick - self.first).expect("a run spans fewer than 2^32 ticks")
        };
        let entry =
            |(prefix, tick): &(Prefix, u64)| RecordEntry { prefix: *prefix, offset: offset(*tick) };
        versioned(&Record {
            first: self.first,
            last: self.last,
            marks: self.marks.clone(),
            entries: self.entries.iter().map(entry).collect(),
        })
    }

    pub(super) fn from_record(bytes: &[u8]) -> Result<Self, LoadError> {
        let Record { first, last, marks, entries } = unversioned(bytes)?;
        let entries = entries
            .into_iter()
            .map(|entry| (entry.prefix, first.saturating_add(u64::from(entry.offset))))
            .collect();
        let run = Self { first, last, marks, entries };
        run.is_sound().then_some(run).ok_or_else(|| LoadError::Damaged("a run of ticks".to_owned()))
    }

    fn is_sound(&self) -> bool {
        let inside = |tick: u64| (self.first..=self.last).contains(&tick);
        self.first <= self.last
            && self.marks.is_sorted_by(|a, b| a.tick < b.tick)
            && self.marks.iter().all(|mark| inside(mark.tick))
            && self.entries.is_sorted()
            && self.entries.iter().all(|entry| inside(entry.1))
    }
}
