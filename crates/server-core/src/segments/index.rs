//! What the store keeps in memory: where each cell is, and where each tick.

use super::format::{LEAF_LEN, PRELUDE_LEN, SUM_LEN};
use crate::{HourSpan, Place, Slot};
use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    ops::RangeInclusive,
};
use undertone_wire::{CELL_LEN, CellLeaf, Hash, Prefix};

/// Bits of a packed place that hold the index in the tick (2^20 > 16,384 cells).
const INDEX_BITS: u32 = 20;

/// All segments and cells.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By first tick.
    segments: BTreeMap<u64, Segment>,
    cells: HashMap<u64, u64>,
    /// Further cells with a prefix that is taken: a writer can search two tags with one prefix.
    colliding: BTreeMap<u64, Vec<u64>>,
}

/// One segment file.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) hour: u64,
    pub(super) first_tick: u64,
    pub(super) first_leaf: u64,
    /// Goes into the checksums of its ticks.
    pub(super) salt: [u8; 32],
    pub(super) slots: Vec<TickSlot>,
    /// End of the last record.
    pub(super) end: u64,
    /// Cells in all ticks.
    pub(super) cells: u64,
    /// What a sidecar would hold, while the segment is open.
    pub(super) open: Option<OpenPart>,
}

/// Where a tick's record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TickSlot {
    pub(super) tick: u64,
    pub(super) offset: u64,
    pub(super) time_ms: u64,
    /// Leaves in the log up to and with this tick.
    pub(super) size: u64,
    /// Cells in the segment's ticks before this one.
    pub(super) cells_before: u64,
}

/// The open segment's own copy of what is read from sidecars later.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenPart {
    /// (prefix, tick) in the order of ticks.
    pub(super) entries: Vec<(Prefix, u64)>,
    pub(super) leaf_hashes: Vec<Hash>,
}

/// A tick's record in its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Located {
    pub(super) hour: u64,
    pub(super) salt: [u8; 32],
    pub(super) offset: u64,
    pub(super) meta_len: usize,
    pub(super) cells: usize,
}

impl Located {
    /// Bytes of the record before its cells.
    pub(super) fn front_len(&self) -> usize {
        PRELUDE_LEN + self.meta_len + self.cells * LEAF_LEN + SUM_LEN
    }

    pub(super) fn leaves_at(&self) -> u64 {
        self.offset + (PRELUDE_LEN + self.meta_len) as u64
    }

    pub(super) fn cells_at(&self) -> u64 {
        self.offset + self.front_len() as u64
    }
}

impl Segment {
    pub(super) fn last_tick(&self) -> u64 {
        self.slots.last().map_or(self.first_tick.saturating_sub(1), |slot| slot.tick)
    }

    /// Where a tick's slot is. Ticks follow each other but for a recovery's hole.
    pub(super) fn place_of(&self, tick: u64) -> Option<usize> {
        let near = usize::try_from(tick.checked_sub(self.first_tick)?).ok();
        let near = near.filter(|at| self.slots.get(*at).is_some_and(|slot| slot.tick == tick));
        near.or_else(|| self.slots.binary_search_by_key(&tick, |slot| slot.tick).ok())
    }

    pub(super) fn end_leaf(&self) -> u64 {
        self.slots.last().map_or(self.first_leaf, |slot| slot.size)
    }

    /// The tick of this ordinal in the segment.
    pub(super) fn tick_at(&self, ordinal: u32) -> Option<u64> {
        self.slots.get(ordinal as usize).map(|slot| slot.tick)
    }

    fn cells_of(&self, at: usize) -> Option<usize> {
        let slot = self.slots.get(at)?;
        let next = self.slots.get(at + 1).map_or(self.cells, |next| next.cells_before);
        usize::try_from(next.checked_sub(slot.cells_before)?).ok()
    }

