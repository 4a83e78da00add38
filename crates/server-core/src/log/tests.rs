use super::*;
use crate::{HourSpan, NewTick, Place, Slot, StoredTick};
use proptest::prelude::*;
use std::ops::RangeInclusive;
use undertone_wire::{Cell, CellHash, CellLeaf, Prefix};

/// A store that has leaf hashes from `first` on, and a spine.
#[derive(Default)]
struct Leaves {
    hashes: Vec<Hash>,
    first: u64,
    spine: Vec<SpineRecord>,
}

impl CellStore for Leaves {
    fn leaf_hashes(&self, leaves: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        assert!(leaves.start >= self.first, "what has expired is not asked for");
        assert!(leaves.end - leaves.start <= WINDOW, "reads are bounded");
        Ok(self.hashes[leaves.start as usize..leaves.end as usize].to_vec())
    }

    fn spine(&self) -> Result<Vec<SpineRecord>, StoreError> {
        Ok(self.spine.clone())
    }

    fn ticks(&self) -> Option<RangeInclusive<u64>> {
        Some(1..=1)
    }

    fn slot(&self, _: u64) -> Option<Slot> {
        Some(Slot { time_ms: 0, size: self.hashes.len() as u64, cells: 0 })
    }

    fn append(&self, _: &NewTick<'_>) -> Result<(), StoreError> {
        unreachable!()
    }

    fn cells_in(&self, _: RangeInclusive<u64>) -> u64 {
        unreachable!()
    }

    fn tick_from(&self, _: u64) -> Option<u64> {
        unreachable!()
    }

    fn first_tick_from(&self, _: u64) -> Option<u64> {
        unreachable!()
    }

    fn tick(&self, _: u64) -> Result<Option<StoredTick>, StoreError> {
        unreachable!()
    }

    fn leaves(&self, _: u64) -> Result<Vec<CellLeaf>, StoreError> {
        unreachable!()
    }

    fn bearing(&self, _: Prefix) -> Vec<Place> {
        unreachable!()
    }

    fn cell_leaf(&self, _: Place) -> Result<Option<CellLeaf>, StoreError> {
        unreachable!()
    }

    fn cell(&self, _: Place, _: &CellHash) -> Result<Option<Cell>, StoreError> {
        unreachable!()
    }

    fn entries(&self, _: RangeInclusive<u64>) -> Result<Vec<(Prefix, u64)>, StoreError> {
        unreachable!()
    }

    fn expirable(&self) -> Option<HourSpan> {
        unreachable!()
    }

    fn expire(&self, _: &SpineRecord) -> Result<(), StoreError> {
        unreachable!()
    }
}

fn hashes(count: u64) -> Vec<Hash> {
    (0..count).map(|n| merkle::leaf_hash(&n.to_be_bytes())).collect()
}

fn grown(hashes: &[Hash]) -> Log {
    let mut log = Log::default();
    hashes.iter().for_each(|leaf| log.append(*leaf));
    log
}

/// Expires everything before `end` in one piece.
fn expire(log: &mut Log, store: &mut Leaves, end: u64) {
    let nodes = log.tiles(store.first..end, store).unwrap();
    let record = SpineRecord {
        hour: end,
        first_tick: 0,
        last_tick: 0,
        first_leaf: store.first,
        end_leaf: end,
        nodes,
    };
    log.expire(&record);
    store.spine.push(record);
    store.first = end;
}

#[test]
fn memory_is_bounded_and_proofs_are_not() {
    let all = hashes(70_000);
    let log = grown(&all);
    let store = Leaves { hashes: all.clone(), ..Leaves::default() };
    let upper = 70_000 / 256 * 2;
    assert!(log.nodes.len() < 4 * WINDOW as usize + upper, "{} nodes", log.nodes.len());
    for (index, size) in [(0, 70_000), (300, 40_000), (69_999, 70_000), (12_345, 12_346)] {
        let path = log.inclusion(index, size, &store).unwrap();
        assert_eq!(path, merkle::inclusion_path(&all[..size as usize], index as usize).unwrap());
    }
    for (old, new) in [(1, 70_000), (255, 257), (33_333, 66_666), (70_000, 70_000), (0, 5)] {
        let path = log.consistency(old, new, &store).unwrap();
        assert_eq!(path, merkle::consistency_path(&all[..new as usize], old as usize).unwrap());
    }
    assert_eq!(log.inclusion(5, 70_001, &store), Err(LogError::Future));
    assert_eq!(log.consistency(6, 5, &store), Err(LogError::Future));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_retained_stays_provable_whatever_has_expired(
        size in 2u64..3_000,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        pick: prop::sample::Index,
        reopened: bool,
    ) {
        let all = hashes(size);
        let mut store = Leaves { hashes: all.clone(), ..Leaves::default() };
        let mut log = grown(&all);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(size as usize) as u64).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts.retain(|cut| *cut > 0);
        for cut in &cuts {
            expire(&mut log, &mut store, *cut);
        }
        if reopened {
            log = Log::open(&store).unwrap();
        }
        prop_assert_eq!((log.size(), log.root()), (size, merkle::root(&all)));
        let index = store.first + pick.index((size - store.first) as usize) as u64;
        let path = log.inclusion(index, size, &store).unwrap();
        prop_assert_eq!(Some(path), merkle::inclusion_path(&all, index as usize));
        for old in cuts.into_iter().chain([index, index + 1]) {
            let path = log.consistency(old, size, &store).unwrap();
            prop_assert_eq!(Some(path), merkle::consistency_path(&all, old as usize));
        }
    }
}
