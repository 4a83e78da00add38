//! The append-only Merkle tree of RFC 6962 section 2.1 (SHA-256), as pure functions.
//!
//! Everything here works on *leaf hashes*. A tree that fits in memory (the cells of one tick) is
//! a slice; a large one (the log) is a [`Frontier`], which can only grow, and proofs over it are
//! described as ranges of leaves ([`inclusion_ranges`], [`consistency_ranges`]) whose roots the
//! holder of the tree looks up where it keeps them.
//!
//! Verification never recurses and never allocates in proportion to a claimed size: a path that
//! is longer or shorter than the sizes call for is refused.

mod frontier;
mod verify;

#[cfg(test)]
mod tests;

use crate::sha256::sha256;
use std::ops::Range;

pub use frontier::Frontier;
pub use verify::{verify_consistency, verify_inclusion};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// `SHA-256(0x00 ‖ data)`.
pub fn leaf_hash(data: &[u8]) -> Hash {
    sha256(&[&[0], data])
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The root of a tree without leaves: `SHA-256("")`.
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The root over leaf hashes that fit in memory.
pub fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.append(*leaf));
    frontier.root()
}

/// The audit path of leaf `index` among `leaves`; `None` when there is no such leaf.
pub fn inclusion_path(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    (index < leaves.len())
        .then(|| over_slice(leaves, &inclusion_ranges(index as u64, leaves.len() as u64)))
}

/// The proof that the first `old` of `leaves` are a prefix of all of them; `None` when there are
/// not so many.
pub fn consistency_path(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    (old <= leaves.len())
        .then(|| over_slice(leaves, &consistency_ranges(old as u64, leaves.len() as u64)))
}

fn over_slice(leaves: &[Hash], ranges: &[Range<u64>]) -> Vec<Hash> {
    ranges.iter().map(|range| root(&leaves[range.start as usize..range.end as usize])).collect()
}

/// The subtrees, as ranges of leaves, whose roots are the audit path of leaf `index` in a tree of
/// `size` leaves (RFC 6962 section 2.1.1), in the path's order. Empty when there is no such leaf.
pub fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while index < size && end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(middle..end);
            end = middle;
        } else {
            path.push(start..middle);
            start = middle;
        }
    }
    path.reverse();
    path
}

/// The subtrees whose roots prove that a tree of `old` leaves is a prefix of one of `new` leaves
/// (RFC 6962 section 2.1.2), in the path's order. Empty when `old` is 0, `new` or greater.
pub fn consistency_ranges(old: u64, new: u64) -> Vec<Range<u64>> {
    if old == 0 || old >= new {
        return Vec::new();
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, new);
    // Descend to the subtree that ends where the old tree ended.
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(middle..end);
            end = middle;
        } else {
            path.push(start..middle);
            start = middle;
        }
    }
    // The verifier knows the old root already when that subtree is the whole old tree.
    if start != 0 {
        path.push(start..end);
    }
    path.reverse();
    path
}

/// The largest perfect subtrees that tile `range`, from left to right, each as (level, index):
/// the leaves `index << level .. (index + 1) << level`.
pub fn perfect_subtrees(range: Range<u64>) -> Vec<(u32, u64)> {
    let mut subtrees = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let fits = (range.end - start).ilog2();
        let level = start.trailing_zeros().min(fits);
        subtrees.push((level, start >> level));
        start += 1 << level;
    }
    subtrees
}

/// The greatest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}
