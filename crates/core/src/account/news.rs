//! What one step brings forth.

use crate::body::{Invite, NamedMember};
use crate::conversation::Predecessor;
use crate::ids::{ChatId, MessageId};
use crate::io::{Changes, Event, HistoryRow, Output, Refused, Reply};
use std::collections::VecDeque;
use undertone_crypto::IdentityKey;
use undertone_wire::HeadRef;

/// Changes, events and replies of one step, and what conversations want from the account.
#[derive(Default)]
pub(crate) struct News {
    changes: Changes,
    released: Vec<Output>,
    tasks: VecDeque<Task>,
}

/// What a conversation wants from the account.
pub(crate) enum Task {
    /// People were added: their Welcome goes out by their contact's conversation.
    Invite(Box<Invitation>),
    /// A contact added this device to a group.
    Join {
        /// The contact.
        from: IdentityKey,
        /// What they wrote.
        invite: Box<Invite>,
        /// The effective tick of it.
        tick: u64,
    },
    /// A contact's device has lost a group and asks to be let in again.
    Lost {
        /// The contact.
        from: IdentityKey,
        /// The MLS group.
        conversation: [u8; 32],
        /// The effective tick of it.
        tick: u64,
    },
    /// This device's profile was copied or put back: somebody else writes in its name.
    Copied,
    /// Messages that were never sent and never will be.
    Failed {
        /// Which.
        messages: Vec<MessageId>,
    },
    /// Somebody's device list is a newer one than before.
    ListChanged,
    /// One's own leave message is stored.
    Left {
        /// The group.
        chat: ChatId,
    },
}

/// People who were added to a group, and what they need to join.
pub(crate) struct Invitation {
    /// The MLS group.
    pub conversation: [u8; 32],
    /// The group whose place it takes.
    pub succeeds: Option<Predecessor>,
    /// Who.
    pub to: Vec<IdentityKey>,
    /// The Welcome, for all of them.
    pub welcome: Vec<u8>,
    /// The ratchet tree after the commit.
    pub tree: Vec<u8>,
    /// The head that opens the epoch.
    pub opening: HeadRef,
    /// All members' names as known here.
    pub names: Vec<NamedMember>,
}

impl News {
    /// Something that people want to know.
    pub(crate) fn event(&mut self, event: Event) {
        self.released.push(Output::Event(event));
    }

    /// The end of a command.
    pub(crate) fn reply(&mut self, ticket: u64, result: Result<Reply, Refused>) {
        self.released.push(Output::Reply { ticket, result });
    }

    /// A record of the engine's own state; `None` erases it.
    pub(crate) fn record(&mut self, space: &'static str, key: Vec<u8>, bytes: Option<Vec<u8>>) {
        self.changes.records.insert((space, key), bytes);
    }

    /// Several records of one space.
    pub(crate) fn records_of(
        &mut self,
        space: &'static str,
        records: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    ) {
        for (key, bytes) in records {
            self.record(space, key, bytes);
        }
    }

    /// A row of history, new or in another state.
    pub(crate) fn row(&mut self, row: HistoryRow) {
        self.changes.messages.push(row);
    }

    /// A row of somebody else's that stands at another place than it did.
    pub(crate) fn moved(&mut self, row: HistoryRow) {
        self.changes.moved.push(row);
    }

    /// Somebody else's message, which is announced.
    pub(crate) fn received(&mut self, row: HistoryRow) {
        self.event(Event::Message(row.name()));
        self.row(row);
    }

    /// Something for the account to do.
    pub(crate) fn task(&mut self, task: Task) {
        self.tasks.push_back(task);
    }

    pub(super) fn next_task(&mut self) -> Option<Task> {
        self.tasks.pop_front()
    }

    pub(super) fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    pub(super) fn take_released(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.released)
    }
}
