//! `admin holds`: everything that the store holds, field by field.
//!
//! The list below is the whole of the format (`docs/store-format.md`); a test adds up its bytes
//! and compares the sum with the files of a real folder, so a field cannot be forgotten.

#[cfg(test)]
mod tests;

use crate::{
    Files, StoreError,
    segments::{Stop, disk, hours, read_keys, read_spine, scan, segment_header, sidecar_name},
};
use undertone_wire::encode;

/// One field, and how much of it there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which files.
    pub file: &'static str,
    /// What the field is called in `docs/store-format.md`.
    pub field: &'static str,
    /// What it says, for people.
    pub meaning: &'static str,
    /// How many there are.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Everything in the folder.
///
/// # Errors
/// [`StoreError`] when the folder cannot be read or is damaged.
pub fn holds<F: Files + ?Sized>(files: &F) -> Result<Vec<Held>, StoreError> {
    let counts = Counts::of(files)?;
    let Counts { hours, ticks, meta, cells, .. } = counts;
    let held = |file, field, meaning, items, bytes| Held { file, field, meaning, items, bytes };
    Ok(vec![
        held(KEYS, "front", "format and version", 1, 24),
        held(KEYS, "first key", "the server's first public key", 1, 32),
        held(
            KEYS,
            "successions",
            "the public keys that followed",
            counts.steps,
            counts.steps * 104,
        ),
        held(SPINE, "front", "format and version", counts.spines, counts.spines * 24),
        held(
            SPINE,
            "record",
            "of an expired hour: its number, first and last tick and leaf, hashes of its part of the log",
            counts.expired,
            counts.expired_bytes,
        ),
        held(
            SEG,
            "header",
            "format, server id, hour, first tick and leaf, a random salt, checksum",
            hours,
            hours * 160,
        ),
        held(SEG, "prelude", "of a tick: its number, lengths, checksum", ticks, ticks * 40),
        held(
            SEG,
            "tick",
            "number, time to the millisecond, number of cells, roots; closed segments; signed head",
            ticks,
            meta,
        ),
        held(SEG, "tag hash", "SHA-256 of a cell's tag", cells, cells * 32),
        held(SEG, "cell hash", "SHA-256 of a cell", cells, cells * 32),
        held(SEG, "checksum", "over a tick without its cells", ticks, ticks * 32),
        held(SEG, "cell", "2,048 sealed bytes", cells, cells * 2_048),
        held(
            IDX,
            "sidecar",
            "of a closed hour, derived: offsets and times of ticks, leaf hashes, sorted prefixes",
            counts.sidecars,
            counts.sidecar_bytes,
        ),
        held(
            SEG,
            "unfinished",
            "a last tick that was never acknowledged",
            counts.torn,
            counts.torn_bytes,
        ),
    ])
}

const KEYS: &str = "log.keys";
const SPINE: &str = "log.spine";
const SEG: &str = "HOUR.seg";
const IDX: &str = "HOUR.idx";

#[derive(Default)]
struct Counts {
    steps: u64,
    spines: u64,
    expired: u64,
    expired_bytes: u64,
    hours: u64,
    ticks: u64,
    meta: u64,
    cells: u64,
    sidecars: u64,
    sidecar_bytes: u64,
    torn: u64,
    torn_bytes: u64,
}

impl Counts {
    fn of<F: Files + ?Sized>(files: &F) -> Result<Self, StoreError> {
        let mut counts = Self { steps: read_keys(files)?.successions() as u64, ..Self::default() };
        counts.spine(files)?;
        let names = files.list().map_err(disk)?;
        for hour in hours(files)? {
            counts.segment(files, hour)?;
            let sidecar = sidecar_name(hour);
            if names.contains(&sidecar) {
                counts.sidecars += 1;
                counts.sidecar_bytes += files.len(&sidecar).map_err(disk)?;
            }
        }
        Ok(counts)
    }

    fn spine<F: Files + ?Sized>(&mut self, files: &F) -> Result<(), StoreError> {
        let records = read_spine(files)?;
        self.expired = records.len() as u64;
        // Each record stands between its length and its checksum.
        self.expired_bytes = records.iter().map(|record| encode(record).len() as u64 + 36).sum();
        self.spines = u64::from(!records.is_empty());
        Ok(())
    }

    fn segment<F: Files + ?Sized>(&mut self, files: &F, hour: u64) -> Result<(), StoreError> {
        let header = segment_header(files, hour)?;
        let stop = scan(files, &header, |scanned| {
            self.ticks += 1;
            self.meta += encode(&scanned.record.stored).len() as u64;
            self.cells += scanned.record.leaves.len() as u64;
            Ok(())
        })?;
        self.hours += 1;
        if let Stop::Broken(at) = stop {
            let length = files.len(&crate::segments::segment_name(hour)).map_err(disk)?;
            self.torn += 1;
            self.torn_bytes += length - at;
        }
        Ok(())
    }
}
