//! After connecting, what contacts have said is read before anything is written to groups.
//!
//! It may say that a group goes on elsewhere: what waits in its queue would be stored where nobody
//! reads any more. Once per connection, and not for long: no contact and no withheld cell keeps this
//! device from writing.

use super::Account;
use crate::conversation::Conversation;

/// Longest wait for what contacts have said, in milliseconds.
const WAIT_MS: u64 = 60_000;

impl Account {
    /// The log has been followed to the head that was the newest when the connection opened.
    pub(super) fn read_contacts_first(&mut self) {
        self.contacts_until_ms = Some(self.clock.now_ms().saturating_add(WAIT_MS));
    }

    /// Whether groups may be written to from now on; once, when nothing else is left to do.
    pub(super) fn contacts_are_read(&mut self) -> bool {
        let Some(until) = self.contacts_until_ms else { return false };
        let contacts = || self.conversations.values().filter(|it| it.peer.is_some());
        let read = |contact: &Conversation| contact.is_read_out(&self.log);
        if self.clock.now_ms() < until && !contacts().all(read) {
            return false;
        }
        self.contacts_until_ms = None;
        let groups = self.conversations.values().filter(|it| it.peer.is_none());
        self.due.extend(groups.map(|group| group.chat));
        true
    }
}
