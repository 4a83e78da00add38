//! The engine's records as they are given back at load.

use std::collections::BTreeMap;

/// By space, the records with their keys, in the order of the keys.
pub type Records = BTreeMap<&'static str, Vec<(Vec<u8>, Vec<u8>)>>;
