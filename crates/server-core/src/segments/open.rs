//! Opening a folder: sidecars where they hold, segments where they do not, and the one repair
//! there is: an unfinished last tick is cut, for it was never acknowledged. It is told from damage
//! by what it lacks: its end, or sectors of it that read as zeros. A last tick that lacks nothing,
//! and is not as it was written, *was* acknowledged, and refuses; a prelude that lacks nothing and
//! does not hold stands for such a tick.

use super::{
    Files, ServerId, StoreError, damaged, disk,
    format::{
        Header, PRELUDE_LEN, Prelude, SEGMENT_HEADER_LEN, hour_of, segment_name, sidecar_name,
    },
    index::{Index, OpenPart, Segment, TickSlot},
    read_bytes, scan,
    scan::{Scanned, Stop},
    settle,
    sidecar::{self, Entry, Sidecar},
    spine,
    write::Writer,
};
use crate::{Place, SpineRecord, store::CELLS_PER_TICK_MAX};
use undertone_wire::{Hash, Prefix};

/// A record can be no longer than this, so neither can an unfinished one.
const RECORD_MAX: u64 =
    (super::format::META_MAX + 128 + CELLS_PER_TICK_MAX * (64 + undertone_wire::CELL_LEN)) as u64;

/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// What is wrong with a folder that knows expired hours and nothing else.
pub(crate) const NOTHING_HELD: &str = "no tick is left of those after the hours that have expired";

/// An unfinished last tick that was cut on opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The file, and where in it.
    pub place: String,
    /// How much.
    pub bytes: u64,
}

/// A folder as it was opened.
pub(super) struct Opened {
    pub(super) index: Index,
    pub(super) writer: Writer,
    pub(super) cut: Option<Cut>,
}

pub(super) fn open<F: Files>(files: &F, server: &ServerId) -> Result<Opened, StoreError> {
    let hours = hours(files)?;
    let (spine, spine_end) = spine::open(files, hours.first().copied())?;
    let expired = spine.last().map(|record| record.hour);
    if expired.is_some() {
        holds_a_tick(files, hours.iter().copied().filter(|hour| Some(*hour) > expired).collect())?;
    }
    let hours = finish_expiry(files, hours, expired)?;
    let (hours, cut) = drop_empty(files, hours)?;
    let mut opening = Opening { cut, ..Opening::after(spine.last()) };
    if let Some((newest, closed)) = hours.split_last() {
        for hour in closed {
            opening.closed(files, server, *hour)?;
        }
        opening.newest(files, server, *newest)?;
    }
    let Opening { index, salt, cut, .. } = opening;
    Ok(Opened { index, writer: Writer::new(salt, spine_end), cut })
}

/// The hours of all segment files, oldest first.
pub(crate) fn hours<F: Files + ?Sized>(files: &F) -> Result<Vec<u64>, StoreError> {
    let names = files.list().map_err(disk)?;
    let mut hours: Vec<_> = names.iter().filter_map(|name| hour_of(name)).collect();
    hours.sort_unstable();
    Ok(hours)
}

/// An hour expires only when a later one holds a tick, and that tick was durable before. Without one
/// a log that has expired hours has lost its newest, and going on would begin it anew. Nothing is
/// removed before this is known.
fn holds_a_tick<F: Files>(files: &F, hours: Vec<u64>) -> Result<(), StoreError> {
    let holds = match hours[..] {
        [] => false,
        [only] => !is_without_ticks(files, &segment_name(only))?,
        _ => true,
    };
    holds.then_some(()).ok_or_else(|| damaged(spine::NAME, 0, NOTHING_HELD))
}

/// Removes the files of hours that the spine says have expired: a crash came between.
fn finish_expiry<F: Files>(
    files: &F,
    hours: Vec<u64>,
    expired: Option<u64>,
) -> Result<Vec<u64>, StoreError> {
    let (gone, kept): (Vec<_>, Vec<_>) = hours.into_iter().partition(|hour| Some(*hour) <= expired);
    for hour in gone {
        super::expire::remove_hour(files, hour)?;
    }
    Ok(kept)
}

