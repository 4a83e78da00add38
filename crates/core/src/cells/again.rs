//! Putting again what a restored server has lost (DESIGN.md section 3.3, ADR 0010).
//!
//! In this order, each stage whole before the next: the evidence of every cell, the parts of parcels,
//! the cells that name them. So whoever sees a cell listed again finds its evidence listed no later.
//! Nothing else leaves the outbox before that. What is left to do follows from the archive and from
//! the holes that the log has: after a crash or a cut it begins again, with the same bytes.

use super::{CellAsk, CellEvent, Cells, Owner, Restored, evidence::Evidence};
use crate::log::{Breach, Hole, LogFollower};
use std::collections::{BTreeMap, BTreeSet};
use undertone_crypto::evidence_keys;
use undertone_wire::{Answer, RefusalKind, Request, Tag, Token};

/// PUTs of this kind in flight at most.
const WINDOW: usize = 64;
/// The wait after a refusal that will pass, in milliseconds.
const BUSY_MS: u64 = 1_000;

/// What is put in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Evidence,
    Parts,
    Heads,
}

/// One PUT, by the tag of the kept cell that it is for.
type Job = (Stage, u64, Tag);

/// What is still to be put again.
#[derive(Default)]
pub(super) struct Again {
    waiting: BTreeSet<Job>,
    /// By the tag that is put.
    flying: BTreeMap<Tag, Job>,
    /// The tick that lists a kept cell's evidence, by that cell.
    proved: BTreeMap<Tag, u64>,
    /// Cells that were put again since the start.
    done: usize,
    not_before_ms: u64,
}

impl Again {
    fn stage(&self) -> Option<Stage> {
        let waiting = self.waiting.first().map(|job| job.0);
        let flying = self.flying.values().min().map(|job| job.0);
        waiting.into_iter().chain(flying).min()
    }

    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.flying.is_empty()
    }

    pub(super) fn disconnected(&mut self) {
        self.waiting.extend(std::mem::take(&mut self.flying).into_values());
        self.not_before_ms = 0;
    }

    pub(super) fn deadline(&self, now_ms: u64) -> Option<u64> {
        (!self.waiting.is_empty() && self.not_before_ms > now_ms).then_some(self.not_before_ms)
    }

    fn heads(&self) -> usize {
        let jobs = self.waiting.iter().chain(self.flying.values());
        jobs.filter(|(stage, ..)| *stage != Stage::Evidence).count()
    }
}

/// The newest hole that undid a tick.
fn undone_by(tick: u64, log: &LogFollower) -> Option<Hole> {
    log.holes().iter().rev().find(|hole| hole.holds(tick)).copied()
}

impl Cells {
    /// Takes up whatever the log's recoveries have undone and was not put again yet; how many cells
    /// that are.
    pub(crate) fn restore(&mut self, log: &LogFollower) -> usize {
        self.fetches.cancel_undone(log);
        for (tag, kept) in self.archive.iter() {
            let lost = undone_by(kept.tick(), log).is_some_and(|hole| kept.again < hole.until);
            if lost {
                let part = matches!(kept.owner, Owner::Part { .. });
                let stage = if part { Stage::Parts } else { Stage::Heads };
                self.again.waiting.insert((Stage::Evidence, kept.order, *tag));
                self.again.waiting.insert((stage, kept.order, *tag));
            }
        }
        self.again.heads()
    }

    /// The heads of changes that a recovery has undone: where a receipt came and the log was not walked
    /// to its tick, nobody can show its head any more.
    pub(crate) fn keep_undone_heads(&self, log: &mut LogFollower) {
        let changes = self.archive.iter().filter(|(_, kept)| {
            matches!(kept.owner, Owner::Control { .. }) && log.is_undone(kept.tick())
        });
        let heads: Vec<_> = changes.map(|(_, kept)| kept.receipt.head.head.clone()).collect();
        heads.iter().for_each(|head| log.keep_undone(head));
    }

    /// Whether something has to be put again before anything else is.
    pub(crate) fn is_restoring(&self) -> bool {
        self.again.is_busy()
    }

