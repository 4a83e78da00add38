//! Coming back: what this device lost, it asks for (DESIGN.md section 5, *Re-entry*; ADR 0011).
//!
//! * A contact whose conversation cannot be followed any more is asked at the door that they gave: the
//!   request goes there sealed, and the answer comes like that to a link. One request at a time stands
//!   with each contact; one that nothing came of is written anew when its time is over.
//! * A group is asked for in the conversations with those contacts in it who can let this device in
//!   again. Their person decides.
//!
//! Nothing is asked for by a device that was copied: it becomes a new one first.

use super::links::{Aim, LinkState, internal};
use super::{Account, refuse};
use crate::body::{Content, Door, Lost};
use crate::conversation::Conversation;
use crate::ids::ChatId;
use crate::io::{ChatKind, ChatState, Event, Refused};
use crate::link::{DOOR_SLOTS, LetterKind, LinkKind, Post, Reentry};
use rand::Rng;
use undertone_crypto::{EnvelopePublic, IdentityKey, Secret};

/// Time in which a request is answered, in milliseconds; afterwards another one is written.
const REQUEST_MS: u64 = 7 * 86_400_000;
/// Wait after a request that could not be written, or an answer that was of no use.
const AGAIN_MS: u64 = 86_400_000;

impl Account {
    /// Asks for everything that this device cannot follow any more and has not asked for yet.
    pub(super) fn ask_back(&mut self) {
        if self.copied || !self.log.caught_up() {
            return;
        }
        self.end_requests();
        let lost = self.conversations.values().filter(|chat| chat.is_lost());
        let lost: Vec<_> = lost.map(|chat| (chat.chat, chat.peer, chat.conversation)).collect();
        for (chat, peer, conversation) in lost {
            match peer {
                Some(peer) if self.contacts.chat_with(&peer) == Some(chat) => {
                    self.ask_contact(chat, peer, conversation);
                }
                Some(_) => {}
                None => self.ask_group(chat, conversation),
            }
        }
    }

    /// The chat with a contact that this device cannot follow any more.
    pub(super) fn lost_chat_with(&self, peer: &IdentityKey) -> Option<ChatId> {
        let chat = self.contacts.chat_with(peer)?;
        self.conversations.get(&chat).filter(|it| it.is_lost()).map(|it| it.chat)
    }

    /// Whether a request of this device stands with a contact.
    pub(super) fn asks(&self, peer: &IdentityKey) -> bool {
        !self.requests_to(peer).is_empty()
    }

    fn requests_to(&self, peer: &IdentityKey) -> Vec<[u8; 16]> {
        self.links.aimed(|aim| matches!(aim, Aim::Return { peer: of } if of == peer))
    }

    /// Requests whose time is over, or of which nothing came, make way for others.
    fn end_requests(&mut self) {
        let now_ms = self.log.time_ms();
        for id in self.links.aimed(|aim| matches!(aim, Aim::Return { .. })) {
            let link = self.links.link(&id);
            let over = link.is_some_and(|it| it.expires_ms <= now_ms && it.reading.is_empty());
            if over && !self.joins.comes_by(&id) {
                self.remove_link(id);
            }
        }
    }

    /// The conversation goes on, by whatever way: nothing is asked for any more.
    pub(super) fn end_asking(&mut self, peer: &IdentityKey) {
        self.requests_to(peer).into_iter().for_each(|id| self.remove_link(id));
    }

    /// The answer to a request was of no use: another one is written after a while.
    pub(super) fn on_no_answer(&mut self, id: [u8; 16]) {
        self.close_link(id, LinkState::Used);
        let again_ms = self.log.time_ms().saturating_add(AGAIN_MS);
        if let Some(link) = self.links.link_mut(&id) {
            link.expires_ms = link.expires_ms.min(again_ms);
        }
        self.save_link(&id);
    }

    fn ask_contact(&mut self, chat: ChatId, peer: IdentityKey, lost: [u8; 32]) {
        if self.asks(&peer) {
            return;
        }
        let Some(door) = self.contacts.door_of(&peer) else { return };
        match self.write_request(peer, lost, &door) {
            Ok(()) => {
                let who = self.contacts.name_of(&peer);
                let text = format!(
                    "This device has asked {who}'s to begin the conversation anew; that happens by \
                     itself when theirs is online."
                );
                self.news.event(Event::Member { chat, text });
            }
            Err(refused) => self.alarm("re-entry", &refused.message),
        }
    }

