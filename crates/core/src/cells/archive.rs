//! What the server has proved to hold, kept so that a restored server can be given it again.
//!
//! One's own cells with their receipts, and every merged commit of each conversation in sealed form
//! (a *witness* keeps it as its author does), for 30 days by the server's time and within a limit;
//! the oldest go first. Each is a record of the space `archive`.

use super::{Changes, Owner, bytes::Bytes};
use crate::log::LogFollower;
use crate::stored::{LoadError, from_bytes, to_bytes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use undertone_wire::{Cell, Receipt, Tag, WriteKey, decode, encode};

/// Cells that are kept at most: about twelve megabytes.
const CELLS_MAX: usize = 4_096;
/// For so long a cell is kept, by the server's time, in milliseconds.
const KEEP_MS: u64 = 30 * 86_400_000;

/// A cell that was stored.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) write: WriteKey,
    pub(super) cell: Cell,
    pub(super) owner: Owner,
    pub(super) receipt: Receipt,
    /// Its place in the order of storing: parts before heads.
    pub(super) order: u64,
    /// The first tick of the life for which it was put again; 0 when it never was.
    pub(super) again: u64,
}

impl Kept {
    pub(super) fn tick(&self) -> u64 {
        self.receipt.head.head.tick
    }
}

#[derive(Serialize, Deserialize)]
struct Record {
    write: Bytes,
    cell: Bytes,
    owner: Owner,
    receipt: Bytes,
    order: u64,
    again: u64,
}

#[derive(Default)]
pub(super) struct Archive {
    kept: BTreeMap<Tag, Kept>,
    by_order: BTreeMap<u64, Tag>,
    pub(super) changes: Changes,
}

impl Archive {
    pub(super) fn get(&self, tag: &Tag) -> Option<&Kept> {
        self.kept.get(tag)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Tag, &Kept)> {
        self.by_order.values().filter_map(|tag| self.kept.get_key_value(tag))
    }

    /// The tick of a recovery's hole in which this device knows the cell to have been stored.
    pub(super) fn undone_tick(&self, tag: &Tag, log: &LogFollower) -> Option<u64> {
        self.kept.get(tag).map(Kept::tick).filter(|tick| log.is_undone(*tick))
    }

    /// Keeps a cell with its proof. Of two proofs of it the one of the first listing stays, for that counts.
    pub(super) fn keep(
        &mut self,
        tag: Tag,
        (write, cell): (WriteKey, Cell),
        owner: Owner,
        receipt: Receipt,
        now_ms: u64,
    ) {
        if let Some(kept) = self.kept.get(&tag) {
            if kept.cell == cell && receipt.head.head.tick < kept.tick() {
                let kept = Kept { receipt, ..kept.clone() };
                self.save(tag, kept);
            }
            return;
        }
        let order = self.by_order.keys().next_back().map_or(0, |last| last.saturating_add(1));
        self.save(tag, Kept { write, cell, owner, receipt, order, again: 0 });
        self.make_room(now_ms);
    }

    fn save(&mut self, tag: Tag, kept: Kept) {
        let record = Record {
            write: Bytes(kept.write.0.to_vec()),
            cell: Bytes(kept.cell.as_bytes().to_vec()),
            owner: kept.owner.clone(),
            receipt: Bytes(encode(&kept.receipt)),
            order: kept.order,
            again: kept.again,
        };
        self.changes.insert(tag.0.to_vec(), Some(to_bytes(&record)));
        self.by_order.insert(kept.order, tag);
        self.kept.insert(tag, kept);
    }

    fn make_room(&mut self, now_ms: u64) {
        while let Some((&order, &tag)) = self.by_order.first_key_value() {
            let sealed_ms = self.kept.get(&tag).map_or(0, |kept| kept.receipt.head.head.time_ms);
            let expired = sealed_ms.saturating_add(KEEP_MS) < now_ms;
            if !expired && self.kept.len() <= CELLS_MAX {
                return;
            }
            self.by_order.remove(&order);
            self.kept.remove(&tag);
            self.changes.insert(tag.0.to_vec(), None);
        }
    }

    /// A cell was put again for the life that begins with the tick `until`.
    pub(super) fn mark_again(&mut self, tag: &Tag, until: u64) {
        if let Some(mut kept) = self.kept.get(tag).cloned() {
            kept.again = until;
            self.save(*tag, kept);
        }
    }

    pub(super) fn load(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), LoadError> {
        let record: Record = from_bytes(bytes)?;
        let damaged = || LoadError::Damaged("a record of the archive".to_owned());
        let tag = Tag(key.try_into().map_err(|_| damaged())?);
        let write = WriteKey(record.write.0.as_slice().try_into().map_err(|_| damaged())?);
        let cell = Cell::from_slice(&record.cell.0).ok_or_else(damaged)?;
        let receipt = decode(&record.receipt.0).map_err(|_| damaged())?;
        let Record { owner, order, again, .. } = record;
        self.by_order.insert(order, tag);
        self.kept.insert(tag, Kept { write, cell, owner, receipt, order, again });
        Ok(())
    }
}
