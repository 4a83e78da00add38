//! SHA-256 (FIPS 180-4), the one hash of tags, cells and the log's tree.
//!
//! Under the feature `stand-in` it is a toy: see `stand_in.rs`.

/// The hash over these parts, one after the other.
#[cfg(not(feature = "stand-in"))]
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    parts.iter().fold(Sha256::new(), Digest::chain_update).finalize().into()
}

/// The toy.
#[cfg(feature = "stand-in")]
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    crate::stand_in::mix(parts)
}
