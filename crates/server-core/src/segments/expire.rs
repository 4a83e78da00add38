//! Expiry: the spine first, then the index, then the files. A crash in between is finished on the
//! next opening, an error in between with the next tick or expiry.
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
        self.remove_leftover(&mut writer);
        let oldest = self.expirable().map(|span| (span.hour, *span.ticks.end()));
        if oldest != Some((record.hour, record.last_tick)) {
            return Err(damaged(spine::NAME, 0, "only the oldest hour can expire"));
        }
        let entries = self.entries(record.first_tick..=record.last_tick)?;
        writer.spine_end = spine::append(&self.files, record, writer.spine_end).map_err(disk)?;
        self.index_mut().expire(record.last_tick, &entries);
        remove_hour(&self.files, record.hour).inspect_err(|_| writer.leftover.push(record.hour))
    }

    /// Tries again to remove what could not be removed; that was told when it failed.
    pub(super) fn remove_leftover(&self, writer: &mut Writer) {
        writer.leftover.retain(|hour| remove_hour(&self.files, *hour).is_err());
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
