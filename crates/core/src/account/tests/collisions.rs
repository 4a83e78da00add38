//! Two tags of one prefix: whoever chooses both finds some, and it stops nobody and splits nobody.

use super::evil::{Evil, claims, lane_cell, nothing, text};
use crate::body::Body;
use crate::head::{Claims, Payload, SignedHead};
use crate::io::{Command, MessageState};
use crate::parcel::{Packed, ParcelRef};
use undertone_wire::dangerous_short_prefixes::{Shortened, shorten};
use undertone_wire::{Cell, encode};

/// A group whose world has prefixes so short that a test finds two tags of one.
struct Short {
    evil: Evil,
    _short: Shortened,
}

impl Short {
    fn new(seed: u64) -> Self {
        let _short = shorten(16);
        Self { evil: Evil::new(seed), _short }
    }

    /// Other tags of the prefixes of the parts are stored.
    fn put_decoys(&mut self, packed: &Packed) {
        for (keys, _) in &packed.parts {
            self.evil.world.put_decoy(&keys.tag);
        }
    }

    /// Mal's head of a commit that nobody's leaf signs: C06 once its parts are there.
    fn put_commit(&mut self, parcel: ParcelRef) {
        let evil = &mut self.evil;
        let (keys, key) = (evil.control(), evil.mal_key());
        let claims = Claims { leaf: 99, place: 0, change: nothing().change.hash(), body: [0; 32] };
        let head = SignedHead::sign(&key, &keys.tag, claims, Payload::Parcel(parcel));
        evil.put(&keys, &encode(&head));
    }

    fn commit(&mut self) -> Packed {
        self.evil.pack(&encode(&nothing()))
    }

    /// A message of Mal's that counts where its parts are in time.
    fn message(&mut self) -> (Packed, Claims) {
        let body = Body { number: 2, ..text(&mut self.evil, "it counts") };
        let (mal, body) = (self.evil.mal, encode(&body));
        let account = &mut self.evil.world.person("Mal").account;
        let sealed = account.encrypt_for_tests(mal, &[], &body);
        let said = Claims { body: Body::commitment(&body), ..claims(&mut self.evil) };
        (self.evil.pack(&sealed), said)
    }

    fn put_message(&mut self, parcel: ParcelRef, said: Claims) {
        lane_cell(&mut self.evil, said, Payload::Parcel(parcel));
    }

    fn newest(&self) -> u64 {
        self.evil.world.server.newest().head.tick
    }

    /// Ben leaves; what comes next begins a segment.
    fn leave_before_a_segment(&mut self) {
        self.evil.world.set_online("Ben", false);
        self.evil.world.pass(120_000);
    }

    /// Ben comes back after that segment has closed, so late that he asks for it, and sees no head
    /// of `tick`.
    fn return_to_a_segment(&mut self, tick: u64) {
        self.evil.world.pass(120_000);
        for number in 0..300 {
            self.evil.world.put_number(number);
        }
        self.evil.world.set_online("Ben", true);
        let head = self.evil.world.person("Ben").account.log.head_at(tick);
        assert_eq!(head, None, "a segment shows no heads of its ticks");
    }

    /// Ada and Ben skipped it for this reason, and the group goes on.
    fn assert_void(&mut self, check: &str) {
        let ben = self.evil.world.chat("Ben", "Desk");
        let account = &mut self.evil.world.person("Ben").account;
        let skipped = account.conversation_for_tests(ben).skipped().get(check).copied();
        assert_eq!(skipped, Some(1), "Ben skipped it for {check}");
        self.evil.assert_void(check);
    }

    /// Ada and Ben have Mal's message, and the group goes on.
    fn assert_counts(&mut self) {
        let (ada, ben) = (self.evil.ada, self.evil.world.chat("Ben", "Desk"));
        let transcript = self.evil.world.transcript("Ada", ada);
        assert!(transcript.contains(&"Mal: it counts".to_owned()), "{transcript:?}");
        assert_eq!(self.evil.world.transcript("Ben", ben), transcript);
        self.evil.world.say("Ben", ben, "nothing waits");
        self.evil.world.rest();
        assert_eq!(self.evil.world.states("Ben", ben)["nothing waits"], MessageState::Stored);
        for name in ["Ada", "Ben"] {
            assert_eq!(self.evil.world.gaps(name), [""; 0], "{name}");
            assert_eq!(self.evil.world.alarms(name), [""; 0], "{name}");
        }
    }

    /// The epoch ends and another opens.
    fn next_epoch(&mut self) {
        let (chat, name) = (self.evil.ada, crate::ids::Name::parse("Desk").expect("a name"));
        let named = crate::ids::Name::parse("Bureau").expect("a name");
        for name in [named, name] {
            self.evil.world.command("Ada", Command::Rename { chat, name }).expect("renamed");
            self.evil.world.pass(1_000);
        }
    }
}

