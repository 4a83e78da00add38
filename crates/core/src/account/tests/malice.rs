//! A malicious member: every check of control and lane cells, by its number.
//!
//! Mal is a member like the others; the test writes cells with everything that Mal's device knows.

use super::evil::{Evil, body_of, bytes, claims, lane_cell, nothing, say};
use crate::body::{Body, Content, Leave};
use crate::conversation::tests_kit::CommitParcel;
use crate::head::{Claims, Payload, SignedHead};
use crate::io::ChatState;
use crate::policy::{Change, Removed};
use undertone_wire::{Cell, encode};

#[test]
fn c01_junk_in_a_control_slot_is_void() {
    let mut evil = Evil::new(1);
    let keys = evil.control();
    evil.world.put_raw(&keys, Cell::from_array([7; 2048]));
    evil.world.rest();
    evil.assert_void("C01");
}

#[test]
fn c02_a_sealed_cell_without_a_head_is_void() {
    let mut evil = Evil::new(2);
    let keys = evil.control();
    evil.put(&keys, b"not a head");
    evil.assert_void("C02");
}

#[test]
fn c03_an_inline_commit_is_void() {
    let mut evil = Evil::new(3);
    let (keys, key, leaf) = (evil.control(), evil.mal_key(), evil.leaf_of("Mal"));
    let claims = Claims { leaf, place: 0, change: Change::default().hash(), body: [0; 32] };
    let payload = Payload::Inline(b"commit".to_vec().into());
    let head = SignedHead::sign(&key, &keys.tag, claims, payload);
    evil.put(&keys, &encode(&head));
    evil.assert_void("C03");
}

#[test]
fn c04_a_part_stored_after_its_head_makes_it_void() {
    let mut evil = Evil::new(4);
    let packed = evil.pack(&encode(&nothing()));
    let (keys, key, leaf) = (evil.control(), evil.mal_key(), evil.leaf_of("Mal"));
    let claims = Claims { leaf, place: 0, change: Change::default().hash(), body: [0; 32] };
    let payload = Payload::Parcel(packed.reference.clone());
    let head = SignedHead::sign(&key, &keys.tag, claims, payload);
    evil.put(&keys, &encode(&head));
    evil.store_parts(&packed);
    evil.assert_void("C04");
}

#[test]
fn c05_other_parts_than_the_root_commits_to_are_void() {
    let mut evil = Evil::new(5);
    let mut packed = evil.pack(&encode(&nothing()));
    let keys = packed.parts[0].0.clone();
    packed.parts[0].1 = evil.cell(&keys, b"something else");
    evil.store_parts(&packed);
    let (keys, key, leaf) = (evil.control(), evil.mal_key(), evil.leaf_of("Mal"));
    let claims = Claims { leaf, place: 0, change: Change::default().hash(), body: [0; 32] };
    let head = SignedHead::sign(&key, &keys.tag, claims, Payload::Parcel(packed.reference));
    evil.put(&keys, &encode(&head));
    evil.assert_void("C05");
}

#[test]
fn c06_a_leaf_that_is_not_there_is_void() {
    let mut evil = Evil::new(6);
    evil.commit(&nothing(), |claims| claims.leaf = 99);
    evil.assert_void("C06");
}

#[test]
fn c07_a_head_in_anothers_name_is_void() {
    let mut evil = Evil::new(7);
    let ben = evil.leaf_of("Ben");
    evil.commit(&nothing(), |claims| claims.leaf = ben);
    evil.assert_void("C07");
}

#[test]
fn c08_another_change_than_the_signed_one_is_void() {
    let mut evil = Evil::new(8);
    evil.commit(&nothing(), |claims| claims.change = [1; 32]);
    evil.assert_void("C08");
}

#[test]
fn c09_a_change_without_the_right_to_it_is_void() {
    let mut evil = Evil::new(9);
    let (leaf, identity) = (evil.leaf_of("Ben"), evil.world.identity("Ben"));
    let removes = vec![Removed { leaf, identity, left: None }];
    let change = Change { removes, ..Change::default() };
    evil.commit(&CommitParcel { change, ..nothing() }, |_| {});
    evil.assert_void("C09");
}

