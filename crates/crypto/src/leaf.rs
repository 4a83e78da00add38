//! The signing key of one device: its MLS leaves sign with it, and so do the headers of its cells.
//!
//! Both go through the form of MLS's `SignWithLabel` (RFC 9420 section 5.1.2), so that a header can
//! never pass for an MLS message or the other way round.

use crate::Secret;
use ed25519_dalek::SigningKey;
use openmls_traits::{
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};
use rand::CryptoRng;
use std::fmt;
use tls_codec::{Serialize as _, VLByteSlice};
use undertone_wire::ed25519;

const HEADER_LABEL: &str = "undertone header 1";
const CONTACT_LABEL: &str = "undertone contact 1";

/// The Ed25519 key of one device. Erased when dropped.
#[derive(Clone)]
pub struct LeafKey(SigningKey);

impl LeafKey {
    /// A fresh key.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        Self::from_seed(Secret::random(rng).dangerous_bytes())
    }

    /// From what [`LeafKey::dangerous_bytes`] gave.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The Ed25519 seed: for the encrypted store and nothing else.
    pub fn dangerous_bytes(&self) -> Secret {
        Secret::from_bytes(self.0.to_bytes())
    }

    /// The public half: what device lists and leaves call `mls_key`.
    pub fn key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs the header of a cell.
    pub fn sign_header(&self, message: &[u8]) -> [u8; 64] {
        ed25519::sign(&self.0, &sign_content(HEADER_LABEL, message))
    }

    /// Signs an offer or an answer of first contact, in the name of the identity whose device list
    /// travels beside it.
    pub fn sign_contact(&self, message: &[u8]) -> [u8; 64] {
        ed25519::sign(&self.0, &sign_content(CONTACT_LABEL, message))
    }
}

/// Whether `signature` is the one of the leaf with `key` over the header `message` (strict).
pub fn verify_header(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519::verify(key, &sign_content(HEADER_LABEL, message), signature)
}

/// Whether `signature` is the one of the device with `key` over the offer or answer `message`.
pub fn verify_contact(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519::verify(key, &sign_content(CONTACT_LABEL, message), signature)
}

/// `SignContent` of RFC 9420 section 5.1.2: `opaque label<V> = "MLS 1.0 " + label; opaque content<V>`.
fn sign_content(label: &str, content: &[u8]) -> Vec<u8> {
    let label = ["MLS 1.0 ", label].concat();
    let mut bytes = Vec::with_capacity(label.len() + content.len() + 8);
    for part in [label.as_bytes(), content] {
        let part = VLByteSlice(part).tls_serialize_detached();
        bytes.extend(part.expect("headers are far below the codec's limit of 2^30 bytes"));
    }
    bytes
}

impl Signer for LeafKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(ed25519::sign(&self.0, payload).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl fmt::Debug for LeafKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeafKey(…)")
    }
}

#[cfg(test)]
#[path = "leaf/tests.rs"]
mod tests;
