//! What a person sees of the account.

use super::groups::unknown_chat;
use super::{Account, Purpose};
use crate::cells::{Owner, PutState};
use crate::ids::ChatId;
use crate::io::{ChatState, Event, Health, RecoveryView, Refused, Reply};
use crate::log::Ask;
use std::collections::BTreeMap;

impl Account {
    pub(super) fn list_chats(&self) -> Reply {
        let chats = self.conversations.values().filter(|chat| !chat.succession.retired);
        let chats = chats.map(|chat| chat.view(&self.contacts));
        Reply::Chats(chats.collect())
    }

    pub(super) fn list_members(&mut self, chat: ChatId) -> Result<Reply, Refused> {
        let members = self.with(chat, |chat, ctx| chat.members(ctx));
        members.map(Reply::Members).ok_or_else(unknown_chat)
    }

    pub(super) fn list_names(&mut self, chat: ChatId) -> Result<Reply, Refused> {
        let names = self.with(chat, |chat, ctx| chat.all_names(ctx));
        names.map(Reply::Names).ok_or_else(unknown_chat)
    }

    pub(super) fn whoami(&self) -> Reply {
        Reply::Whoami {
            name: self.me.name.clone(),
            identity: self.me.identity,
            device: self.me.device.0,
        }
    }

    pub(super) fn health(&self) -> Reply {
        let queues = self.conversations.values().map(|chat| chat.queue_lengths());
        let (queued, waiting) = queues.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let mut skipped = BTreeMap::new();
        for (check, count) in self.conversations.values().flat_map(|chat| chat.skipped()) {
            *skipped.entry(*check).or_default() += count;
        }
        let stuck = self.conversations.values().filter(|chat| chat.state == ChatState::Stuck);
        Reply::Health(Health {
            connected: self.connected,
            tick: self.log.walked(),
            server_ms: self.log.time_ms(),
            queued,
            waiting,
            unsettled: self.unsettled(),
            reading: self.reading(),
            withheld: self.conversations.values().map(|chat| chat.withheld()).sum(),
            skipped,
            stuck: stuck.map(|chat| chat.chat).collect(),
            server_full: self.cells.server_full(),
            halted: self.halted.clone(),
            copied: self.copied,
            recovery: self.recovery(),
        })
    }

    /// What a restored server has lost is not decided before it is put again.
    fn unsettled(&self) -> usize {
        let asked: usize = self.conversations.values().map(|chat| chat.unsettled()).sum();
        let letters = self.cells.outbox().filter(|(_, owner, state)| {
            let letter = matches!(owner, Owner::Link { .. } | Owner::Part { .. });
            letter && matches!(state, PutState::Waiting | PutState::InFlight)
        });
        asked + letters.count() + self.cells.restored().1
    }

    fn recovery(&self) -> Option<RecoveryView> {
        let hole = self.log.holes().last()?;
        let (put_again, pending) = self.cells.restored();
        Some(RecoveryView { after: hole.after, until: hole.until, put_again, pending })
    }

    /// Questions to the log count too: what they answer may be what a conversation waits for.
    fn reading(&self) -> usize {
        let is_read = |purpose: &&Purpose| match purpose {
            // It is answered already, and stays for the case that it breaks off.
            Purpose::Log(Ask::Stream) | Purpose::Cell(_) => false,
            Purpose::Log(_) => true,
        };
        let asked = self.asks.values().filter(is_read);
        asked.count() + self.cells.fetching() + self.joins.under_way()
    }

    /// A conversation looks different now.
    pub(super) fn tell_chat(&mut self, chat: ChatId) {
        if let Some(conversation) = self.conversations.get(&chat) {
            let view = conversation.view(&self.contacts);
            self.news.event(Event::Chat(view));
        }
    }
}
