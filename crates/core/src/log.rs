//! # The follower of the server's log
//!
//! One per account. It walks the log tick by tick, keeps what was listed since the oldest tick that
//! somebody here still needs, and notices whatever a server can do to a log: every check has a
//! number ([`Breach`]). It is pure: requests wait in [`LogFollower::poll_request`] until the
//! account sends them, with the [`Ask`] that comes back beside the answer.
//!
//! **What it promises.** [`walked`](LogFollower::walked) names a tick up to which every prefix is
//! known and every root was computed here; nothing counts as listed before that. After a connection
//! opens, the newest head is asked for first and proved consistent with one's own
//! ([`caught_up`](LogFollower::caught_up) tells when it has been walked to). A profile without a
//! past adopts the newest head on first use and begins there.
//!
//! **On a breach** it stops: no request leaves, nothing is followed. A breach that rests on two
//! heads (a split view, an undeclared rollback) is kept with both of them and outlasts restarts;
//! any other ends with the connection, since only a new one can show what it was.

mod breach;
mod course;
mod heads;
mod listing;
mod lives;
mod records;
mod rewind;
#[cfg(test)]
pub(crate) mod rig;
mod run;
#[cfg(test)]
mod tests;
mod trust;
mod walker;

pub(crate) use breach::{Alarm, Breach, Evidence};
pub(crate) use heads::Foreign;
pub(crate) use lives::Hole;
pub(crate) use walker::HeadMark;

use crate::stored::LoadError;
use course::Course;
use heads::Heads;
use listing::Listing;
use lives::Lives;
use rewind::Rewinder;
use std::collections::{BTreeMap, VecDeque};
use trust::Trust;
use undertone_wire::{Answer, DigestPage, HeadRef, Prefix, Request, ServerId, SignedHead};

/// What a request was for; the account keeps it beside the request's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Who the server is.
    Info,
    /// A step on the way to the newest head.
    Course,
    /// The stream that a step of the course began.
    Stream,
    /// The head of a tick that was skipped.
    Head,
    /// A step of a second walk, from a joiner's opening head.
    Rewind,
}

/// What the account wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogEvent {
    /// The log has been followed up to this tick; see [`LogFollower::listed_since`].
    Walked {
        /// The newest walked tick.
        tick: u64,
    },
    /// The head that was the newest when the connection opened has been walked to.
    CaughtUp {
        /// The newest walked tick.
        tick: u64,
    },
    /// The server does what must not be; nothing is sent any more.
    Alarm(Alarm),
    /// The server declares that it was restored from a backup.
    Recovered {
        /// The last tick that survived.
        after: u64,
        /// The first tick of the log's new life.
        until: u64,
    },
    /// What lies between these ticks is older than the server's retention: it is lost to this
    /// device, and conversations that lived then need re-entry.
    Lost {
        /// The last tick walked before.
        after: u64,
        /// The tick at which walking goes on.
        until: u64,
    },
    /// The server speaks none of our protocol versions.
    VersionUnsupported {
        /// Its lowest.
        lowest: u16,
        /// Its highest.
        highest: u16,
    },
    /// The head that [`LogFollower::want_head_at`] asked for is known now.
    HeadAt {
        /// Its tick.
        tick: u64,
    },
    /// The head that [`LogFollower::want_head_at`] asked for cannot be had.
    NoHeadAt {
        /// Its tick.
        tick: u64,
    },
    /// Listings are known from this head on.
    Rewound {
        /// As given to [`LogFollower::rewind`].
        opening: HeadRef,
    },
    /// The log does not have this head, or not any more.
    RewindFailed {
        /// As given to [`LogFollower::rewind`].
        opening: HeadRef,
        /// Whether it is merely too old.
        expired: bool,
    },
}

/// The follower; see the module's head.
pub(crate) struct LogFollower {
    trust: Trust,
    course: Course,
    listing: Listing,
    lives: Lives,
    heads: Heads,
    rewinder: Rewinder,
    out: Out,
}

/// What waits for the account.
#[derive(Default)]
struct Out {
    requests: VecDeque<(Ask, Request)>,
    events: VecDeque<LogEvent>,
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Out {
    fn ask(&mut self, ask: Ask, request: Request) {
        self.requests.push_back((ask, request));
    }

    fn tell(&mut self, event: LogEvent) {
        self.events.push_back(event);
    }
}

impl LogFollower {
    /// A follower without a past, for the server of this id.
    pub(crate) fn new(server: ServerId) -> Self {
        Self {
            trust: Trust::new(server),
            course: Course::default(),
            listing: Listing::default(),
            lives: Lives::default(),
            heads: Heads::default(),
            rewinder: Rewinder::default(),
            out: Out::default(),
        }
    }

    /// A follower that goes on from the records of [`take_changes`](Self::take_changes).
    ///
    /// # Errors
    /// When a record is damaged, from a newer version, or of another server.
    pub(crate) fn load<'a>(
        server: ServerId,
        records: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, LoadError> {
        let mut follower = Self::new(server);
        for (key, bytes) in records {
            records::load(&mut follower, key, bytes)?;
        }
        if let Some(evidence) = follower.trust.evidence() {
            follower.out.events.push_back(LogEvent::Alarm(evidence.alarm()));
        }
        Ok(follower)
    }

    /// A connection to the server is open.
    pub(crate) fn connected(&mut self) {
        self.disconnected();
        if !self.trust.has_evidence() {
            self.trust.resume();
            self.course.connect(&mut self.out);
        }
    }

    /// The connection is gone, and every question with it.
    pub(crate) fn disconnected(&mut self) {
        self.out.requests.clear();
        self.course.disconnect();
        self.heads.disconnect();
        self.rewinder.disconnect();
    }

