//! Checking paths (the iterative algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2).

use super::{Hash, empty_root, node_hash};

/// Whether `path` proves that `leaf` is leaf number `index` of the tree of `size` leaves under
/// `root`.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    index < size && climb(*leaf, index, size - 1, path) == Some(*root)
}

/// Goes up from the node `fn_` of a level whose last node is `sn`; `None` when the path has not
/// exactly the length that leads to the root.
fn climb(leaf: Hash, index: u64, last: u64, path: &[Hash]) -> Option<Hash> {
    let (mut index, mut last, mut node) = (index, last, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if index & 1 == 1 || index == last {
            node = node_hash(sibling, &node);
            (index, last) = skip_lone_levels(index, last);
        } else {
            node = node_hash(&node, sibling);
        }
        (index, last) = (index >> 1, last >> 1);
    }
    (last == 0).then_some(node)
}

/// A left child at the right edge has no sibling: it stands for its parent as it is.
fn skip_lone_levels(mut index: u64, mut last: u64) -> (u64, u64) {
    while index & 1 == 0 && index != 0 {
        (index, last) = (index >> 1, last >> 1);
    }
    (index, last)
}

/// Whether `path` proves that the tree of `old_size` leaves under `old_root` is a prefix of the
/// tree of `new_size` leaves under `new_root`.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    path: &[Hash],
) -> bool {
    if old_size == new_size {
        return path.is_empty() && old_root == new_root;
    }
    if old_size == 0 {
        return path.is_empty() && *old_root == empty_root();
    }
    old_size < new_size
        && both_roots(old_size, old_root, new_size, path) == Some((*old_root, *new_root))
}

/// The old and the new root that `path` leads to.
fn both_roots(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    path: &[Hash],
) -> Option<(Hash, Hash)> {
    let (first, rest) =
        if old_size.is_power_of_two() { (old_root, path) } else { path.split_first()? };
    let below = (old_size - 1).trailing_ones();
    let (mut index, mut last) = ((old_size - 1) >> below, (new_size - 1) >> below);
    let (mut old, mut new) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return None;
        }
        if index & 1 == 1 || index == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            (index, last) = skip_lone_levels(index, last);
        } else {
            new = node_hash(&new, sibling);
        }
        (index, last) = (index >> 1, last >> 1);
    }
    (last == 0).then_some((old, new))
}
