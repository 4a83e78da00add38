//! Where a cell was first listed, proved in a cell of its own (ADR 0010).
//!
//! A cell that is put again after a recovery is listed in a later tick than it was. Before it goes
//! the receipt that its author, or a witness, has of the first listing; it lies under keys that
//! whoever knows the slot derives from the slot's write key. The server's signature makes it
//! genuine, not whoever wrote it. Who proves the same seals the same bytes.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_crypto::cell::{open, seal};
use undertone_crypto::{SlotKeys, evidence_seed};
use undertone_wire::{Cell, CellHash, Receipt, WriteKey, decode, encode};

/// What such a cell holds.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Evidence {
    /// The cell that was stored.
    pub(super) cell: CellHash,
    /// The old head's proof of it.
    pub(super) receipt: Receipt,
}

impl Evidence {
    /// The cell to store under `keys`; `None` when the proof is too long for one: that takes a log
    /// of more than 2^32 leaves, or many token keys.
    pub(super) fn seal(&self, write: &WriteKey, keys: &SlotKeys) -> Option<Cell> {
        let content = encode(self);
        let mut rng = ChaCha20Rng::from_seed(evidence_seed(write, &content));
        seal(keys, &content, &mut rng).ok()
    }

    /// What a cell proves; `None` when it is no evidence.
    pub(super) fn open(keys: &SlotKeys, cell: &Cell) -> Option<Self> {
        decode(&open(keys, cell).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_crypto::{cell::CONTENT_MAX, evidence_keys};
    use undertone_wire::{CellPart, Head, ServerId, SignedHead, TickLeaf};

    /// The longest proof of a log of so many leaves with full ticks.
    fn longest(log_leaves: u32) -> Evidence {
        let server = ServerId([1; 32]);
        let head = Head {
            server,
            tick: 1,
            time_ms: 1,
            size: 1,
            root: [2; 32],
            token_keys: Vec::new(),
            policy: [3; 32],
            recovered_after: Some(1),
        };
        let leaf =
            TickLeaf { tick: 1, time_ms: 1, cells: 1, prefixes_hash: [4; 32], cells_root: [5; 32] };
        let receipt = Receipt {
            cell: CellPart { index: 0, path: vec![[6; 32]; 14] },
            leaf,
            path: vec![[7; 32]; log_leaves as usize],
            head: SignedHead { head, signature: [8; 64] },
        };
        Evidence { cell: CellHash([9; 32]), receipt }
    }

    #[test]
    fn the_longest_proof_of_a_log_of_four_billion_leaves_fits_one_cell() {
        let (write, server) = (WriteKey([1; 32]), ServerId([2; 32]));
        let keys = evidence_keys(&write, &server);
        let evidence = longest(32);
        assert!(encode(&evidence).len() <= CONTENT_MAX);
        let cell = evidence.seal(&write, &keys).expect("it fits");
        assert_eq!(Evidence::open(&keys, &cell), Some(evidence));
        assert_eq!(longest(60).seal(&write, &keys), None);
    }

    #[test]
    fn who_proves_the_same_seals_the_same() {
        let (write, server) = (WriteKey([1; 32]), ServerId([2; 32]));
        let keys = evidence_keys(&write, &server);
        assert_eq!(longest(3).seal(&write, &keys), longest(3).seal(&write, &keys));
        assert_ne!(longest(3).seal(&write, &keys), longest(4).seal(&write, &keys));
        assert_eq!(Evidence::open(&keys, &Cell::from_array([0; undertone_wire::CELL_LEN])), None);
    }
}
