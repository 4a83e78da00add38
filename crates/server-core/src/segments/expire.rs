//! Expiry: the spine first, then the index, then the files. A crash in between is finished on the
//! next opening. Once the spine has its record the hour is gone, whatever becomes of its files: the
//! log has to forget it too, and files that could not be removed are left to `tidy`.
//!
//! Such an error does not stop PUTs, nor does one of theirs stop expiry: the files are others, and
//! a disk that is full needs it.

use super::{
    Files, Segments, StoreError, damaged, disk,
    format::{segment_name, sidecar_name},
    spine,
    write::Writer,
};
use crate::{CellStore, SpineRecord};
use std::io;

impl<F: Files> Segments<F> {
    pub(super) fn expire_hour(&self, record: &SpineRecord) -> Result<(), StoreError> {
        // Held throughout, so that no tick is appended meanwhile; readers go on.
        let mut writer = self.writer();
        let oldest = self.expirable().map(|span| (span.hour, *span.ticks.end()));
        if oldest != Some((record.hour, record.last_tick)) {
            return Err(damaged(spine::NAME, 0, "only the oldest hour can expire"));
        }
        let entries = self.entries(record.first_tick..=record.last_tick)?;
        writer.spine_end = spine::append(&self.files, record, writer.spine_end).map_err(disk)?;
        self.index_mut().expire(record.last_tick, &entries);
        writer.leftover.push(record.hour);
        // Each hour makes room for the record of the next. What fails is told by `tidy`.
        self.remove_leftover(&mut writer).or(Ok(()))
    }

    /// Removes the files of expired hours; those that cannot be removed stay noted.
    pub(super) fn remove_leftover(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        writer.leftover.retain(|hour| match remove_hour(&self.files, *hour) {
            Ok(()) => false,
            Err(error) => {
                outcome = Err(error);
                true
            }
        });
        outcome
    }
}

/// Removes an hour's files, durably. Those that are gone already are no error.
pub(super) fn remove_hour<F: Files>(files: &F, hour: u64) -> Result<(), StoreError> {
    for name in [segment_name(hour), sidecar_name(hour)] {
        match files.remove(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(disk(error)),
            _ => {}
        }
    }
    files.sync_dir().map_err(disk)
}