#[test]
fn c04_a_part_whose_listing_is_another_tags_makes_its_head_void() {
    let mut it = Short::new(31);
    let packed = it.commit();
    it.put_decoys(&packed);
    it.put_commit(packed.reference);
    it.assert_void("C04");
}

#[test]
fn l05_a_part_whose_listing_is_another_tags_does_not_count() {
    let mut it = Short::new(32);
    let (packed, said) = it.message();
    it.put_decoys(&packed);
    it.put_message(packed.reference, said);
    it.assert_void("L05");
}

#[test]
fn a_part_behind_another_tag_of_its_prefix_is_in_time() {
    let mut it = Short::new(35);
    let packed = it.commit();
    it.put_decoys(&packed);
    it.evil.store_parts(&packed);
    it.put_commit(packed.reference);
    it.assert_void("C06");

    let mut it = Short::new(36);
    let (packed, said) = it.message();
    it.put_decoys(&packed);
    it.evil.store_parts(&packed);
    it.put_message(packed.reference, said);
    it.assert_counts();
}

#[test]
fn a_part_that_comes_after_its_head_is_late_for_whoever_looks_later_too() {
    let mut it = Short::new(37);
    let packed = it.commit();
    it.evil.world.set_online("Ben", false);
    it.put_decoys(&packed);
    it.put_commit(packed.reference.clone());
    it.evil.store_parts(&packed);
    it.evil.world.set_online("Ben", true);
    it.assert_void("C04");

    let mut it = Short::new(38);
    let (packed, said) = it.message();
    it.evil.world.set_online("Ben", false);
    it.put_decoys(&packed);
    it.put_message(packed.reference.clone(), said);
    it.evil.store_parts(&packed);
    it.evil.world.set_online("Ben", true);
    it.assert_void("L05");
}

#[test]
fn a_part_from_before_the_epoch_is_not_made_new_by_another_tag() {
    let mut it = Short::new(39);
    let packed = it.commit();
    it.evil.store_parts(&packed);
    it.next_epoch();
    it.put_decoys(&packed);
    it.put_commit(packed.reference);
    it.assert_void("C04");

    let mut it = Short::new(40);
    // Of the epoch to come, but the check comes before MLS.
    let (packed, _) = it.message();
    it.evil.store_parts(&packed);
    it.next_epoch();
    it.put_decoys(&packed);
    let said = claims(&mut it.evil);
    it.put_message(packed.reference, said);
    it.assert_void("L05");
}

#[test]
fn whoever_comes_back_to_a_segment_judges_alike() {
    let mut it = Short::new(41);
    it.leave_before_a_segment();
    let packed = it.commit();
    it.put_decoys(&packed);
    it.evil.store_parts(&packed);
    let own = it.newest();
    it.put_commit(packed.reference);
    it.return_to_a_segment(own);
    it.assert_void("C06");

    let mut it = Short::new(42);
    it.leave_before_a_segment();
    let (packed, said) = it.message();
    it.put_decoys(&packed);
    it.evil.store_parts(&packed);
    let own = it.newest();
    it.put_message(packed.reference, said);
    it.return_to_a_segment(own);
    it.assert_counts();
}

#[test]
fn a_control_slot_whose_listing_is_another_tags_is_free() {
    let mut it = Short::new(33);
    let keys = it.evil.control();
    it.evil.world.put_decoy(&keys.tag);
    let (ada, ben) = (it.evil.ada, it.evil.world.chat("Ben", "Desk"));
    it.evil.world.say("Ada", ada, "we go on");
    it.evil.world.rest();
    assert_eq!(it.evil.world.transcript("Ben", ben), ["Ada: we go on"]);
    // And judged when it is filled.
    it.evil.world.put_raw(&keys, Cell::from_array([7; 2048]));
    it.evil.world.rest();
    it.assert_void("C01");
}

#[test]
fn a_lane_slot_whose_listing_is_another_tags_is_read_when_it_is_filled() {
    let mut it = Short::new(34);
    let (ada, ben) = (it.evil.ada, it.evil.world.chat("Ben", "Desk"));
    let keys = it.evil.lane("Ben");
    it.evil.world.put_decoy(&keys.tag);
    it.evil.world.say("Ben", ben, "first");
    it.evil.world.rest();
    assert_eq!(it.evil.world.states("Ben", ben)["first"], MessageState::Stored);
    assert_eq!(it.evil.world.transcript("Ada", ada), ["Ben: first"]);
    it.evil.world.say("Ada", ada, "nothing waits");
    it.evil.world.rest();
    assert_eq!(it.evil.world.states("Ada", ada)["nothing waits"], MessageState::Stored);
    assert!(it.evil.world.alarms("Ada").is_empty() && it.evil.world.alarms("Ben").is_empty());
}
