//! The inputs to begin with. The example `corpus` writes them into the corpus, beside the vectors of
//! `testdata`.

use crate::mls;
use undertone_core::fuzzing;
use undertone_crypto::{
    Device, DeviceId, DeviceList, Identity, Phrase, Secret, SignedDeviceList, cell, part_keys,
};
use undertone_wire::ServerId;

/// Inputs in the grammar of a target, and decisions that lead it somewhere: (target, bytes).
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = fuzzing::seeds();
    seeds.extend(mls::seeds());
    seeds.extend(sealed());
    seeds.extend(texts());
    seeds.extend(decisions());
    #[cfg(feature = "shell")]
    seeds.extend(crate::shell::seeds());
    seeds
}

pub(crate) fn rng() -> rand_chacha::ChaCha20Rng {
    rand_chacha::rand_core::SeedableRng::from_seed([4; 32])
}

fn sealed() -> Vec<(&'static str, Vec<u8>)> {
    let keys = part_keys(&Secret::from_bytes([1; 32]), &ServerId([2; 32]), 0);
    let cell = cell::seal(&keys, b"hello", &mut rng()).expect("it fits");
    let devices = vec![Device { id: DeviceId([1; 16]), mls_key: [2; 32] }];
    let list = DeviceList { number: 1, previous: [0; 32], devices, time_ms: 3 };
    let list = SignedDeviceList::sign(&Identity::from_bytes(&[1; 32]), list);
    vec![("cell", cell.as_bytes().to_vec()), ("device_list", undertone_wire::encode(&list))]
}

fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let phrase = Phrase::generate(&mut rng()).dangerous_words();
    let address = format!("undertone://[::1]:7443/#{}", "0a".repeat(32));
    let fingerprint = Identity::from_bytes(&[1; 32]).key().to_string();
    let texts = [address.as_str(), "Zoë 🦉", &fingerprint];
    let texts = texts.into_iter().chain([phrase.as_str()]);
    texts.map(|text| ("texts", text.as_bytes().to_vec())).collect()
}

/// For the targets whose inputs are decisions.
fn decisions() -> Vec<(&'static str, Vec<u8>)> {
    let engine = [
        vec![0, 1, 2, 5, 0, 1, 3, 0, 2, 4, 5, 6, 3, 0, 3, 5, 2, 1, 0, 3, 1, 1, 4, 1, 255],
        vec![0, 1, 2, 5, 10, 0, 2, 1, 5, 6, 2, 11, 0, 2, 1, 5, 7, 0, 3, 3, 5],
    ];
    let folder = [
        vec![0, 0, 1, 1, 0, 0, 0, 30, 7],
        vec![1, 2, 2, 1, 0, 4, 0, 80, 3, 4, 1, 1, 0, 0, 0, 200, 9],
        vec![0, 5, 3, 1, 1, 4, 0, 24, 255, 0, 0, 0, 0, 0, 0, 0, 1],
    ];
    let member = [
        vec![0, 0, 0, 3, 1, 0, 3, b'j', b'u', b'n'],
        vec![0, 8, 0, 0, 0, 0, 0, 2, b'e', b'v', 9, 8, 7, 1, 0],
        vec![0, 2, 0, 4, 1, 2, 3, 4, 0, 0, 7],
        vec![1, 3, 1, 0, 2, b'h', b'i', 7, 0, 0, 8],
        vec![0, 5, 0, 0, 0, 3, 1, 2, 3, 8],
        vec![0, 6, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 1, 5, 8],
        vec![1, 4, 0, 1, 1, 7, 8, 9, 0, 2, 5, 5],
    ];
    let client = [
        vec![0],
        vec![1, 0, 0, 15, 0, 4],
        vec![2, 10, 0, 0, 0, 9, 1],
        vec![3, 2, 0, 7, 5],
        vec![3, 0, 0, 0, 7, 0, 0, 0, 0, 0, 2, 2],
    ];
    let records = [vec![0, 0, 0, 3, 2, 0, 0, 0, 20, 1], vec![2, 1, 0, 40, 7, 1, 4, 0, 9, 255]];
    let named = |name, all: Vec<Vec<u8>>| all.into_iter().map(move |bytes| (name, bytes));
    named("server_engine", engine.to_vec())
        .chain(named("store_folder", folder.to_vec()))
        .chain(named("client_member", member.to_vec()))
        .chain(named("client_server", client.to_vec()))
        .chain(named("profile_records", records.to_vec()))
        .collect()
}
