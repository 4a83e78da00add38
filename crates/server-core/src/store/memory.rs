//! The store in memory, for simulation: nothing survives it, and it fails when told to.

use super::{CellStore, HourSpan, NewTick, Place, Slot, StoreError, StoredTick};
use crate::SpineRecord;
use std::{
    collections::BTreeMap,
    ops::{Range, RangeInclusive},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use undertone_wire::{Cell, CellHash, CellLeaf, Hash, Prefix, SegmentLevel};

/// What goes wrong next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The append fails and the tick is not stored.
    Lost,
    /// The append fails although the tick was stored: it shows when the store is opened again.
    StoredUnseen,
    /// The disk is full.
    Full,
}

/// A [`CellStore`] in memory. Clones share their content, as two openings of one folder would;
/// [`Memory::reopen`] is the restart.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    ticks: BTreeMap<u64, Kept>,
    index: BTreeMap<(Prefix, Place), ()>,
    leaf_hashes: BTreeMap<u64, Hash>,
    spine: Vec<SpineRecord>,
    fault: Option<Fault>,
    failed: Option<String>,
    unseen: Option<(u64, Kept)>,
}

#[derive(Clone, Debug)]
struct Kept {
    stored: StoredTick,
    leaves: Vec<CellLeaf>,
    cells: Vec<Cell>,
}

impl Kept {
    fn hour(&self) -> u64 {
        self.stored.leaf.time_ms / SegmentLevel::Hour.length_ms()
    }

    fn size(&self) -> u64 {
        self.stored.head.head.size
    }
}

impl Memory {
    /// Makes the next append fail in this way.
    pub fn fail_next(&self, fault: Fault) {
        self.state().fault = Some(fault);
    }

    /// The same content after a restart: what failed unseen may now be there.
    pub fn reopen(&self) -> Self {
        let mut state = self.state();
        state.failed = None;
        if let Some((tick, kept)) = state.unseen.take() {
            state.keep(tick, kept);
        }
        self.clone()
    }

    /// Takes away the newest tick, as a disk does that lied about its sync: the store breaks its
    /// contract, and whoever was answered has to notice.
    pub fn dangerous_lose_newest(&self) {
        let mut state = self.state();
        let Some((tick, kept)) = state.ticks.pop_last() else { return };
        let first = kept.size() - kept.stored.leaf_hashes().len() as u64;
        state.index.retain(|(_, place), ()| place.tick != tick);
        state.leaf_hashes.retain(|leaf, _| *leaf < first);
    }

