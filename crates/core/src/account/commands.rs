//! Commands: matched here, done elsewhere.

use super::groups::unknown_chat;
use super::{Account, refuse};
use crate::ids::{ChatId, MessageId, Name};
use crate::io::{Command, MessageState, Refused, Reply};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use undertone_crypto::safety_number;

impl Account {
    pub(super) fn on_command(&mut self, ticket: u64, command: Command) {
        if let Some(result) = self.run(ticket, command) {
            self.news.reply(ticket, result);
        }
    }

    /// What came of it; `None` when the reply comes later.
    fn run(&mut self, ticket: u64, command: Command) -> Option<Result<Reply, Refused>> {
        if command.needs_keys()
            && let Err(refused) = self.check_not_copied()
        {
            return Some(Err(refused));
        }
        Some(match command {
            Command::CreateLink { expires_ms, reusable } => {
                return self.create_link(ticket, expires_ms, reusable).err().map(Err);
            }
            Command::Accept { link, message } => {
                return self.accept(ticket, &link, message).err().map(Err);
            }
            Command::ListLinks => Ok(self.list_links()),
            Command::RevokeLink { id } => self.revoke_link(&id),
            Command::Requests => Ok(self.list_requests()),
            Command::AcceptRequest { id } => self.accept_request(id),
            Command::DeclineRequest { id } => self.decline_request(id),
            Command::Chats => Ok(self.list_chats()),
            Command::Send { chat, text, key, anyway } => self.send_text(chat, &text, key, anyway),
            Command::CreateGroup { name, members } => self.create_group(&name, &members),
            Command::Add { chat, members } => self.add_members(chat, &members),
            Command::Remove { chat, members } => self.remove_members(chat, &members),
            Command::Restart { chat, without } => self.restart_group(chat, &without),
            Command::Leave { chat } => self.leave(chat),
            Command::Rename { chat, name } => self.rename_group(chat, &name),
            Command::SetRole { chat, member, role } => self.set_role(chat, member, role),
            Command::Members { chat } => self.list_members(chat),
            Command::Names { chat } => self.list_names(chat),
            Command::RenameContact { chat, name } => self.rename_contact(chat, name),
            Command::Verify { chat, confirm } => self.verify(chat, confirm),
            Command::Whoami => Ok(self.whoami()),
            Command::Health => Ok(self.health()),
            Command::GroupCares => Ok(self.group_cares()),
            Command::BecomeNewDevice { identity } => self.become_new_device(&identity),
        })
    }

    /// Queues a text. The same key again sends nothing twice; with `anyway` it releases a message
    /// that waits because people have joined.
    fn send_text(
        &mut self,
        chat: ChatId,
        text: &str,
        key: Option<String>,
        anyway: bool,
    ) -> Result<Reply, Refused> {
        let salt = key.map(|key| self.salt_of_key(chat, &key));
        if let Some(message) = salt.and_then(|salt| self.sent_keys.get(&salt)) {
            return self.sent_before(chat, *message, anyway);
        }
        let sent = self.with(chat, |to, ctx| to.send_text(text, salt, ctx));
        let (message, state) = sent.ok_or_else(unknown_chat)??;
        if let Some(salt) = salt {
            self.sent_keys.insert(salt, message);
            self.news.record("account", key_record(&salt), Some(message.0.to_vec()));
        }
        self.due.insert(chat);
        Ok(Reply::Message { message, state })
    }

    fn sent_before(
        &mut self,
        chat: ChatId,
        message: MessageId,
        anyway: bool,
    ) -> Result<Reply, Refused> {
        let state = self.with(chat, |to, ctx| {
            if anyway {
                to.release(message, ctx);
            }
            to.outgoing_state(message).unwrap_or(MessageState::Stored)
        });
        self.due.insert(chat);
        let state = state.ok_or_else(unknown_chat)?;
        Ok(Reply::Message { message, state })
    }

    /// A message that failed was not sent under its key.
    pub(super) fn forget_keys(&mut self, messages: &[MessageId]) {
        let failed: BTreeSet<_> = messages.iter().collect();
        let news = &mut self.news;
        self.sent_keys.retain(|salt, message| {
            let stays = !failed.contains(message);
            if !stays {
                news.record("account", key_record(salt), None);
            }
            stays
        });
    }

    /// The salt that a message has under the caller's own key: always the same.
    fn salt_of_key(&self, chat: ChatId, key: &str) -> [u8; 16] {
        let hash = Sha256::new()
            .chain_update(b"undertone send key 1")
            .chain_update(self.me.device.0)
            .chain_update(chat.0)
            .chain_update(key.as_bytes())
            .finalize();
        hash[..16].try_into().expect("sixteen of thirty-two bytes")
    }

    fn rename_contact(&mut self, chat: ChatId, name: Name) -> Result<Reply, Refused> {
        let peer = self.peer_of(chat)?;
        self.contacts.rename(&peer, name, &mut self.news);
        self.tell_chat(chat);
        Ok(Reply::Done)
    }

    fn verify(&mut self, chat: ChatId, confirm: bool) -> Result<Reply, Refused> {
        let peer = self.peer_of(chat)?;
        if confirm {
            self.contacts.confirm(&peer, &mut self.news);
            self.tell_chat(chat);
        }
        let code = safety_number(&self.me.identity, &peer);
        Ok(Reply::Safety { code, verified: self.contacts.is_verified(&peer) })
    }

    fn peer_of(&self, chat: ChatId) -> Result<undertone_crypto::IdentityKey, Refused> {
        let conversation = self.conversations.get(&chat).ok_or_else(unknown_chat)?;
        conversation.peer.ok_or_else(|| {
            refuse(
                "not_allowed",
                "This is a group; only a contact can be meant here.",
                "Name the contact: `undertone chats` shows them.",
            )
        })
    }
}

impl Command {
    /// Whether it begins something with this device's keys.
    fn needs_keys(&self) -> bool {
        matches!(
            self,
            Self::CreateLink { .. }
                | Self::Accept { .. }
                | Self::AcceptRequest { .. }
                | Self::Send { .. }
                | Self::CreateGroup { .. }
                | Self::Restart { .. }
        )
    }
}

/// Where the message is recorded that was sent under a caller's key.
fn key_record(salt: &[u8; 16]) -> Vec<u8> {
    [b"k", &salt[..]].concat()
}
