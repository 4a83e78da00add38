//! Commits of others, kept as their authors keep them: whoever has merged one can put it again.
//!
//! A fetched control cell, or part of one, comes with a proof against its own tick's tree. Once the
//! commit is merged (or skipped as void, for that counts too) it is kept, as soon as the tick's head
//! is at hand with the server's signature.
//!
//! One that a recovery had undone, and that is listed again with evidence of where it was first, is kept
//! with that evidence: should the server be restored once more, all show the same first listing.
//!
//! A cell of one's own lane is kept too that was seen listed before the answer to its PUT came, which may
//! never come: it counts, and nobody else keeps it.

use super::{Cells, Owner};
use crate::log::LogFollower;
use std::collections::BTreeMap;
use undertone_crypto::SlotKeys;
use undertone_wire::{Cell, ListedProof, Receipt, Tag, WriteKey};

/// Fetched cells whose fate is open, and merged ones that wait for their head, at most.
const SEEN_MAX: usize = 1_024;

/// What was fetched, and what of it is to be kept.
#[derive(Default)]
pub(super) struct Witness {
    seen: BTreeMap<Tag, (Cell, ListedProof)>,
    unsigned: Vec<Unsigned>,
}

struct Unsigned {
    tag: Tag,
    write: WriteKey,
    owner: Owner,
    cell: Cell,
    proof: ListedProof,
}

impl Witness {
    /// A cell of a control lane or of one's own has come, with the proof of its tick's own tree.
    pub(super) fn see(&mut self, tag: Tag, cell: &Cell, proof: &ListedProof) {
        let own_tree = proof.leaf_index.saturating_add(1) == proof.size;
        if !own_tree {
            return;
        }
        self.seen.insert(tag, (cell.clone(), proof.clone()));
        if self.seen.len() > SEEN_MAX {
            // Tags are random: one of those that never became part of a merged commit, most likely.
            self.seen.pop_first();
        }
    }
}

impl Cells {
    /// Keeps a fetched cell of a commit that was merged, or one's own that was read; nothing happens to
    /// one that is not at hand.
    pub(crate) fn keep_fetched(&mut self, keys: &SlotKeys, owner: Owner, log: &mut LogFollower) {
        let Some((cell, proof)) = self.witness.seen.remove(&keys.tag) else { return };
        if let Some(receipt) = self.origins.first_receipt(&keys.tag, cell.hash()).cloned() {
            let put = (keys.write, cell);
            return self.archive.keep(keys.tag, put, owner, receipt, log.time_ms());
        }
        if self.witness.unsigned.len() >= SEEN_MAX {
            return;
        }
        let (tag, write) = (keys.tag, keys.write);
        self.witness.unsigned.push(Unsigned { tag, write, owner, cell, proof });
        self.keep_signed(log);
    }

    /// Keeps what has only waited for its tick's signed head.
    pub(crate) fn keep_signed(&mut self, log: &mut LogFollower) {
        for one in std::mem::take(&mut self.witness.unsigned) {
            let tick = one.proof.leaf.tick;
            if log.is_undone(tick) {
                // The head of a tick that the server has lost is not to be had.
                continue;
            }
            let Some(head) = log.signed_at(tick).cloned() else {
                log.want_signed_at(tick);
                self.witness.unsigned.push(one);
                continue;
            };
            let ListedProof { cell: part, leaf, path, .. } = one.proof;
            let receipt = Receipt { cell: part, leaf, path, head };
            let put = (one.write, one.cell);
            self.archive.keep(one.tag, put, one.owner, receipt, log.time_ms());
        }
    }
}
