//! The bytes of a segment file. All integers are big-endian.

use super::{StoreError, damaged};
use crate::{NewTick, StoredTick, store::CELLS_PER_TICK_MAX};
use sha2::{Digest, Sha256};
use undertone_wire::{CELL_LEN, CellHash, CellLeaf, ServerId, TagHash, decode, encode};

/// The version of all files of the folder that this code reads and writes.
pub(crate) const VERSION: u16 = 1;
/// Length of what every file begins with: magic, version, zeros.
pub(crate) const FRONT_LEN: usize = 24;
/// Length of a segment's header.
pub(crate) const SEGMENT_HEADER_LEN: usize = 160;
/// Length of a tick record's prelude.
pub(crate) const PRELUDE_LEN: usize = 40;
/// Length of a cell's leaf in a record.
pub(crate) const LEAF_LEN: usize = 64;
/// Length of a checksum.
pub(crate) const SUM_LEN: usize = 32;
/// Longest metadata of a tick: four closed segments, the leaf, and a head with many token keys.
pub(crate) const META_MAX: usize = 65_536;

const SEGMENT_MAGIC: &[u8; 16] = b"undertone ticks\n";
const RECORD_MAGIC: &[u8; 4] = b"tick";
const HOUR_MS: u64 = 3_600_000;

pub(crate) fn segment_name(hour: u64) -> String {
    format!("{hour:010}.seg")
}

pub(crate) fn sidecar_name(hour: u64) -> String {
    format!("{hour:010}.idx")
}

/// The hour of a segment file's name.
pub(crate) fn hour_of(name: &str) -> Option<u64> {
    let hour = name.strip_suffix(".seg")?.parse().ok()?;
    (segment_name(hour) == name).then_some(hour)
}

pub(crate) fn hour_at(time_ms: u64) -> u64 {
    time_ms / HOUR_MS
}

/// What stands at the front of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) server: ServerId,
    pub(crate) hour: u64,
    pub(crate) first_tick: u64,
    /// Leaves in the log before the segment.
    pub(crate) first_leaf: u64,
    /// Goes into every checksum of the segment.
    pub(crate) salt: [u8; 32],
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_LEN);
        bytes.extend_from_slice(SEGMENT_MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&[0; 22]);
        bytes.extend_from_slice(&self.server.0);
        bytes.extend_from_slice(&self.hour.to_be_bytes());
        bytes.extend_from_slice(&self.first_tick.to_be_bytes());
        bytes.extend_from_slice(&self.first_leaf.to_be_bytes());
        bytes.extend_from_slice(&self.salt);
        let sum: [u8; SUM_LEN] = Sha256::digest(&bytes).into();
        bytes.extend_from_slice(&sum);
        bytes
    }

    pub(crate) fn decode(name: &str, bytes: &[u8]) -> Result<Self, StoreError> {
        let wrong = |what: &str| damaged(name, 0, what);
        let body = check_front(name, bytes, SEGMENT_MAGIC)?;
        let (body, sum) = body
            .split_at_checked(SEGMENT_HEADER_LEN - SUM_LEN)
            .ok_or_else(|| wrong("the header is cut short"))?;
        if Sha256::digest(body)[..] != sum[..] {
            return Err(wrong("the header's checksum does not hold"));
        }
        Ok(Self {
            server: ServerId(array(body, 40)),
            hour: u64_at(body, 72),
            first_tick: u64_at(body, 80),
            first_leaf: u64_at(body, 88),
            salt: array(body, 96),
        })
    }
}

/// Checks magic and version, which stand at the front of every file.
pub(crate) fn check_front<'a>(
    name: &str,
    bytes: &'a [u8],
    magic: &[u8; 16],
) -> Result<&'a [u8], StoreError> {
    check_version(name, bytes, magic, VERSION)
}

/// As [`check_front`], for a file whose format has a version of its own.
pub(crate) fn check_version<'a>(
    name: &str,
    bytes: &'a [u8],
    magic: &[u8; 16],
    known: u16,
) -> Result<&'a [u8], StoreError> {
    if bytes.len() < FRONT_LEN || bytes[..16] != magic[..] {
        return Err(damaged(name, 0, "this is not a file of this store"));
    }
    match u16::from_be_bytes([bytes[16], bytes[17]]) {
        version if version == known && bytes[18..FRONT_LEN].iter().all(|byte| *byte == 0) => {
            Ok(bytes)
        }
        version if version == known => Err(damaged(name, 18, "bytes that must be zero are not")),
        // Versions count from 1: this was never written.
        0 => Err(damaged(name, 16, "the version is missing")),
        version => Err(StoreError::Version { place: name.to_owned(), version }),
    }
}

/// The fixed front of a tick record: enough to find everything else in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prelude {
    pub(crate) tick: u64,
    pub(crate) meta_len: usize,
    pub(crate) cells: usize,
}

