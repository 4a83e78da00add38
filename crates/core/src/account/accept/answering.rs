//! The answer to an offer: from the founding of a two-party group until it counts, or does not.

use super::super::Account;
use super::super::links::internal;
use super::{Accepting, Answering, Beginning, Stage, name_until_told};
use crate::cells::PutState;
use crate::conversation::{Conversation, Founded};
use crate::ids::ChatId;
use crate::io::{Event, MessageState, Refused, Reply};
use crate::link::{
    ANSWER_SLOTS, Answer, FirstMessage, LetterKind, LinkKind, LinkUri, Offer, Post, day_of, link_id,
};
use crate::stored::to_bytes;
use rand::{Rng, RngCore};
use undertone_crypto::{IdentityKey, Secret};
use undertone_wire::{decode, encode};

impl Account {
    /// Makes the two-party group and writes the answer. With somebody who is a contact already, it
    /// takes the place of the conversation with them.
    pub(in super::super) fn begin_contact(
        &mut self,
        beginning: Beginning<'_>,
    ) -> Result<(), Refused> {
        self.check_not_copied()?;
        let Beginning { link, offer, text } = beginning;
        let (id, peer) = (link_id(&link.secret), link.identity);
        let mut ctx = self.ctx();
        let founded = Conversation::found_contact(peer, offer.package.as_slice(), &mut ctx)?;
        let Founded { mut conversation, welcome, tree, opening } = founded;
        let message = text.map(|text| self.first_message(&text));
        let answer = Answer {
            conversation: conversation.conversation,
            opening,
            list: self.me.list.clone(),
            device: self.me.device,
            name: self.me.name.as_str().as_bytes().to_vec().into(),
            message: message.clone(),
            welcome: welcome.into(),
            tree: tree.into(),
            signature: [0; 64],
        };
        let anew = self.hand_over(&peer, &mut conversation);
        let chat = self.adopt(conversation);
        if !anew {
            let name = self.contacts.claimed_name(&peer).unwrap_or_else(|| name_until_told(&peer));
            self.contacts.add(peer, &name, chat, &offer.list, &mut self.news);
        }
        self.with(chat, Conversation::recheck_lists);
        self.send_packages(chat);
        if let Some(message) = &message {
            self.show_first(chat, message, MessageState::Queued, None);
        }
        let answering = Answering {
            link: encode(&link),
            chat,
            post: self.answer_post(&link),
            answer: encode(&answer),
            offer: encode(offer),
            anew,
        };
        self.begin_answering(id, link, answering)
    }

    fn begin_answering(
        &mut self,
        id: [u8; 16],
        link: LinkUri,
        answering: Answering,
    ) -> Result<(), Refused> {
        let stage = Stage::Answer(Box::new(answering.clone()));
        match self.accepting.get_mut(&id) {
            Some(accepting) => accepting.stage = stage,
            None => {
                let accepting = Accepting { link, message: None, ticket: None, stage };
                self.accepting.insert(id, accepting);
            }
        }
        let written = self.write_answer(id, answering.clone());
        if written.is_err() {
            self.discard(&answering);
        }
        written
    }

    fn first_message(&mut self, text: &str) -> FirstMessage {
        let mut salt = [0; 16];
        self.rng.fill_bytes(&mut salt);
        FirstMessage { salt, sent_ms: self.clock.wall_ms(), text: text.as_bytes().to_vec().into() }
    }

    fn answer_post(&mut self, link: &LinkUri) -> Post {
        match link.kind {
            LinkKind::OneTime => Post::Answer,
            LinkKind::Reusable => {
                Post::DayAnswer { day: self.today(), slot: self.rng.random_range(0..ANSWER_SLOTS) }
            }
        }
    }

    fn write_answer(&mut self, id: [u8; 16], answering: Answering) -> Result<(), Refused> {
        let link: LinkUri = decode(&answering.link).map_err(internal)?;
        let answer: Answer = decode(&answering.answer).map_err(internal)?;
        let offer: Offer = decode(&answering.offer).map_err(internal)?;
        let secret = Secret::from_bytes(link.secret);
        let tag = answering.post.keys(&secret, &self.me.server).tag;
        let sealed =
            answer.seal(&self.me.leaf_key, &tag, &offer, &mut self.rng).map_err(internal)?;
        self.post_letter(id, &secret, answering.post, LetterKind::Answer, &sealed)
            .map_err(internal)?;
        let record = to_bytes(&answering);
        self.news.record("link", [b"a", &id[..]].concat(), Some(record));
        if let Some(accepting) = self.accepting.get_mut(&id) {
            accepting.stage = Stage::Answer(Box::new(answering));
        }
        Ok(())
    }

