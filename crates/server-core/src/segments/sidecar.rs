//! The sidecar of a closed segment: its tick table, leaf hashes and sorted prefixes, so that
//! opening a folder reads about forty bytes per cell instead of two thousand. It is derived from
//! the segment, and worth nothing beside it.

use super::{
    Files, StoreError,
    format::{Header, SUM_LEN, check_version, sidecar_name, u32_at, u64_at},
    index::{Segment, TickSlot},
    read_bytes,
};
use sha2::{Digest, Sha256};
use std::ops::Range;
use undertone_wire::{Hash, Prefix};

const MAGIC: &[u8; 16] = b"undertone index\n";
/// Version 1 did not name the ticks; it is written anew.
const VERSION: u16 = 2;
const FRONT_LEN: usize = 80;
const SLOT_LEN: usize = 40;
const HASH_LEN: usize = 32;
const ENTRY_LEN: usize = 16;

/// One cell in a sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) prefix: Prefix,
    /// Ordinal of its tick in the segment.
    pub(crate) ordinal: u32,
    /// Index in the tick.
    pub(crate) index: u32,
}

/// A whole sidecar.
#[derive(Clone, Debug)]
pub(crate) struct Sidecar {
    pub(super) segment: Segment,
    pub(super) leaf_hashes: Vec<Hash>,
    /// Sorted by (prefix, tick, index).
    pub(crate) entries: Vec<Entry>,
}

