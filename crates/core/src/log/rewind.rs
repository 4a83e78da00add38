//! A second walk, for a joiner whose conversation began before its own listing does.
//!
//! It starts at the opening head that a Welcome carries (the server's own head of that tick must be
//! the same one), walks the ticks from there, and must arrive at a head that is known here already.
//! Only then do its listings count, and the floor is lowered to the opening head.

use super::{
    Ask, Breach, HeadMark, Hole, LogEvent, LogFollower, lives::holes_between, run::Run,
    trust::empty_tree, walker::Walker,
};
use std::collections::VecDeque;
use undertone_wire::{Answer, DigestForm, DigestPage, HeadRef, LogProof, RefusalKind, Request};

/// Ticks that one rewind may walk: half a day of a server that is never quiet.
const TICKS_MAX: u64 = 1_000_000;

/// Rewinds that may wait for each other.
const QUEUE_MAX: usize = 64;

#[derive(Default)]
pub(super) struct Rewinder {
    queue: VecDeque<HeadRef>,
    active: Option<Active>,
}

struct Active {
    opening: HeadRef,
    /// The server's head of the opening tick and the walk since; `None` until it has come.
    walk: Option<Walk>,
}

struct Walk {
    opening: HeadMark,
    walker: Walker,
    runs: Vec<Run>,
    holes: Vec<Hole>,
    /// Ticks walked.
    ticks: u64,
}

impl From<Walker> for Walk {
    fn from(walker: Walker) -> Self {
        Self { opening: *walker.mark(), walker, runs: Vec::new(), holes: Vec::new(), ticks: 0 }
    }
}

impl Rewinder {
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.active.is_none()
    }

    /// Whether a walk waits and none is under way: the server was too busy.
    pub(super) fn is_stalled(&self) -> bool {
        self.active.is_none() && !self.queue.is_empty()
    }

    /// A walk that was interrupted begins anew.
    pub(super) fn disconnect(&mut self) {
        if let Some(active) = self.active.take() {
            self.queue.push_front(active.opening);
        }
    }
}

impl LogFollower {
    /// Wants the listings above an older head; ends in [`LogEvent::Rewound`] or
    /// [`LogEvent::RewindFailed`]. Not stored: whoever needs it asks again after a start. `false`
    /// while [`QUEUE_MAX`] others wait: ask again when one of them has ended.
    pub(crate) fn rewind(&mut self, opening: HeadRef) -> bool {
        if opening.tick >= self.listing.floor() && self.course.head().is_some() {
            self.out.tell(LogEvent::Rewound { opening });
        } else if self.rewinder.queue.len() >= QUEUE_MAX {
            return false;
        } else {
            self.rewinder.queue.push_back(opening);
            self.ask_rewind();
        }
        true
    }

    /// Does not want the listings above this head any more, unless they are being walked already.
    pub(crate) fn forget_rewind(&mut self, opening: HeadRef) {
        self.rewinder.queue.retain(|waiting| *waiting != opening);
    }

    /// Begins the next rewind, one at a time, once the newest head has been walked to.
    pub(super) fn ask_rewind(&mut self) {
        if self.rewinder.active.is_some() || !self.caught_up() {
            return;
        }
        let Some(opening) = self.rewinder.queue.pop_front() else { return };
        if opening == empty_tree() {
            self.rewind_on(opening, Walk::from(Walker::at_beginning()));
        } else {
            self.rewinder.active = Some(Active { opening, walk: None });
            let request = Request::Proof { from_size: 0, to_tick: opening.tick };
            self.out.ask(Ask::Rewind, request);
        }
    }

    pub(super) fn on_rewind(&mut self, answer: Answer) -> Result<(), Breach> {
        let Some(active) = self.rewinder.active.take() else { return Err(Breach::Answer) };
        match (active.walk, answer) {
            (None, Answer::Proof(proof)) => self.on_opening(active.opening, &proof),
            (Some(walk), Answer::Page(page)) => self.on_rewind_page(active.opening, walk, &page),
            (_, Answer::Refused(refusal)) => {
                self.on_rewind_refused(active.opening, refusal.kind);
                Ok(())
            }
            _ => Err(Breach::Answer),
        }
    }

    fn on_opening(&mut self, opening: HeadRef, proof: &LogProof) -> Result<(), Breach> {
        let (head, walker) = self.trust.continuation(proof, &empty_tree())?;
        if head.to_ref() != opening {
            self.end_rewind(LogEvent::RewindFailed { opening, expired: false });
            return Ok(());
        }
        self.rewind_on(opening, Walk::from(walker));
        Ok(())
    }

    fn rewind_on(&mut self, opening: HeadRef, walk: Walk) {
        let from = walk.walker.mark().tick.saturating_add(1);
        self.rewinder.active = Some(Active { opening, walk: Some(walk) });
        self.out.ask(Ask::Rewind, Request::Digest { from, form: DigestForm::Ticks });
    }

    fn on_rewind_page(
        &mut self,
        opening: HeadRef,
        mut walk: Walk,
        page: &DigestPage,
    ) -> Result<(), Breach> {
        self.trust.head(&page.head)?;
        let (walker, marks) = walk.walker.walk(page)?;
        if marks.is_empty() {
            return Err(Breach::TickOrder);
        }
        let joined = self.joins(&marks, page)?;
        walk.ticks += marks.len() as u64;
        walk.holes.extend(holes_between(walk.walker.mark(), &marks));
        walk.runs.extend(Run::of_ticks(&page.ticks, marks));
        walk.walker = walker;
        if joined {
            self.note_holes(walk.holes);
            self.listing.prepend(walk.opening, walk.runs, &mut self.out.changes);
            self.end_rewind(LogEvent::Rewound { opening });
        } else if walk.ticks > TICKS_MAX {
            self.end_rewind(LogEvent::RewindFailed { opening, expired: true });
        } else {
            self.rewind_on(opening, walk);
        }
        Ok(())
    }

    /// Whether the walk has come to a head that is known here; it must be the same one.
    fn joins(&self, marks: &[HeadMark], page: &DigestPage) -> Result<bool, Breach> {
        let floor = self.listing.floor();
        let above = marks.iter().filter(|mark| mark.tick >= floor);
        let known = above.filter_map(|mark| Some((mark, self.head_at(mark.tick)?))).next();
        match known {
            Some((mark, own)) if mark.head_ref() != own => Err(self.contradiction(own, &page.head)),
            known => Ok(known.is_some()),
        }
    }

    fn on_rewind_refused(&mut self, opening: HeadRef, kind: RefusalKind) {
        if matches!(kind, RefusalKind::Busy | RefusalKind::Closing | RefusalKind::Storage) {
            // Begun anew with the next push, or in a second.
            self.rewinder.queue.push_front(opening);
        } else {
            let expired = kind == RefusalKind::Expired;
            self.end_rewind(LogEvent::RewindFailed { opening, expired });
        }
    }

    fn end_rewind(&mut self, event: LogEvent) {
        self.out.tell(event);
        self.ask_rewind();
    }
}
