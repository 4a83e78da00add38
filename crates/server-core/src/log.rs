//! The append-only Merkle tree over all leaves of the server's log, in bounded memory.
//!
//! Kept here: the frontier; the roots of all complete subtrees of 256 leaves and more; everything
//! below them for the newest [`WINDOW`] leaves; and, for each hour that has expired, the roots of
//! the largest perfect subtrees that tile its leaves (its *spine*, about 1 kB at most, kept for
//! ever). What else a proof needs is read from the store, 256 leaf hashes at most at a time.
//!
//! Why the spine is enough: whatever lies wholly to the left of a retained leaf, or of an hour's
//! boundary, and has its sibling on the other side, is a disjoint union of the tiles of hours. So
//! inclusion of every retained leaf and consistency from every hour's boundary stay provable.

#[cfg(test)]
mod tests;

use crate::{CellStore, StoreError};
use std::{collections::BTreeMap, ops::Range};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_wire::{
    Hash,
    merkle::{self, Frontier},
};

/// Subtrees of this level (256 leaves) and above stay in memory.
const UPPER: u32 = 8;
/// For so many of the newest leaves every node stays in memory. Few in this crate's tests, so that
/// they reach what lies before.
const WINDOW: u64 = if cfg!(test) { 1_024 } else { 16_384 };

/// Why a proof cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// It would need leaves that have expired, other than at an hour's boundary.
    #[error("the proof would need leaves that have expired")]
    Expired,
    /// The tree is not so large yet.
    #[error("the log has no such leaf yet")]
    Future,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is kept of an expired hour for ever.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SpineRecord {
    /// Hours since 1970.
    pub hour: u64,
    /// Its first tick.
    pub first_tick: u64,
    /// Its last tick.
    pub last_tick: u64,
    /// Its first leaf.
    pub first_leaf: u64,
    /// The leaf after its last.
    pub end_leaf: u64,
    /// Roots of [`merkle::perfect_subtrees`] of its leaves.
    pub nodes: Vec<Hash>,
}

/// The tree of the log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    frontier: Frontier,
    nodes: BTreeMap<(u32, u64), Hash>,
    /// The first leaf that has not expired.
    retained: u64,
    /// Below this leaf the lower levels have left memory.
    window: u64,
}

impl Log {
    /// The log as a store has it: its spine and the leaves of the retained ticks.
    ///
    /// # Errors
    /// [`LogError`] when the store cannot be read, or has a hole.
    pub fn open(store: &dyn CellStore) -> Result<Self, LogError> {
        let mut log = Self::from_spine(&store.spine()?)?;
        let newest = store.ticks().and_then(|ticks| store.slot(*ticks.end()));
        let end = newest.map_or(log.retained, |slot| slot.size);
        while log.size() < end {
            let next = log.size()..end.min(log.size() + WINDOW);
            let hashes = store.leaf_hashes(next.clone())?;
            if hashes.len() as u64 != next.end - next.start {
                return Err(LogError::Expired);
            }
            hashes.into_iter().for_each(|leaf| log.append(leaf));
        }
        Ok(log)
    }

