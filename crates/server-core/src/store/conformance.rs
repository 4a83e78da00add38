//! The one suite that every engine runs: each check is a sentence of the contract.

use super::{CellStore, NewTick, Place, StoredTick};
use crate::{SpineRecord, StoreError};
use undertone_wire::{
    CELL_LEN, Cell, CellHash, CellLeaf, Head, Leaf, Prefix, ServerId, SignedHead, Tag, TagHash,
    TickDigest,
    merkle::{self, Frontier},
};

const HOUR: u64 = 3_600_000;
const START: u64 = 480_000 * HOUR;

/// What the suite needs of an engine under test.
pub trait Harness {
    /// The engine.
    type Store: CellStore;

    /// An empty store.
    fn begin(&self) -> Self::Store;

    /// The same store after the process has ended and begun again.
    fn restart(&self, store: Self::Store) -> Self::Store;
}

/// Runs the whole suite against one engine.
///
/// # Panics
/// With the broken sentence of the contract.
pub fn run<H: Harness>(harness: &H) {
    an_empty_store_is_empty(harness);
    what_was_appended_is_read_back(harness);
    a_tick_out_of_order_is_not_taken_for_the_next(harness);
    cells_with_one_prefix_are_all_found(harness);
    times_lead_to_ticks(harness);
    entries_are_sorted_over_any_stretch(harness);
    leaf_hashes_are_those_of_the_log(harness);
    hours_expire_the_oldest_first_and_the_newest_never(harness);
    a_recovery_leaves_a_hole_in_the_numbers(harness);
}

fn a_recovery_leaves_a_hole_in_the_numbers<H: Harness>(harness: &H) {
    let store = harness.begin();
    let mut ticks = Ticks::default();
    append(&store, &ticks.numbered(START, 0..4));
    append(&store, &ticks.numbered(START + 1, 4..8));
    ticks.recover(START + 2);
    append(&store, &ticks.numbered(START + 2, 8..12));
    append(&store, &ticks.numbered(START + HOUR, 12..16));
    let resumed = START + 2;
    let store = harness.restart(harness.restart(store));
    assert_eq!(store.ticks(), Some(1..=resumed + 1));
    assert_eq!(store.tick_from(2), Some(2));
    assert_eq!(store.tick_from(3), Some(resumed));
    assert_eq!(store.tick_from(resumed + 1), Some(resumed + 1));
    assert_eq!(store.tick_from(resumed + 2), None);
    assert_eq!(store.slot(3), None);
    assert_eq!(store.cells_in(2..=resumed), 8);
    assert_eq!(store.first_tick_from(START + 2), Some(resumed));
    let found = store.find(&tag(9)).map(|found| found.map(|(place, _)| place.tick));
    assert_eq!(found, Ok(Some(resumed)));
    let entries = store.entries(2..=resumed).map(|entries| entries.len());
    assert_eq!(entries, Ok(8));
    assert_eq!(store.tick(resumed).map(|tick| tick.map(|it| it.leaf.tick)), Ok(Some(resumed)));
    assert_eq!(store.leaf_hashes(0..4), Ok(ticks.hashes.clone()));
    assert_eq!(store.tick(9), Ok(None));
}

/// A tick with everything that belongs to it.
struct Tick {
    stored: StoredTick,
    leaves: Vec<CellLeaf>,
    cells: Vec<Cell>,
}

/// Makes the ticks that an engine would be given; signatures are not looked at by stores.
#[derive(Default)]
struct Ticks {
    frontier: Frontier,
    tick: u64,
    hashes: Vec<merkle::Hash>,
    recovered_after: Option<u64>,
}

impl Ticks {
    fn next(&mut self, time_ms: u64, mut leaves: Vec<(TagHash, Cell)>) -> Tick {
        self.tick += 1;
        leaves.sort_by_key(|(tag, _)| *tag);
        let cells: Vec<_> = leaves.iter().map(|(_, cell)| cell.clone()).collect();
        let leaves: Vec<_> =
            leaves.iter().map(|(tag, cell)| CellLeaf::new(*tag, cell.hash())).collect();
        let digest = TickDigest {
            closed: Vec::new(),
            tick: self.tick,
            time_ms,
            cells_root: merkle::empty_root(),
            prefixes: leaves.iter().map(|leaf| leaf.tag.prefix()).collect(),
        };
        let hash = Leaf::Tick(digest.leaf()).hash();
        self.frontier.append(hash);
        self.hashes.push(hash);
        let head = Head {
            server: ServerId([1; 32]),
            tick: self.tick,
            time_ms,
            size: self.frontier.size(),
            root: self.frontier.root(),
            token_keys: Vec::new(),
            policy: [2; 32],
            recovered_after: self.recovered_after,
        };
        let head = SignedHead { head, signature: [3; 64] };
        Tick { stored: StoredTick { closed: Vec::new(), leaf: digest.leaf(), head }, leaves, cells }
    }

