//! Steps that a consistency proof answers: where the newest head is, and where one's own stands.

use super::{NEWEST, Phase};
use crate::log::{Breach, Evidence, LogEvent, LogFollower, trust::empty_tree};
use crate::log::{records, run::Run, walker::Walker};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{Head, LogProof, SegmentAnswer, SignedHead, encode};

impl LogFollower {
    pub(super) fn on_proof(&mut self, phase: Phase, proof: &LogProof) -> Result<(), Breach> {
        match phase {
            Phase::Adopting => self.adopt(proof),
            Phase::Locating => self.located(proof),
            Phase::LocatingFromBoundary => self.located_from_boundary(proof),
            Phase::Confronting => self.confronted(&proof.head),
            Phase::Returning => self.returned(proof),
            Phase::Skipping => self.skipped(proof),
            Phase::Aiming(segment) => self.aimed(segment, proof),
            Phase::Anchoring(segment) => self.anchored(&segment, proof),
            _ => Err(Breach::Answer),
        }
    }

    /// Trust on first use; later only where nothing else can be had.
    fn adopt(&mut self, proof: &LogProof) -> Result<(), Breach> {
        let (head, walker) = self.trust.continuation(proof, &empty_tree())?;
        self.check_is_later(head)?;
        self.begin_at(walker, &proof.head.head);
        Ok(())
    }

    /// The target is known and continues one's own head.
    fn located(&mut self, proof: &LogProof) -> Result<(), Breach> {
        let head = self.trust.head(&proof.head)?;
        let own = self.course.own();
        if let Some(after) = self.undone_after(head)
            && self.trust.continuation(proof, &own).is_err()
        {
            self.return_to(after);
            return Ok(());
        }
        if head.tick < own.tick && !is_off(Check::Rollback) {
            return Err(self.rollback(&proof.head));
        }
        let forks = head.tick == own.tick && head.to_ref() != own;
        if forks && !is_off(Check::OneHeadPerTick) {
            return Err(self.split_view(&proof.head));
        }
        let (head, walker) = self.trust.continuation(proof, &own)?;
        self.course.recovered = head.recovered_after;
        self.course.note_time(head.time_ms);
        self.course.target = Some(walker);
        self.advance();
        Ok(())
    }

    pub(super) fn locate_from_boundary(&mut self) {
        match self.course.boundary {
            Some(boundary) => {
                self.ask_proof(Phase::LocatingFromBoundary, boundary.size, NEWEST);
            }
            None => self.ask_proof(Phase::Adopting, 0, NEWEST),
        }
    }

    /// One's own head is too old for a proof, but its hour's is not: the log is the same one.
    fn located_from_boundary(&mut self, proof: &LogProof) -> Result<(), Breach> {
        let boundary = self.course.boundary.unwrap_or_else(empty_tree);
        let (head, walker) = self.trust.continuation(proof, &boundary)?;
        self.check_is_later(head)?;
        self.begin_at(walker, &proof.head.head);
        Ok(())
    }

    /// A server that calls one's own head too old must show one that is later by its retention:
    /// else the word would hide a rollback.
    fn check_is_later(&self, head: &Head) -> Result<(), Breach> {
        let Some(own) = self.course.head() else { return Ok(()) };
        let returning = self.course.returning.is_some();
        let aged = head.time_ms.saturating_sub(own.time_ms) >= self.trust.retention_ms();
        let later = head.tick > own.tick && aged;
        (later || returning).then_some(()).ok_or(Breach::Answer)
    }

    /// The server does not know one's own head: it shows its newest.
    fn confronted(&mut self, signed: &SignedHead) -> Result<(), Breach> {
        let head = self.trust.head(signed)?;
        if let Some(after) = self.undone_after(head) {
            self.return_to(after);
            return Ok(());
        }
        let own = self.course.own();
        let behind = head.tick < own.tick || head.size < own.size;
        Err(if behind { self.rollback(signed) } else { Breach::Answer })
    }

    fn return_to(&mut self, after: u64) {
        self.course.returning = Some(after);
        self.ask_proof(Phase::Returning, 0, after);
    }