#[test]
fn c11_a_commit_that_mls_refuses_has_won_and_leaves_all_stuck() {
    let mut evil = Evil::new(11);
    evil.commit(&nothing(), |_| {});
    evil.assert_stuck();
}

#[test]
fn c12_a_commit_that_does_not_do_what_it_declares_leaves_all_stuck() {
    let mut evil = Evil::new(12);
    let mal = evil.mal;
    let account = &mut evil.world.person("Mal").account;
    let commit = account.heal_commit_for_tests(mal);
    let name = b"Mine".to_vec();
    let policy = evil.secrets().policy.with_name(&String::from_utf8_lossy(&name));
    let leaf = evil.leaf_of("Mal");
    // A declaration that Mal has the right to, on a commit that does something else.
    let change = Change { removes: Vec::new(), adds: vec![evil.secrets().own_add()], policy: None };
    assert_ne!(policy.to_bytes(), evil.secrets().policy.to_bytes());
    assert_eq!(evil.secrets().own_leaf, leaf);
    evil.commit(&CommitParcel { change, commit: commit.into() }, |_| {});
    evil.assert_stuck();
}

#[test]
fn c10_a_commit_in_ones_own_name_that_one_did_not_make_stops_the_device() {
    let mut evil = Evil::new(10);
    // Mal's profile is copied: the copy commits, the original sees it.
    evil.commit(&nothing(), |_| {});
    let mal = evil.mal;
    let chat = evil.world.chats("Mal").into_iter().find(|chat| chat.chat == mal);
    assert_eq!(chat.map(|chat| chat.state), Some(ChatState::Stuck));
    let told = evil.world.told("Mal", |event| match event {
        crate::io::Event::Stuck { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert!(told.iter().any(|text| text.contains("copied")), "{told:?}");
}

#[test]
fn l01_junk_in_a_members_lane_does_not_stop_the_member() {
    let mut evil = Evil::new(21);
    let keys = evil.lane("Ben");
    evil.world.put_raw(&keys, Cell::from_array([7; 2048]));
    evil.world.rest();
    evil.assert_void("L01");
}

#[test]
fn l02_a_sealed_cell_without_a_head_does_not_count() {
    let mut evil = Evil::new(22);
    let keys = evil.lane("Mal");
    evil.put(&keys, b"not a head");
    evil.assert_void("L02");
}

#[test]
fn l03_a_head_in_anothers_lane_does_not_count() {
    let mut evil = Evil::new(23);
    let said = claims(&mut evil);
    let (keys, key) = (evil.lane("Ben"), evil.mal_key());
    let head = SignedHead::sign(&key, &keys.tag, said, bytes(b"x"));
    evil.put(&keys, &encode(&head));
    evil.assert_void("L03");
}

#[test]
fn l04_a_wrong_place_does_not_count() {
    let mut evil = Evil::new(24);
    let said = Claims { place: 7, ..claims(&mut evil) };
    lane_cell(&mut evil, said, bytes(b"x"));
    evil.assert_void("L04");
}

#[test]
fn l05_a_message_whose_part_comes_late_does_not_count() {
    let mut evil = Evil::new(25);
    let packed = evil.pack(&[1; 5000]);
    let said = claims(&mut evil);
    lane_cell(&mut evil, said, Payload::Parcel(packed.reference.clone()));
    evil.store_parts(&packed);
    evil.assert_void("L05");
}

#[test]
fn l06_what_mls_does_not_accept_does_not_count() {
    let mut evil = Evil::new(26);
    let said = claims(&mut evil);
    lane_cell(&mut evil, said, bytes(b"not an MLS message"));
    evil.assert_void("L06");
}

#[test]
fn l07_somebody_elses_mls_message_does_not_count() {
    let mut evil = Evil::new(27);
    let ben = evil.world.chat("Ben", "Desk");
    let sealed = evil.world.person("Ben").account.encrypt_for_tests(ben, &[], b"whatever");
    let said = claims(&mut evil);
    lane_cell(&mut evil, said, Payload::Inline(sealed.into()));
    assert_eq!(evil.skipped("Ada", "L07"), 1);
}

#[test]
fn l07_a_copied_message_still_opens_at_its_true_place() {
    let mut evil = Evil::new(30);
    let ben = evil.world.chat("Ben", "Desk");
    let keys = evil.lane("Ben");
    evil.world.person("Ada").online = false;
    evil.world.rest();
    evil.world.say("Ben", ben, "mine");
    evil.world.rest();
    let undertone_wire::Answer::Found { cell, .. } = evil.world.server.get(&keys.tag, 0) else {
        panic!("Ben's cell is not stored");
    };
    let content = undertone_crypto::cell::open(&keys, &cell).expect("a member opens it");
    let copied = SignedHead::parse(&content).expect("a head").payload;
    let said = claims(&mut evil);
    lane_cell(&mut evil, said, copied);
    evil.world.person("Ada").online = true;
    evil.world.rest();
    // Whichever lane is read first: the copy never counts, and the true one always does.
    assert_eq!(evil.skipped("Ada", "L06") + evil.skipped("Ada", "L07"), 1);
    let ada = evil.ada;
    assert_eq!(evil.world.transcript("Ada", ada), ["Ben: mine"]);
}

#[test]
fn l08_a_body_that_the_head_does_not_commit_to_does_not_count() {
    let mut evil = Evil::new(28);
    let mal = evil.mal;
    let sealed = evil.world.person("Mal").account.encrypt_for_tests(mal, &[], b"whatever");
    let said = claims(&mut evil);
    lane_cell(&mut evil, said, Payload::Inline(sealed.into()));
    evil.assert_void("L08");
}

#[test]
fn l09_a_body_of_another_conversation_does_not_count() {
    let mut evil = Evil::new(29);
    let body = body_of([1; 32], &Content::Leave(Leave { stay: [0; 32] }));
    say(&mut evil, &body);
    evil.assert_void("L09");
}

/// A message that shows a head which Mal made up counts, is told of, and stops nobody (ADR 0009).
#[test]
fn a_made_up_head_in_a_message_is_told_of_and_stops_nobody() {
    let mut evil = Evil::new(30);
    let (ada, mal) = (evil.ada, evil.mal);
    let account = &mut evil.world.person("Mal").account;
    let conversation = account.conversation_for_tests(mal).conversation;
    let mut head = account.signed_head_for_tests();
    head.head.root = [9; 32];
    let body = encode(&body_of(conversation, &Content::Text(b"look at this".to_vec().into())));
    let sealed = account.encrypt_for_tests(mal, &encode(&head), &body);
    let said = Claims { body: Body::commitment(&body), ..claims(&mut evil) };
    lane_cell(&mut evil, said, Payload::Inline(sealed.into()));

    let transcript = evil.world.transcript("Ada", ada);
    assert!(transcript.contains(&"Mal: look at this".to_owned()), "{transcript:?}");
    let told = evil.world.members_told("Ada");
    assert!(
        told.iter().any(|text| text.starts_with("A message from Mal does not show")),
        "{told:?}"
    );
    evil.world.say("Ada", ada, "and on we go");
    let ben = evil.world.chat("Ben", "Desk");
    assert!(evil.world.transcript("Ben", ben).contains(&"Ada: and on we go".to_owned()));
    assert!(evil.world.alarms("Ada").is_empty() && evil.world.alarms("Ben").is_empty());
}

#[test]
fn a_leave_that_proves_nothing_stops_nobody() {
    let mut evil = Evil::new(61);
    let (ada, mal) = (evil.ada, evil.mal);
    let account = &mut evil.world.person("Mal").account;
    let conversation = account.conversation_for_tests(mal).conversation;
    let leave = Content::Leave(Leave { stay: [9; 32] });
    say(&mut evil, &Body { number: 2, ..body_of(conversation, &leave) });
    let told = evil.world.members_told("Ada");
    assert!(told.contains(&"Mal has left.".to_owned()), "{told:?}");
    evil.world.pass(120_000);
    let name = crate::ids::Name::parse("Newsroom").expect("a name");
    evil.world.command("Ada", crate::io::Command::Rename { chat: ada, name }).expect("renamed");
    evil.world.rest();
    let ben = evil.world.chat("Ben", "Newsroom");
    evil.world.say("Ben", ben, "we go on");
    evil.world.rest();
    assert_eq!(evil.world.transcript("Ada", ada), ["Ben: we go on"]);
}
