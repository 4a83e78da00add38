//! The way to the newest head, and along it.
//!
//! After `INFO`, the newest head is asked for and proved consistent with one's own; it becomes the
//! *target*. Far from it, closed segments are taken where the server has them, each proved against
//! a head that continues the target, and the walk is anchored anew behind each. Near it, the stream
//! begins. Every root on the way is computed here, and at the target's tick it must be the target's.

mod digests;
mod proofs;

use super::{Ask, Breach, HeadMark, LogFollower, Out, trust::empty_tree, walker::Walker};
use undertone_wire::{Answer, DigestForm, HeadRef, RefusalKind, Request, SegmentAnswer};

/// Ticks behind the target from which the stream is the quicker way.
const NEAR_TICKS: u64 = 256;

/// Names the newest tick in a request.
const NEWEST: u64 = u64::MAX;

#[derive(Default)]
pub(super) struct Course {
    pub(super) walker: Option<Walker>,
    /// The newest head of a closed hour: the server can prove consistency with it for ever.
    pub(super) boundary: Option<HeadRef>,
    /// The last tick that survived the newest recovery, as the newest head declares it.
    pub(super) recovered: Option<u64>,
    /// The last surviving tick to which a declared recovery leads back, while that is asked for.
    returning: Option<u64>,
    /// The server's newest time in any verified head, Unix milliseconds.
    time_ms: u64,
    /// The time of this connection's last heartbeat, Unix milliseconds.
    beat_ms: u64,
    phase: Phase,
    /// The head to walk to.
    target: Option<Walker>,
    caught_up: bool,
    /// The question that is open.
    asked: Option<Request>,
    /// What stands still because the server was too busy for the question.
    stalled: Option<Phase>,
}

/// What the next answer is to.
#[derive(Default)]
enum Phase {
    /// Not connected, or `INFO` has not come.
    #[default]
    Idle,
    /// The newest head, to begin there: first use, or nothing older can be proved.
    Adopting,
    /// The newest head, from one's own.
    Locating,
    /// The newest head, from the boundary: one's own is too old.
    LocatingFromBoundary,
    /// The newest head, whatever it is: the server does not know one's own.
    Confronting,
    /// The head after which a declared recovery goes on.
    Returning,
    /// The oldest head that the server still has digests from.
    Skipping,
    /// The next digests.
    Paging,
    /// A newer target, under which a segment is proved.
    Aiming(Box<SegmentAnswer>),
    /// The head of a segment's last tick.
    Anchoring(Box<SegmentAnswer>),
    /// Pushes.
    Streaming,
}

impl Course {
    pub(super) fn connect(&mut self, out: &mut Out) {
        out.ask(Ask::Info, Request::Info);
    }

    pub(super) fn disconnect(&mut self) {
        self.phase = Phase::Idle;
        self.target = None;
        self.caught_up = false;
        self.beat_ms = 0;
        self.asked = None;
        self.stalled = None;
        self.returning = None;
    }

    pub(super) fn head(&self) -> Option<&HeadMark> {
        self.walker.as_ref().map(Walker::mark)
    }

    pub(super) fn time_ms(&self) -> u64 {
        self.time_ms.max(self.head().map_or(0, |mark| mark.time_ms))
    }

    fn note_time(&mut self, time_ms: u64) {
        self.time_ms = self.time_ms.max(time_ms);
    }

    pub(super) fn caught_up(&self) -> bool {
        self.caught_up
    }

    /// Whether the newest head is known, so that the server can be asked about older ones.
    pub(super) fn is_located(&self) -> bool {
        self.target.is_some()
    }

    /// One's own head, or the empty tree's.
    pub(super) fn own(&self) -> HeadRef {
        self.head().map_or_else(empty_tree, HeadMark::head_ref)
    }
}

impl LogFollower {
    /// Whether the server was too busy for a question: [`retry`](Self::retry) in a second.
    pub(crate) fn is_stalled(&self) -> bool {
        let course = self.course.stalled.is_some();
        let head = self.course.is_located() && self.heads.is_stalled();
        course || head || self.caught_up() && self.rewinder.is_stalled()
    }

