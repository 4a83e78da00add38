//! Steps along the log: pages of ticks, heartbeats, closed segments.

use super::Phase;
use crate::log::{Breach, HeadMark, LogEvent, LogFollower, records, run::Run};
use crate::log::{lives::holes_between, walker::Walker};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{
    BadProof, DigestPage, SegmentAnswer, SegmentLeaf, SegmentLevel, SignedHead, TickDigest,
};

impl LogFollower {
    /// A page that was asked for; an empty one would leave the way to the target without an end.
    pub(super) fn on_page(&mut self, page: &DigestPage) -> Result<(), Breach> {
        if page.ticks.is_empty() {
            return Err(Breach::TickOrder);
        }
        self.absorb(page)?;
        self.advance();
        Ok(())
    }

    /// A page that the server pushes.
    pub(in crate::log) fn on_pushed(&mut self, page: &DigestPage) -> Result<(), Breach> {
        if !matches!(self.course.phase, Phase::Streaming) {
            return Err(Breach::Answer);
        }
        if page.ticks.is_empty() {
            return self.heartbeat(&page.head);
        }
        self.absorb(page)?;
        self.note_caught_up();
        self.ask_waiting();
        Ok(())
    }

    /// A heartbeat repeats the newest head with a newer time.
    fn heartbeat(&mut self, signed: &SignedHead) -> Result<(), Breach> {
        let head = self.trust.head(signed)?;
        if head.tick < self.walked() && !is_off(Check::Rollback) {
            return Err(self.rollback(signed));
        }
        let earlier = head.time_ms < self.course.beat_ms.max(self.own_time_ms());
        if earlier && !is_off(Check::TimeForward) {
            return Err(Breach::Time);
        }
        self.course.beat_ms = head.time_ms;
        self.course.note_time(head.time_ms);
        self.judge_signed(signed)?;
        self.ask_waiting();
        Ok(())
    }

    /// Follows a page's ticks.
    fn absorb(&mut self, page: &DigestPage) -> Result<(), Breach> {
        let head = self.trust.head(&page.head)?;
        let walker = self.course.walker.as_ref().ok_or(Breach::Answer)?;
        let before = *walker.mark();
        let (walker, marks) = walker.walk(page)?;
        self.check_jump(&before, &marks)?;
        self.check_closed(&before, &page.ticks, &marks)?;
        self.meet_target(&marks)?;
        self.judge_waiting(&marks)?;
        self.course.note_time(head.time_ms);
        self.course.recovered = head.recovered_after;
        self.note_boundary(&before, &page.ticks, &marks);
        self.walk_over(holes_between(&before, &marks));
        self.heads.keep_signed(&page.head);
        if let Some(run) = Run::of_ticks(&page.ticks, marks) {
            self.listing.add(run, &mut self.out.changes);
        }
        self.arrive(walker);
        Ok(())
    }

    pub(super) fn arrive(&mut self, walker: Walker) {
        let tick = walker.mark().tick;
        self.course.walker = Some(walker);
        records::save_course(&self.course, &mut self.out.changes);
        self.out.tell(LogEvent::Walked { tick });
    }

    /// At the target's tick, the walk must have led to the target's root.
    pub(super) fn meet_target(&self, marks: &[HeadMark]) -> Result<(), Breach> {
        let Some(target) = self.course.target.as_ref().map(|it| it.mark().head_ref()) else {
            return Ok(());
        };
        let met = marks.iter().map(HeadMark::head_ref).find(|mark| mark.tick == target.tick);
        match met.filter(|mark| *mark != target) {
            Some(mark) if !is_off(Check::TargetMet) => Err(self.fork(target, mark)),
            _ => Ok(()),
        }
    }

    pub(super) fn note_caught_up(&mut self) {
        let target = self.course.target.as_ref().map(|target| target.mark().tick);
        let tick = self.walked();
        if !self.course.caught_up && target.is_some_and(|target| target <= tick) {
            self.course.caught_up = true;
            self.out.tell(LogEvent::CaughtUp { tick });
        }
    }

    fn own_time_ms(&self) -> u64 {
        self.course.head().map_or(0, |mark| mark.time_ms)
    }

    /// The segments that a tick closes must say what their ticks said: others will be shown the
    /// segments alone. Those that began below the floor cannot be compared.
    fn check_closed(
        &self,
        before: &HeadMark,
        ticks: &[TickDigest],
        marks: &[HeadMark],
    ) -> Result<(), Breach> {
        let mut last = *before;
        for (at, (tick, mark)) in ticks.iter().zip(marks).enumerate() {
            for segment in &tick.closed {
                let honest = closes(segment, &last, tick.time_ms)
                    && self.lists_the_same(segment, ticks.get(..at).unwrap_or_default());
                let honest = honest || is_off(Check::SegmentTruth);
                honest.then_some(()).ok_or(Breach::SegmentLies)?;
            }
            last = *mark;
        }
        Ok(())
    }

    fn lists_the_same(&self, segment: &SegmentLeaf, ahead: &[TickDigest]) -> bool {
        let walked = self.walked();
        let known = if segment.first_tick <= walked {
            self.listing.entries_of(segment.first_tick, segment.last_tick.min(walked))
        } else {
            Some(Vec::new())
        };
        let Some(mut entries) = known else { return true };
        for tick in ahead.iter().filter(|tick| tick.tick >= segment.first_tick) {
            entries.extend(tick.prefixes.iter().map(|prefix| (*prefix, tick.tick)));
        }
        entries.sort_unstable();
        SegmentLeaf::hash_entries(&entries) == segment.entries_hash
    }

    /// Keeps the newest head of a closed hour.
    fn note_boundary(&mut self, before: &HeadMark, ticks: &[TickDigest], marks: &[HeadMark]) {
        let closes_hour = |tick: &TickDigest| {
            tick.closed.iter().any(|segment| segment.level == SegmentLevel::Hour)
        };
        let ends = std::iter::once(before).chain(marks).zip(ticks);
        let newest = ends.filter(|(_, tick)| closes_hour(tick)).last();
        if let Some((end, _)) = newest {
            self.course.boundary = Some(end.head_ref());
        }
    }

    pub(super) fn on_segment(&mut self, segment: Box<SegmentAnswer>) -> Result<(), Breach> {
        let head = segment.verify(self.trust.ring()?).map_err(|bad| match bad {
            BadProof::Signature => Breach::Signature,
            _ => Breach::Segment,
        })?;
        let (first, last) = (segment.leaf.first_tick, segment.leaf.last_tick);
        let spans = last.checked_sub(first).is_some_and(|ticks| ticks < u64::from(u32::MAX));
        if Some(first) != self.walked().checked_add(1) || !spans || last >= head.tick {
            return Err(Breach::TickOrder);
        }
        let target = self.course.target.as_ref().ok_or(Breach::Answer)?.mark().head_ref();
        if head.to_ref() == target {
            self.anchor(segment);
        } else if head.tick > target.tick {
            let to_tick = head.tick;
            self.ask_proof(Phase::Aiming(segment), target.size, to_tick);
        } else {
            return Err(self.contradiction(target, &segment.head));
        }
        Ok(())
    }
}

/// Whether a segment ends with the tick `last` and the next one's time lies beyond it.
fn closes(segment: &SegmentLeaf, last: &HeadMark, next_ms: u64) -> bool {
    let length = segment.level.length_ms();
    segment.last_tick == last.tick
        && segment.first_tick <= segment.last_tick
        && last.time_ms / length == segment.index
        && next_ms / length > segment.index
}
