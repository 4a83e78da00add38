//! The right edge of a tree: all that is needed to append to it and to know its root.

use super::{Hash, empty_root, node_hash};

/// The roots of the perfect subtrees that tile a tree, the largest first: one per set bit of its
/// size, so never more than 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// More leaves than any log comes to have: a million a second for a hundred thousand years. A
    /// server may claim any size; below this one, appending never overflows.
    pub const LEAVES_MAX: u64 = 1 << 62;

    /// The frontier of a tree of `size` leaves; `None` unless there is one root per set bit, and for
    /// a tree above [`Self::LEAVES_MAX`].
    pub fn from_parts(size: u64, roots: Vec<Hash>) -> Option<Self> {
        let fits = size <= Self::LEAVES_MAX && roots.len() as u64 == u64::from(size.count_ones());
        fits.then_some(Self { size, roots })
    }

    /// Size and roots, the largest subtree first.
    pub fn parts(&self) -> (u64, &[Hash]) {
        (self.size, &self.roots)
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf.
    pub fn append(&mut self, leaf: Hash) {
        self.append_with(leaf, |_, _, _| {});
    }

    /// Appends one leaf and shows every perfect subtree that it completes as (level, index, root),
    /// the leaf itself first.
    pub fn append_with(&mut self, leaf: Hash, mut completed: impl FnMut(u32, u64, &Hash)) {
        completed(0, self.size, &leaf);
        let mut node = leaf;
        for level in 0..self.size.trailing_ones() {
            let left = self.roots.pop().expect("one root stands here per set bit of the size");
            node = node_hash(&left, &node);
            completed(level + 1, self.size >> (level + 1), &node);
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The tree's root.
    pub fn root(&self) -> Hash {
        let mut right_to_left = self.roots.iter().rev();
        match right_to_left.next() {
            None => empty_root(),
            Some(last) => right_to_left.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    /// The audit path of the leaf that would be appended next, in the tree that ends with it.
    pub fn path_of_next(&self) -> Vec<Hash> {
        self.roots.iter().rev().copied().collect()
    }
}
