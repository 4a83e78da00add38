//! MLS messages: key packages of strangers, and what is said to be a message, a commit, a Welcome
//! or a ratchet tree, at a device that is in a group.

use crate::input::Input;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::OnceLock;
use undertone_crypto::{CommitSpec, DeviceId, Group, Identity, LeafKey, Mls, inspect_key_package};

const GROUP: [u8; 32] = [9; 32];

/// A key package, as anybody may offer one.
pub(crate) fn key_package(bytes: &[u8]) {
    let _ = inspect_key_package(bytes);
}

/// Two members of a group, as one of them has stored it, and what the other one sends next.
struct Pair {
    records: Vec<(Vec<u8>, Vec<u8>)>,
    messages: Vec<Vec<u8>>,
}

/// Bytes for each thing that MLS is asked to read, none of which leaves a trace when refused.
pub(crate) fn message(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut mls = mls(pair().records.clone(), 3);
    let mut group = Group::load(&mls, &GROUP).expect("what was stored loads");
    let (epoch, key) = (group.epoch(), key(2));
    mls.take_changes();
    match input.u8() % 4 {
        0 => {
            if group.decrypt(&mut mls, input.rest()).is_err() {
                assert!(mls.take_changes().is_empty(), "what is refused leaves no trace");
            }
        }
        1 => drop(group.judge(&mls, input.rest())),
        2 => {
            if group.merge(&mut mls, input.rest()).is_err() {
                assert_eq!(group.epoch(), epoch, "what is refused leaves no trace");
            }
        }
        _ => {
            let welcome = input.bytes();
            drop(Group::join(&mut mls, &key, welcome, input.rest()));
        }
    }
}

/// What the target reads when nobody is hostile: (target, bytes).
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let messages = pair().messages.iter();
    let mut seeds: Vec<_> = messages.map(|bytes| ("mls_message", bytes.clone())).collect();
    let (mut mls, owner) = (mls(Vec::new(), 5), Identity::from_bytes(&[5; 32]).key());
    let package = mls.key_package(&key(5), owner, DeviceId([5; 16]), false).expect("a package");
    seeds.push(("key_package", package.0));
    seeds
}

fn key(number: u8) -> LeafKey {
    LeafKey::from_seed(&[number; 32])
}

fn mls(records: Vec<(Vec<u8>, Vec<u8>)>, seed: u8) -> Mls {
    let mut mls = Mls::load(records).expect("what was stored loads");
    mls.reseed(&mut ChaCha20Rng::from_seed([seed; 32]));
    mls
}

fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(make)
}

fn make() -> Pair {
    let [ada, ben] = [1, 2].map(|n| Identity::from_bytes(&[n; 32]).key());
    let (mut adas, mut bens) = (mls(Vec::new(), 1), mls(Vec::new(), 2));
    let device = |n| DeviceId([n; 16]);
    let package = bens.key_package(&key(2), ben, device(2), false).expect("a package");
    let group = Group::create(&mut adas, &key(1), ada, device(1), &GROUP, b"policy");
    let mut group = group.expect("a group");
    let spec = CommitSpec { add: vec![package], ..CommitSpec::default() };
    let made = group.commit(&mut adas, &key(1), spec).expect("a commit");
    group.merge_pending(&mut adas).expect("merged");
    let (welcome, tree) = (made.welcome.expect("a Welcome"), group.tree());
    let length = u16::try_from(welcome.len()).expect("a Welcome of two people").to_be_bytes();
    let mut messages = vec![[&[3], &length[..], &welcome, &tree].concat()];
    Group::join(&mut bens, &key(2), &welcome, &tree).expect("joined");
    let records = bens.take_changes().into_iter().filter_map(|(key, value)| Some((key, value?)));
    let records = records.collect();
    let said = group.encrypt(&mut adas, &key(1), b"aad", b"hello").expect("encrypted");
    let next = group.commit(&mut adas, &key(1), CommitSpec::default()).expect("a commit").commit;
    messages
        .extend([(0, &said), (1, &next), (2, &next)].map(|(kind, m)| [&[kind], &m[..]].concat()));
    Pair { records, messages }
}
