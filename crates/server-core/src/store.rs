//! What the engine asks of a store of cells, and in return for what.
//!
//! # The contract
//! 1. **Durable on return.** When [`CellStore::append`] returns `Ok`, the tick survives a power
//!    cut; when it returns an error, nothing of the tick is visible to readers, and every later
//!    `append` fails too until the store is opened anew ([`StoreError::Failed`]). A tick whose
//!    append failed may or may not be there after that: it was never acknowledged. A tick that is
//!    refused as [`StoreError::Full`] before anything was written may be followed by others.
//! 2. **All or nothing.** A tick is there whole or not at all, also after a crash.
//! 3. **In order.** Ticks are numbered without a hole, but where a head declares a recovery
//!    ([`undertone_wire::Head::lets_follow`]), and their times never decrease; the engine guarantees
//!    it and a store may refuse anything else ([`StoreError::Damaged`]).
//! 4. **Nothing changes.** What was appended is read back byte for byte until it expires.
//! 5. **Readers do not wait for a sync**, and see a tick only after it is durable.
//! 6. **Expiry is by whole hours**, the oldest first, and leaves behind only the hour's
//!    [`SpineRecord`]. The newest hour cannot expire.
//! 7. **Damage is named, never repaired by dropping**: other than an unfinished last tick, bytes
//!    that are not what was written make opening fail, or reading, with their place.

pub(crate) mod conformance;
mod memory;

#[cfg(test)]
mod tests;

use crate::SpineRecord;
use std::ops::{Range, RangeInclusive};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_wire::{
    Cell, CellHash, CellLeaf, Hash, Leaf, Prefix, SegmentLeaf, SignedHead, TagHash, TickLeaf,
};

pub use memory::{Fault, Memory};

/// Cells that one tick holds at most.
pub(crate) const CELLS_PER_TICK_MAX: usize = 16_384;

/// Why a store cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk has no room; nothing acknowledged is lost.
    #[error("the disk is full ({0})")]
    Full(String),
    /// The disk failed.
    #[error("the disk failed: {0}")]
    Disk(String),
    /// An earlier write failed; the store takes nothing until it is opened again.
    #[error("an earlier write failed, so nothing is stored until the server restarts: {0}")]
    Failed(String),
    /// Stored bytes are not what was written.
    #[error("{place} is damaged: {what}")]
    Damaged {
        /// File and offset.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// The folder was written by a newer release.
    #[error("{place} has format version {version}, which this release does not know")]
    Version {
        /// The file.
        place: String,
        /// Its version.
        version: u16,
    },
}

/// What a store keeps of one tick besides its cells.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct StoredTick {
    /// The leaves of the segments that this tick closed, in the log's order.
    pub closed: Vec<SegmentLeaf>,
    /// The tick's own leaf.
    pub leaf: TickLeaf,
    /// The head that was signed over it.
    pub head: SignedHead,
}

impl StoredTick {
    /// Index of the tick's leaf in the log.
    pub fn leaf_index(&self) -> u64 {
        self.head.head.size.saturating_sub(1)
    }

    /// Whether this may be the tick after `before`.
    pub fn follows(&self, before: u64) -> bool {
        let Self { leaf, head, .. } = self;
        // Before ADR 0010 a restored log went on with the next number.
        before.checked_add(1) == Some(leaf.tick)
            || head.head.lets_follow(before, leaf.tick, leaf.time_ms)
    }

    /// The leaf hashes that this tick appended to the log, in order.
    pub fn leaf_hashes(&self) -> Vec<Hash> {
        let closed = self.closed.iter().map(|segment| Leaf::Segment(segment.clone()).hash());
        closed.chain([Leaf::Tick(self.leaf.clone()).hash()]).collect()
    }
}

/// One tick on its way into a store; `leaves` are sorted by tag and `cells` stand in their order.
#[derive(Debug, Clone, Copy)]
pub struct NewTick<'a> {
    /// Leaves and head.
    pub stored: &'a StoredTick,
    /// What is stored.
    pub leaves: &'a [CellLeaf],
    /// The cells themselves.
    pub cells: &'a [Cell],
}

/// Where a cell is: the tick, and its index among the tick's sorted cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Tick number.
    pub tick: u64,
    /// Index in the tick.
    pub index: u32,
}

