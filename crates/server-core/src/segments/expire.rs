//! Expiry: the spine first, then the index, then the files. A crash in between is finished on the
//! next opening.

use super::{
    Files, Segments, StoreError, damaged, disk,
    format::{segment_name, sidecar_name},
    spine,
};
use crate::{CellStore, SpineRecord};
use std::io;

impl<F: Files> Segments<F> {
    pub(super) fn expire_hour(&self, record: &SpineRecord) -> Result<(), StoreError> {
        // Held throughout, so that no tick is appended meanwhile; readers go on.
        let mut writer = self.writer();
        writer.check_spine()?;
        let oldest = self.expirable().map(|span| (span.hour, *span.ticks.end()));
        if oldest != Some((record.hour, record.last_tick)) {
            return Err(damaged(spine::NAME, 0, "only the oldest hour can expire"));
        }
        let entries = self.entries(record.first_tick..=record.last_tick)?;
        spine::append(&self.files, record).map_err(|error| writer.fail_spine(disk(error)))?;
        self.index_mut().expire(record.last_tick, &entries);
        remove_hour(&self.files, record.hour)
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
