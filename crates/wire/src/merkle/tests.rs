use super::*;
use proptest::prelude::*;

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

/// RFC 6962 section 2.1 word for word, to judge the iterative code by.
fn root_by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
            node_hash(&root_by_definition(left), &root_by_definition(right))
        }
    }
}

/// The test vectors of the Certificate Transparency project (`merkletree` reference data).
#[test]
fn known_roots() {
    let data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"];
    let hashes: Vec<_> = data.iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect();
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    ];
    for (count, expected) in roots.iter().enumerate() {
        assert_eq!(hex::encode(root(&hashes[..count])), *expected, "{count} leaves");
    }
}

#[test]
fn roots_agree_with_the_definition() {
    let leaves = leaves(130);
    for count in 0..=leaves.len() {
        assert_eq!(root(&leaves[..count]), root_by_definition(&leaves[..count]), "{count}");
    }
}

#[test]
fn every_inclusion_of_small_trees_verifies_and_no_other() {
    for size in 1..=33 {
        let leaves = leaves(size);
        let root = root(&leaves);
        for index in 0..size {
            let path = inclusion_path(&leaves, index).unwrap();
            for claimed in 0..size {
                let ok =
                    verify_inclusion(&leaves[index], claimed as u64, size as u64, &path, &root);
                assert_eq!(ok, claimed == index, "{index} as {claimed} of {size}");
            }
        }
        assert!(inclusion_path(&leaves, size).is_none());
    }
}

#[test]
fn every_consistency_of_small_trees_verifies_and_no_other() {
    for new in 0..=33usize {
        let leaves = leaves(new);
        let new_root = root(&leaves);
        for old in 0..=new {
            let path = consistency_path(&leaves, old).unwrap();
            for claimed in 0..=new {
                let claimed_root = root(&leaves[..claimed]);
                let ok =
                    verify_consistency(claimed as u64, &claimed_root, new as u64, &new_root, &path);
                let trivial = path.is_empty() && (claimed == 0 || claimed == new);
                let power = path == consistency_path(&leaves, claimed).unwrap();
                assert_eq!(ok, claimed == old || trivial || power, "{old} as {claimed} of {new}");
            }
        }
    }
}

#[test]
fn the_path_of_the_next_leaf_is_its_audit_path() {
    let leaves = leaves(40);
    let mut frontier = Frontier::default();
    for (index, leaf) in leaves.iter().enumerate() {
        let path = frontier.path_of_next();
        assert_eq!(Some(path), inclusion_path(&leaves[..=index], index));
        frontier.append(*leaf);
    }
}

#[test]
fn completed_subtrees_are_shown_with_their_places() {
    let leaves = leaves(64);
    let mut frontier = Frontier::default();
    for leaf in &leaves {
        frontier.append_with(*leaf, |level, index, hash| {
            let range = (index << level) as usize..((index + 1) << level) as usize;
            assert_eq!(*hash, root(&leaves[range]));
        });
    }
}

/// Whoever signs heads may claim any size; 2^64 - 1 leaves could not be appended to.
#[test]
fn a_frontier_of_more_leaves_than_any_log_has_is_none() {
    assert!(Frontier::from_parts(u64::MAX, vec![[0; 32]; 64]).is_none());
    let mut largest = Frontier::from_parts(Frontier::LEAVES_MAX, vec![[0; 32]]).unwrap();
    largest.append([1; 32]);
    assert_eq!(largest.size(), Frontier::LEAVES_MAX + 1);
}

#[test]
fn a_frontier_has_one_root_per_bit() {
    assert!(Frontier::from_parts(5, leaves(2)).is_some());
    assert!(Frontier::from_parts(5, leaves(1)).is_none());
    assert!(Frontier::from_parts(5, leaves(3)).is_none());
    assert!(Frontier::from_parts(0, Vec::new()).is_some());
}

#[test]
fn claimed_sizes_at_the_end_of_the_range_do_no_harm() {
    let hash = leaf_hash(b"");
    assert!(!verify_inclusion(&hash, u64::MAX - 1, u64::MAX, &[hash; 64], &hash));
    assert!(!verify_inclusion(&hash, u64::MAX, u64::MAX, &[], &hash));
    assert!(!verify_consistency(u64::MAX - 1, &hash, u64::MAX, &hash, &[hash; 70]));
    assert!(!verify_consistency(1, &hash, u64::MAX, &hash, &[]));
    assert!(!verify_consistency(2, &hash, 1, &hash, &[]));
}

proptest! {
    #[test]
    fn a_changed_path_proves_nothing(size in 2usize..200, pick: prop::sample::Index, bit in 0usize..256) {
        let leaves = leaves(size);
        let index = pick.index(size);
        let mut path = inclusion_path(&leaves, index).unwrap();
        let at = pick.index(path.len());
        path[at][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify_inclusion(&leaves[index], index as u64, size as u64, &path, &root(&leaves)));
    }

    #[test]
    fn a_longer_or_shorter_path_proves_nothing(size in 2usize..200, pick: prop::sample::Index) {
        let leaves = leaves(size);
        let index = pick.index(size);
        let path = inclusion_path(&leaves, index).unwrap();
        let (leaf, root) = (leaves[index], root(&leaves));
        let longer = [&path[..], &[leaf]].concat();
        prop_assert!(!verify_inclusion(&leaf, index as u64, size as u64, &longer, &root));
        let shorter = &path[..path.len() - 1];
        prop_assert!(!verify_inclusion(&leaf, index as u64, size as u64, shorter, &root));
    }

    #[test]
    fn perfect_subtrees_tile_a_range(start in 0u64..10_000, length in 0u64..10_000) {
        let tiles = perfect_subtrees(start..start + length);
        let mut at = start;
        for (level, index) in &tiles {
            prop_assert_eq!(index << level, at);
            at += 1 << level;
        }
        prop_assert_eq!(at, start + length);
        prop_assert!(tiles.len() <= 2 * 14);
    }
}
