//! Accepting somebody else's link.

mod answering;

use super::letters::{LetterRead, Step};
use super::{Account, refuse};
use crate::body::TEXT_BYTES_MAX;
use crate::cells::Owner;
use crate::ids::{ChatId, Name};
use crate::io::{Event, HistoryRow, MessageState, Refused};
use crate::link::{
    FirstMessage, LetterKind, LinkFault, LinkKind, LinkUri, OFFER_SLOTS, Offer, Post, link_id,
};
use crate::stored::{LoadError, from_bytes};
use serde::{Deserialize, Serialize};
use undertone_crypto::{IdentityKey, Secret};
use undertone_wire::{Cell, decode};

/// A link that is being accepted.
pub(super) struct Accepting {
    link: LinkUri,
    message: Option<String>,
    ticket: Option<u64>,
    stage: Stage,
}

enum Stage {
    /// The offer is being read.
    Offer { post: Post, read: Box<LetterRead> },
    /// The answer is on its way.
    Answer(Box<Answering>),
}

/// An answer on its way; outlasts restarts.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Answering {
    link: Vec<u8>,
    pub chat: ChatId,
    post: Post,
    /// The answer, unsealed: in another slot of an address it is sealed again.
    answer: Vec<u8>,
    offer: Vec<u8>,
    /// It takes the place of a conversation that was lost, and its chat stays whatever becomes of it.
    #[serde(default)]
    anew: bool,
}

/// What a two-party conversation is made from.
pub(super) struct Beginning<'a> {
    pub link: LinkUri,
    pub offer: &'a Offer,
    /// The first words.
    pub text: Option<String>,
}

impl Account {
    /// First contact by somebody's link. The reply comes when the answer is stored.
    pub(super) fn accept(
        &mut self,
        ticket: u64,
        text: &str,
        message: Option<String>,
    ) -> Result<(), Refused> {
        let link = LinkUri::parse(text).map_err(|fault| no_link(&fault))?;
        self.check_link(&link)?;
        if message.as_ref().is_some_and(|message| message.len() > TEXT_BYTES_MAX) {
            return Err(refuse(
                "too_long",
                "The first message is too long.",
                "Send it afterwards.",
            ));
        }
        let id = link_id(&link.secret);
        if self.accepting.contains_key(&id) {
            return Err(refuse("bad_link", "This link is being accepted already.", "Wait for it."));
        }
        let post = match link.kind {
            LinkKind::OneTime => Post::Offer,
            LinkKind::Reusable => Post::DayOffer { day: self.today(), slot: 0 },
        };
        let read = self.read_offer(id, &link, post);
        let stage = Stage::Offer { post, read };
        self.accepting.insert(id, Accepting { link, message, ticket: Some(ticket), stage });
        Ok(())
    }

    fn check_link(&self, link: &LinkUri) -> Result<(), Refused> {
        if link.server != self.me.server {
            return Err(refuse(
                "wrong_server",
                "The link is for another server than this profile's.",
                "Both sides must use one server: make a profile there (`undertone init`).",
            ));
        }
        if link.identity == self.me.identity {
            return Err(refuse("bad_link", "This is your own link.", "Give it to somebody else."));
        }
        if link.expires_ms <= self.clock.wall_ms().min(self.log.time_ms().max(1)) {
            return Err(refuse("link_expired", "The link has expired.", "Ask for a new one."));
        }
        if self.contacts.chat_with(&link.identity).is_some() {
            return Err(refuse(
                "bad_link",
                "Whoever made this link is a contact already.",
                "`undertone chats` shows the conversation.",
            ));
        }
        Ok(())
    }

    fn read_offer(&mut self, id: [u8; 16], link: &LinkUri, post: Post) -> Box<LetterRead> {
        let secret = Secret::from_bytes(link.secret);
        let read = LetterRead::new(&secret, &self.me.server, post, LetterKind::Offer);
        self.cells.get(read.tag(), None, Owner::Link { link: id, post, index: None });
        Box::new(read)
    }

    /// A cell of the offer has arrived.
    pub(super) fn on_offer_cell(&mut self, id: [u8; 16], at: Post, index: Option<u32>, cell: Cell) {
        let server = self.me.server;
        let Some(accepting) = self.accepting.get_mut(&id) else { return };
        let Stage::Offer { post, read } = &mut accepting.stage else { return };
        if *post != at {
            return;
        }
        let step = match index {
            None => read.cell(&cell, &server),
            Some(index) => read.part(index, cell, &server),
        };
        match step {
            Step::Wait => {}
            Step::Parts(parts) => self.fetch_parts(id, at, parts),
            Step::Payload(offer) => self.on_offer_read(id, at, &offer),
            Step::Junk => self.next_offer(id, at),
        }
    }

    /// No offer stands there.
    pub(super) fn on_offer_absent(&mut self, id: [u8; 16], at: Post) {
        // A squatter of an address's slot can name parts that do not exist: the next slot is tried.
        if matches!(at, Post::Offer) {
            return self.fail(id, "link_expired", "The link's offer is not there (any more).");
        }
        self.next_offer(id, at);
    }

    /// The first offer that the address's identity signed counts; others are skipped.
    fn next_offer(&mut self, id: [u8; 16], at: Post) {
        let next = match at {
            Post::DayOffer { day, slot } if slot + 1 < OFFER_SLOTS => {
                Post::DayOffer { day, slot: slot + 1 }
            }
            _ => {
                return self.fail(
                    id,
                    "bad_link",
                    "The link's offer is not by whom the link names.",
                );
            }
        };
        let Some(link) = self.accepting.get(&id).map(|accepting| accepting.link.clone()) else {
            return;
        };
        let read = self.read_offer(id, &link, next);
        if let Some(accepting) = self.accepting.get_mut(&id) {
            accepting.stage = Stage::Offer { post: next, read };
        }
    }