    /// Cells that were put again since the start, and those that still have to be.
    pub(crate) fn restored(&self) -> (usize, usize) {
        (self.again.done, self.again.heads())
    }

    pub(super) fn poll_again(
        &mut self,
        now_ms: u64,
        log: &LogFollower,
    ) -> Option<(CellAsk, Request)> {
        let window = WINDOW.min(log.puts_in_flight_max());
        if now_ms < self.again.not_before_ms || self.again.flying.len() >= window {
            return None;
        }
        let stage = self.again.stage()?;
        while let Some(job) = self.again.waiting.first().copied().filter(|job| job.0 == stage) {
            self.again.waiting.remove(&job);
            if let Some((tag, request)) = self.put_again(job, log) {
                self.again.flying.insert(tag, job);
                return Some((CellAsk::Again(tag), request));
            }
        }
        None
    }

    /// The request of a job; `None` when there is nothing to put.
    fn put_again(&self, (stage, _, of): Job, log: &LogFollower) -> Option<(Tag, Request)> {
        let kept = self.archive.get(&of)?;
        let (tag, write, cell) = if stage == Stage::Evidence {
            let keys = evidence_keys(&kept.write, &log.server());
            let evidence = Evidence { cell: kept.cell.hash(), receipt: kept.receipt.clone() };
            let cell = evidence.seal(&kept.write, &keys)?;
            (keys.tag, keys.write, cell)
        } else {
            (of, kept.write, kept.cell.clone())
        };
        Some((tag, Request::Put { tag, write, cell, token: Token::new(Vec::new()) }))
    }

    pub(super) fn on_again(
        &mut self,
        now_ms: u64,
        tag: Tag,
        answer: Answer,
        log: &mut LogFollower,
    ) -> Result<(), Breach> {
        let Some(job) = self.again.flying.remove(&tag) else { return Ok(()) };
        let Some(Request::Put { cell, .. }) = self.put_again(job, log).map(|(_, put)| put) else {
            return Ok(());
        };
        match answer {
            Answer::Stored(receipt) => {
                let tick = log.verify_receipt(&receipt, &tag, cell.hash())?;
                self.is_again(job, Some(tick), log);
            }
            Answer::Taken { cell: other, receipt } if other != cell.hash() => {
                let tick = log.verify_receipt(&receipt, &tag, other)?;
                // Another's evidence does as well as one's own; another's cell does not.
                let evidence = job.0 == Stage::Evidence;
                self.is_again(job, evidence.then_some(tick), log);
            }
            Answer::Refused(refusal) => self.again_refused(now_ms, job, refusal.kind, log),
            _ => return Err(Breach::Answer),
        }
        Ok(())
    }

    fn again_refused(&mut self, now_ms: u64, job: Job, kind: RefusalKind, log: &LogFollower) {
        use RefusalKind::{Busy, Closing, Storage};
        if matches!(kind, Busy | Closing | Storage) {
            self.again.waiting.insert(job);
            self.again.not_before_ms = now_ms + BUSY_MS;
        } else {
            self.is_again(job, None, log);
        }
    }

    /// A job is done: its cell is listed in `tick`, or can not be.
    fn is_again(&mut self, (stage, _, of): Job, tick: Option<u64>, log: &LogFollower) {
        if stage == Stage::Evidence {
            self.again.proved.extend(tick.map(|tick| (of, tick)));
            return;
        }
        let Some(kept) = self.archive.get(&of) else { return };
        let owner = kept.owner.clone();
        if let Some(hole) = undone_by(kept.tick(), log) {
            self.archive.mark_again(&of, hole.until);
        }
        let proved = self.again.proved.remove(&of);
        let outcome = match (tick, proved) {
            (None, _) => Restored::Lost,
            (Some(tick), Some(proved)) if proved <= tick => Restored::Whole,
            (Some(_), _) => Restored::Late,
        };
        match outcome {
            Restored::Lost => self.forget(&of),
            _ => self.again.done += 1,
        }
        self.out.events.push_back(CellEvent::Again { owner, tag: of, outcome });
    }
}
