//! Beginning a contact's conversation anew because they ask for it.
//!
//! A contact's request at the door that they were given is answered by itself and shown (DESIGN.md
//! section 5): the person is known, their device list is signed by them, and no older list is followed.
//! The new conversation takes the old one's place in its chat. What each side had written and the
//! other had not read is gone for the other, and both are told so.
//!
//! When both ask, both answer; the conversation that the lower fingerprint founded stays, and nothing is
//! written in the other: texts wait until somebody has joined.

use super::Account;
use super::accept::{Answering, Beginning};
use super::links::Aim;
use crate::conversation::Conversation;
use crate::ids::ChatId;
use crate::io::{ChatState, Event};
use crate::link::{LinkKind, LinkUri, Reentry, link_id};
use undertone_crypto::{EnvelopeSecret, IdentityKey, ListFault};
use undertone_wire::Tag;
use undertone_wire::checks::{Check, is_off};

/// Where a request stands in the log.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// The tick that stores it.
    pub tick: u64,
    /// The server's clock then.
    pub time_ms: u64,
}

impl Account {
    /// A contact has written to their door.
    pub(super) fn on_request(
        &mut self,
        peer: &IdentityKey,
        sealed: &[u8],
        secret: &EnvelopeSecret,
        tag: &Tag,
        asked: Asked,
    ) {
        let Ok(request) = Reentry::open(sealed, secret, tag, &self.me.server, peer) else {
            return self.on_junk_request(peer);
        };
        if !self.may_follow(peer, &request) {
            return;
        }
        let id = link_id(&request.secret);
        // The names of what is written here are the asker's choice, and free (R08).
        let used = self.links.link(&id).is_some() || self.answers_under(&id);
        if used && !is_off(Check::RequestSecret) {
            return self.on_junk_request(peer);
        }
        let late = request.offer.expires_ms <= asked.time_ms.max(self.log.time_ms());
        if late && !is_off(Check::RequestInTime) {
            return;
        }
        if !self.is_done(peer, &request, asked) || is_off(Check::RequestNeeded) {
            self.reopen(peer, &request);
        }
    }

    /// R07: whether the request's device list may be followed; it is, then. A device that its owner has
    /// taken out of their list asks in vain.
    fn may_follow(&mut self, peer: &IdentityKey, request: &Reentry) -> bool {
        let list = &request.offer.list;
        if is_off(Check::RequestList) {
            return true;
        }
        if matches!(self.contacts.judge_list(list), Err(ListFault::Older { .. })) {
            self.tell_outdated(peer);
            return false;
        }
        self.contacts.follow_list(list, &mut self.news);
        self.contacts.judge_list(list).is_ok()
    }

    /// Only the contact could write there.
    pub(super) fn on_junk_request(&mut self, peer: &IdentityKey) {
        let who = self.contacts.name_of(peer);
        let text = format!(
            "{who}'s device asked to begin your conversation anew with something that is not right. \
             Nothing was done."
        );
        self.alarm("re-entry", &text);
    }

    fn tell_outdated(&mut self, peer: &IdentityKey) {
        let who = self.contacts.name_of(peer);
        let text = format!(
            "A device that {who} has given up asked to begin your conversation anew. Nothing was done."
        );
        self.alarm("re-entry", &text);
    }

    /// R10: whether the device that asked is in the present conversation already: it founded that one in
    /// the lost one's place, or at least later; or it was heard there since.
    fn is_done(&self, peer: &IdentityKey, request: &Reentry, asked: Asked) -> bool {
        let present = self.contacts.chat_with(peer).and_then(|chat| self.conversations.get(&chat));
        present.is_some_and(|present| {
            let replaces = present.succession.succeeds() == Some(request.lost)
                && present.has_seated(&request.offer);
            let founded = present.by_peer.is_some_and(|tick| replaces || tick > asked.tick);
            founded || present.has_heard(&request.offer, asked.time_ms)
        })
    }

    fn reopen(&mut self, peer: &IdentityKey, request: &Reentry) {
        let link = LinkUri {
            kind: LinkKind::OneTime,
            address: Vec::new().into(),
            server: self.me.server,
            secret: request.secret,
            identity: *peer,
            expires_ms: request.offer.expires_ms,
            admission: Vec::new().into(),
        };
        if self.me.identity < *peer {
            self.end_asking(peer);
        }
        let lost = self.lost_chat_with(peer).is_some();
        let chat = self.contacts.chat_with(peer);
        let begun = self.begin_contact(Beginning { link, offer: &request.offer, text: None });
        match (begun, chat) {
            (Err(refused), _) => self.alarm("re-entry", &refused.message),
            (Ok(()), Some(chat)) => self.tell_begun_anew(chat, peer, !lost),
            (Ok(()), None) => {}
        }
    }

    /// The chat with a contact goes on with a conversation that begins anew; false when there is none.
    pub(super) fn hand_over(&mut self, peer: &IdentityKey, to: &mut Conversation) -> bool {
        let Some(chat) = self.contacts.chat_with(peer) else { return false };
        self.forget_answering(chat);
        let Ok(estate) = self.retire(chat, false) else { return false };
        to.inherit(estate, false, &mut self.ctx());
        true
    }

    /// Whether the answer in `tick` to a request of this device may be followed: what it asked for is
    /// still lost; or stands in a conversation of this device's own that nobody has joined and that
    /// gives way, or that the other side has left since, for whoever answers has.
    pub(super) fn may_come_back(&self, peer: &IdentityKey, tick: u64) -> bool {
        let present = self.contacts.chat_with(peer).and_then(|chat| self.conversations.get(&chat));
        present.is_some_and(|present| {
            let waits = present.state == ChatState::Requested && self.me.identity > *peer;
            let left = self.log.time_of(tick).is_some_and(|at_ms| present.was_heard_before(at_ms));
            present.is_lost() || (present.by_peer.is_none() && (waits || left))
        })
    }

    /// Whether a link is the way back of a request to this person.
    pub(super) fn is_way_back(&self, link: &[u8; 16], peer: &IdentityKey) -> bool {
        let aim = self.links.link(link).map(|link| link.aim);
        matches!(aim, Some(Aim::Return { peer: of }) if of == *peer)
    }

    /// What both sides are told of.
    pub(super) fn tell_begun_anew(&mut self, chat: ChatId, peer: &IdentityKey, theirs: bool) {
        let who = self.contacts.name_of(peer);
        let text = if theirs {
            format!(
                "{who}'s device had lost this conversation, and it was begun anew. What you wrote \
                 since their last message may be missing there."
            )
        } else {
            format!(
                "This device had lost the conversation with {who}, and it was begun anew. What was \
                 written meanwhile is missing here."
            )
        };
        self.news.event(Event::Gap { chat, text });
    }

    /// The answer that was to begin a conversation anew is of no use: this device has lost it too.
    pub(super) fn lose_answering(&mut self, answering: &Answering) {
        let why = "its new beginning did not reach the other side";
        self.with(answering.chat, |to: &mut Conversation, ctx| to.stop(why, ctx));
    }
}
