//! Answers to the links made here, and the routing of all letters.

use super::Account;
use super::join::{PendingJoin, Source};
use super::letters::{LetterRead, Step};
use super::links::{Aim, LinkState};
use super::reopen::Asked;
use super::requests::Stranger;
use crate::cells::Owner;
use crate::ids::Name;
use crate::link::{Answer, LinkKind, Post};
use undertone_wire::Cell;

/// Wait before the parts of an answer that were not there are asked for again, in milliseconds.
const LETTER_RETRY_MS: u64 = 15_000;

impl Account {
    /// A cell stands where an answer to a link belongs.
    pub(super) fn read_answer(&mut self, id: [u8; 16], post: Post, tick: u64) {
        let server = self.me.server;
        let Some(link) = self.links.link_mut(&id) else { return };
        if link.done.contains(&post) || link.reading.contains_key(&post) {
            return;
        }
        let read = LetterRead::new(&link.secret(), &server, post, link.letters());
        let tag = read.tag();
        link.reading.insert(post, (read, tick));
        self.cells.get(tag, Some(tick), Owner::Link { link: id, post, index: None });
    }

    /// A cell of a letter has arrived: the answer to a link made here, or the offer of another's.
    pub(super) fn on_letter_cell(
        &mut self,
        id: [u8; 16],
        post: Post,
        index: Option<u32>,
        cell: Cell,
    ) {
        if self.accepting.contains_key(&id) {
            return self.on_offer_cell(id, post, index, cell);
        }
        let server = self.me.server;
        let Some(link) = self.links.link_mut(&id) else { return };
        let Some((read, tick)) = link.reading.get_mut(&post) else { return };
        let tick = *tick;
        let step = match index {
            None => read.cell(&cell, &server),
            Some(index) => read.part(index, cell, &server),
        };
        match step {
            Step::Wait => {}
            Step::Parts(parts) => self.fetch_parts(id, post, parts),
            Step::Payload(payload) => self.on_answer_read(id, post, &payload, tick),
            Step::Junk => self.on_junk_answer(id, post),
        }
    }

    /// A letter, or a part of it, is not there although it should be.
    pub(super) fn on_letter_absent(&mut self, id: [u8; 16], post: Post, index: Option<u32>) {
        if self.accepting.contains_key(&id) {
            self.on_offer_absent(id, post);
        } else if index.is_some() {
            self.on_part_absent(id, post);
        } else if let Some(link) = self.links.link_mut(&id)
            && link.reading.remove(&post).is_some()
            // At a door it was another cell's listing; a request may still come.
            && !link.is_door()
        {
            self.on_junk_answer(id, post);
        }
    }

    /// A part is not there, and not listed as far as is known here: it is asked for again, some times.
    fn on_part_absent(&mut self, id: [u8; 16], post: Post) {
        // The parts of one round come back together and are one absence of their letter.
        let ahead = self.links.retry_at_ms.filter(|at| *at > self.clock.now_ms());
        let round = ahead.unwrap_or(self.clock.now_ms() + LETTER_RETRY_MS);
        self.links.retry_at_ms = Some(round);
        let read = self.links.link_mut(&id).and_then(|link| link.reading.get_mut(&post));
        if read.is_some_and(|(read, _)| read.count_absence(round)) {
            self.on_junk_answer(id, post);
        }
    }

    /// A listed letter does not come. An answer is asked for again and again; for an offer, whoever
    /// accepts is told.
    pub(super) fn on_letter_withheld(&mut self, id: [u8; 16], post: Post, index: Option<u32>) {
        if self.accepting.contains_key(&id) {
            return self.on_letter_absent(id, post, index);
        }
        self.alarm(
            "withheld",
            "The server lists an answer to one of your links, or a contact's request, and does not \
             deliver it.",
        );
    }

    pub(super) fn on_letter_stored(&mut self, id: [u8; 16], post: Post) {
        match post {
            Post::Offer | Post::DayOffer { .. } => self.on_offer_stored(id, post),
            Post::Answer | Post::DayAnswer { .. } => self.log_moved = true,
            Post::Reentry { day, slot } if self.today() > day.saturating_add(1) => {
                // So late that the other side does not look at that day any more.
                self.ask_elsewhere(id, slot);
            }
            Post::Reentry { .. } => {}
        }
    }