    /// Stands at the last tick that survived a declared recovery; what came after it is undone.
    fn returned(&mut self, proof: &LogProof) -> Result<(), Breach> {
        let (head, walker) = self.trust.continuation(proof, &empty_tree())?;
        if Some(head.tick) != self.course.returning.take() {
            return Err(Breach::Answer);
        }
        let kept = self.mark_at(head.tick);
        if kept.is_some_and(|kept| kept.head_ref() != head.to_ref()) {
            return Err(self.split_view(&proof.head));
        }
        self.stand_at(walker, kept.is_some());
        self.locate();
        Ok(())
    }

    /// The digests that come next are gone: goes on at the oldest that the server has.
    pub(super) fn skip(&mut self) -> Result<(), Breach> {
        let oldest = self.trust.oldest_tick();
        let target = self.course.target.as_ref().map_or(0, |target| target.mark().tick);
        if oldest <= self.walked() || oldest >= target {
            return self.jump_to_target();
        }
        self.ask_proof(Phase::Skipping, self.course.own().size, oldest);
        Ok(())
    }

    fn skipped(&mut self, proof: &LogProof) -> Result<(), Breach> {
        let (head, walker) = self.trust.continuation(proof, &self.course.own())?;
        if head.tick != self.trust.oldest_tick() {
            return Err(Breach::Answer);
        }
        self.jump(walker);
        self.advance();
        Ok(())
    }

    /// Nothing from the target on can be too old: a server that says so would have us ask for ever.
    pub(super) fn jump_to_target(&mut self) -> Result<(), Breach> {
        let ahead = |target: &Walker| target.mark().tick > self.walked();
        let target = self.course.target.clone().filter(ahead).ok_or(Breach::Answer)?;
        self.jump(target);
        self.advance();
        Ok(())
    }

    /// Begins at the server's newest head.
    fn begin_at(&mut self, walker: Walker, head: &Head) {
        self.course.recovered = head.recovered_after;
        self.course.target = Some(walker.clone());
        self.jump(walker);
        self.advance();
    }

    /// Stands at a later head without what lies between.
    fn jump(&mut self, walker: Walker) {
        let until = walker.mark().tick;
        if self.course.walker.is_some() {
            self.out.tell(LogEvent::Lost { after: self.walked(), until });
        }
        self.listing.begin(*walker.mark(), &mut self.out.changes);
        self.course.walker = Some(walker);
        records::save_course(&self.course, &mut self.out.changes);
        self.out.tell(LogEvent::Walked { tick: until });
    }

    /// The head under which a segment was proved continues the target, and becomes it.
    fn aimed(&mut self, segment: Box<SegmentAnswer>, proof: &LogProof) -> Result<(), Breach> {
        let target = self.course.target.as_ref().map_or_else(empty_tree, |it| it.mark().head_ref());
        let (head, walker) = self.trust.continuation(proof, &target)?;
        if head.to_ref() != segment.head.head.to_ref() {
            return Err(self.contradiction(head.to_ref(), &segment.head));
        }
        self.course.target = Some(walker);
        self.anchor(segment);
        Ok(())
    }

    /// Asks for the head of the segment's last tick, to walk on from there.
    pub(super) fn anchor(&mut self, segment: Box<SegmentAnswer>) {
        let last = segment.leaf.last_tick;
        self.ask_proof(Phase::Anchoring(segment), self.course.own().size, last);
    }

    fn anchored(&mut self, segment: &SegmentAnswer, proof: &LogProof) -> Result<(), Breach> {
        let (head, walker) = self.trust.continuation(proof, &self.course.own())?;
        if head.tick != segment.leaf.last_tick {
            return Err(Breach::Answer);
        }
        let mark = *walker.mark();
        self.meet_target(&[mark])?;
        self.listing.add(Run::of_segment(segment), &mut self.out.changes);
        self.listing.keep_mark(mark, &mut self.out.changes);
        self.arrive(walker);
        self.fetch_skipped(segment.leaf.first_tick, segment.leaf.last_tick);
        self.advance();
        Ok(())
    }

    pub(super) fn rollback(&self, signed: &SignedHead) -> Breach {
        let pair = Evidence::pair(self.course.own(), signed.head.to_ref(), Some(encode(signed)));
        Breach::Rollback(pair)
    }

    /// A signed head that contradicts one's own.
    pub(super) fn split_view(&self, signed: &SignedHead) -> Breach {
        self.contradiction(self.course.own(), signed)
    }
}
