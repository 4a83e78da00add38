//! The durable store: *the store is the log* (STORE.md; byte by byte in `docs/store-format.md`).
//!
//! One flat directory:
//! * `HOUR.seg`: the ticks of one hour, appended one after the other, each with one write and one
//!   sync. That sync is all the durability there is.
//! * `HOUR.idx`: the sidecar of a closed hour; derived, checked by a checksum, and written again
//!   from the segment when it is missing or damaged.
//! * `log.spine`: what is kept of expired hours.
//! * `log.keys`: the server's public keys, so that a folder can be verified by itself.
//!
//! In memory lies an index from prefix to place (about 30 bytes per cell) and a table of ticks
//! (32 bytes per tick). Appending holds one lock over write and sync; the index is changed after
//! the sync, under another lock for moments, so that readers never wait for the disk to settle.
//!
//! Opening cuts an unfinished last tick and refuses any other damage with its place. A failed
//! write or sync leaves the engine refusing until it is opened again: what the kernel kept of a
//! failed sync is unknown, so it is not asked twice (PostgreSQL's fsync lesson of 2018). Opening
//! writes and syncs the last record again before anything is made of it, because the process
//! before may have ended between write and sync.

mod expire;
mod format;
mod index;
mod keyfile;
mod open;
mod read;
mod scan;
mod sidecar;
mod spine;
mod write;

#[cfg(test)]
mod tests;

use crate::{Files, StoreError, engine::Keys};
use index::Index;
use open::Opened;
use std::{
    fmt, io,
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use undertone_wire::ServerId;
use write::Writer;

pub(crate) use format::{Header, Record, segment_name, sidecar_name};
pub(crate) use keyfile::read as read_keys;
pub use open::Cut;
pub(crate) use open::{NOTHING_HELD, Walked, hours, is_ours, is_unfinished};
pub(crate) use scan::{Scanned, Stop, first_unsound_cell, header as segment_header, scan};
pub(crate) use sidecar::Sidecar;
pub(crate) use spine::read as read_spine;

/// A store in segment files.
pub struct Segments<F> {
    files: F,
    server: ServerId,
    seed: [u8; 32],
    index: RwLock<Index>,
    writer: Mutex<Writer>,
    cut: Option<Cut>,
}

impl<F: Files> Segments<F> {
    /// Opens the folder, or begins one in an empty directory. `seed` makes the checksums of new
    /// segments unpredictable to those who write cells; any secret random value will do, and it
    /// may be another one each time.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the place for anything but an unfinished last tick;
    /// [`StoreError::Version`] for a folder of a newer release; what the disk reports otherwise.
    pub fn open(files: F, keys: &Keys, seed: [u8; 32]) -> Result<Self, StoreError> {
        let server = keys.first.server_id();
        keyfile::write(&files, keys)?;
        let Opened { index, writer, cut } = open::open(&files, &server)?;
        let (index, writer) = (RwLock::new(index), Mutex::new(writer));
        Ok(Self { files, server, seed, index, writer, cut })
    }

    /// The unfinished last tick that opening cut, if there was one: for the operator's log.
    pub fn cut(&self) -> Option<&Cut> {
        self.cut.as_ref()
    }

    /// The files beneath.
    pub fn files(&self) -> &F {
        &self.files
    }

    // Both are changed by whole values only, so a poisoned lock is taken as it is.

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// The seed and the salts stay out of every log line.
impl<F> fmt::Debug for Segments<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Segments(…)")
    }
}

/// What the file system reports, in the store's terms.
pub(crate) fn disk(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::Full(error.to_string())
        }
        _ => StoreError::Disk(error.to_string()),
    }
}

pub(crate) fn damaged(name: &str, offset: u64, what: impl Into<String>) -> StoreError {
    StoreError::Damaged { place: format!("{name} at byte {offset}"), what: what.into() }
}

/// Makes durable the end of a file, from `offset` on, that an earlier process has written.
///
/// It may have ended between write and sync, or its sync may have failed, and then the system
/// serves the bytes from memory and counts them as written. So they are written again first:
/// whatever is shown or acknowledged from here on is on the disk.
pub(crate) fn settle<F: Files + ?Sized>(
    files: &F,
    name: &str,
    offset: u64,
    end: &[u8],
) -> Result<(), StoreError> {
    files.overwrite(name, offset, end).map_err(disk)?;
    files.sync(name).map_err(disk)?;
    files.sync_dir().map_err(disk)
}

/// A whole small file, or a stretch of one.
pub(crate) fn read_bytes<F: Files + ?Sized>(
    files: &F,
    name: &str,
    offset: u64,
    length: usize,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![0; length];
    files.read_at(name, offset, &mut bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged(name, offset, "the file is too short"),
        _ => disk(error),
    })?;
    Ok(bytes)
}
