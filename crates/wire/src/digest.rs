//! What the log of ticks is made of (DESIGN.md section 3.1).

use crate::{CellHash, Prefix, TagHash, encode, merkle, op::Hash};
use sha2::{Digest, Sha256};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// The leaf of one stored cell in its tick's own small tree; leaves are sorted by `tag`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes,
)]
pub struct CellLeaf {
    /// Hash of the tag.
    pub tag: TagHash,
    /// Hash of the cell.
    pub cell: CellHash,
}

/// The leaf of one tick in the log's tree.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct TickLeaf {
    /// Tick number.
    pub tick: u64,
    /// Unix milliseconds at which it was sealed.
    pub time_ms: u64,
    /// Cells in it.
    pub cells: u32,
    /// SHA-256 over its sorted prefixes, eight bytes each, big-endian.
    pub prefixes_hash: Hash,
    /// Root over its [`CellLeaf`]s.
    pub cells_root: Hash,
}

/// How long a closed segment is. Segments start at multiples of their length since 1970.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes,
)]
#[repr(u8)]
pub enum SegmentLevel {
    /// Ten seconds.
    TenSeconds = 1,
    /// One minute.
    Minute = 2,
    /// One hour.
    Hour = 3,
    /// One day.
    Day = 4,
}

impl SegmentLevel {
    /// All levels, the shortest first.
    pub const ALL: [Self; 4] = [Self::TenSeconds, Self::Minute, Self::Hour, Self::Day];

    /// Length of a segment of this level.
    pub const fn length_ms(self) -> u64 {
        match self {
            Self::TenSeconds => 10_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }
}

/// The leaf of a closed segment; it stands before the leaf of the tick that closed it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SegmentLeaf {
    /// Its length.
    pub level: SegmentLevel,
    /// Start in units of its length since 1970.
    pub index: u64,
    /// First tick in it.
    pub first_tick: u64,
    /// Last tick in it.
    pub last_tick: u64,
    /// SHA-256 over its entries (prefix, tick), sorted, sixteen bytes each, big-endian.
    pub entries_hash: Hash,
}

impl SegmentLeaf {
    /// SHA-256 over entries that are sorted by (prefix, tick).
    pub fn hash_entries(entries: &[(Prefix, u64)]) -> Hash {
        let mut hash = Sha256::new();
        for (prefix, tick) in entries {
            hash.update(prefix.0.to_be_bytes());
            hash.update(tick.to_be_bytes());
        }
        hash.finalize().into()
    }
}

/// A leaf of the log's tree.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum Leaf {
    /// A tick.
    #[tls_codec(discriminant = 1)]
    Tick(TickLeaf),
    /// A closed segment.
    #[tls_codec(discriminant = 2)]
    Segment(SegmentLeaf),
}

impl Leaf {
    /// The leaf's hash in the tree.
    pub fn hash(&self) -> Hash {
        merkle::leaf_hash(&encode(self))
    }
}

/// One tick as a digest shows it: enough to extend one's own copy of the tree.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct TickDigest {
    /// The leaves of segments that this tick closed; they precede it in the tree.
    pub closed: Vec<SegmentLeaf>,
    /// Tick number.
    pub tick: u64,
    /// Unix milliseconds at which it was sealed.
    pub time_ms: u64,
    /// Root over its cells.
    pub cells_root: Hash,
    /// Its prefixes, sorted.
    pub prefixes: Vec<Prefix>,
}

impl TickDigest {
    /// The tick's leaf as the tree commits to it.
    pub fn leaf(&self) -> TickLeaf {
        let mut hash = Sha256::new();
        for prefix in &self.prefixes {
            hash.update(prefix.0.to_be_bytes());
        }
        TickLeaf {
            tick: self.tick,
            time_ms: self.time_ms,
            cells: u32::try_from(self.prefixes.len()).unwrap_or(u32::MAX),
            prefixes_hash: hash.finalize().into(),
            cells_root: self.cells_root,
        }
    }

    /// The leaf hashes that this tick appends to the tree, in order.
    pub fn leaf_hashes(&self) -> Vec<Hash> {
        let closed = self.closed.iter().map(|segment| Leaf::Segment(segment.clone()).hash());
        closed.chain([Leaf::Tick(self.leaf()).hash()]).collect()
    }
}