    /// The log was restored: the next tick is sealed at `time_ms`.
    fn recover(&mut self, time_ms: u64) {
        self.recovered_after = Some(self.tick);
        self.tick = undertone_wire::first_tick_after_recovery(self.tick, time_ms) - 1;
    }

    fn numbered(&mut self, time_ms: u64, numbers: std::ops::Range<u64>) -> Tick {
        self.next(time_ms, numbers.map(|number| (tag(number), cell(number))).collect())
    }
}

fn tag(number: u64) -> TagHash {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Tag(bytes).hash()
}

fn cell(number: u64) -> Cell {
    let mut bytes = [0; CELL_LEN];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Cell::from_array(bytes)
}

fn append<S: CellStore>(store: &S, tick: &Tick) {
    let Tick { stored, leaves, cells } = tick;
    let appended = store.append(&NewTick { stored, leaves, cells });
    assert_eq!(appended, Ok(()), "a healthy store takes a tick");
}

/// Five hours of three ticks with four cells each.
fn filled<S: CellStore>(store: &S) -> (Ticks, Vec<Tick>) {
    let mut ticks = Ticks::default();
    let made: Vec<_> = (0..15)
        .map(|n| {
            let tick = ticks.numbered(START + n / 3 * HOUR + n * 1_000, n * 4..n * 4 + 4);
            append(store, &tick);
            tick
        })
        .collect();
    (ticks, made)
}

fn check_tick<S: CellStore>(store: &S, tick: &Tick) {
    let number = tick.stored.leaf.tick;
    assert_eq!(store.tick(number).as_ref(), Ok(&Some(tick.stored.clone())), "tick {number}");
    assert_eq!(store.leaves(number).as_ref(), Ok(&tick.leaves), "leaves of tick {number}");
    let both = Some((tick.stored.clone(), tick.leaves.clone()));
    assert_eq!(store.tick_and_leaves(number), Ok(both), "tick {number} and its leaves");
    let slot = store.slot(number).map(|slot| (slot.time_ms, slot.size, slot.cells));
    let leaf = &tick.stored.leaf;
    assert_eq!(slot, Some((leaf.time_ms, tick.stored.head.head.size, leaf.cells)));
    for (index, (leaf, cell)) in (0..).zip(tick.leaves.iter().zip(&tick.cells)) {
        let place = Place { tick: number, index };
        assert_eq!(store.find(&leaf.tag), Ok(Some((place, *leaf))));
        assert_eq!(store.cell(place, &leaf.cell).as_ref(), Ok(&Some(cell.clone())));
        let other = CellHash(leaf.tag.0);
        assert!(matches!(store.cell(place, &other), Err(StoreError::Damaged { .. })));
    }
}

fn an_empty_store_is_empty<H: Harness>(harness: &H) {
    let store = harness.begin();
    assert_eq!(store.ticks(), None);
    assert_eq!(store.slot(1), None);
    assert_eq!(store.tick(1), Ok(None));
    assert_eq!(store.find(&tag(1)), Ok(None));
    assert_eq!(store.first_tick_from(0), None);
    assert_eq!(store.expirable(), None);
    assert_eq!(store.spine(), Ok(Vec::new()));
}

fn what_was_appended_is_read_back<H: Harness>(harness: &H) {
    let store = harness.begin();
    let (mut ticks, mut made) = filled(&store);
    made.iter().for_each(|tick| check_tick(&store, tick));
    let store = harness.restart(store);
    assert_eq!(store.ticks(), Some(1..=15));
    made.iter().for_each(|tick| check_tick(&store, tick));
    made.push(ticks.numbered(START + 5 * HOUR, 100..101));
    made.push(ticks.next(START + 5 * HOUR, Vec::new()));
    made[15..].iter().for_each(|tick| append(&store, tick));
    let store = harness.restart(store);
    made.iter().for_each(|tick| check_tick(&store, tick));
    let past = Place { tick: 1, index: 4 };
    let hash = CellHash([0; 32]);
    assert_eq!((store.cell(past, &hash), store.cell_leaf(past)), (Ok(None), Ok(None)));
    assert_eq!(store.find(&tag(9_999)), Ok(None));
}

fn a_tick_out_of_order_is_not_taken_for_the_next<H: Harness>(harness: &H) {
    let store = harness.begin();
    let (_, made) = filled(&store);
    let again = &made[3];
    let tick = NewTick { stored: &again.stored, leaves: &again.leaves, cells: &again.cells };
    // Whether it is refused is the store's affair; what it holds must not change.
    let _refused = store.append(&tick);
    assert_eq!(store.ticks(), Some(1..=15));
    made.iter().for_each(|tick| check_tick(&store, tick));
}

