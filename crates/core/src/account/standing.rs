//! Where conversations stand, for whoever compares devices.

use super::Account;
use crate::conversation::Standing;
use crate::ids::ChatId;

impl Account {
    /// Where one conversation stands on this device; `None` when there is none of that id. Changes
    /// nothing, and is no question of a person: those are commands.
    pub fn standing(&mut self, chat: ChatId) -> Option<Standing> {
        self.with(chat, |conversation, ctx| conversation.standing(ctx))
    }

    /// The conversations of this device, ended ones too.
    pub fn chat_ids(&self) -> impl Iterator<Item = ChatId> + '_ {
        self.conversations.keys().copied()
    }
}