impl Sidecar {
    pub(crate) fn hour(&self) -> u64 {
        self.segment.hour
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let segment = &self.segment;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&[0; 6]);
        let counts = [
            segment.hour,
            segment.first_tick,
            segment.first_leaf,
            segment.end,
            segment.slots.len() as u64,
            self.leaf_hashes.len() as u64,
            self.entries.len() as u64,
        ];
        counts.iter().for_each(|count| bytes.extend_from_slice(&count.to_be_bytes()));
        for slot in &segment.slots {
            let TickSlot { tick, offset, time_ms, size, cells_before } = *slot;
            let fields = [tick, offset, time_ms, size, cells_before];
            fields.iter().for_each(|field| bytes.extend_from_slice(&field.to_be_bytes()));
        }
        self.leaf_hashes.iter().for_each(|hash| bytes.extend_from_slice(hash));
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.prefix.0.to_be_bytes());
            bytes.extend_from_slice(&entry.ordinal.to_be_bytes());
            bytes.extend_from_slice(&entry.index.to_be_bytes());
        }
        let sum: [u8; SUM_LEN] = Sha256::digest(&bytes).into();
        bytes.extend_from_slice(&sum);
        bytes
    }

    /// Reads the sidecar of `hour`; `Ok(None)` when it is missing, damaged, or does not belong to
    /// a segment file of `segment_len` bytes: then it is made again from the segment.
    ///
    /// # Errors
    /// [`StoreError::Version`], or what the disk reports.
    pub(crate) fn read<F: Files + ?Sized>(
        files: &F,
        hour: u64,
        segment_len: u64,
    ) -> Result<Option<Self>, StoreError> {
        let name = sidecar_name(hour);
        let Ok(length) = files.len(&name) else { return Ok(None) };
        let Ok(length) = usize::try_from(length) else { return Ok(None) };
        let bytes = read_bytes(files, &name, 0, length)?;
        let sidecar = Self::decode(&name, &bytes)?;
        Ok(sidecar.filter(|read| read.segment.hour == hour && read.segment.end == segment_len))
    }

    fn decode(name: &str, bytes: &[u8]) -> Result<Option<Self>, StoreError> {
        let Some((body, sum)) = bytes.len().checked_sub(SUM_LEN).map(|end| bytes.split_at(end))
        else {
            return Ok(None);
        };
        if body.len() < FRONT_LEN || Sha256::digest(body)[..] != *sum {
            return Ok(None);
        }
        if body[..FRONT_LEN].starts_with(MAGIC) && body[16..18] == [0, 1] {
            return Ok(None);
        }
        match check_version(name, body, MAGIC, VERSION) {
            Ok(body) => Ok(Self::decode_body(body)),
            Err(StoreError::Damaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn decode_body(body: &[u8]) -> Option<Self> {
        let count = |at| usize::try_from(u64_at(body, at)).ok();
        let places = Places::new(count(56)?, count(64)?, count(72)?)?;
        if body.len() != places.end {
            return None;
        }
        let slots = body[places.slots].chunks_exact(SLOT_LEN).map(|slot| TickSlot {
            tick: u64_at(slot, 0),
            offset: u64_at(slot, 8),
            time_ms: u64_at(slot, 16),
            size: u64_at(slot, 24),
            cells_before: u64_at(slot, 32),
        });
        let entries = body[places.entries].chunks_exact(ENTRY_LEN).map(|entry| Entry {
            prefix: Prefix(u64_at(entry, 0)),
            ordinal: u32_at(entry, 8) as u32,
            index: u32_at(entry, 12) as u32,
        });
        let entries: Vec<_> = entries.collect();
        let segment = Segment {
            hour: u64_at(body, 24),
            first_tick: u64_at(body, 32),
            first_leaf: u64_at(body, 40),
            end: u64_at(body, 48),
            // A sidecar does not know it; whoever opens the segment does.
            salt: [0; 32],
            slots: slots.collect(),
            cells: entries.len() as u64,
            open: None,
        };
        let (leaf_hashes, _) = body[places.hashes].as_chunks::<HASH_LEN>();
        let sidecar = Self { segment, leaf_hashes: leaf_hashes.to_vec(), entries };
        sidecar.makes_sense().then_some(sidecar)
    }

    /// Whether nothing in it points outside of the segment: a checksum is no proof of sense.
    fn makes_sense(&self) -> bool {
        let Segment { first_tick, first_leaf, slots, end, cells, .. } = &self.segment;
        let order = |slot: &TickSlot| (slot.offset, slot.time_ms, slot.size, slot.cells_before);
        let grows = slots.windows(2).all(|pair| {
            let (one, next) = (order(&pair[0]), order(&pair[1]));
            pair[0].tick < pair[1].tick
                && one.0 < next.0
                && one.1 <= next.1
                && one.2 < next.2
                && one.3 <= next.3
        });
        let inside = slots.last().is_none_or(|last| {
            last.offset < *end
                && last.cells_before <= *cells
                && first_leaf.checked_add(self.leaf_hashes.len() as u64) == Some(last.size)
        });
        let ticks = slots.len() as u64;
        let named = self.entries.iter().all(|entry| u64::from(entry.ordinal) < ticks);
        // Places are packed into sixty-four bits, twenty of them for the index.
        let packs = slots.last().is_some_and(|last| last.tick < 1 << 44);
        let begins = slots.first().is_some_and(|slot| slot.tick == *first_tick);
        grows && inside && named && packs && begins
    }

    /// Whether it begins where the segment with this header does.
    pub(super) fn belongs_to(&self, header: &Header) -> bool {
        let segment = &self.segment;
        (segment.first_tick, segment.first_leaf) == (header.first_tick, header.first_leaf)
    }

    /// The prefixes with their ticks, sorted.
    pub(super) fn listed(&self) -> impl Iterator<Item = (Prefix, u64)> {
        let tick = |entry: &Entry| Some((entry.prefix, self.segment.tick_at(entry.ordinal)?));
        self.entries.iter().filter_map(tick)
    }
}

/// Where the parts of a sidecar begin and end.
struct Places {
    slots: Range<usize>,
    hashes: Range<usize>,
    entries: Range<usize>,
    end: usize,
}

impl Places {
    fn new(slots: usize, hashes: usize, entries: usize) -> Option<Self> {
        let slots = FRONT_LEN..FRONT_LEN.checked_add(slots.checked_mul(SLOT_LEN)?)?;
        let hashes = slots.end..slots.end.checked_add(hashes.checked_mul(HASH_LEN)?)?;
        let entries = hashes.end..hashes.end.checked_add(entries.checked_mul(ENTRY_LEN)?)?;
        let end = entries.end;
        Some(Self { slots, hashes, entries, end })
    }
}

/// Where the leaf hashes of a closed segment are.
#[derive(Debug, Clone, Copy)]
pub(super) struct HashesAt {
    hour: u64,
    first_leaf: u64,
    slots: usize,
}

impl HashesAt {
    pub(super) fn of(segment: &Segment) -> Self {
        let Segment { hour, first_leaf, slots, .. } = segment;
        Self { hour: *hour, first_leaf: *first_leaf, slots: slots.len() }
    }
}

/// Some leaf hashes of a closed segment, read from its sidecar alone. They were checked when the
/// folder was opened, or written since.
pub(super) fn leaf_hashes<F: Files + ?Sized>(
    files: &F,
    at: &HashesAt,
    leaves: Range<u64>,
) -> Result<Vec<Hash>, StoreError> {
    let first = (FRONT_LEN + at.slots * SLOT_LEN) as u64;
    let offset = first + (leaves.start - at.first_leaf) * HASH_LEN as u64;
    let length = (leaves.end - leaves.start) as usize * HASH_LEN;
    let bytes = read_bytes(files, &sidecar_name(at.hour), offset, length)?;
    let (hashes, _) = bytes.as_chunks::<HASH_LEN>();
    Ok(hashes.to_vec())
}

/// The sidecar's file name.
pub(super) fn name(hour: u64) -> String {
    sidecar_name(hour)
}

/// Writes a sidecar, durably except for its name (the caller syncs the directory anyway when it
/// opens the next segment).
pub(super) fn write<F: Files + ?Sized>(files: &F, sidecar: &Sidecar) -> std::io::Result<()> {
    let name = sidecar_name(sidecar.segment.hour);
    files.create(&name)?;
    files.append(&name, &sidecar.encode())?;
    files.sync(&name)
}
