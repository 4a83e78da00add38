//! Ed25519 (RFC 8032) under labels, as identities use it.

use ed25519_dalek::SigningKey;
use undertone_wire::ed25519;

/// The signature of `key` over `message` for the purpose `label`.
pub(crate) fn sign(key: &SigningKey, label: &str, message: &[u8]) -> [u8; 64] {
    ed25519::sign(key, &labelled(label, message))
}

/// Whether `signature` is the one of `key` over `message` for the purpose `label`.
pub(crate) fn verify(key: &[u8; 32], label: &str, message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519::verify(key, &labelled(label, message), signature)
}

/// `u8 length ‖ label ‖ message`: a signature of one purpose can never serve another.
fn labelled(label: &str, message: &[u8]) -> Vec<u8> {
    let length = u8::try_from(label.len()).expect("labels are short constants");
    [&[length], label.as_bytes(), message].concat()
}
