//! The small tree of one tick's cells; those of the newest ticks, from which most proofs are
//! served without reading or hashing anything; and a few older ones that were built again because
//! somebody asked, so that nobody can have the same work done over and over.

use crate::StoredTick;
use std::{collections::VecDeque, sync::Arc};
use undertone_wire::{CellLeaf, CellPart, Hash, encode, merkle};

/// Cells whose trees are kept in memory (about 130 bytes each).
const RECENT_CELLS_MAX: usize = 65_536;
/// Ticks whose trees are kept in memory (about 400 bytes each).
const RECENT_TICKS_MAX: usize = 8_192;

/// Cells whose trees are kept after they were built again.
const REBUILT_CELLS_MAX: usize = 65_536;
/// Ticks whose trees are kept after they were built again.
const REBUILT_TICKS_MAX: usize = 64;

/// All nodes over one tick's cells.
#[derive(Debug, Clone)]
pub(super) struct CellTree {
    /// Sorted by tag.
    pub(super) leaves: Vec<CellLeaf>,
    /// `levels[0]` are the leaf hashes; a last node without a sibling goes up as it is.
    levels: Vec<Vec<Hash>>,
}

impl CellTree {
    pub(super) fn new(leaves: Vec<CellLeaf>) -> Self {
        let hashes = leaves.iter().map(|leaf| merkle::leaf_hash(&encode(leaf))).collect();
        let mut levels: Vec<Vec<Hash>> = vec![hashes];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks(2).map(|pair| match pair {
                [left, right] => merkle::node_hash(left, right),
                lone => lone[0],
            });
            let above = above.collect();
            levels.push(above);
        }
        Self { leaves, levels }
    }

    pub(super) fn root(&self) -> Hash {
        let top = self.levels.last().and_then(|level| level.first());
        top.copied().unwrap_or_else(merkle::empty_root)
    }

    /// The audit path of cell `index` (RFC 6962 section 2.1.1).
    pub(super) fn part(&self, index: u32) -> CellPart {
        let siblings = self.levels.iter().enumerate().filter_map(|(height, level)| {
            let sibling = (index as usize >> height) ^ 1;
            level.get(sibling).copied()
        });
        CellPart { index, path: siblings.collect() }
    }
}

/// A tick with its tree.
#[derive(Debug)]
pub(super) struct TickTree {
    pub(super) stored: StoredTick,
    pub(super) cells: CellTree,
}

impl TickTree {
    fn number(&self) -> u64 {
        self.stored.leaf.tick
    }
}

/// The newest ticks, oldest first.
#[derive(Debug, Default)]
pub(super) struct Recent {
    ticks: VecDeque<Arc<TickTree>>,
    cells: usize,
}

impl Recent {
    pub(super) fn push(&mut self, tick: Arc<TickTree>) {
        self.cells += tick.cells.leaves.len();
        self.ticks.push_back(tick);
        while self.cells > RECENT_CELLS_MAX || self.ticks.len() > RECENT_TICKS_MAX {
            let Some(oldest) = self.ticks.pop_front() else { return };
            self.cells -= oldest.cells.leaves.len();
        }
    }

    pub(super) fn tick(&self, tick: u64) -> Option<Arc<TickTree>> {
        let index = self.ticks.partition_point(|recent| recent.number() < tick);
        self.ticks.get(index).filter(|recent| recent.number() == tick).cloned()
    }

    /// Forgets ticks up to and with `last`: they have expired.
    pub(super) fn expire(&mut self, last: u64) {
        while self.ticks.front().is_some_and(|tick| tick.stored.leaf.tick <= last) {
            let Some(oldest) = self.ticks.pop_front() else { return };
            self.cells -= oldest.cells.leaves.len();
        }
    }
}

/// Older ticks whose trees were built again, the longest unused first.
#[derive(Debug, Default)]
pub(super) struct Rebuilt {
    ticks: VecDeque<Arc<TickTree>>,
    cells: usize,
}

impl Rebuilt {
    /// A tick's tree, which is then the last to be dropped.
    pub(super) fn take_up(&mut self, tick: u64) -> Option<Arc<TickTree>> {
        let at = self.ticks.iter().position(|tree| tree.number() == tick)?;
        let tree = self.ticks.remove(at)?;
        self.ticks.push_back(Arc::clone(&tree));
        Some(tree)
    }

    pub(super) fn has(&self, tick: u64) -> bool {
        self.ticks.iter().any(|tree| tree.number() == tick)
    }

    pub(super) fn push(&mut self, tick: Arc<TickTree>) {
        if self.has(tick.number()) {
            return;
        }
        self.cells += tick.cells.leaves.len();
        self.ticks.push_back(tick);
        while self.cells > REBUILT_CELLS_MAX || self.ticks.len() > REBUILT_TICKS_MAX {
            let Some(oldest) = self.ticks.pop_front() else { return };
            self.cells -= oldest.cells.leaves.len();
        }
    }

    /// Forgets ticks up to and with `last`: they have expired.
    pub(super) fn expire(&mut self, last: u64) {
        self.ticks.retain(|tree| tree.number() > last);
        self.cells = self.ticks.iter().map(|tree| tree.cells.leaves.len()).sum();
    }
}