/// What a store knows of each retained tick without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Unix milliseconds at which it was sealed.
    pub time_ms: u64,
    /// Leaves in the log up to and with this tick.
    pub size: u64,
    /// Cells in it.
    pub cells: u32,
}

/// One hour of the store: the unit of expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourSpan {
    /// Hours since 1970.
    pub hour: u64,
    /// Its ticks.
    pub ticks: RangeInclusive<u64>,
    /// The leaves that its ticks appended to the log.
    pub leaves: Range<u64>,
    /// Cells in it.
    pub cells: u64,
}

/// A store of ticks with their cells; the module's head is the contract.
pub trait CellStore: Send + Sync {
    /// Makes one tick durable.
    ///
    /// # Errors
    /// Any [`StoreError`]; after one that is not about room, [`StoreError::Failed`] until the store is opened again.
    fn append(&self, tick: &NewTick<'_>) -> Result<(), StoreError>;

    /// The retained ticks, oldest and newest; `None` in an empty store.
    fn ticks(&self) -> Option<RangeInclusive<u64>>;

    /// What is known of a retained tick without reading it.
    fn slot(&self, tick: u64) -> Option<Slot>;

    /// Cells in these ticks, as far as they are retained; cheap however many ticks they are.
    fn cells_in(&self, ticks: RangeInclusive<u64>) -> u64;

    /// The first retained tick of this number or a higher one.
    fn tick_from(&self, tick: u64) -> Option<u64>;

    /// The first retained tick that was sealed at `time_ms` or later.
    fn first_tick_from(&self, time_ms: u64) -> Option<u64>;

    /// A retained tick.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read; `Ok(None)` when it is not retained.
    fn tick(&self, tick: u64) -> Result<Option<StoredTick>, StoreError>;

    /// The sorted cell leaves of a retained tick; empty when it is not retained.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn leaves(&self, tick: u64) -> Result<Vec<CellLeaf>, StoreError>;

    /// A retained tick with its leaves: both at once may cost a store less.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read; `Ok(None)` when the tick is not retained.
    fn tick_and_leaves(
        &self,
        tick: u64,
    ) -> Result<Option<(StoredTick, Vec<CellLeaf>)>, StoreError> {
        let Some(stored) = self.tick(tick)? else { return Ok(None) };
        Ok(Some((stored, self.leaves(tick)?)))
    }

    /// The retained cells whose tag hashes begin with `prefix`, oldest first.
    fn bearing(&self, prefix: Prefix) -> Vec<Place>;

    /// The leaf of the cell at `place`; `None` when it is not retained.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn cell_leaf(&self, place: Place) -> Result<Option<CellLeaf>, StoreError>;

    /// The cell at `place`, whose leaf names it as `hash`; `None` when it is not retained.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read, or does not have this hash.
    fn cell(&self, place: Place, hash: &CellHash) -> Result<Option<Cell>, StoreError>;

    /// The entries of these ticks, as far as they are retained, sorted by (prefix, tick).
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn entries(&self, ticks: RangeInclusive<u64>) -> Result<Vec<(Prefix, u64)>, StoreError>;

    /// The hashes of these leaves of the log; all of them must be retained.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn leaf_hashes(&self, leaves: Range<u64>) -> Result<Vec<Hash>, StoreError>;

    /// The oldest hour, if a newer one exists.
    fn expirable(&self) -> Option<HourSpan>;

    /// Forgets the oldest hour for ever and keeps `record` of it. What it took on the disk may
    /// outlast that: see [`tidy`](Self::tidy).
    ///
    /// # Errors
    /// [`StoreError`]; then the hour is still there.
    fn expire(&self, record: &SpineRecord) -> Result<(), StoreError>;

    /// Frees what expired hours still take on the disk.
    ///
    /// # Errors
    /// [`StoreError`] while something is left: call it again.
    fn tidy(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// What is kept of all expired hours, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn spine(&self) -> Result<Vec<SpineRecord>, StoreError>;

    /// The retained cell under `tag`.
    ///
    /// # Errors
    /// [`StoreError`] when a candidate cannot be read.
    fn find(&self, tag: &TagHash) -> Result<Option<(Place, CellLeaf)>, StoreError> {
        for place in self.bearing(tag.prefix()) {
            if let Some(leaf) = self.cell_leaf(place)?.filter(|leaf| leaf.tag == *tag) {
                return Ok(Some((place, leaf)));
            }
        }
        Ok(None)
    }
}
