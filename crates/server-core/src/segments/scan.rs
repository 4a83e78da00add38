//! Walking through a segment file, record by record.

use super::{
    Files, StoreError, damaged,
    format::{Header, PRELUDE_LEN, Prelude, Record, SEGMENT_HEADER_LEN, segment_name},
    read_bytes,
};
use sha2::{Digest, Sha256};
use undertone_wire::{CELL_LEN, CellHash};

/// One record on the way.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) offset: u64,
    pub(crate) end: u64,
    pub(crate) record: Record,
}

/// Where a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// At the end of the file, after a whole record.
    End(u64),
    /// Before bytes that are not a whole record.
    Broken(u64),
}

/// Reads a segment's header.
pub(crate) fn header<F: Files + ?Sized>(files: &F, hour: u64) -> Result<Header, StoreError> {
    let name = segment_name(hour);
    let bytes = read_bytes(files, &name, 0, SEGMENT_HEADER_LEN)?;
    let header = Header::decode(&name, &bytes)?;
    if header.hour != hour {
        return Err(damaged(&name, 0, "the file is named for another hour than it holds"));
    }
    Ok(header)
}

/// Walks through the records of a segment and shows each whose front is sound; cells are not
/// read, except those of a record that ends the file.
pub(crate) fn scan<F: Files + ?Sized>(
    files: &F,
    header: &Header,
    mut show: impl FnMut(Scanned) -> Result<(), StoreError>,
) -> Result<Stop, StoreError> {
    let name = segment_name(header.hour);
    let length = files.len(&name).map_err(super::disk)?;
    let mut offset = SEGMENT_HEADER_LEN as u64;
    while offset < length {
        let Some((prelude, record)) = front_at(files, header, &name, offset, length)? else {
            return Ok(Stop::Broken(offset));
        };
        let end = offset + prelude.record_len();
        if end == length && !cells_are_sound(files, &name, offset + prelude.cells_at(), &record)? {
            return Ok(Stop::Broken(offset));
        }
        show(Scanned { offset, end, record })?;
        offset = end;
    }
    Ok(Stop::End(offset))
}

/// Whether a segment begins with the first tick after a recovery that declares `before` as the last
/// that survived.
pub(super) fn resumes<F: Files + ?Sized>(
    files: &F,
    header: &Header,
    before: u64,
) -> Result<bool, StoreError> {
    let name = segment_name(header.hour);
    let length = files.len(&name).map_err(super::disk)?;
    let first = front_at(files, header, &name, SEGMENT_HEADER_LEN as u64, length)?;
    let stored = first.map(|(_, record)| record.stored);
    Ok(stored.is_some_and(|stored| stored.leaf.tick == header.first_tick && stored.follows(before)))
}

/// Whether a segment's first record is sound.
pub(super) fn begins_soundly<F: Files + ?Sized>(
    files: &F,
    header: &Header,
) -> Result<bool, StoreError> {
    let name = segment_name(header.hour);
    let length = files.len(&name).map_err(super::disk)?;
    let offset = SEGMENT_HEADER_LEN as u64;
    let Some((prelude, record)) = front_at(files, header, &name, offset, length)? else {
        return Ok(false);
    };
    let is_last = offset + prelude.record_len() == length;
    Ok(!is_last || cells_are_sound(files, &name, offset + prelude.cells_at(), &record)?)
}

/// The front of the record at `offset`, if it is sound and the whole record fits the file.
pub(super) fn front_at<F: Files + ?Sized>(
    files: &F,
    header: &Header,
    name: &str,
    offset: u64,
    length: u64,
) -> Result<Option<(Prelude, Record)>, StoreError> {
    if length - offset < PRELUDE_LEN as u64 {
        return Ok(None);
    }
    let bytes = read_bytes(files, name, offset, PRELUDE_LEN)?;
    let Some(prelude) = Prelude::decode(&header.salt, &bytes) else { return Ok(None) };
    if length - offset < prelude.record_len() {
        return Ok(None);
    }
    let front = read_bytes(files, name, offset, prelude.front_len())?;
    Ok(Record::decode(&header.salt, &prelude, &front).map(|record| (prelude, record)))
}

/// Whether the cells of a record are those that its leaves name.
pub(super) fn cells_are_sound<F: Files + ?Sized>(
    files: &F,
    name: &str,
    cells_at: u64,
    record: &Record,
) -> Result<bool, StoreError> {
    Ok(first_unsound_cell(files, name, cells_at, record)?.is_none())
}

/// The first cell of a record that is not the one that its leaf names.
pub(crate) fn first_unsound_cell<F: Files + ?Sized>(
    files: &F,
    name: &str,
    cells_at: u64,
    record: &Record,
) -> Result<Option<usize>, StoreError> {
    let bytes = read_bytes(files, name, cells_at, record.leaves.len() * CELL_LEN)?;
    let cells = bytes.chunks_exact(CELL_LEN).zip(&record.leaves);
    let unsound = |(cell, leaf): (&[u8], &undertone_wire::CellLeaf)| {
        CellHash(Sha256::digest(cell).into()) != leaf.cell
    };
    Ok(cells.enumerate().find(|(_, pair)| unsound(*pair)).map(|(index, _)| index))
}
