//! A cell of the outbox as it is stored: key = tag, value = CBOR.

use super::{Owner, Put};
use crate::stored::{LoadError, from_bytes, to_bytes};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use undertone_wire::{Cell, Tag, WriteKey};

/// A cell of the outbox with all that a restart needs.
pub(super) struct Stored {
    /// What is to be stored.
    pub(super) put: Put,
    /// Its place in the order of putting.
    pub(super) order: u64,
    /// The tick that lists it, once the server has proved it.
    pub(super) tick: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    write: Bytes,
    cell: Bytes,
    owner: Owner,
    order: u64,
    after: Vec<[u8; 16]>,
    tick: Option<u64>,
}

pub(super) fn save(stored: &Stored) -> Vec<u8> {
    let Put { write, cell, owner, after, .. } = &stored.put;
    to_bytes(&Record {
        write: Bytes(write.0.to_vec()),
        cell: Bytes(cell.as_bytes().to_vec()),
        owner: owner.clone(),
        order: stored.order,
        after: after.clone(),
        tick: stored.tick,
    })
}

pub(super) fn load(key: &[u8], bytes: &[u8]) -> Result<(Tag, Stored), LoadError> {
    let record: Record = from_bytes(bytes)?;
    let damaged = || LoadError::Damaged("a record of the outbox".to_owned());
    let tag = Tag(key.try_into().map_err(|_| damaged())?);
    let write = WriteKey(record.write.0.as_slice().try_into().map_err(|_| damaged())?);
    let cell = Cell::from_slice(&record.cell.0).ok_or_else(damaged)?;
    let put = Put { tag, write, cell, owner: record.owner, after: record.after };
    Ok((tag, Stored { put, order: record.order, tick: record.tick }))
}

/// A CBOR byte string: serde would write every byte as a number of its own.
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}
