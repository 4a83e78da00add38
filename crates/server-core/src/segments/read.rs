//! Reading. What is read was checked when the folder was opened or is checked here; a stretch
//! that no longer is what was written is an error with its place, never an answer.

use super::{
    Files, Segments, StoreError, damaged,
    format::{LEAF_LEN, Prelude, Record, decode_leaves, segment_name},
    index::{Located, Segment},
    read_bytes,
    sidecar::{self, HashesAt, Sidecar},
};
use crate::{CellStore, HourSpan, NewTick, Place, Slot, SpineRecord, StoredTick};
use std::ops::{Range, RangeInclusive};
use undertone_wire::{CELL_LEN, Cell, CellHash, CellLeaf, Hash, Prefix};

impl<F: Files> CellStore for Segments<F> {
    fn append(&self, tick: &NewTick<'_>) -> Result<(), StoreError> {
        self.append_tick(tick)
    }

    fn ticks(&self) -> Option<RangeInclusive<u64>> {
        self.index().ticks()
    }

    fn slot(&self, tick: u64) -> Option<Slot> {
        self.index().slot(tick)
    }

    fn cells_in(&self, ticks: RangeInclusive<u64>) -> u64 {
        self.index().cells_in(&ticks)
    }

    fn tick_from(&self, tick: u64) -> Option<u64> {
        self.index().tick_from(tick)
    }

    fn first_tick_from(&self, time_ms: u64) -> Option<u64> {
        self.index().first_tick_from(time_ms)
    }

    fn tick(&self, tick: u64) -> Result<Option<StoredTick>, StoreError> {
        Ok(self.record(tick)?.map(|record| record.stored))
    }

    fn leaves(&self, tick: u64) -> Result<Vec<CellLeaf>, StoreError> {
        Ok(self.record(tick)?.map(|record| record.leaves).unwrap_or_default())
    }

    fn tick_and_leaves(
        &self,
        tick: u64,
    ) -> Result<Option<(StoredTick, Vec<CellLeaf>)>, StoreError> {
        Ok(self.record(tick)?.map(|record| (record.stored, record.leaves)))
    }

    fn bearing(&self, prefix: Prefix) -> Vec<Place> {
        self.index().bearing(prefix)
    }

    fn cell_leaf(&self, place: Place) -> Result<Option<CellLeaf>, StoreError> {
        let Some((at, index)) = self.locate_cell(place) else { return Ok(None) };
        let offset = at.leaves_at() + index * LEAF_LEN as u64;
        let bytes = read_bytes(&self.files, &segment_name(at.hour), offset, LEAF_LEN)?;
        Ok(decode_leaves(&bytes).first().copied())
    }

    fn cell(&self, place: Place, hash: &CellHash) -> Result<Option<Cell>, StoreError> {
        let Some((at, index)) = self.locate_cell(place) else { return Ok(None) };
        let name = segment_name(at.hour);
        let offset = at.cells_at() + index * CELL_LEN as u64;
        let cell = Cell::from_slice(&read_bytes(&self.files, &name, offset, CELL_LEN)?);
        let changed = || damaged(&name, offset, "the cell is not the one that was stored");
        cell.filter(|cell| cell.hash() == *hash).map(Some).ok_or_else(changed)
    }

    fn entries(&self, ticks: RangeInclusive<u64>) -> Result<Vec<(Prefix, u64)>, StoreError> {
        let mut entries = Vec::new();
        for part in self.parts(&ticks) {
            match part {
                Part::Listed(listed) => entries.extend(listed),
                Part::Whole(hour, end) => self.read_whole(hour, end, &mut entries)?,
                Part::Ticks(ticks) => self.read_ticks(ticks, &mut entries)?,
            }
        }
        // Each part is sorted or nearly so; a stable sort finds the runs.
        entries.sort();
        Ok(entries)
    }

    fn leaf_hashes(&self, leaves: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        let (closed, open) = self.leaf_parts(&leaves);
        let mut hashes = Vec::new();
        for (at, part) in closed {
            hashes.extend(sidecar::leaf_hashes(&self.files, &at, part)?);
        }
        hashes.extend(open);
        Ok(hashes)
    }

    fn expirable(&self) -> Option<HourSpan> {
        self.index().expirable()
    }

    fn expire(&self, record: &SpineRecord) -> Result<(), StoreError> {
        self.expire_hour(record)
    }

