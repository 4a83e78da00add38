//! What the walked ticks list, from a floor on.
//!
//! Kept as runs of consecutive ticks, each sorted by prefix: a lookup searches every run, and runs
//! are merged as they come so that they stay few. Every run is a record.

use super::{HeadMark, records::versioned, run::Run};
use std::collections::BTreeMap;
use undertone_wire::Prefix;

pub(super) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Heads that are kept outside of runs at most.
const EXTRA_MARKS_MAX: usize = 1_024;

#[derive(Default)]
pub(super) struct Listing {
    /// Ticks above this one are known, up to the walked one.
    floor: u64,
    /// By their first tick.
    runs: BTreeMap<u64, Run>,
    /// The floor's head, and heads of skipped ticks that somebody asked for.
    extra: BTreeMap<u64, HeadMark>,
}

impl Listing {
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// Forgets everything and begins anew above a head.
    pub(super) fn begin(&mut self, mark: HeadMark, changes: &mut Changes) {
        self.clear(changes);
        self.set_floor(mark.tick, changes);
        self.keep_mark(mark, changes);
    }

    fn clear(&mut self, changes: &mut Changes) {
        for first in std::mem::take(&mut self.runs).into_keys() {
            changes.insert(run_key(first), None);
        }
        for tick in std::mem::take(&mut self.extra).into_keys() {
            changes.insert(mark_key(tick), None);
        }
    }

    fn set_floor(&mut self, floor: u64, changes: &mut Changes) {
        self.floor = floor;
        changes.insert(FLOOR_KEY.to_vec(), Some(versioned(&floor)));
    }

    /// Adds the run that follows all others.
    pub(super) fn add(&mut self, mut run: Run, changes: &mut Changes) {
        while let Some(last) = self.runs.last_entry().filter(|last| last.get().takes_in(&run)) {
            changes.insert(run_key(*last.key()), None);
            run = last.remove().merge(run);
        }
        self.store(run, changes);
    }

    fn store(&mut self, run: Run, changes: &mut Changes) {
        changes.insert(run_key(run.first()), Some(run.to_record()));
        self.runs.insert(run.first(), run);
    }

    /// Adds the runs between an older head and the floor, which the older head then becomes.
    pub(super) fn prepend(&mut self, opening: HeadMark, runs: Vec<Run>, changes: &mut Changes) {
        let floor = self.floor;
        self.keep_above(floor, changes);
        for run in runs.into_iter().filter_map(|run| run.cut_after(floor)) {
            self.store(run, changes);
        }
        self.set_floor(opening.tick, changes);
        self.keep_mark(opening, changes);
    }

    /// Cuts from the run in which the floor lies what is not above it: it comes again, whole.
    fn keep_above(&mut self, floor: u64, changes: &mut Changes) {
        let Some(holding) = self.runs.range(..=floor).next_back().map(|(first, _)| *first) else {
            return;
        };
        let run = self.runs.remove(&holding);
        changes.insert(run_key(holding), None);
        if let Some(rest) = run.and_then(|run| run.cut_before(floor)) {
            self.store(rest, changes);
        }
    }

    /// Keeps a head that is in no run. Beyond the limit the oldest but the floor's goes.
    pub(super) fn keep_mark(&mut self, mark: HeadMark, changes: &mut Changes) {
        changes.insert(mark_key(mark.tick), Some(versioned(&mark)));
        self.extra.insert(mark.tick, mark);
        if self.extra.len() > EXTRA_MARKS_MAX {
            let oldest = self.extra.keys().copied().find(|tick| *tick != self.floor);
            oldest.into_iter().for_each(|tick| self.drop_mark(tick, changes));
        }
    }

    fn drop_mark(&mut self, tick: u64, changes: &mut Changes) {
        self.extra.remove(&tick);
        changes.insert(mark_key(tick), None);
    }

