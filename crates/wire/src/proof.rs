//! What a client checks before it believes an answer. Nothing here trusts the server beyond the
//! key that was pinned, and every check that fails names itself.

use crate::checks::{Check, is_off};
use crate::{
    Cell, CellHash, CellLeaf, CellPart, DigestPage, Head, HeadRef, KeyRing, Leaf, ListedProof,
    LogProof, Receipt, SegmentAnswer, SegmentLeaf, Tag, TickDigest, TickLeaf, encode,
    merkle::{self, Frontier, Hash},
};

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// The head is of another server, or not signed by the key in force at its tick.
    #[error("the head is not signed by this server's key")]
    Signature,
    /// The cell is not under the tick's root.
    #[error("the cell is not in the tick that the proof names")]
    Cell,
    /// The leaf is not where the path says, or not in the tree.
    #[error("the leaf is not in the log")]
    Leaf,
    /// The leaf and the head or the digest that comes with it contradict each other.
    #[error("the parts of the proof contradict each other")]
    Mismatch,
    /// A list that must be sorted is not.
    #[error("a list that must be sorted is not")]
    Unsorted,
    /// The newer tree does not continue the older one.
    #[error("the log was rewritten: the newer tree does not continue the older one")]
    Inconsistent,
}

impl CellPart {
    fn verify(&self, listed: &CellLeaf, leaf: &TickLeaf) -> Result<(), BadProof> {
        let hash = merkle::leaf_hash(&encode(listed));
        let (index, cells) = (u64::from(self.index), u64::from(leaf.cells));
        let included = merkle::verify_inclusion(&hash, index, cells, &self.path, &leaf.cells_root);
        (included || is_off(Check::CellInTick)).then_some(()).ok_or(BadProof::Cell)
    }
}

impl Receipt {
    /// The head under which `cell` is stored at `tag`.
    ///
    /// # Errors
    /// [`BadProof`] when any part of the receipt does not hold.
    pub fn verify(&self, keys: &KeyRing, tag: &Tag, cell: &Cell) -> Result<&Head, BadProof> {
        self.verify_hash(keys, tag, cell.hash())
    }

    /// As [`Receipt::verify`], for a cell of which only the hash is known (`TAKEN`).
    ///
    /// # Errors
    /// [`BadProof`] when any part of the receipt does not hold.
    pub fn verify_hash(
        &self,
        keys: &KeyRing,
        tag: &Tag,
        cell: CellHash,
    ) -> Result<&Head, BadProof> {
        let head = keys.verify(&self.head).ok_or(BadProof::Signature)?;
        if (self.leaf.tick, self.leaf.time_ms) != (head.tick, head.time_ms) {
            return Err(BadProof::Mismatch);
        }
        self.cell.verify(&CellLeaf::new(tag.hash(), cell), &self.leaf)?;
        let last = head.size.checked_sub(1).ok_or(BadProof::Mismatch)?;
        let leaf = Leaf::Tick(self.leaf.clone()).hash();
        let included = merkle::verify_inclusion(&leaf, last, head.size, &self.path, &head.root);
        (included || is_off(Check::TickInLog)).then_some(head).ok_or(BadProof::Leaf)
    }
}

impl ListedProof {
    /// Whether the listing stands in the tree of `self.size` leaves under `root`. The caller
    /// compares `self.size` with the tree whose root it passes, `self.listed` with the tag and
    /// the cell that it asked for, and `self.leaf_index` with its own copy of the log.
    ///
    /// # Errors
    /// [`BadProof`] when the cell is not in its tick or the tick not in the tree.
    pub fn verify(&self, root: &Hash) -> Result<(), BadProof> {
        self.cell.verify(&self.listed, &self.leaf)?;
        let leaf = Leaf::Tick(self.leaf.clone()).hash();
        let included =
            merkle::verify_inclusion(&leaf, self.leaf_index, self.size, &self.path, root);
        (included || is_off(Check::TickInLog)).then_some(()).ok_or(BadProof::Leaf)
    }

