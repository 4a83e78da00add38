//! The number that two people compare to know that nobody stands between them.

use super::IdentityKey;
use sha2::{Digest, Sha512};

/// Each half costs a forger this many hashes per try, on top of the 2^99 tries that 30 digits need.
const ITERATIONS: u32 = 5200;

/// Sixty decimal digits in twelve groups of five; the same whichever of the two asks.
///
/// Each person's half is `h_5200`, where `h_0 = "undertone safety number 1" ‖ key` and
/// `h_(i+1) = SHA-512(h_i ‖ key)`: six groups, each of five bytes, big-endian, modulo 100,000. The
/// half of the lower key stands first.
pub fn safety_number(a: &IdentityKey, b: &IdentityKey) -> String {
    let halves = [half(a.min(b)), half(a.max(b))];
    let groups = halves.iter().flat_map(|half| half.as_chunks::<5>().0.iter().take(6)).map(group);
    groups.collect::<Vec<_>>().join(" ")
}

fn half(key: &IdentityKey) -> [u8; 64] {
    let first = Sha512::new().chain_update(b"undertone safety number 1").chain_update(key.0);
    let mut state: [u8; 64] = first.chain_update(key.0).finalize().into();
    for _ in 1..ITERATIONS {
        state = Sha512::new().chain_update(state).chain_update(key.0).finalize().into();
    }
    state
}

fn group(bytes: &[u8; 5]) -> String {
    let value = bytes.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    format!("{:05}", value % 100_000)
}