    /// A copy of what is stored now, which goes its own way.
    pub fn backup(&self) -> Self {
        let state = self.state();
        let mut copy = State { spine: state.spine.clone(), ..State::default() };
        state.ticks.iter().for_each(|(tick, kept)| copy.keep(*tick, kept.clone()));
        Self(Arc::new(Mutex::new(copy)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep(&mut self, tick: u64, kept: Kept) {
        for (index, leaf) in (0u32..).zip(&kept.leaves) {
            self.index.insert((leaf.tag.prefix(), Place { tick, index }), ());
        }
        let hashes = kept.stored.leaf_hashes();
        let first = kept.size() - hashes.len() as u64;
        self.leaf_hashes.extend((first..).zip(hashes));
        self.ticks.insert(tick, kept);
    }

    fn fail(&mut self, error: StoreError) -> StoreError {
        self.failed = Some(error.to_string());
        error
    }

    fn take_fault(&mut self, tick: u64, kept: &Kept) -> Result<(), StoreError> {
        match self.fault.take() {
            None => return Ok(()),
            Some(Fault::Full) => return Err(self.fail(StoreError::Full("simulated".into()))),
            Some(Fault::StoredUnseen) => self.unseen = Some((tick, kept.clone())),
            Some(Fault::Lost) => {}
        }
        Err(self.fail(StoreError::Disk("simulated".into())))
    }

    fn oldest_hour(&self) -> Option<HourSpan> {
        let (first, oldest) = self.ticks.first_key_value()?;
        let hour = oldest.hour();
        let of_hour = || self.ticks.iter().take_while(|(_, kept)| kept.hour() == hour);
        let (last, newest) = of_hour().last()?;
        let start = oldest.size() - oldest.stored.leaf_hashes().len() as u64;
        Some(HourSpan {
            hour,
            ticks: *first..=*last,
            leaves: start..newest.size(),
            cells: of_hour().map(|(_, kept)| kept.cells.len() as u64).sum(),
        })
    }
}

impl CellStore for Memory {
    fn append(&self, tick: &NewTick<'_>) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(reason) = &state.failed {
            return Err(StoreError::Failed(reason.clone()));
        }
        let number = tick.stored.leaf.tick;
        let newest = state.ticks.last_key_value().map(|(newest, _)| *newest);
        if newest.is_some_and(|newest| !tick.stored.follows(newest)) {
            let what = format!("tick {number} is not the next");
            return Err(StoreError::Damaged { place: "the order of ticks".into(), what });
        }
        let kept = Kept {
            stored: tick.stored.clone(),
            leaves: tick.leaves.to_vec(),
            cells: tick.cells.to_vec(),
        };
        state.take_fault(number, &kept)?;
        state.keep(number, kept);
        Ok(())
    }

    fn ticks(&self) -> Option<RangeInclusive<u64>> {
        let state = self.state();
        let (first, _) = state.ticks.first_key_value()?;
        let (last, _) = state.ticks.last_key_value()?;
        Some(*first..=*last)
    }

    fn slot(&self, tick: u64) -> Option<Slot> {
        let state = self.state();
        let kept = state.ticks.get(&tick)?;
        let leaf = &kept.stored.leaf;
        Some(Slot { time_ms: leaf.time_ms, size: kept.size(), cells: leaf.cells })
    }

    fn cells_in(&self, ticks: RangeInclusive<u64>) -> u64 {
        let state = self.state();
        state.ticks.range(ticks).map(|(_, kept)| kept.cells.len() as u64).sum()
    }

    fn tick_from(&self, tick: u64) -> Option<u64> {
        self.state().ticks.range(tick..).next().map(|(tick, _)| *tick)
    }

    fn first_tick_from(&self, time_ms: u64) -> Option<u64> {
        let state = self.state();
        let found = state.ticks.iter().find(|(_, kept)| kept.stored.leaf.time_ms >= time_ms);
        found.map(|(tick, _)| *tick)
    }

    fn tick(&self, tick: u64) -> Result<Option<StoredTick>, StoreError> {
        Ok(self.state().ticks.get(&tick).map(|kept| kept.stored.clone()))
    }

    fn leaves(&self, tick: u64) -> Result<Vec<CellLeaf>, StoreError> {
        let state = self.state();
        Ok(state.ticks.get(&tick).map(|kept| kept.leaves.clone()).unwrap_or_default())
    }

    fn bearing(&self, prefix: Prefix) -> Vec<Place> {
        let first = Place { tick: 0, index: 0 };
        let last = Place { tick: u64::MAX, index: u32::MAX };
        let state = self.state();
        let range = state.index.range((prefix, first)..=(prefix, last));
        range.map(|((_, place), ())| *place).collect()
    }

    fn cell_leaf(&self, place: Place) -> Result<Option<CellLeaf>, StoreError> {
        let state = self.state();
        let kept = state.ticks.get(&place.tick);
        Ok(kept.and_then(|kept| kept.leaves.get(place.index as usize)).copied())
    }

    fn cell(&self, place: Place, hash: &CellHash) -> Result<Option<Cell>, StoreError> {
        let state = self.state();
        let kept = state.ticks.get(&place.tick);
        match kept.and_then(|kept| kept.cells.get(place.index as usize)) {
            Some(cell) if cell.hash() != *hash => Err(StoreError::Damaged {
                place: format!("tick {}", place.tick),
                what: "the cell is not the one that was stored".into(),
            }),
            cell => Ok(cell.cloned()),
        }
    }

    fn entries(&self, ticks: RangeInclusive<u64>) -> Result<Vec<(Prefix, u64)>, StoreError> {
        let state = self.state();
        let mut entries: Vec<_> = state
            .ticks
            .range(ticks)
            .flat_map(|(tick, kept)| kept.leaves.iter().map(|leaf| (leaf.tag.prefix(), *tick)))
            .collect();
        entries.sort();
        Ok(entries)
    }

    fn leaf_hashes(&self, leaves: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        Ok(self.state().leaf_hashes.range(leaves).map(|(_, hash)| *hash).collect())
    }

    fn expirable(&self) -> Option<HourSpan> {
        let state = self.state();
        let oldest = state.oldest_hour()?;
        let (newest, _) = state.ticks.last_key_value()?;
        (!oldest.ticks.contains(newest)).then_some(oldest)
    }

    fn expire(&self, record: &SpineRecord) -> Result<(), StoreError> {
        let mut state = self.state();
        let last = record.last_tick;
        state.ticks.retain(|tick, _| *tick > last);
        state.index.retain(|(_, place), ()| place.tick > last);
        state.leaf_hashes.retain(|index, _| *index >= record.end_leaf);
        state.spine.push(record.clone());
        Ok(())
    }

    fn spine(&self) -> Result<Vec<SpineRecord>, StoreError> {
        Ok(self.state().spine.clone())
    }
}