    /// Asks again what the server was too busy for.
    pub(crate) fn retry(&mut self) {
        let question = self.course.asked.clone();
        if let (Some(phase), Some(request)) = (self.course.stalled.take(), question) {
            self.ask_course(phase, request);
        }
        self.ask_waiting();
    }

    /// Asks what waits beside the walk: on a quiet server no tick comes that would do so.
    pub(super) fn ask_waiting(&mut self) {
        if !self.halted() {
            self.ask_wanted();
            self.ask_rewind();
        }
    }

    /// Asks for the newest head.
    pub(super) fn locate(&mut self) {
        let first_use = self.course.walker.is_none();
        let phase = if first_use { Phase::Adopting } else { Phase::Locating };
        self.ask_proof(phase, self.course.own().size, NEWEST);
    }

    fn ask_proof(&mut self, phase: Phase, from_size: u64, to_tick: u64) {
        self.ask_course(phase, Request::Proof { from_size, to_tick });
    }

    fn ask_course(&mut self, phase: Phase, request: Request) {
        self.course.phase = phase;
        self.course.asked = Some(request.clone());
        self.out.ask(Ask::Course, request);
    }

    /// The next step towards the target, and beyond it the stream.
    fn advance(&mut self) {
        let Some(target) = self.course.target.as_ref().map(|target| target.mark().tick) else {
            return;
        };
        let walked = self.walked();
        let from = walked.saturating_add(1);
        if target.saturating_sub(walked) <= NEAR_TICKS {
            self.ask_course(Phase::Streaming, Request::Stream { from });
        } else {
            let form = DigestForm::TicksOrSegment;
            self.ask_course(Phase::Paging, Request::Digest { from, form });
        }
        self.note_caught_up();
        self.ask_waiting();
    }

    pub(super) fn on_course(&mut self, answer: Answer) -> Result<(), Breach> {
        let phase = std::mem::take(&mut self.course.phase);
        match (phase, answer) {
            (phase, Answer::Refused(refusal)) => self.on_course_refused(phase, refusal.kind),
            (phase, Answer::Proof(proof)) => self.on_proof(phase, &proof),
            (Phase::Paging, Answer::Page(page)) => self.on_page(&page),
            (Phase::Paging, Answer::Segment(segment)) => self.on_segment(Box::new(segment)),
            (Phase::Streaming, Answer::Streaming) => {
                self.course.phase = Phase::Streaming;
                Ok(())
            }
            _ => Err(Breach::Answer),
        }
    }

    /// The second answer to the request for a stream; nothing when that stream is past already.
    pub(super) fn on_stream_ended(&mut self, answer: Answer) -> Result<(), Breach> {
        if !matches!(answer, Answer::Refused(_)) {
            return Err(Breach::Answer);
        }
        if !matches!(self.course.phase, Phase::Streaming) {
            return Ok(());
        }
        // It came as far as this; what is asked again goes on from here.
        let from = self.walked().saturating_add(1);
        self.course.asked = Some(Request::Stream { from });
        self.on_course(answer)
    }

    fn on_course_refused(&mut self, phase: Phase, kind: RefusalKind) -> Result<(), Breach> {
        use RefusalKind::{Busy, Closing, Expired, Future, Storage};
        match (phase, kind) {
            (phase, Busy | Closing | Storage) => self.course.stalled = Some(phase),
            (Phase::Locating, Future) => self.ask_proof(Phase::Confronting, 0, NEWEST),
            (Phase::Locating, Expired) => self.locate_from_boundary(),
            (Phase::LocatingFromBoundary | Phase::Returning, Expired | Future) => {
                self.ask_proof(Phase::Adopting, 0, NEWEST);
            }
            (Phase::Paging | Phase::Streaming | Phase::Anchoring(_), Expired) => self.skip()?,
            (Phase::Skipping, Expired) => self.jump_to_target()?,
            _ => return Err(Breach::Answer),
        }
        Ok(())
    }
}
