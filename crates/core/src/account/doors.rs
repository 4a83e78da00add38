//! Doors: private addresses by which the two sides of a contact find each other again (ADR 0011).
//!
//! Each side tells the other, in their conversation, a secret and an envelope key. Whoever loses the
//! conversation writes a request there; nobody else can, and the server sees one more cell. The same
//! door is told in every conversation with the same person: whatever of them the other side has read,
//! it knows the way. Only a new device has a new door; the old one's stays open until a second new
//! device.

use super::Account;
use super::links::{Aim, internal};
use crate::body::{Content, Door};
use crate::conversation::Conversation;
use crate::ids::ChatId;
use crate::io::Refused;
use crate::link::LinkKind;
use undertone_crypto::IdentityKey;

impl Account {
    /// Tells every contact of their door, once in each conversation.
    pub(super) fn tell_doors(&mut self) {
        if self.copied {
            return;
        }
        let untold = |chat: &&Conversation| chat.is_live() && !chat.told_door;
        let contacts = self.conversations.values().filter(untold);
        let contacts = contacts.filter_map(|chat| Some((chat.chat, chat.peer?)));
        for (chat, peer) in contacts.collect::<Vec<_>>() {
            if let Err(refused) = self.tell_door(chat, peer) {
                self.alarm("doors", &refused.message);
            }
        }
    }

    fn tell_door(&mut self, chat: ChatId, peer: IdentityKey) -> Result<(), Refused> {
        let door = Content::Door(self.door_for(peer)?);
        self.with(chat, |to, ctx| {
            to.enqueue(None, &door, ctx);
            to.told_door = true;
        });
        self.due.insert(chat);
        Ok(())
    }

    /// The door of a contact, made when they have none.
    fn door_for(&mut self, peer: IdentityKey) -> Result<Door, Refused> {
        let aim = Aim::Door { peer, old: false };
        let id = match self.links.aimed(|of| *of == aim).first() {
            Some(id) => *id,
            None => self.new_link(LinkKind::Reusable, aim, u64::MAX)?,
        };
        self.save_link(&id);
        if self.links.doors_seen.is_none() {
            self.see_doors((self.log.walked(), self.today()));
        }
        let link = self.links.link(&id).ok_or_else(|| internal("gone"))?;
        Ok(Door { secret: link.secret, envelope: link.envelope_public.clone().into() })
    }

    /// The doors of this device are those of an old one now; contacts know no other yet.
    pub(super) fn leave_doors(&mut self) {
        for id in self.links.aimed(|aim| matches!(aim, Aim::Door { old: true, .. })) {
            self.remove_link(id);
        }
        for id in self.links.aimed(|aim| matches!(aim, Aim::Door { .. })) {
            if let Some(door) = self.links.link_mut(&id)
                && let Aim::Door { old, .. } = &mut door.aim
            {
                *old = true;
            }
            self.save_link(&id);
        }
    }
}
