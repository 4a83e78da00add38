//! # The bytes that clients and servers exchange
//!
//! Every structure here is written in the presentation language of RFC 8446 section 3 with the
//! variable-length vectors of RFC 9420 section 2.1.2, and is specified byte by byte in
//! `docs/protocol.md`. The crate is pure: it parses, serialises, hashes and verifies, and does
//! nothing else. Both sides of the wire share it, so that neither can drift.
//!
//! Decoding goes through [`decode`] alone. It works on a slice (a hostile length cannot make it
//! allocate more than it was given) and refuses trailing bytes.

mod address;
mod cell;
pub mod checks;
#[cfg(feature = "dangerous-short-prefixes")]
pub mod dangerous_short_prefixes;
mod digest;
pub mod ed25519;
mod head;
mod keys;
pub mod merkle;
mod op;
mod proof;
mod recovery;
mod sha256;
#[cfg(feature = "stand-in")]
pub mod stand_in;

#[cfg(test)]
mod tests;

pub use address::{BadAddress, ServerAddress};

pub use cell::{CELL_LEN, Cell, CellHash, Prefix, ServerId, Tag, TagHash, WriteKey};
pub use digest::{CellLeaf, Leaf, SegmentLeaf, SegmentLevel, TickDigest, TickLeaf};
pub use head::{Head, HeadRef, KeySuccession, ServerKey, SignedHead, TokenKey, sign};
pub use keys::{BadKeys, KeyRing, TLS_BINDING_OID, TlsBinding};
pub use op::{
    Answer, CellPart, DigestForm, DigestPage, Frame, Hash, Info, ListedProof, LogProof,
    PROTOCOL_HIGHEST, PROTOCOL_LOWEST, Receipt, Refusal, RefusalKind, Request, SegmentAnswer,
    SegmentEntry, Token,
};
pub use proof::BadProof;
pub use recovery::first_tick_after_recovery;

use tls_codec::{DeserializeBytes, Serialize};

/// Whether toys stand in the place of cryptography in this build: true in simulations alone.
pub const STAND_IN: bool = cfg!(feature = "stand-in");

/// The bytes were not what they should be: cut short, too long, or out of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are not a {what}")]
pub struct Malformed {
    /// The name of the structure that was expected.
    pub what: &'static str,
}

/// Reads exactly one `T` from `bytes`; anything left over is an error.
///
/// # Errors
/// [`Malformed`] when the bytes are not exactly one `T`.
pub fn decode<T: DeserializeBytes>(bytes: &[u8]) -> Result<T, Malformed> {
    let what = std::any::type_name::<T>().rsplit("::").next().unwrap_or("value");
    T::tls_deserialize_exact_bytes(bytes).map_err(|_| Malformed { what })
}

/// The bytes of `value`.
///
/// # Panics
/// Never for the types of this crate: all their vectors are below the codec's limit of 2^30 bytes.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    value.tls_serialize_detached().expect("vectors stay below the codec's limit")
}
