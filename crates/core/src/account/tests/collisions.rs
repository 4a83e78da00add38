//! Two tags of one prefix: whoever chooses both finds some, and it stops nobody.

use super::evil::{Evil, claims, lane_cell, nothing};
use crate::head::{Claims, Payload, SignedHead};
use crate::io::MessageState;
use crate::parcel::Packed;
use crate::policy::Change;
use undertone_wire::{Tag, encode};

/// The parts' tags are listed and never stored: other tags of the same prefixes are.
fn collide(evil: &mut Evil, packed: &Packed) {
    let tags: Vec<Tag> = packed.parts.iter().map(|(keys, _)| keys.tag).collect();
    evil.world.collided.extend(tags);
    evil.store_parts(packed);
}

#[test]
fn c04_a_part_whose_listing_is_another_tags_makes_its_head_void() {
    let mut evil = Evil::new(31);
    let packed = evil.pack(&encode(&nothing()));
    collide(&mut evil, &packed);
    let (keys, key, leaf) = (evil.control(), evil.mal_key(), evil.leaf_of("Mal"));
    let claims = Claims { leaf, place: 0, change: Change::default().hash(), body: [0; 32] };
    let head = SignedHead::sign(&key, &keys.tag, claims, Payload::Parcel(packed.reference));
    evil.put(&keys, &encode(&head));
    evil.assert_void("C04");
}

#[test]
fn l05_a_part_whose_listing_is_another_tags_does_not_count() {
    let mut evil = Evil::new(32);
    let packed = evil.pack(&[1; 5000]);
    collide(&mut evil, &packed);
    let said = claims(&mut evil);
    lane_cell(&mut evil, said, Payload::Parcel(packed.reference));
    evil.assert_void("L05");
}

#[test]
fn a_control_slot_whose_listing_is_another_tags_is_free() {
    let mut evil = Evil::new(33);
    let keys = evil.control();
    evil.world.collided.insert(keys.tag);
    evil.world.put_raw(&keys, undertone_wire::Cell::from_array([7; 2048]));
    evil.world.rest();
    let (ada, ben) = (evil.ada, evil.world.chat("Ben", "Desk"));
    evil.world.say("Ada", ada, "we go on");
    evil.world.rest();
    assert_eq!(evil.world.transcript("Ben", ben), ["Ada: we go on"]);
    assert!(evil.world.alarms("Ada").is_empty() && evil.world.alarms("Ben").is_empty());
}

#[test]
fn a_lane_slot_whose_listing_is_another_tags_is_read_when_it_is_filled() {
    let mut evil = Evil::new(34);
    let (ada, ben) = (evil.ada, evil.world.chat("Ben", "Desk"));
    let keys = evil.lane("Ben");
    evil.world.say("Ben", ben, "first");
    evil.world.collided.insert(keys.tag);
    evil.world.rest();
    // Ada was shown that the tick lists another tag; Ben's own cell is proved to be his.
    assert_eq!(evil.world.states("Ben", ben)["first"], MessageState::Stored);
    assert!(evil.world.transcript("Ada", ada).is_empty());
    evil.world.say("Ada", ada, "nothing waits");
    evil.world.rest();
    assert_eq!(evil.world.states("Ada", ada)["nothing waits"], MessageState::Stored);
    assert!(evil.world.alarms("Ada").is_empty(), "{:?}", evil.world.alarms("Ada"));
}
