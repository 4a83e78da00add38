//! The known answers in `testdata/crypto/vectors.json`, made by a program that shares no line with us.

use rand::{CryptoRng, RngCore};
use serde_json::Value;

pub(crate) fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/crypto/vectors.json");
    let text = std::fs::read_to_string(path).expect("the vectors are part of the source");
    serde_json::from_str(&text).expect("JSON")
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).expect("hexadecimal")
}

pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("the length")
}

/// A generator that yields one byte string over and over.
pub(crate) struct Fixed(pub(crate) Vec<u8>);

impl RngCore for Fixed {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(self.0[..4].try_into().expect("four bytes"))
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.0[..8].try_into().expect("eight bytes"))
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        for (byte, fixed) in out.iter_mut().zip(self.0.iter().cycle()) {
            *byte = *fixed;
        }
    }
}

impl CryptoRng for Fixed {}

/// A seeded generator.
pub(crate) fn rng(seed: u8) -> rand_chacha::ChaCha20Rng {
    rand::SeedableRng::from_seed([seed; 32])
}