    fn write_request(
        &mut self,
        peer: IdentityKey,
        lost: [u8; 32],
        door: &Door,
    ) -> Result<(), Refused> {
        let expires_ms = self.log.time_ms().saturating_add(REQUEST_MS);
        let id = self.new_link(LinkKind::OneTime, Aim::Return { peer }, expires_ms)?;
        let slot = self.rng.random_range(0..DOOR_SLOTS);
        let written = self.post_request(id, lost, door, slot);
        if written.is_err() {
            self.on_no_answer(id);
        }
        written
    }

    fn post_request(
        &mut self,
        id: [u8; 16],
        lost: [u8; 32],
        door: &Door,
        slot: u16,
    ) -> Result<(), Refused> {
        let (secret, offer) =
            self.sign_offer(id, Post::Offer, 0)?.ok_or_else(|| internal("gone"))?;
        let request =
            Reentry { lost, secret: *secret.dangerous_bytes(), offer, signature: [0; 64] };
        let at = Secret::from_bytes(door.secret);
        let post = Post::Reentry { day: self.today(), slot };
        let tag = post.keys(&at, &self.me.server).tag;
        let envelope = EnvelopePublic(door.envelope.as_slice().to_vec());
        let sealed = request.seal(&self.me.leaf_key, &tag, &envelope, &mut self.rng);
        let sealed = sealed.map_err(|_| {
            refuse(
                "re-entry",
                "A contact's device gave an address that cannot be written to.",
                "Begin the conversation anew with a fresh link: `undertone link`.",
            )
        })?;
        self.post_letter(id, &at, post, LetterKind::Reentry, &sealed).map_err(internal)?;
        self.save_link(&id);
        Ok(())
    }

    /// Something else stands where a request was to be: it goes to the next of the day's slots, until
    /// none is left.
    pub(super) fn ask_elsewhere(&mut self, id: [u8; 16], slot: u16) {
        let Some(Aim::Return { peer }) = self.links.link(&id).map(|link| link.aim) else { return };
        if self.copied {
            return;
        }
        let tried = self.links.link_mut(&id).map_or(DOOR_SLOTS, |link| {
            link.taken += 1;
            link.taken
        });
        let lost = self.lost_chat_with(&peer).and_then(|chat| self.conversations.get(&chat));
        let lost = lost.map(|chat| chat.conversation);
        self.cells.forget_link(&id);
        let (Some(lost), Some(door)) = (lost, self.contacts.door_of(&peer)) else { return };
        if tried >= DOOR_SLOTS {
            return self.on_no_answer(id);
        }
        if let Err(refused) = self.post_request(id, lost, &door, (slot + 1) % DOOR_SLOTS) {
            self.alarm("re-entry", &refused.message);
        }
    }

    /// Asks those who can let this device into a group again, once in each conversation with them.
    fn ask_group(&mut self, chat: ChatId, conversation: [u8; 32]) {
        let helpers = self.with(chat, |group, ctx| group.helpers(ctx)).unwrap_or_default();
        for helper in helpers {
            let contact =
                self.contacts.chat_with(&helper).and_then(|it| self.conversations.get(&it));
            let Some(contact) = contact.filter(|it| it.is_live()) else { continue };
            let (contact, through) = (contact.chat, contact.conversation);
            let asked = self.with(chat, |group, _| group.note_asked(helper, through));
            if asked == Some(true) {
                let content = Content::Lost(Lost { conversation });
                self.with(contact, |to, ctx| to.enqueue(None, &content, ctx));
                self.due.insert(contact);
            }
        }
    }

    /// A contact's device asks to be let into a group again.
    pub(super) fn on_lost_group(&mut self, from: IdentityKey, conversation: [u8; 32], tick: u64) {
        let mut groups = self.conversations.values();
        let group = groups.find(|it| {
            it.conversation == conversation && it.kind() == ChatKind::Group && it.is_live()
        });
        let Some(chat) = group.map(|it| it.chat) else { return };
        self.with(chat, |group, ctx| group.on_asked(from, tick, ctx));
    }
}

impl Conversation {
    /// Whether this device cannot follow it any more, and a person sees it.
    pub(crate) fn is_lost(&self) -> bool {
        self.state == ChatState::Stuck && !self.succession.retired
    }
}
