//! Ed25519 (RFC 8032), the one signature of the protocol: the server's, and by way of `crypto` the
//! devices' and the identities'.
//!
//! Nothing here separates purposes. A message comes with its own already, since each kind of key has its
//! framing: a server's and an identity's `u8 length ‖ label ‖ message` ([`crate::sign`] and `signature.rs`
//! of `crypto`), a leaf's that of MLS, `SignContent` of RFC 9420 (OpenMLS and `leaf.rs` of `crypto`). Nobody
//! else signs, and a new caller must choose one of them.
//!
//! Under the feature `stand-in` it is a toy that anybody can forge: see `stand_in.rs`.

use ed25519_dalek::SigningKey;

/// The signature of `key` over these very bytes, which name their purpose: see above.
#[cfg(not(feature = "stand-in"))]
pub fn sign(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    use ed25519_dalek::Signer;
    key.sign(message).to_bytes()
}

/// Strict verification: neither a key of small order nor a second form of a signature passes, so a
/// signature binds one key and one message.
#[cfg(not(feature = "stand-in"))]
pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    use ed25519_dalek::{Signature, VerifyingKey};
    VerifyingKey::from_bytes(key)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

/// The toy.
#[cfg(feature = "stand-in")]
pub fn sign(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    crate::stand_in::sign(key.verifying_key().as_bytes(), message)
}

/// The toy.
#[cfg(feature = "stand-in")]
pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    crate::stand_in::sign(key, message) == *signature
}
