//! Groups, as a person asks for them.

use super::{Account, refuse};
use crate::conversation::{Conversation, Ctx};
use crate::ids::{ChatId, Name};
use crate::io::{Event, Refused, Reply, Role};
use crate::policy::Policy;
use undertone_crypto::IdentityKey;

impl Account {
    pub(super) fn create_group(
        &mut self,
        name: &Name,
        members: &[IdentityKey],
    ) -> Result<Reply, Refused> {
        self.check_contacts(members)?;
        let mut group = Conversation::found_group(
            &Policy::group(name.as_str(), self.me.identity),
            &mut self.ctx(),
        )?;
        if !members.is_empty() {
            group.want_members(members, &mut self.ctx())?;
        }
        let chat = self.adopt(group);
        let view = self.conversations[&chat].view(&self.contacts);
        self.news.event(Event::Chat(view.clone()));
        Ok(Reply::Chat(view))
    }

    pub(super) fn add_members(
        &mut self,
        chat: ChatId,
        members: &[IdentityKey],
    ) -> Result<Reply, Refused> {
        self.check_contacts(members)?;
        self.change(chat, |group, ctx| group.want_members(members, ctx))
    }

    pub(super) fn remove_members(
        &mut self,
        chat: ChatId,
        members: &[IdentityKey],
    ) -> Result<Reply, Refused> {
        if members.contains(&self.me.identity) {
            return Err(refuse(
                "not_allowed",
                "You cannot remove yourself.",
                "Leave instead: `undertone group leave CHAT`.",
            ));
        }
        self.change(chat, |group, ctx| group.want_removed(members, ctx))
    }

    pub(super) fn leave(&mut self, chat: ChatId) -> Result<Reply, Refused> {
        self.change(chat, Conversation::leave)
    }

    pub(super) fn rename_group(&mut self, chat: ChatId, name: &Name) -> Result<Reply, Refused> {
        self.change(chat, |group, ctx| group.want_name(name, ctx))
    }

    pub(super) fn set_role(
        &mut self,
        chat: ChatId,
        member: IdentityKey,
        role: Role,
    ) -> Result<Reply, Refused> {
        self.change(chat, |group, ctx| group.want_role(member, role, ctx))
    }

    /// A change that a commit will bring about; it goes out by itself.
    fn change(
        &mut self,
        chat: ChatId,
        wish: impl FnOnce(&mut Conversation, &mut Ctx<'_>) -> Result<(), Refused>,
    ) -> Result<Reply, Refused> {
        let outcome = self.with(chat, wish).ok_or_else(unknown_chat)?;
        self.due.insert(chat);
        outcome.map(|()| Reply::Done)
    }

    fn check_contacts(&self, people: &[IdentityKey]) -> Result<(), Refused> {
        if people.iter().any(|person| self.contacts.chat_with(person).is_none()) {
            return Err(refuse(
                "not_found",
                "Only contacts can be added.",
                "Become contacts first: one makes a link (`undertone link`), the other accepts it.",
            ));
        }
        // Whoever is left out must not be left out in silence.
        people.iter().find(|person| !self.contacts.has_package(person)).map_or(Ok(()), |person| {
            let who = self.contacts.name_of(person);
            Err(refuse(
                "not_ready",
                &format!("{who} cannot be added yet: no key of theirs is known here."),
                "Their device sends one when it is next online; then `undertone sync`, and again.",
            ))
        })
    }
}

pub(super) fn unknown_chat() -> Refused {
    refuse("not_found", "There is no such conversation.", "`undertone chats` shows them.")
}