/// Removes a newest segment that never came to hold a tick: a crash came before its first one.
/// The hour before it is then the open one again.
fn drop_empty<F: Files>(
    files: &F,
    mut hours: Vec<u64>,
) -> Result<(Vec<u64>, Option<Cut>), StoreError> {
    let Some(newest) = hours.last().copied() else { return Ok((hours, None)) };
    let name = segment_name(newest);
    if !is_without_ticks(files, &name)? {
        return Ok((hours, None));
    }
    let cut = Cut { place: format!("{name} at byte 0"), bytes: files.len(&name).map_err(disk)? };
    super::expire::remove_hour(files, newest)?;
    hours.pop();
    Ok((hours, Some(cut)))
}

struct Opening {
    index: Index,
    next_tick: u64,
    next_leaf: u64,
    salt: Option<[u8; 32]>,
    cut: Option<Cut>,
}

impl Opening {
    fn after(spine: Option<&SpineRecord>) -> Self {
        Self {
            index: Index::default(),
            next_tick: spine.map_or(1, |record| record.last_tick.saturating_add(1)),
            next_leaf: spine.map_or(0, |record| record.end_leaf),
            salt: None,
            cut: None,
        }
    }

    fn closed<F: Files>(
        &mut self,
        files: &F,
        server: &ServerId,
        hour: u64,
    ) -> Result<(), StoreError> {
        let name = segment_name(hour);
        let header = self.header(files, server, hour)?;
        let length = files.len(&name).map_err(disk)?;
        let sidecar = match Sidecar::read(files, hour, length)? {
            Some(sidecar) if sidecar.belongs_to(&header) => sidecar,
            _ => self.rebuild(files, &header)?,
        };
        self.index.reserve(sidecar.entries.len());
        for Entry { prefix, ordinal, index } in &sidecar.entries {
            let tick = sidecar.segment.tick_at(*ordinal);
            let tick =
                tick.ok_or_else(|| damaged(&name, 0, "its sidecar names a tick too many"))?;
            self.index.insert_cell(*prefix, Place { tick, index: *index });
        }
        self.take(Segment { salt: header.salt, ..sidecar.segment });
        Ok(())
    }

    fn rebuild<F: Files>(&self, files: &F, header: &Header) -> Result<Sidecar, StoreError> {
        let name = segment_name(header.hour);
        let mut walked = Walked::new(header);
        match scan::scan(files, header, |scanned| walked.take(&name, scanned))? {
            Stop::Broken(offset) => Err(damaged(&name, offset, "this is not a whole tick")),
            Stop::End(_) => {
                let sidecar = walked.into_sidecar();
                sidecar::write(files, &sidecar).map_err(disk)?;
                files.sync_dir().map_err(disk)?;
                Ok(sidecar)
            }
        }
    }

    fn newest<F: Files>(
        &mut self,
        files: &F,
        server: &ServerId,
        hour: u64,
    ) -> Result<(), StoreError> {
        let name = segment_name(hour);
        let header = self.header(files, server, hour)?;
        let mut walked = Walked::new(&header);
        if let Stop::Broken(offset) =
            scan::scan(files, &header, |scanned| walked.take(&name, scanned))?
        {
            self.cut = Some(cut_tail(files, &header, &name, offset)?);
        }
        let Walked { segment, open, entries } = walked;
        settle_last(files, &name, &segment)?;
        for Entry { prefix, ordinal, index } in entries {
            let tick = segment.tick_at(ordinal);
            let tick = tick.ok_or_else(|| damaged(&name, 0, "a cell of a tick too many"))?;
            self.index.insert_cell(prefix, Place { tick, index });
        }
        self.salt = Some(header.salt);
        self.take(Segment { open: Some(open), ..segment });
        Ok(())
    }

