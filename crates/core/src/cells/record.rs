//! A cell of the outbox as it is stored: key = tag, value = CBOR.

use super::{Owner, Put, bytes::Bytes};
use crate::stored::{LoadError, from_bytes, to_bytes};
use serde::{Deserialize, Serialize};
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