    fn from_spine(spine: &[SpineRecord]) -> Result<Self, LogError> {
        let mut log = Self::default();
        for record in spine {
            let tiles = merkle::perfect_subtrees(record.first_leaf..record.end_leaf);
            if record.first_leaf != log.retained || tiles.len() != record.nodes.len() {
                return Err(LogError::Expired);
            }
            log.nodes.extend(tiles.into_iter().zip(record.nodes.iter().copied()));
            log.retained = record.end_leaf;
        }
        log.window = log.retained;
        let roots = log.perfect_roots(0..log.retained, None)?;
        log.frontier = Frontier::from_parts(log.retained, roots).ok_or(LogError::Expired)?;
        Ok(log)
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Root of the tree.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The right edge.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Appends one leaf.
    pub fn append(&mut self, leaf: Hash) {
        let nodes = &mut self.nodes;
        self.frontier.append_with(leaf, |level, index, hash| {
            nodes.insert((level, index), *hash);
        });
        // Half a window at a time: the lower levels leave memory in bulk.
        if self.size() >= self.window + WINDOW + WINDOW / 2 {
            let end = (self.size() - WINDOW) >> UPPER << UPPER;
            self.forget_lower(self.window..end);
        }
    }

    fn forget_lower(&mut self, leaves: Range<u64>) {
        // Tiles of expired hours may be lower nodes too; they lie before `retained`.
        let start = leaves.start.max(self.retained);
        for level in 0..UPPER {
            let first = start.div_ceil(1 << level);
            let gone = self.nodes.range((level, first)..(level, leaves.end >> level));
            let gone: Vec<_> = gone.map(|(key, _)| *key).collect();
            for key in gone {
                self.nodes.remove(&key);
            }
        }
        self.window = leaves.end;
    }

    /// The audit path of leaf `index` in the tree of the first `size` leaves.
    ///
    /// # Errors
    /// [`LogError`]; every retained leaf is provable in every tree that holds it.
    pub fn inclusion(
        &self,
        index: u64,
        size: u64,
        store: &dyn CellStore,
    ) -> Result<Vec<Hash>, LogError> {
        if index >= size || size > self.size() {
            return Err(LogError::Future);
        }
        self.roots_of(&merkle::inclusion_ranges(index, size), store)
    }

    /// The proof that the tree of `new` leaves continues that of `old`.
    ///
    /// # Errors
    /// [`LogError::Expired`] when `old` is neither retained nor an hour's boundary.
    pub fn consistency(
        &self,
        old: u64,
        new: u64,
        store: &dyn CellStore,
    ) -> Result<Vec<Hash>, LogError> {
        if old > new || new > self.size() {
            return Err(LogError::Future);
        }
        self.roots_of(&merkle::consistency_ranges(old, new), store)
    }

    /// The right edge as it was at `size` leaves.
    ///
    /// # Errors
    /// As [`Log::consistency`].
    pub fn frontier_at(&self, size: u64, store: &dyn CellStore) -> Result<Frontier, LogError> {
        if size > self.size() {
            return Err(LogError::Future);
        }
        let roots = self.perfect_roots(0..size, Some(store))?;
        Frontier::from_parts(size, roots).ok_or(LogError::Expired)
    }

    /// What is to be kept of an hour with these leaves once it expires.
    ///
    /// # Errors
    /// [`LogError`] when the store cannot be read.
    pub fn tiles(&self, leaves: Range<u64>, store: &dyn CellStore) -> Result<Vec<Hash>, LogError> {
        self.perfect_roots(leaves, Some(store))
    }

    /// Keeps the tiles of an hour that has expired, and no other node of it.
    pub fn expire(&mut self, record: &SpineRecord) {
        let range = record.first_leaf..record.end_leaf;
        let inside = |(level, index): &(u32, u64)| {
            index << level >= range.start && (index + 1) << level <= range.end
        };
        self.nodes.retain(|key, _| !inside(key));
        let tiles = merkle::perfect_subtrees(range.clone());
        self.nodes.extend(tiles.into_iter().zip(record.nodes.iter().copied()));
        self.retained = record.end_leaf;
        self.window = self.window.max(record.end_leaf);
    }

    fn roots_of(
        &self,
        ranges: &[Range<u64>],
        store: &dyn CellStore,
    ) -> Result<Vec<Hash>, LogError> {
        let root = |range: &Range<u64>| {
            let roots = self.perfect_roots(range.clone(), Some(store))?;
            let join = |right: Hash, left: &Hash| merkle::node_hash(left, &right);
            let (last, left) = roots.split_last().ok_or(LogError::Future)?;
            Ok(left.iter().rev().fold(*last, join))
        };
        ranges.iter().map(root).collect()
    }

    fn perfect_roots(
        &self,
        range: Range<u64>,
        store: Option<&dyn CellStore>,
    ) -> Result<Vec<Hash>, LogError> {
        let tiles = merkle::perfect_subtrees(range);
        tiles.into_iter().map(|(level, index)| self.node(level, index, store)).collect()
    }

    /// The root of one perfect subtree, from memory, the store, or its halves.
    fn node(
        &self,
        level: u32,
        index: u64,
        store: Option<&dyn CellStore>,
    ) -> Result<Hash, LogError> {
        if let Some(hash) = self.nodes.get(&(level, index)) {
            return Ok(*hash);
        }
        let start = index << level;
        if level <= UPPER && start >= self.retained {
            let leaves = start..start + (1 << level);
            let hashes = store.ok_or(LogError::Expired)?.leaf_hashes(leaves)?;
            let whole = hashes.len() as u64 == 1 << level;
            return whole.then(|| merkle::root(&hashes)).ok_or(LogError::Expired);
        }
        if level == 0 {
            return Err(LogError::Expired);
        }
        let left = self.node(level - 1, index * 2, store)?;
        let right = self.node(level - 1, index * 2 + 1, store)?;
        Ok(merkle::node_hash(&left, &right))
    }
}