    fn header<F: Files>(
        &self,
        files: &F,
        server: &ServerId,
        hour: u64,
    ) -> Result<Header, StoreError> {
        let header = scan::header(files, hour)?;
        let name = segment_name(hour);
        if header.server != *server {
            return Err(damaged(&name, 0, "this segment belongs to another server"));
        }
        if self.next_tick >= 1 << 44 {
            return Err(damaged(&name, 0, "no log has so many ticks"));
        }
        let next = header.first_tick == self.next_tick;
        let follows = next || scan::resumes(files, &header, self.next_tick.saturating_sub(1))?;
        if !follows || header.first_leaf != self.next_leaf {
            let what =
                format!("it begins with tick {}, expected {}", header.first_tick, self.next_tick);
            return Err(damaged(&name, 0, what));
        }
        Ok(header)
    }

    fn take(&mut self, segment: Segment) {
        self.next_tick = segment.last_tick().saturating_add(1);
        self.next_leaf = segment.end_leaf();
        self.index.insert_segment(segment);
    }
}

/// Whether a newest segment holds nothing but a header, whole or not, or behind it an unfinished
/// first tick.
fn is_without_ticks<F: Files>(files: &F, name: &str) -> Result<bool, StoreError> {
    let length = files.len(name).map_err(disk)?;
    let front = length.min(SEGMENT_HEADER_LEN as u64);
    let header = match Header::decode(name, &read_bytes(files, name, 0, front as usize)?) {
        Ok(header) => header,
        Err(StoreError::Damaged { .. }) if length == front => return Ok(true),
        Err(other) => return Err(other),
    };
    if length == front {
        return Ok(true);
    }
    Ok(!scan::begins_soundly(files, &header)? && is_unfinished(files, &header, name, front)?)
}

/// Makes the last tick durable, which is only now known to be whole; those before it were synced
/// before it was begun.
fn settle_last<F: Files>(files: &F, name: &str, segment: &Segment) -> Result<(), StoreError> {
    let Some(TickSlot { offset, .. }) = segment.slots.last() else { return Ok(()) };
    let bytes = read_bytes(files, name, *offset, (segment.end - offset) as usize)?;
    settle(files, name, *offset, &bytes)
}

/// Cuts an unfinished last tick.
fn cut_tail<F: Files>(
    files: &F,
    header: &Header,
    name: &str,
    offset: u64,
) -> Result<Cut, StoreError> {
    if !is_unfinished(files, header, name, offset)? {
        return Err(damaged(name, offset, "this tick is neither as it was written nor unfinished"));
    }
    let bytes = files.len(name).map_err(disk)?.saturating_sub(offset);
    files.truncate(name, offset).map_err(disk)?;
    files.sync(name).map_err(disk)?;
    Ok(Cut { place: format!("{name} at byte {offset}"), bytes })
}

/// Whether what is broken at `offset` is an unfinished write.
///
/// It is damage instead when more follows than one record can be long, when a later record shows
/// itself (nobody who merely writes cells can forge one: the checksum is salted), or when nothing
/// is missing of this one: neither of the prelude, where that does not hold, nor of the rest.
pub(crate) fn is_unfinished<F: Files + ?Sized>(
    files: &F,
    header: &Header,
    name: &str,
    offset: u64,
) -> Result<bool, StoreError> {
    let tail = files.len(name).map_err(disk)?.saturating_sub(offset);
    if tail > RECORD_MAX {
        return Ok(false);
    }
    let bytes = read_bytes(files, name, offset, tail as usize)?;
    let whole = match Prelude::decode(&header.salt, &bytes) {
        Some(prelude) => bytes.get(..prelude.record_len() as usize),
        None => bytes.get(..PRELUDE_LEN),
    };
    if whole.is_some_and(|whole| !has_hole(offset, whole)) {
        return Ok(false);
    }
    let shows_itself = |at: usize| Prelude::decode(&header.salt, &bytes[at..]).is_some();
    Ok(!(1..bytes.len().saturating_sub(PRELUDE_LEN - 1)).any(shows_itself))
}

