use super::*;
use crate::vectors::{array, vectors};
use proptest::prelude::*;
use serde_json::Value;

fn expect_keys(keys: &SlotKeys, expected: &Value) {
    assert_eq!(keys.write.0, array(&expected["write"]));
    assert_eq!(keys.tag.0, array(&expected["tag"]));
    assert_eq!(keys.cell.0, Secret::from_bytes(array(&expected["cell_key"])));
}

fn expect_slot(slot: &Slot, index: u64, expected: &Value, server: &ServerId) {
    assert_eq!(slot.dangerous_parts(), (index, array(&expected["slot"])));
    expect_keys(&slot.keys(server), expected);
}

#[test]
fn the_schedule_gives_the_known_answers() {
    let known = &vectors()["schedule"];
    let server = ServerId(array(&known["server"]));
    let closing = HeadRef { tick: 42, size: 99, root: array(&known["closing_root"]) };
    let exported = Secret::from_bytes(array(&known["exported"]));
    let log = EpochLog::derive(&exported, &server, &closing);
    expect_slot(&log.control(), 0, &known["control_0"], &server);
    expect_slot(&log.lane(3), 0, &known["lane_3_0"], &server);
    expect_slot(&log.lane(3).next(), 1, &known["lane_3_1"], &server);
    let seed = Secret::from_bytes(array(&known["seed"]));
    expect_keys(&part_keys(&seed, &server, 2), &known["part_2"]);
    expect_keys(&link_keys(&seed, &server, "offer", &[b"day", b"7"]), &known["offer_day_7"]);
}

#[test]
fn all_that_is_bound_changes_the_slots() {
    let (exported, server) = (Secret::from_bytes([1; 32]), ServerId([2; 32]));
    let closing = HeadRef { tick: 3, size: 4, root: [5; 32] };
    let log = EpochLog::derive(&exported, &server, &closing);
    let others = [
        EpochLog::derive(&Secret::from_bytes([9; 32]), &server, &closing),
        EpochLog::derive(&exported, &ServerId([9; 32]), &closing),
        EpochLog::derive(&exported, &server, &HeadRef { tick: 9, ..closing }),
        EpochLog::derive(&exported, &server, &HeadRef { root: [9; 32], ..closing }),
    ];
    assert!(others.iter().all(|other| *other != log));
    assert_ne!(log.lane(0), log.lane(1));
    assert_ne!(log.lane(0), log.control());
    assert_ne!(log.lane(0).keys(&server), log.lane(0).keys(&ServerId([9; 32])));
}

#[test]
fn a_slot_survives_its_stored_form() {
    let slot = Slot::first(&Secret::from_bytes([1; 32])).next().next();
    let (index, secret) = slot.dangerous_parts();
    assert_eq!(Slot::from_parts(index, secret), slot);
    assert_eq!(slot.index(), 2);
}

#[test]
fn debug_shows_no_key() {
    let slot = Slot::first(&Secret::from_bytes([1; 32]));
    let keys = slot.keys(&ServerId([2; 32]));
    assert_eq!(format!("{slot:?} {keys:?} {:?}", keys.cell), "Slot(0, …) SlotKeys(…) CellKey(…)");
}

proptest! {
    /// Moving a byte from one argument to the next is another call.
    #[test]
    fn arguments_do_not_run_into_each_other(data in prop::collection::vec(any::<u8>(), 1..40), cut in 0usize..40) {
        let secret = Secret::from_bytes([1; 32]);
        let whole = expand(&secret, "label", &[&data]);
        let cut = cut % (data.len() + 1);
        let (a, b) = data.split_at(cut);
        prop_assert_ne!(&expand(&secret, "label", &[a, b]), &whole);
        if cut < data.len() {
            prop_assert_ne!(
                expand(&secret, "label", &[a, b]),
                expand(&secret, "label", &[&data[..cut + 1], &data[cut + 1..]])
            );
        }
    }
}