    /// As [`ListedProof::verify`], and that what is listed is `cell` under `tag`.
    ///
    /// # Errors
    /// [`BadProof::Mismatch`] when something else is listed, else as [`ListedProof::verify`].
    pub fn verify_cell(&self, root: &Hash, tag: &Tag, cell: &Cell) -> Result<(), BadProof> {
        let named = self.listed == CellLeaf::new(tag.hash(), cell.hash());
        if !named && !is_off(Check::CellNamed) {
            return Err(BadProof::Mismatch);
        }
        self.verify(root)
    }
}

impl SegmentAnswer {
    /// The head under which these are all the entries of this segment.
    ///
    /// # Errors
    /// [`BadProof`] when the head is not genuine, the leaf not under it, or the entries are not
    /// those that the leaf commits to.
    pub fn verify(&self, keys: &KeyRing) -> Result<&Head, BadProof> {
        let head = keys.verify(&self.head).ok_or(BadProof::Signature)?;
        let leaf = Leaf::Segment(self.leaf.clone()).hash();
        let included =
            merkle::verify_inclusion(&leaf, self.leaf_index, head.size, &self.path, &head.root);
        if !included && !is_off(Check::SegmentInLog) {
            return Err(BadProof::Leaf);
        }
        self.verify_entries()?;
        Ok(head)
    }

    fn verify_entries(&self) -> Result<(), BadProof> {
        let ticks = self.leaf.first_tick..=self.leaf.last_tick;
        let entries: Vec<_> = self.entries.iter().map(|entry| (entry.prefix, entry.tick)).collect();
        if !entries.is_sorted() {
            return Err(BadProof::Unsorted);
        }
        let inside = entries.iter().all(|(_, tick)| ticks.contains(tick));
        let committed = SegmentLeaf::hash_entries(&entries) == self.leaf.entries_hash;
        let committed = committed || is_off(Check::SegmentEntries);
        (inside && committed).then_some(()).ok_or(BadProof::Mismatch)
    }
}

impl LogProof {
    /// The frontier of the proved head's tree, if that tree continues the one of `from`.
    ///
    /// # Errors
    /// [`BadProof`]; [`BadProof::Inconsistent`] beside a genuine signature is evidence that the
    /// server rewrote its log, and both heads are to be kept.
    pub fn verify(&self, keys: &KeyRing, from: &HeadRef) -> Result<Frontier, BadProof> {
        let head = keys.verify(&self.head).ok_or(BadProof::Signature)?;
        let (old, new) = (from.size, head.size);
        let continues = merkle::verify_consistency(old, &from.root, new, &head.root, &self.path);
        if !continues && !is_off(Check::Consistency) {
            return Err(BadProof::Inconsistent);
        }
        let frontier = Frontier::from_parts(new, self.frontier.clone());
        let fits = |frontier: &Frontier| frontier.root() == head.root || is_off(Check::Frontier);
        frontier.filter(fits).ok_or(BadProof::Mismatch)
    }
}

impl TickDigest {
    /// Whether the prefixes are sorted (equal ones may stand side by side).
    pub fn is_sorted(&self) -> bool {
        self.prefixes.is_sorted()
    }
}

impl DigestPage {
    /// The head of this page, if its ticks extend the tree of `frontier` after tick
    /// `after` to exactly that head; `frontier` is then the tree after the page.
    ///
    /// On an error `frontier` is left as it was.
    ///
    /// # Errors
    /// [`BadProof`] when a tick is missing, unsorted, or the tree does not lead to the head.
    pub fn verify(
        &self,
        keys: &KeyRing,
        after: u64,
        frontier: &mut Frontier,
    ) -> Result<&Head, BadProof> {
        let head = keys.verify(&self.head).ok_or(BadProof::Signature)?;
        let mut grown = frontier.clone();
        let mut last = after;
        for tick in &self.ticks {
            if last.checked_add(1) != Some(tick.tick) {
                return Err(BadProof::Mismatch);
            }
            if !tick.is_sorted() {
                return Err(BadProof::Unsorted);
            }
            tick.leaf_hashes().into_iter().for_each(|leaf| grown.append(leaf));
            last = tick.tick;
        }
        if (head.tick, head.size) != (last, grown.size()) || head.root != grown.root() {
            return Err(BadProof::Inconsistent);
        }
        *frontier = grown;
        Ok(head)
    }
}
