//! `admin check`: everything in a folder against everything else, from the bytes alone.
//!
//! Nothing is taken from an index, repaired or skipped: every checksum, cell, root, closed
//! segment, signature and sidecar is computed again. A finding names its place; where the log
//! cannot be followed past a break, what comes after is still checked by itself.

mod hour;
mod segments;

#[cfg(test)]
mod python;
#[cfg(test)]
mod tests;

use crate::{
    Files, StoreError,
    segments::{NOTHING_HELD, disk, hours, is_ours, read_keys, read_spine},
};
use segments::Reopened;
use undertone_wire::{Hash, HeadRef, KeyRing, merkle, merkle::Frontier};

/// Something in a folder that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, and where in it.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

/// What a check looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Everything that is wrong; empty for a sound folder.
    pub findings: Vec<Finding>,
    /// An unfinished last tick: never acknowledged, and cut on the next start.
    pub unfinished: Option<String>,
    /// Hours of which the cells are held.
    pub hours: u64,
    /// Hours that have expired.
    pub hours_expired: u64,
    /// Ticks checked, with their signed heads.
    pub ticks: u64,
    /// Cells checked.
    pub cells: u64,
    /// The newest head, if there is one.
    pub newest: Option<HeadRef>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Checks a whole folder.
///
/// # Errors
/// [`StoreError`] when the disk cannot be read; whatever the bytes say is in the report.
pub fn check<F: Files + ?Sized>(files: &F) -> Result<Report, StoreError> {
    let mut checker = Checker::default();
    checker.names(files)?;
    checker.keys(files)?;
    checker.spine(files)?;
    let hours = hours(files)?;
    for (at, hour) in hours.iter().enumerate() {
        checker.hour(files, *hour, at + 1 == hours.len())?;
    }
    if checker.report.hours_expired > 0 && checker.report.ticks == 0 {
        checker.find("log.spine", NOTHING_HELD);
    }
    checker.twice_filled();
    Ok(checker.report)
}

/// What has been followed so far.
#[derive(Default)]
struct Checker {
    report: Report,
    ring: Option<KeyRing>,
    /// The tree so far; `None` once it cannot be followed.
    tree: Option<Frontier>,
    next_tick: u64,
    next_leaf: u64,
    time_ms: u64,
    reopened: Reopened,
    /// Whether ticks before those that were walked are not held: expired, or missing.
    begins_late: bool,
    /// The first half of every tag hash: no two are equal unless somebody spent 2^64 hashes.
    tags: Vec<u128>,
}

impl Checker {
    fn find(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.report.findings.push(Finding { place: place.into(), what: what.into() });
    }

    /// Keeps damage as a finding; anything else is the disk's failure and ends the check.
    fn keep(&mut self, error: StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::Damaged { place, what } => self.find(place, what),
            StoreError::Version { .. } => self.find("format", error.to_string()),
            other => return Err(other),
        }
        Ok(())
    }

    fn names<F: Files + ?Sized>(&mut self, files: &F) -> Result<(), StoreError> {
        let mut names = files.list().map_err(disk)?;
        names.sort();
        for name in names.into_iter().filter(|name| !is_ours(name)) {
            self.find(name, "this is not a file of the store");
        }
        Ok(())
    }

    fn keys<F: Files + ?Sized>(&mut self, files: &F) -> Result<(), StoreError> {
        match read_keys(files) {
            Ok(ring) => self.ring = Some(ring),
            Err(error) => self.keep(error)?,
        }
        Ok(())
    }

    fn spine<F: Files + ?Sized>(&mut self, files: &F) -> Result<(), StoreError> {
        self.next_tick = 1;
        let records = match read_spine(files) {
            Ok(records) => records,
            Err(error) => {
                self.keep(error)?;
                return Ok(());
            }
        };
        let mut nodes = Vec::new();
        let mut sound = true;
        for record in &records {
            let tiles = merkle::perfect_subtrees(record.first_leaf..record.end_leaf);
            // Higher than the next after a recovery; that no tick is missing the leaves tell.
            let follows =
                record.first_tick >= self.next_tick && record.first_leaf == self.next_leaf;
            if !follows || tiles.len() != record.nodes.len() {
                let place = format!("log.spine, hour {}", record.hour);
                self.find(place, "this hour does not follow the one before it");
                sound = false;
            }
            nodes.extend(tiles.into_iter().zip(record.nodes.iter().copied()));
            (self.next_tick, self.next_leaf) =
                (record.last_tick.saturating_add(1), record.end_leaf);
        }
        self.report.hours_expired = records.len() as u64;
        self.begins_late = !records.is_empty();
        self.tree = if sound { tiled(self.next_leaf, nodes) } else { None };
        Ok(())
    }

    /// No tag may be filled twice among the cells that are held.
    fn twice_filled(&mut self) {
        self.tags.sort_unstable();
        if self.tags.windows(2).any(|pair| pair[0] == pair[1]) {
            self.find("the cells", "two of them are stored under one tag");
        }
    }
}

/// The tree of `size` leaves from the tiles of its hours.
fn tiled(size: u64, nodes: Vec<((u32, u64), Hash)>) -> Option<Frontier> {
    let nodes: std::collections::BTreeMap<_, _> = nodes.into_iter().collect();
    fn root(
        nodes: &std::collections::BTreeMap<(u32, u64), Hash>,
        level: u32,
        index: u64,
    ) -> Option<Hash> {
        if let Some(hash) = nodes.get(&(level, index)) {
            return Some(*hash);
        }
        let below = level.checked_sub(1)?;
        let (left, right) = (root(nodes, below, index * 2)?, root(nodes, below, index * 2 + 1)?);
        Some(merkle::node_hash(&left, &right))
    }
    let tiles = merkle::perfect_subtrees(0..size);
    let roots: Option<Vec<_>> =
        tiles.into_iter().map(|(level, index)| root(&nodes, level, index)).collect();
    Frontier::from_parts(size, roots?)
}