    fn cells_in(&self, ticks: &RangeInclusive<u64>) -> u64 {
        let before = |tick: u64| {
            let at = self.slots.partition_point(|slot| slot.tick < tick);
            self.slots.get(at).map_or(self.cells, |slot| slot.cells_before)
        };
        before(ticks.end().saturating_add(1)).saturating_sub(before(*ticks.start()))
    }

    fn locate(&self, tick: u64) -> Option<Located> {
        let at = self.place_of(tick)?;
        let slot = self.slots.get(at)?;
        let next = self.slots.get(at + 1).map_or(self.end, |next| next.offset);
        let cells = self.cells_of(at)?;
        let fixed = PRELUDE_LEN + SUM_LEN + cells * (LEAF_LEN + CELL_LEN);
        let meta_len = usize::try_from(next.checked_sub(slot.offset)?).ok()?.checked_sub(fixed)?;
        let Self { hour, salt, .. } = *self;
        Some(Located { hour, salt, offset: slot.offset, meta_len, cells })
    }

    fn span(&self) -> HourSpan {
        HourSpan {
            hour: self.hour,
            ticks: self.first_tick..=self.last_tick(),
            leaves: self.first_leaf..self.end_leaf(),
            cells: self.cells,
        }
    }
}

impl Index {
    pub(super) fn insert_segment(&mut self, segment: Segment) {
        self.segments.insert(segment.first_tick, segment);
    }

    /// Makes room for so many more cells at once.
    pub(super) fn reserve(&mut self, cells: usize) {
        self.cells.reserve(cells);
    }

    pub(super) fn insert_cell(&mut self, prefix: Prefix, place: Place) {
        let packed = place.tick << INDEX_BITS | u64::from(place.index);
        match self.cells.entry(prefix.0) {
            Entry::Vacant(vacant) => {
                vacant.insert(packed);
            }
            Entry::Occupied(_) => self.colliding.entry(prefix.0).or_default().push(packed),
        }
    }

    /// Takes up a tick that is durable at the end of the newest segment.
    pub(super) fn push_tick(
        &mut self,
        slot: TickSlot,
        end: u64,
        leaves: &[CellLeaf],
        leaf_hashes: Vec<Hash>,
    ) {
        let Some(mut last) = self.segments.last_entry() else { return };
        let segment = last.get_mut();
        let tick = slot.tick;
        segment.slots.push(slot);
        segment.end = end;
        segment.cells += leaves.len() as u64;
        if let Some(open) = &mut segment.open {
            open.entries.extend(leaves.iter().map(|leaf| (leaf.tag.prefix(), tick)));
            open.leaf_hashes.extend(leaf_hashes);
        }
        for (index, leaf) in (0..).zip(leaves) {
            self.insert_cell(leaf.tag.prefix(), Place { tick, index });
        }
    }

    /// Takes away what a sidecar holds from now on.
    pub(super) fn close_newest(&mut self) {
        if let Some(mut last) = self.segments.last_entry() {
            last.get_mut().open = None;
        }
    }

    pub(super) fn newest(&self) -> Option<&Segment> {
        self.segments.last_key_value().map(|(_, segment)| segment)
    }

    pub(super) fn segments(&self) -> impl DoubleEndedIterator<Item = &Segment> {
        self.segments.values()
    }

    pub(super) fn ticks(&self) -> Option<RangeInclusive<u64>> {
        // A segment can be open and still without a tick: only the newest.
        let mut filled = self.segments().filter(|segment| !segment.slots.is_empty());
        let first = filled.next()?;
        let last = filled.next_back().unwrap_or(first);
        Some(first.first_tick..=last.last_tick())
    }

    pub(super) fn segment_of(&self, tick: u64) -> Option<&Segment> {
        let (_, segment) = self.segments.range(..=tick).next_back()?;
        (!segment.slots.is_empty() && tick <= segment.last_tick()).then_some(segment)
    }

    pub(super) fn locate(&self, tick: u64) -> Option<Located> {
        self.segment_of(tick)?.locate(tick)
    }

