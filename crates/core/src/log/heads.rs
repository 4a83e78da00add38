//! Heads beside the walk: those that others show, and those of ticks that a segment skipped.
//!
//! A head counts here only with the server's signature: then two heads that contradict each other
//! prove what the server did, and a member's mere word can stop nobody (ADR 0009).

use super::{Ask, Breach, Evidence, HeadMark, LogEvent, LogFollower, records, trust::empty_tree};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{
    Answer, CellHash, Head, HeadRef, LogProof, Receipt, RefusalKind, Request, SignedHead, Tag,
    encode,
};

/// Heads that wait to be walked to at most; the furthest ones give way.
const WAITING_MAX: usize = 256;

/// Signed heads that are kept at most.
const SIGNED_MAX: usize = 256;

/// Heads of skipped ticks that wait to be asked for at most.
const WANTED_MAX: usize = 256;

/// What one's own log says of a head that somebody else has verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// It is in one's own log.
    Consistent,
    /// Its tick is not kept here any more.
    Unknown,
    /// Not walked to yet.
    Ahead,
    /// One's own log has another head there.
    Conflict,
}

/// Where a signed head came from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A member's message: kept on disk until it is judged, for it is not shown again.
    Message,
    /// The server itself.
    Server,
}

#[derive(Default)]
pub(super) struct Heads {
    /// Heads that others show, ahead of the walk.
    waiting: BTreeMap<HeadRef, (SignedHead, Source)>,
    wanted: VecDeque<u64>,
    /// Ticks whose heads this connection's server would not show.
    denied: BTreeSet<u64>,
    /// The question that is open.
    asking: Option<Asking>,
    /// Heads with the server's signature, of the newest ticks at which a page ended or that were
    /// asked for.
    signed: BTreeMap<u64, SignedHead>,
}

enum Asking {
    /// The head of this tick.
    Head(u64),
    /// That one's own head `own` continues `mark`.
    Bond { mark: HeadMark, own: HeadRef },
}

impl Heads {
    pub(super) fn disconnect(&mut self) {
        self.denied.clear();
        if let Some(asking) = self.asking.take() {
            self.wanted.push_front(asking.tick());
        }
    }

    /// Keeps a head of verified signature for a while.
    pub(super) fn keep_signed(&mut self, signed: &SignedHead) {
        self.signed.insert(signed.head.tick, signed.clone());
        if self.signed.len() > SIGNED_MAX {
            self.signed.pop_first();
        }
    }

    /// Heads of these ticks will never be walked to.
    pub(super) fn drop_waiting(&mut self, gone: impl Fn(u64) -> bool) {
        self.waiting.retain(|head, _| !gone(head.tick));
    }

    /// Heads that messages named, for the record.
    pub(super) fn named(&self) -> Vec<SignedHead> {
        let named = self.waiting.values().filter(|(_, source)| *source == Source::Message);
        named.map(|(signed, _)| signed.clone()).collect()
    }

    /// Whether heads are wanted and none is asked for: the server was too busy.
    pub(super) fn is_stalled(&self) -> bool {
        self.asking.is_none() && !self.wanted.is_empty()
    }

    fn has_room_for(&self, tick: u64) -> bool {
        let asking = self.asking.as_ref().is_some_and(|asking| asking.tick() == tick);
        let known = asking || self.wanted.contains(&tick) || self.denied.contains(&tick);
        !known && self.wanted.len() + self.denied.len() < WANTED_MAX
    }

    /// Heads that wait for these ticks, each behind one's own of the same tick.
    fn due<'a>(&'a self, marks: &'a [HeadMark]) -> impl Iterator<Item = (HeadRef, HeadRef)> + 'a {
        let own = |tick: u64| marks.iter().find(|mark| mark.tick == tick).map(HeadMark::head_ref);
        self.waiting.keys().filter_map(move |head| Some((own(head.tick)?, *head)))
    }

    /// Gives up on what others said of a tick whose own head cannot be had.
    fn give_up(&mut self, tick: u64) {
        self.waiting.retain(|head, _| head.tick != tick);
    }

    /// Whether this head was not waiting yet.
    pub(super) fn wait(&mut self, signed: SignedHead, source: Source) -> bool {
        let head = signed.head.to_ref();
        if self.waiting.contains_key(&head) {
            return false;
        }
        self.waiting.insert(head, (signed, source));
        if self.waiting.len() > WAITING_MAX {
            self.waiting.pop_last();
        }
        true
    }
}

impl Asking {
    fn tick(&self) -> u64 {
        match self {
            Self::Head(tick) => *tick,
            Self::Bond { mark, .. } => mark.tick,
        }
    }
}