fn cells_with_one_prefix_are_all_found<H: Harness>(harness: &H) {
    let store = harness.begin();
    let mut ticks = Ticks::default();
    let twins: Vec<_> = (0..4)
        .map(|number| {
            let mut hash = tag(1).0;
            hash[31] = number;
            TagHash(hash)
        })
        .collect();
    append(&store, &ticks.next(START, vec![(twins[0], cell(0)), (twins[1], cell(1))]));
    append(&store, &ticks.next(START + HOUR, vec![(twins[2], cell(2)), (twins[3], cell(3))]));
    let check = |store: &H::Store| {
        assert_eq!(store.bearing(twins[0].prefix()).len(), 4);
        for (number, twin) in (0..).zip(&twins) {
            let found = store.find(twin).ok().flatten().map(|(_, leaf)| leaf.cell);
            assert_eq!(found, Some(cell(number).hash()));
        }
    };
    check(&store);
    let store = harness.restart(store);
    check(&store);
    expire_oldest(&store);
    let left = store.bearing(twins[0].prefix());
    assert_eq!(left, [Place { tick: 2, index: 0 }, Place { tick: 2, index: 1 }]);
}

fn times_lead_to_ticks<H: Harness>(harness: &H) {
    let store = harness.begin();
    let (_, made) = filled(&store);
    for tick in &made {
        let leaf = &tick.stored.leaf;
        assert_eq!(store.first_tick_from(leaf.time_ms), Some(leaf.tick));
        let next = (leaf.tick < 15).then_some(leaf.tick + 1);
        assert_eq!(store.first_tick_from(leaf.time_ms + 1), next);
    }
    assert_eq!(store.first_tick_from(0), Some(1));
}

fn entries_are_sorted_over_any_stretch<H: Harness>(harness: &H) {
    let store = harness.begin();
    let (_, made) = filled(&store);
    for (from, to) in [(1, 15), (1, 3), (2, 2), (3, 4), (2, 14), (13, 15), (14, 14), (0, u64::MAX)]
    {
        let of_stretch = made.iter().filter(|tick| (from..=to).contains(&tick.stored.leaf.tick));
        let entries = of_stretch.flat_map(|tick| {
            let number = tick.stored.leaf.tick;
            tick.leaves.iter().map(move |leaf| (leaf.tag.prefix(), number))
        });
        let mut entries: Vec<(Prefix, u64)> = entries.collect();
        entries.sort();
        assert_eq!(store.cells_in(from..=to), entries.len() as u64, "ticks {from} to {to}");
        assert_eq!(store.entries(from..=to), Ok(entries), "ticks {from} to {to}");
    }
}

fn leaf_hashes_are_those_of_the_log<H: Harness>(harness: &H) {
    let store = harness.begin();
    let (ticks, _) = filled(&store);
    let store = harness.restart(store);
    for (from, to) in [(0, 15), (0, 1), (2, 4), (5, 13), (14, 15)] {
        let expected = ticks.hashes[from..to].to_vec();
        assert_eq!(store.leaf_hashes(from as u64..to as u64), Ok(expected), "{from} to {to}");
    }
}

fn expire_oldest<S: CellStore>(store: &S) -> SpineRecord {
    let span = store.expirable().expect("an older hour than the newest is there");
    let record = SpineRecord {
        hour: span.hour,
        first_tick: *span.ticks.start(),
        last_tick: *span.ticks.end(),
        first_leaf: span.leaves.start,
        end_leaf: span.leaves.end,
        nodes: vec![[7; 32]; merkle::perfect_subtrees(span.leaves).len()],
    };
    assert_eq!(store.expire(&record), Ok(()), "a healthy store forgets an hour");
    record
}

fn hours_expire_the_oldest_first_and_the_newest_never<H: Harness>(harness: &H) {
    let mut store = harness.begin();
    let (_, made) = filled(&store);
    let mut records = Vec::new();
    for hour in 1..5u64 {
        records.push(expire_oldest(&store));
        store = harness.restart(store);
        assert_eq!(store.ticks(), Some(hour * 3 + 1..=15));
        assert_eq!(store.spine().as_ref(), Ok(&records));
        let (gone, kept) = made.split_at(hour as usize * 3);
        for tick in gone {
            assert_eq!(store.tick(tick.stored.leaf.tick), Ok(None));
            tick.leaves.iter().for_each(|leaf| assert_eq!(store.find(&leaf.tag), Ok(None)));
        }
        kept.iter().for_each(|tick| check_tick(&store, tick));
    }
    assert_eq!(store.expirable(), None, "the newest hour stays");
}