    fn on_offer_read(&mut self, id: [u8; 16], post: Post, bytes: &[u8]) {
        let Some(accepting) = self.accepting.get(&id) else { return };
        let secret = Secret::from_bytes(accepting.link.secret);
        let tag = post.keys(&secret, &self.me.server).tag;
        let identity = accepting.link.identity;
        match Offer::open(bytes, &tag, &identity) {
            Ok((offer, _)) => self.take_offer(id, post, &offer),
            Err(_) => self.next_offer(id, post),
        }
    }

    /// An offer by a list that is not to be followed may be a removed device's.
    fn take_offer(&mut self, id: [u8; 16], post: Post, offer: &Offer) {
        match (self.contacts.judge_list(&offer.list), post) {
            (Ok(()), _) => {
                if let Err(refused) = self.answer(id, offer) {
                    self.fail_with(id, refused);
                }
            }
            (Err(_), Post::DayOffer { .. }) => self.next_offer(id, post),
            (Err(fault), _) => {
                let text = format!("The link's device list is not right: {fault}.");
                self.fail(id, "bad_link", &text);
            }
        }
    }

    fn answer(&mut self, id: [u8; 16], offer: &Offer) -> Result<(), Refused> {
        let Some(accepting) = self.accepting.get(&id) else { return Ok(()) };
        let (link, text) = (accepting.link.clone(), accepting.message.clone());
        self.begin_contact(Beginning { link, offer, text })
    }

    fn fail(&mut self, id: [u8; 16], code: &'static str, text: &str) {
        self.fail_with(id, refuse(code, text, "Ask for a new link."));
    }

    fn fail_with(&mut self, id: [u8; 16], refused: Refused) {
        let Some(accepting) = self.accepting.remove(&id) else { return };
        self.news.record("link", [b"a", &id[..]].concat(), None);
        if let Stage::Answer(answering) = &accepting.stage
            && !answering.anew
        {
            self.news.event(Event::LinkFailed { chat: answering.chat, code: refused.code });
        }
        if let Some(ticket) = accepting.ticket {
            self.news.reply(ticket, Err(refused));
        }
    }

    /// What was written to begin the conversation in this chat is of the past.
    pub(super) fn forget_answering(&mut self, chat: ChatId) {
        let of_chat = |accepting: &Accepting| matches!(&accepting.stage, Stage::Answer(answering) if answering.chat == chat);
        let ids = self.accepting.iter().filter(|(_, it)| of_chat(it)).map(|(id, _)| *id);
        for id in ids.collect::<Vec<_>>() {
            self.accepting.remove(&id);
            self.cells.forget_link(&id);
            self.news.record("link", [b"a", &id[..]].concat(), None);
        }
    }

    /// Whether a link is being accepted, or a request answered, under this name.
    pub(super) fn answers_under(&self, id: &[u8; 16]) -> bool {
        self.accepting.contains_key(id)
    }

    /// What is being accepted comes to nothing.
    pub(super) fn fail_accepting(&mut self, refused: &Refused) {
        for id in self.accepting.keys().copied().collect::<Vec<_>>() {
            self.discard_answer(&id);
            self.fail_with(id, refused.clone());
        }
    }

    fn show_first(
        &mut self,
        chat: ChatId,
        message: &FirstMessage,
        state: MessageState,
        tick: Option<u64>,
    ) {
        let me = &self.me;
        let id = message.id(&me.identity, &me.device);
        self.news.row(HistoryRow {
            chat,
            message: id,
            author: me.device.0,
            from: me.identity,
            own: true,
            order: vec![0],
            text: String::from_utf8_lossy(message.text.as_slice()).into_owned(),
            sent_ms: message.sent_ms,
            stored_ms: tick.and_then(|tick| self.log.time_of(tick)),
            state,
        });
        self.news.event(Event::State { chat, message: id, state });
    }

    pub(super) fn load_accepting(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let answering: Answering = from_bytes(bytes)?;
        let link: LinkUri = decode(&answering.link)
            .map_err(|malformed| LoadError::Damaged(malformed.to_string()))?;
        let id = link_id(&link.secret);
        let stage = Stage::Answer(Box::new(answering));
        self.accepting.insert(id, Accepting { link, message: None, ticket: None, stage });
        Ok(())
    }
}

/// A text that is no link, or one that this version cannot read.
fn no_link(fault: &LinkFault) -> Refused {
    let (code, hint) = match fault {
        LinkFault::OtherVersion(_) => {
            ("other_version", "Update the older side, and ask for a new link.")
        }
        _ => ("bad_link", "Ask for the link again, and copy all of it."),
    };
    refuse(code, &format!("{fault}."), hint)
}

/// What a contact is called until their first words tell their name: an offer holds none.
fn name_until_told(peer: &IdentityKey) -> Name {
    let fingerprint = peer.to_string();
    Name::tamed(&format!("new contact ({} {})", &fingerprint[..4], &fingerprint[4..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_another_version_is_no_mistake_of_the_user() {
        assert_eq!(no_link(&LinkFault::OtherVersion(9)).code, "other_version");
        for fault in [LinkFault::NotALink, LinkFault::ServerAddress, LinkFault::Damaged] {
            assert_eq!(no_link(&fault).code, "bad_link");
        }
    }

    #[test]
    fn a_name_until_told_says_that_it_is_none() {
        let peer = IdentityKey([0x37, 0x3c, 0x95, 0xb4].repeat(8).try_into().expect("32 bytes"));
        assert_eq!(name_until_told(&peer).as_str(), "new contact (373c 95b4)");
    }
}
