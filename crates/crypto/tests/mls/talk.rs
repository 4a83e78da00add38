//! Messages between members.

use crate::people::{GROUP, POLICY, healing, three, two};
use undertone_crypto::{Group, Plain, Refused};

#[test]
fn two_people_talk_both_ways() {
    let ((mut ada, mut adas), (mut ben, mut bens)) = two();
    assert_eq!(bens.id(), GROUP);
    assert_eq!((adas.epoch(), bens.epoch()), (1, 1));
    assert_eq!((adas.policy(), bens.policy()), (POLICY.to_vec(), POLICY.to_vec()));
    assert_eq!(adas.members(), bens.members());
    assert_eq!(bens.member(1).map(|member| member.identity), Some(ben.identity.key()));
    assert_eq!(bens.member(1).map(|member| member.mls_key), Some(ben.key.key()));
    assert_eq!(adas.exporter(&ada.mls).ok(), bens.exporter(&ben.mls).ok());

    let hello = ada.say(&mut adas, "Hello Ben");
    let expected =
        Plain { leaf: 0, epoch: 1, aad: b"head".to_vec(), payload: b"Hello Ben".to_vec() };
    assert_eq!(ben.hear(&mut bens, &hello), expected);
    let answer = ben.say(&mut bens, "Hello Ada");
    assert_eq!(ada.hear(&mut adas, &answer).payload, b"Hello Ada");
}

#[test]
fn the_exporter_changes_with_the_epoch_and_not_within_it() {
    let ((mut ada, mut adas), _) = two();
    let first = adas.exporter(&ada.mls).expect("a member");
    ada.say(&mut adas, "something");
    assert_eq!(adas.exporter(&ada.mls).expect("a member"), first);
    ada.push(&mut adas, healing());
    assert_ne!(adas.exporter(&ada.mls).expect("a member"), first);
}

#[test]
fn a_lost_message_holds_up_nothing() {
    let ((mut ada, mut adas), (mut ben, mut bens)) = two();
    let _lost = ada.say(&mut adas, "lost");
    let late = ada.say(&mut adas, "late");
    let early = ada.say(&mut adas, "early");
    assert_eq!(ben.hear(&mut bens, &early).payload, b"early");
    assert_eq!(ben.hear(&mut bens, &late).payload, b"late");
}

#[test]
fn a_message_opens_once() {
    let ((mut ada, mut adas), (mut ben, mut bens)) = two();
    let hello = ada.say(&mut adas, "Hello");
    ben.hear(&mut bens, &hello);
    ben.persist();
    assert_eq!(bens.decrypt(&mut ben.mls, &hello), Err(Refused::NoKey));
    assert_eq!(ben.mls.take_changes(), []);
}

#[test]
fn a_message_too_far_ahead_is_refused() {
    let ((mut ada, mut adas), (mut ben, mut bens)) = two();
    for _ in 0..1001 {
        ada.say(&mut adas, "lost");
    }
    let far = ada.say(&mut adas, "far");
    assert_eq!(bens.decrypt(&mut ben.mls, &far), Err(Refused::NoKey));
}

/// A failed decryption must not use up the key of the true message.
#[test]
fn a_changed_message_is_refused_and_leaves_no_trace() {
    let ((mut ada, mut adas), (mut ben, mut bens)) = two();
    let hello = ada.say(&mut adas, "Hello");
    ben.persist();
    for at in 0..hello.len() {
        let mut changed = hello.clone();
        changed[at] ^= 1;
        assert!(bens.decrypt(&mut ben.mls, &changed).is_err(), "byte {at} was changed");
        assert_eq!(ben.mls.take_changes(), [], "byte {at} was changed");
    }
    for length in 0..hello.len() {
        assert!(bens.decrypt(&mut ben.mls, &hello[..length]).is_err(), "cut to {length}");
    }
    assert_eq!(ben.hear(&mut bens, &hello).payload, b"Hello");
}

#[test]
fn a_late_message_of_a_past_epoch_opens_until_the_epoch_is_forgotten() {
    let [(mut ada, mut adas), (mut ben, mut bens), _] = three();
    let late = ada.say(&mut adas, "late");
    let later = ada.say(&mut adas, "later");
    for _ in 0..3 {
        let commit = ada.push(&mut adas, healing()).commit;
        bens.merge(&mut ben.mls, &commit).expect("a fine commit");
    }
    bens.forget_epochs_before(&mut ben.mls, 1).expect("erasing");
    let plain = ben.hear(&mut bens, &late);
    assert_eq!((plain.epoch, plain.payload), (1, b"late".to_vec()));

    bens.forget_epochs_before(&mut ben.mls, 2).expect("erasing");
    assert_eq!(bens.decrypt(&mut ben.mls, &later), Err(Refused::NoKey));
    ben.persist();
    let mut bens = ben.restart();
    assert_eq!(bens.decrypt(&mut ben.mls, &later), Err(Refused::NoKey));
}

#[test]
fn what_is_not_for_us_is_told_apart() {
    let [(mut ada, mut adas), (mut ben, mut bens), _] = three();
    let own = ada.say(&mut adas, "mine");
    assert_eq!(adas.decrypt(&mut ada.mls, &own), Err(Refused::OwnMessage));

    let commit = ada.push(&mut adas, healing()).commit;
    assert_eq!(bens.decrypt(&mut ben.mls, &commit), Err(Refused::NotApplication));
    let ahead = ada.say(&mut adas, "from epoch 2");
    assert_eq!(bens.decrypt(&mut ben.mls, &ahead), Err(Refused::WrongEpoch));
    assert_eq!(bens.judge(&ben.mls, &ahead), Err(Refused::NotCommit));

    let (identity, device) = (ben.identity.key(), ben.device);
    let other = Group::create(&mut ben.mls, &ben.key, identity, device, &[8; 32], b"");
    let mut other = other.expect("another group");
    let here = ben.say(&mut bens, "here");
    assert_eq!(other.decrypt(&mut ben.mls, &own), Err(Refused::WrongEpoch));
    assert_eq!(other.judge(&ben.mls, &commit), Err(Refused::WrongGroup));
    assert_eq!(bens.decrypt(&mut ben.mls, &here), Err(Refused::OwnMessage));
    assert_eq!(bens.decrypt(&mut ben.mls, b"noise"), Err(Refused::Malformed));
}
