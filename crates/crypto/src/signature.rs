//! Ed25519 (RFC 8032) under labels, as identities use it.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// The signature of `key` over `message` for the purpose `label`.
pub(crate) fn sign(key: &SigningKey, label: &str, message: &[u8]) -> [u8; 64] {
    key.sign(&labelled(label, message)).to_bytes()
}

/// Whether `signature` is the one of `key` over `message` for the purpose `label`.
pub(crate) fn verify(key: &[u8; 32], label: &str, message: &[u8], signature: &[u8; 64]) -> bool {
    verify_plain(key, &labelled(label, message), signature)
}

/// Strict verification: neither a key of small order nor a second form of a signature passes, so a
/// signature binds one key and one message.
pub(crate) fn verify_plain(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

/// `u8 length ‖ label ‖ message`: a signature of one purpose can never serve another.
fn labelled(label: &str, message: &[u8]) -> Vec<u8> {
    let length = u8::try_from(label.len()).expect("labels are short constants");
    [&[length], label.as_bytes(), message].concat()
}