/// Heads that others name.
impl LogFollower {
    /// Judges the head that a message carries, now or when it is walked to; a conflict is an alarm.
    /// `None` when the server never signed it: it says nothing of the server.
    pub(crate) fn check_foreign(&mut self, signed: &SignedHead) -> Option<Foreign> {
        let genuine = self.trust.head(signed).is_ok() || is_off(Check::ForeignHeadSigned);
        genuine.then_some(())?;
        if is_off(Check::ForeignHead) {
            return Some(Foreign::Consistent);
        }
        let head = signed.head.to_ref();
        let verdict = self.compare(head);
        if verdict == Foreign::Ahead && self.heads.wait(signed.clone(), Source::Message) {
            records::save_waiting(&self.heads, &mut self.out.changes);
        }
        if verdict == Foreign::Conflict {
            let own = self.head_at(head.tick).unwrap_or_else(|| self.course.own());
            self.halt(disagreement(own, signed, Source::Message));
        }
        Some(verdict)
    }

    /// What one's own log says of a head that somebody names.
    pub(crate) fn compare(&self, head: HeadRef) -> Foreign {
        if head.tick > self.walked() {
            return Foreign::Ahead;
        }
        match self.head_at(head.tick) {
            Some(own) if own == head => Foreign::Consistent,
            Some(_) => Foreign::Conflict,
            None => Foreign::Unknown,
        }
    }

    /// Compares a head of verified signature with one's own log, now or when it is walked to.
    pub(super) fn judge_signed(&mut self, signed: &SignedHead) -> Result<(), Breach> {
        let head = signed.head.to_ref();
        if is_off(Check::ReceiptHead) {
            return Ok(());
        }
        if head.tick > self.walked() {
            self.heads.wait(signed.clone(), Source::Server);
            return Ok(());
        }
        match self.head_at(head.tick).filter(|own| *own != head) {
            Some(own) => Err(self.contradiction(own, signed)),
            None => Ok(()),
        }
    }

    /// Judges the heads whose ticks have been walked to.
    pub(super) fn judge_waiting(&mut self, marks: &[HeadMark]) -> Result<(), Breach> {
        let due: Vec<(HeadRef, HeadRef)> = self.heads.due(marks).collect();
        for (own, head) in due {
            let Some((signed, source)) = self.heads.waiting.remove(&head) else { continue };
            if source == Source::Message {
                records::save_waiting(&self.heads, &mut self.out.changes);
            }
            if own != head {
                return Err(disagreement(own, &signed, source));
            }
        }
        Ok(())
    }

    /// Fetches the heads of skipped ticks for which somebody else has named one.
    pub(super) fn fetch_skipped(&mut self, first: u64, last: u64) {
        let named = self.heads.waiting.keys().map(|head| head.tick);
        let skipped: Vec<u64> = named.filter(|tick| (first..=last).contains(tick)).collect();
        skipped.into_iter().for_each(|tick| self.want_head_at(tick));
    }

    pub(super) fn contradiction(&self, own: HeadRef, signed: &SignedHead) -> Breach {
        disagreement(own, signed, Source::Server)
    }

    /// Two heads of the server, the second computed from its ticks.
    pub(super) fn fork(&self, own: HeadRef, other: HeadRef) -> Breach {
        Breach::SplitView(Evidence::pair(own, other, None))
    }
}

fn disagreement(own: HeadRef, other: &SignedHead, source: Source) -> Breach {
    let pair = Evidence::pair(own, other.head.to_ref(), Some(encode(other)));
    match source {
        Source::Message => Breach::Foreign(pair),
        Source::Server => Breach::SplitView(pair),
    }
}

/// Receipts.
impl LogFollower {
    /// The tick that a receipt proves for this cell.
    ///
    /// # Errors
    /// [`Breach`] when the receipt proves nothing, or contradicts one's own log.
    pub(crate) fn verify_receipt(
        &mut self,
        receipt: &Receipt,
        tag: &Tag,
        cell: CellHash,
    ) -> Result<u64, Breach> {
        self.trust.head(&receipt.head)?;
        let head = receipt.verify_hash(self.trust.ring()?, tag, cell);
        let tick = head.map_err(|_| Breach::CellProof)?.tick;
        self.judge_signed(&receipt.head)?;
        Ok(tick)
    }

    /// Stops everything for a breach that was noticed beside the log.
    pub(crate) fn accuse(&mut self, breach: Breach) {
        self.halt(breach);
    }

    /// Whether the server may have deleted what `tick` stored.
    pub(crate) fn may_have_expired(&self, tick: u64) -> bool {
        let age = |time_ms: u64| self.time_ms().saturating_sub(time_ms);
        self.time_of(tick).is_none_or(|time_ms| age(time_ms) >= self.trust.retention_ms())
    }
}

