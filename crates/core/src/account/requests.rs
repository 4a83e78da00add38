//! Strangers who wrote to a reusable address and wait.
//!
//! Nothing is answered automatically: until the person accepts, the stranger cannot tell whether
//! anybody has read (DESIGN.md section 8.5).

use super::join::PendingJoin;
use super::{Account, LoadError, from_bytes, refuse, to_bytes};
use crate::ids::{ChatId, Name};
use crate::io::{Event, Refused, Reply, RequestView};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most strangers who wait at once; further ones are dropped, oldest first kept.
const REQUESTS_MAX: usize = 1_000;

/// A stranger's answer to an address.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Stranger {
    pub join: PendingJoin,
    pub name: Name,
    pub text: Option<String>,
    pub stored_ms: u64,
}

/// All strangers who wait.
#[derive(Default)]
pub(super) struct Requests {
    waiting: BTreeMap<ChatId, Stranger>,
}

impl Stranger {
    fn id(&self) -> ChatId {
        let id = self.join.conversation[..16].try_into();
        ChatId(id.expect("sixteen of thirty-two bytes"))
    }

    fn view(&self) -> Option<RequestView> {
        Some(RequestView {
            id: self.id(),
            name: self.name.clone(),
            identity: self.join.answer()?.list.identity,
            message: self.text.clone(),
            stored_ms: self.stored_ms,
        })
    }
}

impl Requests {
    pub(super) fn load(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let stranger: Stranger = from_bytes(bytes)?;
        self.waiting.insert(stranger.id(), stranger);
        Ok(())
    }
}

impl Account {
    pub(super) fn add_request(&mut self, stranger: Stranger) {
        if self.requests.waiting.len() >= REQUESTS_MAX {
            return self.alarm("requests", "Too many strangers wait; a further one was dropped.");
        }
        let id = stranger.id();
        self.news.record("link", [b"r", &id.0[..]].concat(), Some(to_bytes(&stranger)));
        if let Some(view) = stranger.view() {
            self.news.event(Event::Request(view));
        }
        self.requests.waiting.insert(id, stranger);
    }

    pub(super) fn list_requests(&self) -> Reply {
        let strangers = self.requests.waiting.values();
        Reply::Requests(strangers.filter_map(Stranger::view).collect())
    }

    pub(super) fn accept_request(&mut self, id: ChatId) -> Result<Reply, Refused> {
        let stranger = self.take_request(id)?;
        self.add_join(stranger.join);
        Ok(Reply::Done)
    }

    pub(super) fn decline_request(&mut self, id: ChatId) -> Result<Reply, Refused> {
        self.take_request(id).map(|_| Reply::Done)
    }

    /// Nobody waits any more: what they wrote was for a device that is gone.
    pub(super) fn forget_requests(&mut self) {
        for (id, stranger) in std::mem::take(&mut self.requests.waiting) {
            self.news.record("link", [b"r", &id.0[..]].concat(), None);
            let text = format!(
                "The request of {} cannot be accepted any more: they have to write again.",
                stranger.name
            );
            self.alarm("requests", &text);
        }
    }

    fn take_request(&mut self, id: ChatId) -> Result<Stranger, Refused> {
        let stranger = self.requests.waiting.remove(&id).ok_or_else(|| {
            refuse("not_found", "No request has this id.", "`undertone requests` shows them.")
        })?;
        self.news.record("link", [b"r", &id.0[..]].concat(), None);
        Ok(stranger)
    }
}
