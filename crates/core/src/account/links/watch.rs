//! Looking for letters to the links and doors of this device among what the server lists.
//!
//! A link is watched from its making until its end, and each remembers from where. Doors are many
//! and never end: they share one place, so that a busy server does not make each of them write.

use super::super::Account;
use super::MyLink;
use super::{Aim, Links, WATCH_SAVE_TICKS};
use crate::cells::Owner;
use crate::link::{ANSWER_SLOTS, DOOR_SLOTS, LinkKind, OFFER_DAYS, Post};
use crate::stored::{LoadError, from_bytes, to_bytes};

/// The record that says how far all doors were watched.
const DOORS: &[u8] = b"d";

/// How far letters were looked for: the tick, and its day.
pub(super) type Seen = (u64, u32);

impl Account {
    /// Looks for answers among what was listed since the last look.
    pub(in super::super) fn watch_answers(&mut self) {
        if self.copied {
            return;
        }
        self.ask_again();
        let cursor = self.links.cursor.or_else(|| self.links.needs_listings_from());
        let since = cursor.unwrap_or_else(|| self.log.walked());
        // Thousands of addresses are not derived while nothing new is listed.
        if since >= self.log.walked() {
            return;
        }
        self.refresh_watched();
        let found: Vec<_> = self
            .log
            .listed_since(since)
            .filter_map(|(prefix, tick)| Some((*self.links.watched.get(&prefix)?, tick)))
            .collect();
        self.links.cursor = Some(self.log.walked());
        for ((id, post), tick) in found {
            self.read_answer(id, post, tick);
        }
        self.move_watch();
    }

    /// What waits for a head, or for parts that were not there or found no place in the queue.
    fn ask_again(&mut self) {
        for (id, post, sealed, tick) in std::mem::take(&mut self.links.untimed) {
            self.on_answer_read(id, post, &sealed, tick);
        }
        if self.links.retry_at_ms.is_some_and(|at| at > self.clock.now_ms()) {
            return;
        }
        self.links.retry_at_ms = None;
        let server = self.me.server;
        let reading = self.links.all.values().flat_map(|link| {
            let letters = link.reading.iter();
            letters.map(|(post, (read, tick))| {
                (link.id, *post, read.wanted(*tick, &server, &self.log))
            })
        });
        for (link, post, wanted) in reading {
            for (index, tag, tick) in wanted {
                self.cells.get(tag, tick, Owner::Link { link, post, index });
            }
        }
    }

    fn refresh_watched(&mut self) {
        let day = self.today();
        if !self.links.watched.is_empty() && self.links.watched_day == day {
            return;
        }
        let server = &self.me.server;
        let doors = self.links.doors_seen.map(|(_, day)| day);
        let watched = self.links.all.values().filter(|link| link.is_watched());
        let prefixes = watched.flat_map(|link| {
            let secret = link.secret();
            let posts = link.posts(doors, day).into_iter();
            posts.map(move |post| (post.keys(&secret, server).prefix, (link.id, post)))
        });
        self.links.watched = prefixes.collect();
        self.links.watched_day = day;
    }

    fn move_watch(&mut self) {
        // While days are caught up with, the newest head's day is not that of what was read.
        if !self.log.caught_up() {
            return;
        }
        let (walked, today) = (self.log.walked(), self.today());
        let far = |(from, day): Seen| walked > from.saturating_add(WATCH_SAVE_TICKS) || day < today;
        let idle =
            |link: &&mut MyLink| link.reading.is_empty() && far((link.watch_from, link.watch_day));
        let mut moved = Vec::new();
        let links = self.links.all.values_mut().filter(|link| link.is_watched() && !link.is_door());
        for link in links.filter(idle) {
            link.watch_from = walked;
            link.watch_day = today;
            link.forget_days_before(today.saturating_sub(1));
            moved.push(link.id);
        }
        moved.iter().for_each(|id| self.save_link(id));
        let mut doors = self.links.all.values().filter(|link| link.is_door());
        if doors.all(|door| door.reading.is_empty()) && self.links.doors_seen.is_some_and(far) {
            let doors = self.links.all.values_mut().filter(|link| link.is_door());
            doors.for_each(|door| door.forget_days_before(today.saturating_sub(1)));
            self.see_doors((walked, today));
        }
    }

    /// Requests at doors that were listed up to here are read.
    pub(in super::super) fn see_doors(&mut self, seen: Seen) {
        self.links.doors_seen = Some(seen);
        self.news.record("link", DOORS.to_vec(), Some(to_bytes(&seen)));
    }
}

impl Links {
    pub(in super::super) fn load_doors_seen(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        self.doors_seen = Some(from_bytes(bytes)?);
        Ok(())
    }
}

impl MyLink {
    /// Where letters to it may stand. What is answered by day is watched from the day before the last
    /// look until tomorrow, by clocks that differ.
    fn posts(&self, doors_seen: Option<u32>, today: u32) -> Vec<Post> {
        let last_look = if self.is_door() { doors_seen.unwrap_or(today) } else { self.watch_day };
        let oldest = last_look.min(today).max(today.saturating_sub(OFFER_DAYS));
        let days = oldest.saturating_sub(1)..=today.saturating_add(1);
        match (self.aim, self.kind) {
            (Aim::Door { .. }, _) => days
                .flat_map(|day| (0..DOOR_SLOTS).map(move |slot| Post::Reentry { day, slot }))
                .collect(),
            (_, LinkKind::OneTime) => vec![Post::Answer],
            (_, LinkKind::Reusable) => days
                .flat_map(|day| (0..ANSWER_SLOTS).map(move |slot| Post::DayAnswer { day, slot }))
                .collect(),
        }
    }
}