    pub(super) fn slot(&self, tick: u64) -> Option<Slot> {
        let segment = self.segment_of(tick)?;
        let at = segment.place_of(tick)?;
        let (slot, cells) = (segment.slots.get(at)?, segment.cells_of(at)?);
        Some(Slot { time_ms: slot.time_ms, size: slot.size, cells: u32::try_from(cells).ok()? })
    }

    pub(super) fn cells_in(&self, ticks: &RangeInclusive<u64>) -> u64 {
        self.segments().map(|segment| segment.cells_in(ticks)).sum()
    }

    pub(super) fn tick_from(&self, tick: u64) -> Option<u64> {
        let holding = self.segments.range(..=tick).next_back();
        let later = self.segments.range(tick.saturating_add(1)..);
        let mut slots = holding.into_iter().chain(later).filter_map(|(_, segment)| {
            segment.slots.get(segment.slots.partition_point(|slot| slot.tick < tick))
        });
        slots.next().map(|slot| slot.tick)
    }

    /// The retained ticks among these.
    pub(super) fn ticks_in(&self, ticks: &RangeInclusive<u64>) -> Vec<u64> {
        let slots = self.segments().filter(|segment| segment.last_tick() >= *ticks.start());
        let slots = slots.flat_map(|segment| &segment.slots).map(|slot| slot.tick);
        slots
            .skip_while(|tick| tick < ticks.start())
            .take_while(|tick| tick <= ticks.end())
            .collect()
    }

    pub(super) fn first_tick_from(&self, time_ms: u64) -> Option<u64> {
        // Newest first: what is asked for is mostly new.
        let mut found = None;
        for segment in self.segments().rev().filter(|segment| !segment.slots.is_empty()) {
            let before = segment.slots.partition_point(|slot| slot.time_ms < time_ms);
            if before < segment.slots.len() {
                found = segment.slots.get(before).map(|slot| slot.tick);
            }
            if before > 0 {
                break;
            }
        }
        found
    }

    pub(super) fn bearing(&self, prefix: Prefix) -> Vec<Place> {
        let first = self.cells.get(&prefix.0);
        let further = self.colliding.get(&prefix.0).into_iter().flatten();
        let mut places: Vec<_> =
            first.into_iter().chain(further).map(|packed| unpack(*packed)).collect();
        places.sort();
        places
    }

    pub(super) fn expirable(&self) -> Option<HourSpan> {
        let (first, _) = self.segments.first_key_value()?;
        let newest = self.ticks()?;
        let oldest = self.segments.get(first)?;
        (oldest.last_tick() < *newest.end()).then(|| oldest.span())
    }

    /// Forgets the oldest segment and the cells with these entries.
    pub(super) fn expire(&mut self, last_tick: u64, entries: &[(Prefix, u64)]) {
        for (prefix, _) in entries {
            self.forget(prefix.0, last_tick);
        }
        self.segments
            .retain(|_, segment| segment.last_tick() > last_tick || segment.slots.is_empty());
    }

    fn forget(&mut self, prefix: u64, last_tick: u64) {
        let gone = |packed: &u64| packed >> INDEX_BITS <= last_tick;
        if let Some(further) = self.colliding.get_mut(&prefix) {
            further.retain(|packed| !gone(packed));
        }
        if self.cells.get(&prefix).is_some_and(gone) {
            match self.colliding.get_mut(&prefix).and_then(Vec::pop) {
                Some(packed) => self.cells.insert(prefix, packed),
                None => self.cells.remove(&prefix),
            };
        }
        if self.colliding.get(&prefix).is_some_and(Vec::is_empty) {
            self.colliding.remove(&prefix);
        }
    }
}

fn unpack(packed: u64) -> Place {
    let index = packed & ((1 << INDEX_BITS) - 1);
    Place { tick: packed >> INDEX_BITS, index: u32::try_from(index).expect("twenty bits") }
}