    pub(super) fn on_letter_taken(&mut self, id: [u8; 16], post: Post) {
        match post {
            Post::Offer | Post::DayOffer { .. } => self.on_offer_taken(id, post),
            Post::Answer | Post::DayAnswer { .. } => self.on_answer_taken(id),
            Post::Reentry { slot, .. } => self.ask_elsewhere(id, slot),
        }
    }

    pub(super) fn on_answer_read(&mut self, id: [u8; 16], post: Post, sealed: &[u8], tick: u64) {
        if !self.links.link_mut(&id).is_some_and(|link| link.is_watched()) {
            return;
        }
        let Some(secret) = self.envelope_of(&id) else { return };
        let Some(time_ms) = self.log.time_of(tick) else {
            // Whether it came in time is judged by its own tick, once that head is here.
            self.log.want_head_at(tick);
            self.links.untimed.push((id, post, sealed.to_vec(), tick));
            return;
        };
        let Some(link) = self.links.link_mut(&id) else { return };
        let tag = post.keys(&link.secret(), &self.me.server).tag;
        let (kind, aim, in_time) = (link.kind, link.aim, time_ms < link.expires_ms);
        link.reading.remove(&post);
        link.done.insert(post);
        self.save_link(&id);
        if let Aim::Door { peer, .. } = aim {
            let asked = Asked { tick, time_ms };
            return self.on_request(&peer, sealed, &secret, &tag, asked);
        }
        match Answer::open(sealed, &secret, &tag) {
            Ok(answer) if in_time && self.is_awaited(aim, &answer, tick) => {
                self.take_answer(id, post, kind, &answer, time_ms, tick);
            }
            // Of an address, others may have come in time and are still being read.
            Ok(_) if !in_time && kind == LinkKind::OneTime => {
                self.close_link(id, LinkState::Expired);
            }
            Ok(_) if !in_time => {}
            _ => self.on_junk_answer(id, post),
        }
    }

    /// Whether an answer may come by a link of that aim.
    fn is_awaited(&self, aim: Aim, answer: &Answer, tick: u64) -> bool {
        let by = &answer.list.identity;
        match aim {
            Aim::Return { peer } => {
                let follows = self.contacts.judge_list(&answer.list).is_ok();
                *by == peer && follows && self.may_come_back(by, tick)
            }
            _ => *by != self.me.identity,
        }
    }

    fn take_answer(
        &mut self,
        id: [u8; 16],
        post: Post,
        kind: LinkKind,
        answer: &Answer,
        time_ms: u64,
        tick: u64,
    ) {
        let join = PendingJoin::from_answer(answer, Source::Answer { link: id }, tick);
        if join.opening().is_none_or(|opening| opening.tick > tick) {
            return self.on_junk_answer(id, post);
        }
        if kind == LinkKind::OneTime {
            return self.add_join(join);
        }
        let name = Name::tamed_bytes(answer.name.as_slice());
        let text = answer
            .message
            .as_ref()
            .map(|message| String::from_utf8_lossy(message.text.as_slice()).into_owned());
        self.add_request(Stranger { join, name, text, stored_ms: time_ms });
    }

    /// Somebody who holds the link wrote something else than an answer. A one-time link is used up
    /// by that; an address merely has one slot less.
    fn on_junk_answer(&mut self, id: [u8; 16], post: Post) {
        let Some(link) = self.links.link_mut(&id) else { return };
        link.reading.remove(&post);
        link.done.insert(post);
        let (kind, aim) = (link.kind, link.aim);
        self.save_link(&id);
        match aim {
            Aim::Door { peer, .. } => self.on_junk_request(&peer),
            Aim::Return { .. } => self.on_no_answer(id),
            Aim::Contact if kind == LinkKind::OneTime => {
                self.close_link(id, LinkState::Used);
                let text = "Somebody used up a contact link with something that cannot be read. \
                            Make a new link.";
                self.alarm("link_used", text);
            }
            Aim::Contact => {}
        }
    }
}
