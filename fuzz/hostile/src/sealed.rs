//! What travels inside cells: read by those who were sent it, written by anybody.

use crate::input::Input;
use undertone_core::fuzzing;
use undertone_crypto::{
    EnvelopeSecret, Identity, Secret, SignedDeviceList, cell as cells, envelope, part_keys,
};
use undertone_wire::{CELL_LEN, Cell, ServerId, decode, encode};

pub(crate) use fuzzing::{answer, commit, head, link_of as link, offer, policy};

/// A decrypted message; besides as a whole, as the content of the kind that its first bytes name.
pub(crate) fn body(bytes: &[u8]) {
    fuzzing::body(bytes);
    let mut input = Input::new(bytes);
    fuzzing::content(input.u16() % 8, input.rest());
}

/// A cell that was sealed by somebody else, and an envelope.
pub(crate) fn cell(bytes: &[u8]) {
    let keys = part_keys(&Secret::from_bytes([1; 32]), &ServerId([2; 32]), 0);
    let mut array = [0; CELL_LEN];
    let length = bytes.len().min(CELL_LEN);
    array[..length].copy_from_slice(&bytes[..length]);
    if let Ok(content) = cells::open(&keys, &Cell::from_array(array)) {
        assert!(content.len() <= cells::CONTENT_MAX);
        head(&content);
    }
    fuzzing::sealed_answer(bytes);
    // A key from a damaged profile.
    let mut input = Input::new(bytes);
    let secret = EnvelopeSecret::from_bytes(input.bytes().to_vec());
    let _ = envelope::open(&secret, b"", b"", input.rest());
}

/// A device list: as it came, and signed by its identity.
pub(crate) fn device_list(bytes: &[u8]) {
    let Ok(list) = decode::<SignedDeviceList>(bytes) else { return };
    assert_eq!(encode(&list), bytes, "one value, one form");
    let _ = list.verify();
    let identity = Identity::from_bytes(&[1; 32]);
    let signed = SignedDeviceList::sign(&identity, list.list.clone());
    if signed.verify().is_ok() {
        assert_eq!(signed.follows(&signed), Ok(()), "a list may take its own place");
    }
    let _ = signed.follows(&list);
}