    fn tidy(&self) -> Result<(), StoreError> {
        self.remove_leftover(&mut self.writer())
    }

    fn spine(&self) -> Result<Vec<SpineRecord>, StoreError> {
        super::spine::read(&self.files)
    }
}

/// Where a stretch of ticks has its entries.
enum Part {
    /// In memory: the open segment.
    Listed(Vec<(Prefix, u64)>),
    /// In the sidecar of this hour, whose segment has this length.
    Whole(u64, u64),
    /// In these ticks' records.
    Ticks(RangeInclusive<u64>),
}

impl Part {
    fn of(segment: &Segment, ticks: RangeInclusive<u64>) -> Self {
        if let Some(open) = &segment.open {
            let from = open.entries.partition_point(|(_, tick)| tick < ticks.start());
            let to = open.entries.partition_point(|(_, tick)| tick <= ticks.end());
            return Self::Listed(open.entries[from..to].to_vec());
        }
        if ticks == (segment.first_tick..=segment.last_tick()) {
            return Self::Whole(segment.hour, segment.end);
        }
        Self::Ticks(ticks)
    }
}

impl<F: Files> Segments<F> {
    /// A tick without its cells, its checksum verified.
    fn record(&self, tick: u64) -> Result<Option<Record>, StoreError> {
        let Some(at) = self.locate(tick) else { return Ok(None) };
        let name = segment_name(at.hour);
        let front = read_bytes(&self.files, &name, at.offset, at.front_len())?;
        let prelude = Prelude::decode(&at.salt, &front);
        let prelude =
            prelude.filter(|prelude| (prelude.tick, prelude.front_len()) == (tick, at.front_len()));
        let record = prelude.and_then(|prelude| Record::decode(&at.salt, &prelude, &front));
        let changed = || damaged(&name, at.offset, "this is not the tick that was written");
        record.map(Some).ok_or_else(changed)
    }

    fn locate(&self, tick: u64) -> Option<Located> {
        self.index().locate(tick)
    }

    fn locate_cell(&self, place: Place) -> Option<(Located, u64)> {
        let at = self.locate(place.tick)?;
        ((place.index as usize) < at.cells).then_some((at, u64::from(place.index)))
    }

    fn parts(&self, ticks: &RangeInclusive<u64>) -> Vec<Part> {
        let index = self.index();
        let parts = index.segments().filter(|segment| !segment.slots.is_empty());
        let parts = parts.filter_map(|segment| {
            let from = segment.first_tick.max(*ticks.start());
            let to = segment.last_tick().min(*ticks.end());
            (from <= to).then(|| Part::of(segment, from..=to))
        });
        parts.collect()
    }

    fn read_whole(
        &self,
        hour: u64,
        segment_end: u64,
        entries: &mut Vec<(Prefix, u64)>,
    ) -> Result<(), StoreError> {
        let sidecar = Sidecar::read(&self.files, hour, segment_end)?;
        let gone = || damaged(&sidecar::name(hour), 0, "it changed since it was written");
        entries.extend(sidecar.ok_or_else(gone)?.listed());
        Ok(())
    }

    fn read_ticks(
        &self,
        ticks: RangeInclusive<u64>,
        entries: &mut Vec<(Prefix, u64)>,
    ) -> Result<(), StoreError> {
        let ticks = self.index().ticks_in(&ticks);
        for tick in ticks {
            entries.extend(self.leaves(tick)?.iter().map(|leaf| (leaf.tag.prefix(), tick)));
        }
        Ok(())
    }

    /// Where the hashes of these leaves are: stretches of sidecars, then those in memory.
    fn leaf_parts(&self, leaves: &Range<u64>) -> (Vec<(HashesAt, Range<u64>)>, Vec<Hash>) {
        let index = self.index();
        let (mut closed, mut open) = (Vec::new(), Vec::new());
        for segment in index.segments() {
            let from = segment.first_leaf.max(leaves.start);
            let to = segment.end_leaf().min(leaves.end);
            if from >= to {
                continue;
            }
            match &segment.open {
                None => closed.push((HashesAt::of(segment), from..to)),
                Some(part) => {
                    let place = |leaf| (leaf - segment.first_leaf) as usize;
                    open.extend_from_slice(&part.leaf_hashes[place(from)..place(to)]);
                }
            }
        }
        (closed, open)
    }
}
