//! A person's long-term key, and the twenty-four words that it comes from (DESIGN.md section 5).
//!
//! The words are BIP-39 English; their 256 bits of entropy are enough on their own, so no
//! password-stretching is done: `seed = Expand(entropy, "undertone identity 1")`.

use crate::{Secret, schedule::expand, signature};
use ed25519_dalek::SigningKey;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

mod phrase;
mod safety;

pub use phrase::{BadPhrase, Phrase, WORDS};
pub use safety::safety_number;

/// The secret half of a person's identity: it signs device lists and offers, and nothing else.
///
/// Erased when dropped; kept at rest only under the passphrase.
#[derive(Clone)]
pub struct Identity(SigningKey);

impl Identity {
    /// The identity that these words stand for, on every device and for ever.
    pub fn from_phrase(phrase: &Phrase) -> Self {
        Self::from_bytes(expand(phrase.entropy(), "undertone identity 1", &[]).dangerous_bytes())
    }

    /// A fresh identity without words, for tests and for addresses.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        Self::from_bytes(Secret::random(rng).dangerous_bytes())
    }

    /// From what [`Identity::dangerous_bytes`] gave.
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The Ed25519 seed: for the sealed store and nothing else.
    pub fn dangerous_bytes(&self) -> Secret {
        Secret::from_bytes(self.0.to_bytes())
    }

    /// The public half.
    pub fn key(&self) -> IdentityKey {
        IdentityKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `message` for the purpose `label` (at most 255 bytes, a constant of the protocol):
    /// Ed25519 over `u8 length ‖ label ‖ message`.
    pub fn sign(&self, label: &str, message: &[u8]) -> [u8; 64] {
        signature::sign(&self.0, label, message)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// The public half of a person's identity. Printed whole, it is the person's fingerprint.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    TlsSize,
    TlsSerialize,
    TlsDeserializeBytes,
)]
pub struct IdentityKey(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl IdentityKey {
    /// Whether `signature` is this identity's over `message` for the purpose `label` (strict).
    pub fn verify(&self, label: &str, message: &[u8], signature: &[u8; 64]) -> bool {
        signature::verify(&self.0, label, message, signature)
    }
}

/// Four bytes tell people apart in a test's output without printing who they are.
impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "IdentityKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// The full fingerprint: 64 lowercase hexadecimal digits.
impl fmt::Display for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits")]
pub struct BadFingerprint;

impl FromStr for IdentityKey {
    type Err = BadFingerprint;

    fn from_str(text: &str) -> Result<Self, BadFingerprint> {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let mut key = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != key.len() || !rest.is_empty() {
            return Err(BadFingerprint);
        }
        for (byte, [high, low]) in key.iter_mut().zip(pairs) {
            let value = digit(*high).zip(digit(*low)).map(|(high, low)| high * 16 + low);
            *byte = value.and_then(|value| u8::try_from(value).ok()).ok_or(BadFingerprint)?;
        }
        Ok(Self(key))
    }
}

#[cfg(test)]
mod tests;
