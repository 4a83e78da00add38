//! Parcels: payloads larger than one cell (DESIGN.md section 4, *Parcels*).
//!
//! The head cell carries a [`ParcelRef`]; the bytes lie in part cells at tags derived from its
//! random seed. The root over the part cells' hashes makes the reference commit to every byte, so
//! that a signature over the reference is a signature over the payload.

use rand::CryptoRng;
use std::collections::BTreeMap;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_crypto::cell::{CONTENT_MAX, open, seal};
use undertone_crypto::{Secret, SlotKeys, part_keys};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{Cell, ServerId, merkle};

/// Most parts of a commit, a Welcome or a ratchet tree; a protocol constant.
pub(crate) const PARTS_MAX: u32 = 512;
/// Most parts of a message; larger ones are files.
pub(crate) const MESSAGE_PARTS_MAX: u32 = 64;

/// Where the parts of a parcel lie, and what they are.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct ParcelRef {
    /// Seed of the parts' tags and keys.
    pub seed: [u8; 32],
    /// Bytes of the payload.
    pub length: u32,
    /// Merkle root over the hashes of the part cells, in order.
    pub root: [u8; 32],
}

/// A payload that does not fit a parcel of the allowed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{length} bytes do not fit {parts_max} parts")]
pub(crate) struct TooLarge {
    length: usize,
    parts_max: u32,
}

impl ParcelRef {
    /// Number of parts: each is full but the last.
    pub(crate) fn parts(&self) -> u32 {
        self.length.div_ceil(CONTENT_MAX as u32)
    }

    /// Address and keys of one part.
    pub(crate) fn keys(&self, server: &ServerId, index: u32) -> SlotKeys {
        part_keys(&Secret::from_bytes(self.seed), server, index)
    }

    /// A name for the parcel in this device's own records.
    pub(crate) fn local_id(&self) -> [u8; 16] {
        self.root[..16].try_into().expect("sixteen of thirty-two bytes")
    }
}

/// A parcel ready to be stored.
pub(crate) struct Packed {
    /// What the head says of it.
    pub reference: ParcelRef,
    /// The part cells with their addresses, in order.
    pub parts: Vec<(SlotKeys, Cell)>,
}

/// Seals `payload` into part cells.
///
/// # Errors
/// [`TooLarge`] above `parts_max` parts.
pub(crate) fn pack(
    payload: &[u8],
    parts_max: u32,
    server: &ServerId,
    rng: &mut dyn CryptoRng,
) -> Result<Packed, TooLarge> {
    if payload.len() > parts_max as usize * CONTENT_MAX {
        return Err(TooLarge { length: payload.len(), parts_max });
    }
    let seed = Secret::random(rng);
    let parts: Vec<_> = (0..)
        .zip(payload.chunks(CONTENT_MAX))
        .map(|(index, chunk)| {
            let keys = part_keys(&seed, server, index);
            let cell = seal(&keys, chunk, rng).expect("a chunk fits a cell");
            (keys, cell)
        })
        .collect();
    let root = root_of(parts.iter().map(|(_, cell)| cell));
    let length = payload.len() as u32;
    Ok(Packed { reference: ParcelRef { seed: *seed.dangerous_bytes(), length, root }, parts })
}

fn root_of<'a>(cells: impl Iterator<Item = &'a Cell>) -> [u8; 32] {
    let leaves: Vec<_> = cells.map(|cell| merkle::leaf_hash(&cell.hash().0)).collect();
    merkle::root(&leaves)
}

/// The part cells are not those that the head commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parts are not those that the head names")]
pub(crate) struct Mismatch;

/// Parts that have arrived so far.
#[derive(Clone, Debug)]
pub(crate) struct Gathering {
    reference: ParcelRef,
    cells: BTreeMap<u32, Cell>,
}

impl Gathering {
    /// Nothing has arrived yet.
    pub(crate) fn new(reference: ParcelRef) -> Self {
        Self { reference, cells: BTreeMap::new() }
    }

    /// What is being gathered.
    pub(crate) fn reference(&self) -> &ParcelRef {
        &self.reference
    }

    /// Takes one part.
    pub(crate) fn take(&mut self, index: u32, cell: Cell) {
        self.cells.insert(index, cell);
    }

    /// Indexes that have not arrived.
    pub(crate) fn missing(&self) -> impl Iterator<Item = u32> {
        (0..self.reference.parts()).filter(|index| !self.cells.contains_key(index))
    }

    /// The payload, once every part is there.
    ///
    /// # Errors
    /// [`Mismatch`] when the cells differ from what the head commits to; the same for every reader.
    pub(crate) fn payload(&self, server: &ServerId) -> Result<Vec<u8>, Mismatch> {
        let named = root_of(self.cells.values()) == self.reference.root;
        if !named && !is_off(Check::PartsRoot) {
            return Err(Mismatch);
        }
        let mut payload = Vec::new();
        for (index, cell) in &self.cells {
            let keys = self.reference.keys(server, *index);
            payload.extend(open(&keys, cell).map_err(|_| Mismatch)?);
        }
        let whole = payload.len() == self.reference.length as usize;
        if whole { Ok(payload) } else { Err(Mismatch) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    const SERVER: ServerId = ServerId([7; 32]);

    fn packed(length: usize) -> (Vec<u8>, Packed) {
        let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let packed = pack(&payload, MESSAGE_PARTS_MAX, &SERVER, &mut rng).expect("it fits");
        (payload, packed)
    }

    fn gathered(packed: &Packed) -> Gathering {
        let mut gathering = Gathering::new(packed.reference.clone());
        for (index, (_, cell)) in (0..).zip(&packed.parts) {
            gathering.take(index, cell.clone());
        }
        gathering
    }

    #[test]
    fn payloads_of_every_edge_come_back() {
        for length in [0, 1, CONTENT_MAX, CONTENT_MAX + 1, CONTENT_MAX * 64] {
            let (payload, packed) = packed(length);
            let gathering = gathered(&packed);
            assert_eq!(gathering.missing().count(), 0);
            assert_eq!(gathering.payload(&SERVER), Ok(payload));
        }
    }

    #[test]
    fn a_parcel_above_its_limit_is_refused() {
        let payload = vec![0; CONTENT_MAX * 64 + 1];
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        assert!(pack(&payload, MESSAGE_PARTS_MAX, &SERVER, &mut rng).is_err());
    }

    #[test]
    fn swapped_parts_are_noticed() {
        let (_, packed) = packed(CONTENT_MAX * 2);
        let mut gathering = gathered(&packed);
        gathering.take(0, packed.parts[1].1.clone());
        assert_eq!(gathering.payload(&SERVER), Err(Mismatch));
    }
}
