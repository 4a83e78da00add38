//! The lives of a log: what a declared recovery undoes, and where the log goes on (ADR 0010).
//!
//! A restored server declares the last tick that survived, and its next tick is numbered by the
//! time. The numbers between are a *hole*: ticks that were sealed there are undone. What they listed
//! counts only where their old head still proves it ([`LogFollower::origin`]); the marks that were
//! verified of them stay, so that a head of that time is told from one that never was.

use super::{Breach, HeadMark, LogEvent, LogFollower, records, walker::Walker};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_wire::{CellHash, Head, Receipt, Tag};

/// Holes that are remembered at most; the oldest gives way.
const HOLES_MAX: usize = 64;

/// Numbers that no tick of the present log has, because the server was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Hole {
    /// The last tick that survived.
    pub(crate) after: u64,
    /// The first tick of the new life.
    pub(crate) until: u64,
    /// The server's time of that tick, Unix milliseconds.
    pub(crate) time_ms: u64,
}

impl Hole {
    /// Whether ticks of this number were undone.
    pub(crate) fn holds(&self, tick: u64) -> bool {
        self.after < tick && tick < self.until
    }
}

/// What a walk from `before` over these ticks has jumped over.
pub(super) fn holes_between(before: &HeadMark, marks: &[HeadMark]) -> Vec<Hole> {
    let steps = std::iter::once(before).chain(marks).zip(marks);
    let jumps = steps.filter(|(before, mark)| before.tick.saturating_add(1) < mark.tick);
    jumps
        .map(|(before, mark)| Hole { after: before.tick, until: mark.tick, time_ms: mark.time_ms })
        .collect()
}

/// The holes that were walked over, oldest first.
#[derive(Default)]
pub(super) struct Lives(Vec<Hole>);

impl Lives {
    pub(super) fn holes(&self) -> &[Hole] {
        &self.0
    }

    pub(super) fn restore(&mut self, holes: Vec<Hole>) {
        self.0 = holes;
    }

    /// Takes note of holes; those that were not known.
    fn note(&mut self, holes: Vec<Hole>) -> Vec<Hole> {
        let new: Vec<_> = holes.into_iter().filter(|hole| !self.0.contains(hole)).collect();
        self.0.extend(&new);
        self.0.sort_by_key(|hole| hole.until);
        let surplus = self.0.len().saturating_sub(HOLES_MAX);
        self.0.drain(..surplus);
        new
    }
}

impl LogFollower {
    /// Recoveries that were walked over, oldest first.
    pub(crate) fn holes(&self) -> &[Hole] {
        self.lives.holes()
    }

    /// Whether ticks of this number were undone.
    pub(crate) fn is_undone(&self, tick: u64) -> bool {
        self.holes().iter().any(|hole| hole.holds(tick))
    }

    /// Takes note of holes that were walked over. The heads that others named there are nothing
    /// that this log will ever come to.
    pub(super) fn note_holes(&mut self, holes: Vec<Hole>) -> Vec<Hole> {
        let new = self.lives.note(holes);
        if !new.is_empty() {
            records::save_lives(&self.lives, &mut self.out.changes);
            self.heads.drop_waiting(|tick| new.iter().any(|hole| hole.holds(tick)));
            records::save_waiting(&self.heads, &mut self.out.changes);
        }
        new
    }

    /// As [`note_holes`](Self::note_holes), for one's own walk: the account has to act on it.
    pub(super) fn walk_over(&mut self, holes: Vec<Hole>) {
        for Hole { after, until, .. } in self.note_holes(holes) {
            self.out.tell(LogEvent::Recovered { after, until });
        }
    }

    /// A log that goes on after a recovery must go on behind everything that was ever seen of it:
    /// else one number would mean two ticks.
    pub(super) fn check_jump(&self, before: &HeadMark, marks: &[HeadMark]) -> Result<(), Breach> {
        let Some(first) = marks.first() else { return Ok(()) };
        let jumps = before.tick.saturating_add(1) < first.tick;
        let fits = !jumps || self.listing.newest().is_none_or(|newest| newest < first.tick);
        fits.then_some(()).ok_or(Breach::TickOrder)
    }

    /// The tick of an undone time that lists `cell` under `tag`, if this receipt proves it and the
    /// time ended before the tick `by`. The head is kept: an epoch may have been opened by it.
    ///
    /// # Errors
    /// [`Breach`] when the receipt's head is the server's and contradicts what was verified here.
    pub(crate) fn origin(
        &mut self,
        receipt: &Receipt,
        tag: &Tag,
        cell: CellHash,
        by: u64,
    ) -> Result<Option<u64>, Breach> {
        let tick = receipt.head.head.tick;
        let undone = self.holes().iter().any(|hole| hole.holds(tick) && hole.until <= by);
        let genuine = receipt.verify_hash(self.trust.ring()?, tag, cell).is_ok();
        if !undone || !genuine {
            return Ok(None);
        }
        self.judge_signed(&receipt.head)?;
        self.keep_undone(&receipt.head.head);
        Ok(Some(tick))
    }

    /// Keeps the head of an undone tick, which cannot be had any more: an epoch may be opened by it.
    pub(crate) fn keep_undone(&mut self, head: &Head) {
        if self.head_at(head.tick).is_none() {
            self.listing.keep_mark(HeadMark::from(head), &mut self.out.changes);
        }
    }

    /// Whether the server, by a head of verified signature that cannot be proved consistent with
    /// one's own, declares a recovery that undoes one's own; the last tick that survived.
    pub(super) fn undone_after(&self, head: &Head) -> Option<u64> {
        let after = head.recovered_after?;
        (after < self.course.own().tick && after <= head.tick).then_some(after)
    }

    /// Stands at the last tick that survived a declared recovery.
    pub(super) fn stand_at(&mut self, walker: Walker, kept: bool) {
        let mark = *walker.mark();
        self.listing.undo_after(mark.tick, &mut self.out.changes);
        if !kept {
            self.listing.keep_mark(mark, &mut self.out.changes);
        }
        // A boundary of the undone life can prove nothing any more.
        self.course.boundary = self.course.boundary.filter(|it| it.tick <= mark.tick);
        self.course.walker = Some(walker);
        records::save_course(&self.course, &mut self.out.changes);
    }
}
