//! When a device was there to read.
//!
//! What was stored is gone after the retention. Nobody can be blamed for not having what was gone
//! before their device came back, and everybody for the rest: so it is judged cell by cell, from the
//! times at which a device had a connection, and never for a whole world at once.

use crate::world::World;

/// Being connected for so long, in all, is time enough to read what is listed, in milliseconds.
const ENOUGH_MS: u64 = 600_000;

/// The times at which one device had a connection.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    past: Vec<(u64, u64)>,
    since_ms: Option<u64>,
}

impl Presence {
    pub(crate) fn comes(&mut self, now_ms: u64) {
        self.since_ms.get_or_insert(now_ms);
    }

    pub(crate) fn goes(&mut self, now_ms: u64) {
        self.past.extend(self.since_ms.take().map(|since_ms| (since_ms, now_ms)));
    }

    /// Milliseconds of connection between two times.
    fn within(&self, from_ms: u64, to_ms: u64) -> u64 {
        let open = self.since_ms.map(|since_ms| (since_ms, u64::MAX));
        let times = self.past.iter().copied().chain(open);
        times.map(|(comes, goes)| goes.min(to_ms).saturating_sub(comes.max(from_ms))).sum()
    }

    /// Whether there was a connection at that time.
    fn is_there(&self, at_ms: u64) -> bool {
        let past = self.past.iter().any(|(comes, goes)| (*comes..*goes).contains(&at_ms));
        past || self.since_ms.is_some_and(|since_ms| since_ms <= at_ms)
    }

    /// When connections ended.
    fn ends(&self) -> impl Iterator<Item = u64> + '_ {
        self.past.iter().map(|(_, goes)| *goes)
    }
}

impl World {
    /// Whether what the server stored at that time may have been gone before this person's device
    /// had the time to read it.
    pub(crate) fn may_have_missed(&self, who: usize, stored_ms: u64) -> bool {
        self.lacks_parts(who, stored_ms, stored_ms)
    }

    /// The same of what could be found from `stored_ms` on and lay in part on the server since `since_ms`.
    pub(crate) fn lacks_parts(&self, who: usize, stored_ms: u64, since_ms: u64) -> bool {
        let gone_ms = since_ms + self.server.retention_ms();
        let presence = &self.people[who].presence;
        gone_ms <= self.now_ms && presence.within(stored_ms, gone_ms) < ENOUGH_MS
    }

    /// Whether this person's device was ever away for so long that what it knows of the log, or cells
    /// that it had not read, may have been gone when it came back.
    pub(crate) fn was_absent(&self, who: usize) -> bool {
        self.people[who].presence.ends().any(|end_ms| self.may_have_missed(who, end_ms))
    }

    /// Whether that fell into an absence after which what this device knew of the log was gone: it has
    /// lost every conversation that went on meanwhile.
    pub(crate) fn was_absent_at(&self, who: usize, at_ms: u64) -> bool {
        let presence = &self.people[who].presence;
        let before = presence.ends().filter(|end_ms| *end_ms <= at_ms).max();
        let absent = before.is_some_and(|end_ms| self.may_have_missed(who, end_ms));
        absent && !presence.is_there(at_ms)
    }

    /// The same of anybody.
    pub(crate) fn anybody_was_absent(&self) -> bool {
        (0..self.people.len()).any(|who| self.was_absent(who))
    }
}
