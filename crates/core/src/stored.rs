//! Stored state: CBOR with a leading version byte.
//!
//! A newer version than this code knows is told apart from damage: the first asks for a newer
//! program, the second for help.

use serde::{Serialize, de::DeserializeOwned};
use undertone_crypto::cbor;

/// Version of every record that this crate writes.
const VERSION: u8 = 1;

/// Why a stored record cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Written by a newer program.
    #[error("the profile was written by a newer version of Undertone (record version {0})")]
    Newer(u8),
    /// Not what was written.
    #[error("the profile is damaged: {0}")]
    Damaged(String),
}

pub(crate) fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    cbor::encode_onto(value, &mut bytes).expect("records are made of what CBOR can say");
    bytes
}

pub(crate) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, LoadError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => {
            cbor::decode(rest).map_err(|error| LoadError::Damaged(error.to_string()))
        }
        Some((&version, _)) => Err(LoadError::Newer(version)),
        None => Err(LoadError::Damaged("an empty record".to_owned())),
    }
}