    /// Looks at every answer that is stored: it counts only if its tick is before the link's end, and
    /// that is known once the log is walked to it.
    pub(in super::super) fn judge_stored_answers(&mut self) {
        for id in self.accepting.keys().copied().collect::<Vec<_>>() {
            let Some((tick, expires_ms)) = self.stored_answer(&id) else { continue };
            if tick > self.log.walked() {
                continue;
            }
            match self.log.time_of(tick) {
                None => self.log.want_head_at(tick),
                Some(time_ms) if time_ms >= expires_ms => self.answer_was_late(id),
                Some(time_ms) if self.is_of_a_past_day(&id, time_ms) => self.write_anew(id),
                Some(_) => self.answer_counts(id, tick),
            }
        }
    }

    /// The tick that stores an answer, and the end of its link.
    fn stored_answer(&self, id: &[u8; 16]) -> Option<(u64, u64)> {
        let Accepting { link, stage: Stage::Answer(answering), .. } = self.accepting.get(id)?
        else {
            return None;
        };
        let tag = answering.post.keys(&Secret::from_bytes(link.secret), &self.me.server).tag;
        match self.cells.put_state(&tag)? {
            PutState::Stored(tick) => Some((tick, link.expires_ms)),
            _ => None,
        }
    }

    /// Whether an answer to an address was stored so late that its maker looks at other days.
    fn is_of_a_past_day(&self, id: &[u8; 16], time_ms: u64) -> bool {
        let Some(Accepting { stage: Stage::Answer(answering), .. }) = self.accepting.get(id) else {
            return false;
        };
        let late = |day: u32| day_of(time_ms) > day.saturating_add(1);
        matches!(answering.post, Post::DayAnswer { day, .. } if late(day))
    }

    /// The link's maker passes the answer over.
    fn answer_was_late(&mut self, id: [u8; 16]) {
        self.discard_answer(&id);
        self.fail(id, "link_expired", "The link expired before your answer arrived.");
    }

    /// The conversation may be written in.
    fn answer_counts(&mut self, id: [u8; 16], tick: u64) {
        let Some(accepting) = self.accepting.remove(&id) else { return };
        let Stage::Answer(answering) = accepting.stage else { return };
        self.news.record("link", [b"a", &id[..]].concat(), None);
        self.cells.forget_link(&id);
        let chat = answering.chat;
        self.with(chat, |conversation, _| conversation.release_hold());
        self.due.insert(chat);
        let answer = decode::<Answer>(&answering.answer).ok();
        if let Some(message) = answer.and_then(|answer| answer.message) {
            self.show_first(chat, &message, MessageState::Stored, Some(tick));
        }
        let view = self.conversations.get(&chat).map(|chat| chat.view(&self.contacts));
        if let Some(view) = view {
            self.news.event(Event::Chat(view.clone()));
            if let Some(ticket) = accepting.ticket {
                self.news.reply(ticket, Ok(Reply::Chat(view)));
            }
        }
    }

    /// Another answer holds the slot: a one-time link is used, an address has other slots.
    pub(in super::super) fn on_answer_taken(&mut self, id: [u8; 16]) {
        let Some(Accepting { link, stage: Stage::Answer(answering), .. }) = self.accepting.get(&id)
        else {
            return;
        };
        if link.kind == LinkKind::OneTime {
            let answering = (**answering).clone();
            self.discard(&answering);
            let text = "Somebody else has used this link already. Tell whoever gave it to you.";
            return self.fail(id, "link_used", text);
        }
        self.write_anew(id);
    }

    /// The same answer in another slot of an address.
    fn write_anew(&mut self, id: [u8; 16]) {
        let Some(Accepting { link, stage: Stage::Answer(answering), .. }) = self.accepting.get(&id)
        else {
            return;
        };
        let (link, mut answering) = (link.clone(), (**answering).clone());
        self.cells.forget_link(&id);
        answering.post = self.answer_post(&link);
        if let Err(refused) = self.write_answer(id, answering.clone()) {
            self.discard(&answering);
            self.fail_with(id, refused);
        }
    }

    /// What was made for an answer that comes to nothing, and the answer itself.
    pub(super) fn discard_answer(&mut self, id: &[u8; 16]) {
        if let Some(Accepting { stage: Stage::Answer(answering), .. }) = self.accepting.get(id) {
            let answering = (**answering).clone();
            self.discard(&answering);
        }
        self.cells.forget_link(id);
    }

    /// The group that was made for a link that somebody else has used.
    fn discard(&mut self, answering: &Answering) {
        if answering.anew {
            return self.lose_answering(answering);
        }
        let chat = answering.chat;
        let peer = self.with(chat, |to, ctx| {
            to.end(ctx);
            to.peer
        });
        self.conversations.remove(&chat);
        if let Some(Some(peer)) = peer {
            let other = self.live_chat_with(&peer);
            self.contacts.remove(&peer, chat, other, &mut self.news);
        }
        self.news.record("chat", chat.0.to_vec(), None);
    }

    /// Two people may have accepted each other's links crosswise.
    fn live_chat_with(&self, peer: &IdentityKey) -> Option<ChatId> {
        let mut chats = self.conversations.values();
        chats.find(|chat| chat.peer == Some(*peer) && chat.is_live()).map(|chat| chat.chat)
    }
}
