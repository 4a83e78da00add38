//! Bytes from the network, broken in all sorts of ways: a refusal each time, no panic, no trace. All
//! randomness comes from the case, so that a case that fails fails again.

use crate::people::{Person, adding, healing, three_seeded};
use proptest::{prelude::*, sample::Index};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use undertone_crypto::{Group, inspect_key_package};

/// One way to break a byte string.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Cut(Index),
    Drop(Index),
    Insert(Index, Vec<u8>),
    Overwrite(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..12);
    prop_oneof![
        (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        any::<Index>().prop_map(Damage::Cut),
        any::<Index>().prop_map(Damage::Drop),
        (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Overwrite(at, bytes)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

fn broken(bytes: &[u8], damage: &Damage) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let length = bytes.len();
    match damage {
        Damage::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
        Damage::Cut(at) => bytes.truncate(at.index(length)),
        Damage::Drop(at) => drop(bytes.remove(at.index(length))),
        Damage::Insert(at, new) => {
            let at = at.index(length);
            bytes.splice(at..at, new.iter().copied());
        }
        Damage::Overwrite(at, new) => {
            let at = at.index(length);
            let end = length.min(at + new.len());
            bytes[at..end].copy_from_slice(&new[..end - at]);
        }
        Damage::Repeat(from, to) => {
            let (from, to) = (from.index(length), to.index(length));
            let piece = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.splice(to..to, piece);
        }
    }
    bytes
}

/// One message has one form: a length that is written longer than need be is refused.
#[test]
fn a_length_has_one_form() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let [(mut ada, mut adas), (mut ben, mut bens), _] = three_seeded(&mut rng);
    let mut dora = Person::seeded("Dora", &mut rng);
    let message = ada.say(&mut adas, "a message");
    let package = dora.key_package();
    let pending = ada.push(&mut adas, adding([package.clone()]));
    let (welcome, tree) = (pending.welcome.clone().expect("Dora was added"), adas.tree());
    let lengthened = |bytes: &[u8], at: usize| {
        let byte = bytes[at];
        let longer = match byte >> 6 {
            0 => vec![0x40, byte],
            1 => vec![0x80, 0, byte & 0x3f],
            _ => return None,
        };
        Some([&bytes[..at], &longer[..], &bytes[at + 1..]].concat())
    };
    for at in 0..message.len() {
        let Some(longer) = lengthened(&message, at) else { continue };
        assert!(bens.decrypt(&mut ben.mls, &longer).is_err(), "message, byte {at}");
    }
    for at in 0..pending.commit.len() {
        let Some(longer) = lengthened(&pending.commit, at) else { continue };
        assert!(bens.judge(&ben.mls, &longer).is_err(), "commit, byte {at}");
    }
    for at in 0..package.0.len() {
        let Some(longer) = lengthened(&package.0, at) else { continue };
        assert!(inspect_key_package(&longer).is_err(), "key package, byte {at}");
    }
    let mut join =
        |welcome: &[u8], tree: &[u8]| Group::join(&mut dora.mls, &dora.key, welcome, tree).is_err();
    for at in 0..welcome.len() {
        let Some(longer) = lengthened(&welcome, at) else { continue };
        assert!(join(&longer, &tree), "Welcome, byte {at}");
    }
    for at in 0..tree.len() {
        let Some(longer) = lengthened(&tree, at) else { continue };
        assert!(join(&welcome, &longer), "tree, byte {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn broken_bytes_are_refused(seed: u64, damages in prop::collection::vec(damage(), 1..32)) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let [(mut ada, mut adas), (mut ben, mut bens), _] = three_seeded(&mut rng);
        let message = ada.say(&mut adas, "a message");
        let mut dora = Person::seeded("Dora", &mut rng);
        let package = dora.key_package();
        let pending = ada.push(&mut adas, adding([package.clone()]));
        let welcome = pending.welcome.clone().expect("Dora was added");
        let tree = adas.tree();
        ben.persist();
        dora.persist();
        for damage in &damages {
            let refused = |bytes: &[u8]| broken(bytes, damage) != bytes;
            if refused(&message) {
                prop_assert!(bens.decrypt(&mut ben.mls, &broken(&message, damage)).is_err());
            }
            if refused(&pending.commit) {
                prop_assert!(bens.merge(&mut ben.mls, &broken(&pending.commit, damage)).is_err());
            }
            if refused(&package.0) {
                prop_assert!(inspect_key_package(&broken(&package.0, damage)).is_err());
            }
            let mut join = |welcome: &[u8], tree: &[u8]| {
                Group::join(&mut dora.mls, &dora.key, welcome, tree).is_err()
            };
            if refused(&welcome) {
                prop_assert!(join(&broken(&welcome, damage), &tree));
            }
            if refused(&tree) {
                prop_assert!(join(&welcome, &broken(&tree, damage)));
            }
            prop_assert_eq!(ben.mls.take_changes(), []);
            prop_assert_eq!(dora.mls.take_changes(), []);
        }
        ben.hear(&mut bens, &message);
        bens.merge(&mut ben.mls, &pending.commit).expect("the true commit");
        let mut doras = dora.join(&pending, &tree);
        let healed = dora.push(&mut doras, healing()).commit;
        bens.merge(&mut ben.mls, &healed).expect("a fine commit");
    }

    #[test]
    fn noise_is_refused(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut ada = Person::new("Ada");
        let mut adas = ada.create();
        prop_assert!(adas.decrypt(&mut ada.mls, &noise).is_err());
        prop_assert!(adas.judge(&ada.mls, &noise).is_err());
        prop_assert!(inspect_key_package(&noise).is_err());
        prop_assert!(Group::join(&mut ada.mls, &ada.key, &noise, &noise).is_err());
        // An MLSMessage's version and each of its kinds before the noise.
        for kind in 1..=6 {
            let message = [&[0, 1, 0, kind], &noise[..]].concat();
            prop_assert!(adas.decrypt(&mut ada.mls, &message).is_err());
            prop_assert!(adas.judge(&ada.mls, &message).is_err());
            prop_assert!(inspect_key_package(&message).is_err());
            prop_assert!(Group::join(&mut ada.mls, &ada.key, &message, &noise).is_err());
        }
    }
}
