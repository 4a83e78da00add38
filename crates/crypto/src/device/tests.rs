use super::*;
use crate::{
    Phrase,
    vectors::{array, bytes, rng, text, vectors},
};
use proptest::prelude::*;

fn device(n: u8) -> Device {
    Device { id: DeviceId([n; 16]), mls_key: [n + 1; 32] }
}

fn list(number: u64, previous: [u8; 32], devices: Vec<Device>) -> DeviceList {
    DeviceList { number, previous, devices, time_ms: 1_700_000_000_000 }
}

/// Ada's first and second list.
fn ada() -> (Identity, SignedDeviceList, SignedDeviceList) {
    let ada = Identity::random(&mut rng(1));
    let first = SignedDeviceList::sign(&ada, list(1, [0; 32], vec![device(1)]));
    let second = list(2, first.hash(), vec![device(1), device(3)]);
    let second = SignedDeviceList::sign(&ada, second);
    (ada, first, second)
}

#[test]
fn lists_are_the_known_ones() {
    let known = vectors();
    let phrase = Phrase::parse(text(&known["identities"]["phrase_of_zeros"])).expect("fine");
    let identity = Identity::from_phrase(&phrase);
    let mut previous = None;
    for expected in known["device_lists"].as_array().expect("lists") {
        let signed: SignedDeviceList =
            undertone_wire::decode(&bytes(&expected["signed"])).expect("a list");
        assert_eq!(signed.verify(), Ok(()));
        assert_eq!(signed.hash(), array(&expected["hash"]));
        assert_eq!(SignedDeviceList::sign(&identity, signed.list.clone()), signed);
        if let Some(previous) = &previous {
            assert_eq!(signed.follows(previous), Ok(()));
        }
        previous = Some(signed);
    }
}

#[test]
fn a_list_names_devices_with_their_keys() {
    let (_, first, _) = ada();
    assert!(first.names(DeviceId([1; 16]), &[2; 32]));
    assert!(!first.names(DeviceId([1; 16]), &[3; 32]));
    assert!(!first.names(DeviceId([2; 16]), &[2; 32]));
}

#[test]
fn lists_follow_each_other() {
    let (ada, first, second) = ada();
    assert_eq!(first.follows(&first), Ok(()));
    assert_eq!(second.follows(&first), Ok(()));
    let known = ListFault::Older { known: 2, offered: 1 };
    assert_eq!(first.follows(&second), Err(known));
    let seventh = SignedDeviceList::sign(&ada, list(7, [9; 32], vec![device(5)]));
    assert_eq!(seventh.follows(&second), Ok(()));
}

#[test]
fn a_fork_is_seen() {
    let (ada, first, second) = ada();
    let rival = SignedDeviceList::sign(&ada, list(2, first.hash(), vec![device(5)]));
    assert_eq!(rival.follows(&first), Ok(()));
    assert_eq!(rival.follows(&second), Err(ListFault::Fork { number: 2 }));
    let third = SignedDeviceList::sign(&ada, list(3, second.hash(), vec![device(5)]));
    assert_eq!(third.follows(&second), Ok(()));
    assert_eq!(third.follows(&rival), Err(ListFault::Fork { number: 3 }));
    let ben = Identity::random(&mut rng(2));
    let bens = SignedDeviceList::sign(&ben, list(2, first.hash(), vec![device(1)]));
    assert_eq!(bens.follows(&first), Err(ListFault::OtherIdentity));
}

#[test]
fn a_list_that_its_identity_did_not_sign_is_refused() {
    let (_, first, _) = ada();
    let ben = Identity::random(&mut rng(2));
    let claimed = SignedDeviceList { identity: ben.key(), ..first.clone() };
    assert_eq!(claimed.verify(), Err(ListFault::Signature));
    let mut changed = first.clone();
    changed.list.time_ms += 1;
    assert_eq!(changed.verify(), Err(ListFault::Signature));
    assert_eq!(first.verify(), Ok(()));
}

#[test]
fn a_list_has_one_form() {
    let ada = Identity::random(&mut rng(1));
    let crowd = |n: u8| (0..n).map(device).collect::<Vec<_>>();
    let fault = |list| SignedDeviceList::sign(&ada, list).verify();
    assert_eq!(fault(list(1, [0; 32], crowd(32))), Ok(()));
    let bad = [
        list(1, [0; 32], crowd(33)),
        list(1, [0; 32], vec![]),
        list(1, [0; 32], vec![device(2), device(1)]),
        list(1, [0; 32], vec![device(1), device(1)]),
        list(0, [0; 32], vec![device(1)]),
        list(1, [1; 32], vec![device(1)]),
        list(2, [0; 32], vec![device(1)]),
    ];
    for list in bad {
        assert_eq!(fault(list.clone()), Err(ListFault::Form), "{list:?}");
    }
}

proptest! {
    #[test]
    fn any_changed_byte_is_refused(at in 0usize..300, bit in 0u8..8) {
        let (_, _, second) = ada();
        let mut bytes = undertone_wire::encode(&second);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let read = undertone_wire::decode::<SignedDeviceList>(&bytes);
        prop_assert!(read.is_err() || read.is_ok_and(|list| list.verify().is_err()));
    }
}