impl Prelude {
    fn encode(&self, salt: &[u8; 32]) -> Vec<u8> {
        let mut bytes = RECORD_MAGIC.to_vec();
        bytes.extend_from_slice(&(self.meta_len as u32).to_be_bytes());
        bytes.extend_from_slice(&(self.cells as u32).to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.tick.to_be_bytes());
        let sum = salted(salt, &[&bytes]);
        bytes.extend_from_slice(&sum[..16]);
        bytes
    }

    /// `None` unless these are a whole prelude with a true checksum and lawful lengths.
    pub(crate) fn decode(salt: &[u8; 32], bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(RECORD_MAGIC) {
            return None;
        }
        let (front, sum) = bytes.get(..PRELUDE_LEN)?.split_at(PRELUDE_LEN - 16);
        let (meta_len, cells) = (u32_at(front, 4), u32_at(front, 8));
        let prelude = Self { tick: u64_at(front, 16), meta_len, cells };
        let genuine = salted(salt, &[front])[..16] == *sum;
        let lawful = meta_len <= META_MAX && cells <= CELLS_PER_TICK_MAX;
        (genuine && lawful).then_some(prelude)
    }

    /// Where the cells begin, from the record's start.
    pub(crate) fn cells_at(&self) -> u64 {
        self.front_len() as u64
    }

    /// Bytes before the cells.
    pub(crate) fn front_len(&self) -> usize {
        PRELUDE_LEN + self.meta_len + self.cells * LEAF_LEN + SUM_LEN
    }

    /// Bytes of the whole record.
    pub(crate) fn record_len(&self) -> u64 {
        (self.front_len() + self.cells * CELL_LEN) as u64
    }
}

/// A tick record without its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) stored: StoredTick,
    pub(crate) leaves: Vec<CellLeaf>,
}

impl Record {
    /// The bytes of a whole record.
    pub(crate) fn encode(salt: &[u8; 32], tick: &NewTick<'_>) -> Vec<u8> {
        let meta = encode(tick.stored);
        let prelude =
            Prelude { tick: tick.stored.leaf.tick, meta_len: meta.len(), cells: tick.leaves.len() };
        let mut bytes = Vec::with_capacity(prelude.record_len() as usize);
        bytes.extend_from_slice(&prelude.encode(salt));
        bytes.extend_from_slice(&meta);
        for leaf in tick.leaves {
            bytes.extend_from_slice(&leaf.tag.0);
            bytes.extend_from_slice(&leaf.cell.0);
        }
        let sum = salted(salt, &[&bytes]);
        bytes.extend_from_slice(&sum);
        tick.cells.iter().for_each(|cell| bytes.extend_from_slice(cell.as_bytes()));
        bytes
    }

    /// Reads what stands before the cells (`Prelude::front_len` bytes); `None` unless the
    /// checksum holds and the parts fit each other.
    pub(crate) fn decode(salt: &[u8; 32], prelude: &Prelude, front: &[u8]) -> Option<Self> {
        let (body, sum) = front.split_at_checked(front.len().checked_sub(SUM_LEN)?)?;
        if salted(salt, &[body])[..] != *sum {
            return None;
        }
        let meta = body.get(PRELUDE_LEN..PRELUDE_LEN + prelude.meta_len)?;
        let stored: StoredTick = decode(meta).ok()?;
        let leaves = decode_leaves(body.get(PRELUDE_LEN + prelude.meta_len..)?);
        let fits = stored.leaf.tick == prelude.tick
            && stored.leaf.cells as usize == leaves.len()
            && leaves.len() == prelude.cells;
        fits.then_some(Self { stored, leaves })
    }
}

/// Leaves as they stand in a record.
pub(crate) fn decode_leaves(bytes: &[u8]) -> Vec<CellLeaf> {
    let (leaves, _) = bytes.as_chunks::<LEAF_LEN>();
    let leaf = |bytes: &[u8; LEAF_LEN]| {
        CellLeaf::new(TagHash(array(bytes, 0)), CellHash(array(bytes, 32)))
    };
    leaves.iter().map(leaf).collect()
}

/// `SHA-256(salt ‖ parts)`.
pub(crate) fn salted(salt: &[u8; 32], parts: &[&[u8]]) -> [u8; SUM_LEN] {
    let hash = parts.iter().fold(Sha256::new().chain_update(salt), Digest::chain_update);
    hash.finalize().into()
}

/// Thirty-two bytes at `offset`; callers have checked the length.
pub(crate) fn array(bytes: &[u8], offset: usize) -> [u8; 32] {
    bytes[offset..offset + 32].try_into().expect("a slice of thirty-two bytes")
}

pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_be_bytes(bytes[offset..offset + 8].try_into().expect("a slice of eight bytes"))
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> usize {
    u32::from_be_bytes(bytes[offset..offset + 4].try_into().expect("a slice of four bytes"))
        as usize
}