    /// The next request to send, with what comes back in [`on_answer`](Self::on_answer).
    pub(crate) fn poll_request(&mut self) -> Option<(Ask, Request)> {
        self.out.requests.pop_front()
    }

    /// The next thing to know.
    pub(crate) fn poll_event(&mut self) -> Option<LogEvent> {
        self.out.events.pop_front()
    }

    /// What changed since the last call, for the space `log`.
    pub(crate) fn take_changes(&mut self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        std::mem::take(&mut self.out.changes).into_iter().collect()
    }

    /// The server's answer to a request of [`poll_request`](Self::poll_request).
    pub(crate) fn on_answer(&mut self, ask: Ask, answer: Answer) {
        if self.halted() {
            return;
        }
        let outcome = match ask {
            Ask::Info => self.on_info(answer),
            Ask::Course => self.on_course(answer),
            Ask::Stream => self.on_stream_ended(answer),
            Ask::Head => self.on_head(answer),
            Ask::Rewind => self.on_rewind(answer),
        };
        self.settle(outcome);
    }

    /// Digests that the server pushes.
    pub(crate) fn on_push(&mut self, page: DigestPage) {
        if self.halted() {
            return;
        }
        let outcome = self.on_pushed(&page);
        self.settle(outcome);
    }

    fn settle(&mut self, outcome: Result<(), Breach>) {
        if let Err(breach) = outcome {
            self.halt(breach);
        }
    }

    /// The first breach stops everything; what follows from it is not told.
    fn halt(&mut self, breach: Breach) {
        if self.halted() {
            return;
        }
        let alarm = breach.alarm();
        self.disconnected();
        self.trust.halt(&breach);
        records::save_trust(&self.trust, &mut self.out.changes);
        self.out.tell(LogEvent::Alarm(alarm));
    }
}

/// What is known.
impl LogFollower {
    /// The newest tick up to which everything is known; 0 before the first connection.
    pub(crate) fn walked(&self) -> u64 {
        self.course.head().map_or(0, |head| head.tick)
    }

    /// The newest head that was verified here; `None` before the first connection.
    pub(crate) fn head(&self) -> Option<HeadRef> {
        self.course.head().map(HeadMark::head_ref)
    }

    /// The same with the server's signature, as every message shows it to its readers.
    pub(crate) fn signed_head(&self) -> Option<&SignedHead> {
        self.course.walker.as_ref()?.signed()
    }

    /// The server's newest verified time, Unix milliseconds; 0 before the first connection.
    pub(crate) fn time_ms(&self) -> u64 {
        self.course.time_ms()
    }

    /// Whether the head that was the newest when this connection opened has been walked to.
    pub(crate) fn caught_up(&self) -> bool {
        !self.halted() && self.course.caught_up()
    }

    /// Whether a breach was noticed; nothing may be sent.
    pub(crate) fn halted(&self) -> bool {
        self.trust.halted()
    }

    /// The two heads that prove a breach, if one rests on such a pair.
    #[cfg(test)]
    pub(crate) fn evidence(&self) -> Option<&Evidence> {
        self.trust.evidence()
    }

    /// Whose log this is.
    pub(crate) fn server(&self) -> ServerId {
        self.trust.server()
    }

    /// The server's keys as they were shown last; `None` before the first connection.
    pub(crate) fn server_keys(&self) -> Option<&undertone_wire::KeyRing> {
        self.trust.ring().ok()
    }

    /// PUTs that the server lets one connection have unanswered.
    pub(crate) fn puts_in_flight_max(&self) -> usize {
        self.trust.puts_in_flight_max()
    }

    /// The first tick above `after` (and above the retained floor) that lists `prefix`. Only a tag's
    /// first listing ever counts: later ones are looked at where the first was another tag's.
    pub(crate) fn listed_in(&self, prefix: Prefix, after: u64) -> Option<u64> {
        self.listing.first_after(prefix, after)
    }

    /// How often `tick` lists `prefix`.
    pub(crate) fn times_listed(&self, prefix: Prefix, tick: u64) -> usize {
        self.listing.times_listed(prefix, tick)
    }

    /// What was listed in walked ticks above `since`: prefixes with their ticks, in no order.
    pub(crate) fn listed_since(&self, since: u64) -> impl Iterator<Item = (Prefix, u64)> + '_ {
        self.listing.since(since)
    }

    /// The head of a walked tick, where it is kept; else see [`want_head_at`](Self::want_head_at).
    pub(crate) fn head_at(&self, tick: u64) -> Option<HeadRef> {
        self.mark_at(tick).map(|mark| mark.head_ref())
    }

    /// The server's time of a walked tick (Unix milliseconds), where its head is kept.
    pub(crate) fn time_of(&self, tick: u64) -> Option<u64> {
        self.mark_at(tick).map(|mark| mark.time_ms)
    }

    /// Listings are known for ticks above this one.
    pub(crate) fn retained_from(&self) -> u64 {
        self.listing.floor()
    }

    /// Forgets what is listed up to `tick`; the head of `tick` stays. Never goes back: that is
    /// what [`rewind`](Self::rewind) is for. Does nothing while a rewind is under way.
    pub(crate) fn retain_from(&mut self, tick: u64) {
        if self.rewinder.is_idle() {
            self.listing.retain_from(tick.min(self.walked()), &mut self.out.changes);
        }
    }

    fn mark_at(&self, tick: u64) -> Option<HeadMark> {
        let walked = self.course.head().copied().filter(|mark| mark.tick == tick);
        let beginning = Some(HeadMark::beginning()).filter(|mark| mark.tick == tick);
        walked.or_else(|| self.listing.mark_at(tick)).or(beginning)
    }
}
