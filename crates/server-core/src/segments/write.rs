//! Appending: one write, one sync, and only then the index.

use super::{
    Files, Segments, StoreError, damaged, disk,
    format::{Header, LEAF_LEN, Record, SEGMENT_HEADER_LEN, hour_at, salted, segment_name},
    index::{OpenPart, Segment, TickSlot},
    open::sidecar_of,
    sidecar,
};
use crate::NewTick;
use undertone_wire::CELL_LEN;

/// Room that ticks leave on the disk: for sidecars, the spine and the operator.
const RESERVE: u64 = 64 << 20;

/// What only the appending caller touches.
#[derive(Debug)]
pub(super) struct Writer {
    /// The newest segment's salt, if there is a segment.
    salt: Option<[u8; 32]>,
    /// Why no tick is taken any more.
    failed: Option<String>,
    /// Where the sound records of the spine end; 0 before the first.
    pub(super) spine_end: u64,
    /// Expired hours whose files are not removed yet.
    pub(super) leftover: Vec<u64>,
}

impl Writer {
    pub(super) fn new(salt: Option<[u8; 32]>, spine_end: u64) -> Self {
        Self { salt, failed: None, spine_end, leftover: Vec::new() }
    }

    /// From now on nothing is taken.
    fn fail(&mut self, error: StoreError) -> StoreError {
        self.failed = Some(error.to_string());
        error
    }

    fn check(&self) -> Result<(), StoreError> {
        self.failed.clone().map_or(Ok(()), |reason| Err(StoreError::Failed(reason)))
    }
}

impl<F: Files> Segments<F> {
    pub(super) fn append_tick(&self, tick: &NewTick<'_>) -> Result<(), StoreError> {
        let mut writer = self.writer();
        writer.check()?;
        self.check_order(tick)?;
        self.check_room(tick)?;
        let written = self.write_tick(&mut writer, tick);
        written.map_err(|error| writer.fail(error))
    }

    fn check_order(&self, tick: &NewTick<'_>) -> Result<(), StoreError> {
        let index = self.index();
        let newest = index.ticks().map(|ticks| *ticks.end());
        let Some(newest) = newest else { return Ok(()) };
        let time_ms = index.slot(newest).map_or(0, |slot| slot.time_ms);
        let leaf = &tick.stored.leaf;
        if !tick.stored.follows(newest) || leaf.time_ms < time_ms {
            return Err(damaged(
                "the order of ticks",
                0,
                format!("tick {} after {newest}", leaf.tick),
            ));
        }
        Ok(())
    }

    /// Refuses a tick while it can still be refused without harm: after a write that did not fit the
    /// store takes nothing until it is opened again, and what frees room needs a little itself.
    fn check_room(&self, tick: &NewTick<'_>) -> Result<(), StoreError> {
        let needed = RESERVE + (tick.cells.len() * (CELL_LEN + LEAF_LEN)) as u64;
        match self.files.free().map_err(disk)? {
            Some(free) if free < needed => Err(StoreError::Full(format!("{free} bytes are free"))),
            _ => Ok(()),
        }
    }

    fn write_tick(&self, writer: &mut Writer, tick: &NewTick<'_>) -> Result<(), StoreError> {
        let hour = hour_at(tick.stored.leaf.time_ms);
        let (name, salt) = (segment_name(hour), self.salt_for(writer, hour, tick)?);
        let record = Record::encode(&salt, tick);
        self.files.append(&name, &record).map_err(disk)?;
        self.files.sync(&name).map_err(disk)?;
        self.take_tick(tick, record.len() as u64);
        Ok(())
    }

    /// The salt of the segment of `hour`, which is begun if it is not the newest.
    fn salt_for(
        &self,
        writer: &mut Writer,
        hour: u64,
        tick: &NewTick<'_>,
    ) -> Result<[u8; 32], StoreError> {
        let newest = self.index().newest().map(|segment| segment.hour);
        if let (Some(salt), true) = (writer.salt, newest == Some(hour)) {
            return Ok(salt);
        }
        if newest >= Some(hour) {
            // Never begin a file that is there: it holds ticks.
            return Err(damaged(&segment_name(hour), 0, "this hour is closed already"));
        }
        self.close_newest()?;
        let salt = self.begin(hour, tick)?;
        writer.salt = Some(salt);
        Ok(salt)
    }

    fn close_newest(&self) -> Result<(), StoreError> {
        let (name, sidecar) = match self.index().newest() {
            None => return Ok(()),
            Some(segment) if segment.open.is_none() => return Ok(()),
            Some(segment) => (segment_name(segment.hour), sidecar_of(segment)),
        };
        // The next opening looks at the newest segment alone.
        self.files.sync(&name).map_err(disk)?;
        sidecar::write(&self.files, &sidecar).map_err(disk)?;
        self.index_mut().close_newest();
        Ok(())
    }

    /// Makes the segment file with its header durable, name and all, before its first tick.
    fn begin(&self, hour: u64, tick: &NewTick<'_>) -> Result<[u8; 32], StoreError> {
        let stored = tick.stored;
        let appended = stored.closed.len() as u64 + 1;
        let header = Header {
            server: self.server,
            hour,
            first_tick: stored.leaf.tick,
            first_leaf: stored.head.head.size.saturating_sub(appended),
            salt: salted(&self.seed, &[&hour.to_be_bytes(), &stored.leaf.tick.to_be_bytes()]),
        };
        let name = segment_name(hour);
        self.files.create(&name).map_err(disk)?;
        self.files.append(&name, &header.encode()).map_err(disk)?;
        self.files.sync(&name).map_err(disk)?;
        self.files.sync_dir().map_err(disk)?;
        self.index_mut().insert_segment(Segment {
            hour,
            first_tick: header.first_tick,
            first_leaf: header.first_leaf,
            salt: header.salt,
            slots: Vec::new(),
            end: SEGMENT_HEADER_LEN as u64,
            cells: 0,
            open: Some(OpenPart::default()),
        });
        Ok(header.salt)
    }

    fn take_tick(&self, tick: &NewTick<'_>, record_len: u64) {
        let hashes = tick.stored.leaf_hashes();
        let mut index = self.index_mut();
        let Some((offset, cells_before)) = index.newest().map(|newest| (newest.end, newest.cells))
        else {
            return;
        };
        let slot = TickSlot {
            tick: tick.stored.leaf.tick,
            offset,
            time_ms: tick.stored.leaf.time_ms,
            size: tick.stored.head.head.size,
            cells_before,
        };
        index.push_tick(slot, offset + record_len, tick.leaves, hashes);
    }
}