/// Heads of skipped ticks.
impl LogFollower {
    /// Wants the head of a walked tick that is not kept; ends in [`LogEvent::HeadAt`], or in
    /// [`LogEvent::NoHeadAt`] once for each connection. May be called again and again: what is asked
    /// already, refused on this connection or not walked to changes nothing, nor does anything while
    /// [`WANTED_MAX`] others wait.
    pub(crate) fn want_head_at(&mut self, tick: u64) {
        if self.head_at(tick).is_some() {
            self.out.tell(LogEvent::HeadAt { tick });
        } else if tick <= self.walked() && self.heads.has_room_for(tick) {
            self.heads.wanted.push_back(tick);
            self.ask_wanted();
        }
    }

    /// Wants the head of a walked tick with the server's signature, for
    /// [`signed_at`](Self::signed_at); answered as [`want_head_at`](Self::want_head_at) is.
    pub(crate) fn want_signed_at(&mut self, tick: u64) {
        if tick <= self.walked() && self.signed_at(tick).is_none() && self.heads.has_room_for(tick)
        {
            self.heads.wanted.push_back(tick);
            self.ask_wanted();
        }
    }

    /// A head with the server's signature, where it is at hand.
    pub(crate) fn signed_at(&self, tick: u64) -> Option<&SignedHead> {
        let newest = self.signed_head().filter(|signed| signed.head.tick == tick);
        self.heads.signed.get(&tick).or(newest)
    }

    /// Asks for the next wanted head, one at a time.
    pub(super) fn ask_wanted(&mut self) {
        if self.heads.asking.is_some() || !self.course.is_located() {
            return;
        }
        if let Some(tick) = self.heads.wanted.pop_front() {
            self.heads.asking = Some(Asking::Head(tick));
            self.out.ask(Ask::Head, Request::Proof { from_size: 0, to_tick: tick });
        }
    }

    pub(super) fn on_head(&mut self, answer: Answer) -> Result<(), Breach> {
        match (self.heads.asking.take(), answer) {
            (Some(Asking::Head(tick)), Answer::Proof(proof)) => self.on_candidate(tick, &proof),
            (Some(Asking::Bond { mark, own }), Answer::Proof(proof)) => {
                self.on_bond(mark, own, &proof)
            }
            (Some(asking), Answer::Refused(refusal)) => {
                self.on_head_refused(asking.tick(), refusal.kind);
                Ok(())
            }
            _ => Err(Breach::Answer),
        }
    }

    /// The server's head of that tick; one's own must be its continuation.
    fn on_candidate(&mut self, tick: u64, proof: &LogProof) -> Result<(), Breach> {
        let (head, _) = self.trust.continuation(proof, &empty_tree())?;
        if head.tick != tick {
            return Err(Breach::Answer);
        }
        match self.head_at(tick) {
            Some(known) if known != head.to_ref() => {
                return Err(self.contradiction(known, &proof.head));
            }
            Some(_) => {
                self.heads.keep_signed(&proof.head);
                self.out.tell(LogEvent::HeadAt { tick });
                self.ask_wanted();
                return Ok(());
            }
            None => {}
        }
        let (mark, own) = (HeadMark::from(head), self.course.own());
        self.heads.asking = Some(Asking::Bond { mark, own });
        let request = Request::Proof { from_size: mark.size, to_tick: own.tick };
        self.out.ask(Ask::Head, request);
        Ok(())
    }

    fn on_bond(&mut self, mark: HeadMark, own: HeadRef, proof: &LogProof) -> Result<(), Breach> {
        let head: &Head = self.trust.head(&proof.head)?;
        if head.to_ref() != own {
            return Err(self.contradiction(own, &proof.head));
        }
        self.trust.continuation(proof, &mark.head_ref())?;
        self.listing.keep_mark(mark, &mut self.out.changes);
        self.judge_waiting(&[mark])?;
        self.out.tell(LogEvent::HeadAt { tick: mark.tick });
        self.ask_wanted();
        Ok(())
    }

    fn on_head_refused(&mut self, tick: u64, kind: RefusalKind) {
        if matches!(kind, RefusalKind::Busy | RefusalKind::Closing | RefusalKind::Storage) {
            // Asked again with the next tick or heartbeat, or in a second.
            self.heads.wanted.push_back(tick);
        } else {
            self.heads.denied.insert(tick);
            self.heads.give_up(tick);
            records::save_waiting(&self.heads, &mut self.out.changes);
            self.out.tell(LogEvent::NoHeadAt { tick });
            self.ask_wanted();
        }
    }
}