/// Whether part of a record, or of its prelude, was never written: where a file has its length
/// before its content, that part reads as zeros.
///
/// A damaged record of which nothing is missing reads so too, and is cut, where its own bytes happen
/// to be zeros. Its last four are once in 2^32. What it has of its last sector may be less: one byte,
/// where it ends one byte past a sector's edge, and that is zero once in 256. Over all alignments
/// this is about once in 2^17. (The first sector's part begins with the letters of the prelude.)
fn has_hole(offset: u64, written: &[u8]) -> bool {
    let first = SECTOR - (offset % SECTOR as u64) as usize;
    let (first, rest) = written.split_at(first.min(written.len()));
    let mut sectors = std::iter::once(first).chain(rest.chunks(SECTOR));
    written.ends_with(&[0; 4]) || sectors.any(|sector| sector.iter().all(|byte| *byte == 0))
}

/// What a walk through a segment gathers.
pub(crate) struct Walked {
    segment: Segment,
    open: OpenPart,
    entries: Vec<Entry>,
}

impl Walked {
    pub(crate) fn new(header: &Header) -> Self {
        let segment = Segment {
            hour: header.hour,
            first_tick: header.first_tick,
            first_leaf: header.first_leaf,
            salt: header.salt,
            slots: Vec::new(),
            end: SEGMENT_HEADER_LEN as u64,
            cells: 0,
            open: None,
        };
        Self { segment, open: OpenPart::default(), entries: Vec::new() }
    }

    pub(crate) fn take(&mut self, name: &str, scanned: Scanned) -> Result<(), StoreError> {
        let Scanned { offset, end, record } = scanned;
        let (head, leaf) = (&record.stored.head.head, &record.stored.leaf);
        let hashes: Vec<Hash> = record.stored.leaf_hashes();
        let follows = match self.segment.slots.last() {
            Some(before) => record.stored.follows(before.tick),
            None => leaf.tick == self.segment.first_tick,
        };
        if !follows || head.size != self.segment.end_leaf() + hashes.len() as u64 {
            let what = format!("tick {} does not follow the one before it", leaf.tick);
            return Err(damaged(name, offset, what));
        }
        let tick = leaf.tick;
        let slot = TickSlot {
            tick,
            offset,
            time_ms: leaf.time_ms,
            size: head.size,
            cells_before: self.segment.cells,
        };
        let ordinal = u32::try_from(self.segment.slots.len()).unwrap_or(u32::MAX);
        for (index, leaf) in (0..).zip(&record.leaves) {
            let prefix: Prefix = leaf.tag.prefix();
            self.entries.push(Entry { prefix, ordinal, index });
            self.open.entries.push((prefix, tick));
        }
        self.open.leaf_hashes.extend(hashes);
        self.segment.slots.push(slot);
        self.segment.end = end;
        self.segment.cells += record.leaves.len() as u64;
        Ok(())
    }

    pub(crate) fn into_sidecar(self) -> Sidecar {
        let Self { segment, open, mut entries } = self;
        entries.sort();
        Sidecar { segment, leaf_hashes: open.leaf_hashes, entries }
    }
}

/// The sidecar of an open segment: indices follow from the order within each tick.
pub(super) fn sidecar_of(segment: &Segment) -> Sidecar {
    let open = segment.open.clone().unwrap_or_default();
    let mut index = 0;
    let mut previous = None;
    let entry = |(prefix, tick): &(Prefix, u64)| {
        index = if previous == Some(*tick) { index + 1 } else { 0 };
        previous = Some(*tick);
        let place = segment.place_of(*tick).and_then(|at| u32::try_from(at).ok());
        let ordinal = place.unwrap_or(u32::MAX);
        Entry { prefix: *prefix, ordinal, index }
    };
    let mut entries: Vec<_> = open.entries.iter().map(entry).collect();
    entries.sort();
    Sidecar {
        segment: Segment { open: None, ..segment.clone() },
        leaf_hashes: open.leaf_hashes,
        entries,
    }
}

/// Names that belong to this store, for `check` and `holds`.
pub(crate) fn is_ours(name: &str) -> bool {
    let sidecar = name.strip_suffix(".idx").and_then(|hour| hour.parse().ok());
    let known = sidecar.is_some_and(|hour| sidecar_name(hour) == name);
    known || hour_of(name).is_some() || [spine::NAME, super::keyfile::NAME].contains(&name)
}