    /// Raises the floor; whole runs below it are dropped.
    pub(super) fn retain_from(&mut self, tick: u64, changes: &mut Changes) {
        if tick <= self.floor {
            return;
        }
        self.set_floor(tick, changes);
        while let Some(run) = self.runs.first_entry().filter(|run| run.get().last() < tick) {
            changes.insert(run_key(*run.key()), None);
            run.remove();
        }
        let below: Vec<u64> = self.extra.range(..tick).map(|(tick, _)| *tick).collect();
        below.into_iter().for_each(|tick| self.drop_mark(tick, changes));
    }

    /// Forgets what every tick above `tick` lists; the marks stay.
    pub(super) fn undo_after(&mut self, tick: u64, changes: &mut Changes) {
        let undone: Vec<u64> = self.runs_after(tick).map(Run::first).collect();
        for first in undone {
            if let Some(run) = self.runs.remove(&first) {
                self.store(run.undo_after(tick), changes);
            }
        }
        if tick < self.floor {
            self.set_floor(tick, changes);
        }
    }

    /// The newest tick that was ever known.
    pub(super) fn newest(&self) -> Option<u64> {
        let extra = self.extra.keys().next_back().copied();
        self.runs.values().next_back().map(Run::last).max(extra)
    }

    pub(super) fn first_after(&self, prefix: Prefix, after: u64) -> Option<u64> {
        let after = after.max(self.floor);
        self.runs_after(after).find_map(|run| run.first_after(prefix, after))
    }

    pub(super) fn times_listed(&self, prefix: Prefix, tick: u64) -> usize {
        let run = self.runs.range(..=tick).next_back();
        run.map_or(0, |(_, run)| run.times_listed(prefix, tick))
    }

    pub(super) fn since(&self, since: u64) -> impl Iterator<Item = (Prefix, u64)> + '_ {
        let since = since.max(self.floor);
        let entries = self.runs_after(since).flat_map(|run| run.entries().iter().copied());
        entries.filter(move |(_, tick)| *tick > since)
    }

    fn runs_after(&self, after: u64) -> impl Iterator<Item = &Run> {
        let holding = self.runs.range(..=after).next_back().filter(|(_, run)| run.last() > after);
        let later = self.runs.range(after.saturating_add(1)..);
        holding.into_iter().chain(later).map(|(_, run)| run)
    }

    pub(super) fn mark_at(&self, tick: u64) -> Option<HeadMark> {
        let run = self.runs.range(..=tick).next_back();
        let mark = run.and_then(|(_, run)| run.mark_at(tick));
        mark.or_else(|| self.extra.get(&tick).copied())
    }

    /// All that the ticks of this range list, sorted; `None` unless all of them are known.
    pub(super) fn entries_of(&self, first: u64, last: u64) -> Option<Vec<(Prefix, u64)>> {
        let known = self.runs.last_key_value().is_some_and(|(_, run)| last <= run.last());
        if first <= self.floor || !known {
            return None;
        }
        let listed = self.since(first - 1).filter(|(_, tick)| *tick <= last);
        let mut entries: Vec<_> = listed.collect();
        entries.sort_unstable();
        Some(entries)
    }

    pub(super) fn restore_floor(&mut self, floor: u64) {
        self.floor = floor;
    }

    pub(super) fn restore_run(&mut self, run: Run) {
        self.runs.insert(run.first(), run);
    }

    pub(super) fn restore_mark(&mut self, mark: HeadMark) {
        self.extra.insert(mark.tick, mark);
    }
}

pub(super) const FLOOR_KEY: &[u8] = b"floor";
pub(super) const RUN_KEY: &[u8] = b"run ";
pub(super) const MARK_KEY: &[u8] = b"mark ";

fn run_key(first: u64) -> Vec<u8> {
    [RUN_KEY, &first.to_be_bytes()].concat()
}

fn mark_key(tick: u64) -> Vec<u8> {
    [MARK_KEY, &tick.to_be_bytes()].concat()
}
