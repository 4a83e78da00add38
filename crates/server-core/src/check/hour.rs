//! One segment file and its sidecar.

use super::{Checker, segments::Reopened};
use crate::{
    Files, StoreError,
    segments::{
        Header, Record, Scanned, Sidecar, Stop, Walked, disk, first_unsound_cell, scan,
        segment_header, segment_name, sidecar_name,
    },
};
use undertone_wire::{CELL_LEN, TickDigest, encode, merkle};

impl Checker {
    pub(super) fn hour<F: Files + ?Sized>(
        &mut self,
        files: &F,
        hour: u64,
        is_newest: bool,
    ) -> Result<(), StoreError> {
        let header = match segment_header(files, hour) {
            Ok(header) => header,
            Err(error) => {
                self.tree = None;
                return self.keep(error);
            }
        };
        self.header(&header);
        let name = segment_name(hour);
        let mut walked = Walked::new(&header);
        let stop = scan(files, &header, |scanned| {
            self.record(files, &name, &scanned)?;
            walked.take(&name, scanned)
        });
        match stop {
            Err(error) => self.keep(error)?,
            Ok(Stop::End(end)) => self.sidecar(files, walked.into_sidecar(), end, is_newest)?,
            Ok(Stop::Broken(at)) => self.broken(files, &header, at, is_newest)?,
        }
        self.report.hours += 1;
        Ok(())
    }

    fn header(&mut self, header: &Header) {
        let name = segment_name(header.hour);
        if self.ring.as_ref().is_some_and(|ring| ring.server() != header.server) {
            self.find(&name, "this segment belongs to another server");
        }
        // Whether a higher number is a recovery's is for its tick to say.
        if header.first_tick < self.next_tick || header.first_leaf != self.next_leaf {
            let (found, expected) = (header.first_tick, self.next_tick);
            self.find(&name, format!("it begins with tick {found}, expected {expected}"));
            self.tree = None;
            (self.reopened, self.begins_late) = (Reopened::default(), true);
            (self.next_tick, self.next_leaf) = (header.first_tick, header.first_leaf);
        }
    }

    fn broken<F: Files + ?Sized>(
        &mut self,
        files: &F,
        header: &Header,
        at: u64,
        is_newest: bool,
    ) -> Result<(), StoreError> {
        let name = segment_name(header.hour);
        let place = format!("{name} at byte {at}");
        if is_newest && crate::segments::is_unfinished(files, header, &name, at)? {
            self.report.unfinished = Some(place);
        } else {
            self.find(place, "this is not a whole tick");
            self.tree = None;
        }
        Ok(())
    }

    fn record<F: Files + ?Sized>(
        &mut self,
        files: &F,
        name: &str,
        scanned: &Scanned,
    ) -> Result<(), StoreError> {
        let Scanned { offset, end, record } = scanned;
        let tick = record.stored.leaf.tick;
        let place = format!("{name} at byte {offset}, tick {tick}");
        let cells_at = end - (record.leaves.len() * CELL_LEN) as u64;
        if let Some(index) = first_unsound_cell(files, name, cells_at, record)? {
            self.find(&place, format!("cell {index} is not the one that was stored"));
        }
        for what in self.judge(record) {
            self.find(&place, what);
        }
        self.advance(record);
        Ok(())
    }

    /// Everything that is wrong with a tick whose checksum holds.
    fn judge(&mut self, record: &Record) -> Vec<&'static str> {
        let (stored, leaves) = (&record.stored, &record.leaves);
        let (leaf, head) = (&stored.leaf, &stored.head.head);
        let (before, expected) = (self.next_tick.saturating_sub(1), self.next_tick);
        // The first tick of a recovery, which may have the number that would have come anyhow.
        if head.resumes_after(before) {
            (self.reopened, self.begins_late) = (Reopened::anew(), false);
        }
        let hashes: Vec<_> = leaves.iter().map(|leaf| merkle::leaf_hash(&encode(leaf))).collect();
        let prefixes = leaves.iter().map(|leaf| leaf.tag.prefix()).collect();
        let digest = TickDigest {
            closed: Vec::new(),
            tick: leaf.tick,
            time_ms: leaf.time_ms,
            cells_root: merkle::root(&hashes),
            prefixes,
        };
        let signed = self.ring.as_ref().is_none_or(|ring| ring.verify(&stored.head).is_some());
        let checks = [
            (leaves.is_sorted_by(|one, next| one.tag < next.tag), "the cells are not in order"),
            (digest.leaf() == *leaf, "the tick's leaf is not that of its cells"),
            (leaf.tick == expected || stored.follows(before), "the tick's number is not the next"),
            (leaf.time_ms >= self.time_ms, "time runs backwards"),
            ((head.tick, head.time_ms) == (leaf.tick, leaf.time_ms), "head and leaf differ"),
            (
                self.reopened.agrees(&stored.closed, leaf.time_ms, self.begins_late),
                "a closed segment is not that of its ticks",
            ),
            (self.follows(record), "the head is not that of the log"),
            (signed, "the head is not signed by the server's key"),
        ];
        checks.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect()
    }

    /// Grows the tree by the record and compares it with the head.
    fn follows(&mut self, record: &Record) -> bool {
        let head = &record.stored.head.head;
        let Some(tree) = &mut self.tree else { return true };
        record.stored.leaf_hashes().into_iter().for_each(|leaf| tree.append(leaf));
        let holds = (tree.size(), tree.root()) == (head.size, head.root);
        if !holds {
            // Once is enough: everything after it would differ too.
            self.tree = None;
        }
        holds
    }

    fn advance(&mut self, record: &Record) {
        let (leaf, head) = (&record.stored.leaf, &record.stored.head.head);
        self.reopened.advance(leaf.tick, leaf.time_ms, &record.leaves);
        (self.next_tick, self.next_leaf) = (leaf.tick.saturating_add(1), head.size);
        self.time_ms = leaf.time_ms;
        self.report.ticks += 1;
        self.report.cells += record.leaves.len() as u64;
        self.report.newest = Some(head.to_ref());
        let half = |tag: &[u8; 32]| tag.first_chunk().map_or(0, |half| u128::from_be_bytes(*half));
        self.tags.extend(record.leaves.iter().map(|leaf| half(&leaf.tag.0)));
    }

    /// A closed hour's sidecar says what its segment says. The newest hour needs none.
    fn sidecar<F: Files + ?Sized>(
        &mut self,
        files: &F,
        expected: Sidecar,
        segment_len: u64,
        is_newest: bool,
    ) -> Result<(), StoreError> {
        let hour = expected.hour();
        let names = files.list().map_err(disk)?;
        let name = sidecar_name(hour);
        if is_newest || !names.contains(&name) {
            return Ok(());
        }
        let read = match Sidecar::read(files, hour, segment_len) {
            Ok(read) => read,
            Err(error) => return self.keep(error),
        };
        if read.is_none_or(|read| read.encode() != expected.encode()) {
            self.find(name, "it does not say what its segment says");
        }
        Ok(())
    }
}
