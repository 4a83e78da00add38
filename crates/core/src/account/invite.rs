//! Inviting contacts to a group, and giving contacts the KeyPackages to do so.

use super::links::{Aim, LinkState, internal};
use super::{Account, Invitation, to_bytes};
use crate::body::{Content, Invite, Packages};
use crate::conversation::Conversation;
use crate::ids::ChatId;
use crate::io::Refused;
use crate::link::LinkKind;
use crate::parcel::{PARTS_MAX, ParcelRef, pack};
use undertone_crypto::IdentityKey;

/// How many sets of KeyPackages that a contact was given are kept.
const GENERATIONS: usize = 8;

/// Single-use KeyPackages that a contact holds of this device.
const SINGLE_PACKAGES: usize = 2;

impl Account {
    /// Stores the Welcome and the tree once, and tells everybody who was added where they lie.
    pub(super) fn invite(&mut self, invitation: &Invitation) {
        let outcome = self.pack_invite(invitation);
        let (invite, parcels) = match outcome {
            Ok(packed) => packed,
            Err(refused) => return self.alarm("invite", &refused.message),
        };
        for identity in &invitation.to {
            let succeeds = invitation.succeeds.as_ref().map(|before| before.as_told(identity));
            let invite = Content::Invite(Box::new(Invite { succeeds, ..invite.clone() }));
            self.send_invite(identity, &invite, &parcels);
        }
    }

    fn pack_invite(&mut self, invitation: &Invitation) -> Result<(Invite, Vec<[u8; 16]>), Refused> {
        let welcome = self.store_parcel(&invitation.welcome)?;
        let tree = self.store_parcel(&invitation.tree)?;
        let parcels = vec![welcome.local_id(), tree.local_id()];
        let invite = Invite {
            conversation: invitation.conversation,
            welcome,
            tree,
            opening: invitation.opening,
            names: invitation.names.clone(),
            succeeds: None,
        };
        Ok((invite, parcels))
    }

    fn store_parcel(&mut self, bytes: &[u8]) -> Result<ParcelRef, Refused> {
        let packed = pack(bytes, PARTS_MAX, &self.me.server, &mut self.rng).map_err(internal)?;
        self.cells.put_parts(packed.parts, packed.reference.local_id());
        Ok(packed.reference)
    }

    fn send_invite(&mut self, identity: &IdentityKey, invite: &Content, parcels: &[[u8; 16]]) {
        let Some(chat) = self.contacts.chat_with(identity) else {
            let who = self.contacts.name_of(identity);
            return self.alarm("invite", &format!("{who} is no contact and cannot be told."));
        };
        if !self.conversations.get(&chat).is_some_and(Conversation::is_live) {
            let who = self.contacts.name_of(identity);
            let text = format!("{who} was added and cannot be told: that conversation is stuck.");
            return self.alarm("invite", &text);
        }
        self.with(chat, |to, ctx| to.enqueue_after(None, invite, parcels.to_vec(), ctx));
        self.due.insert(chat);
    }

    /// Gives the other side of a contact fresh KeyPackages of this device.
    pub(super) fn send_packages(&mut self, chat: ChatId) {
        match self.make_packages() {
            Ok(packages) => {
                self.remember_given(chat, &packages);
                let content = Content::Packages(packages);
                self.with(chat, |to, ctx| to.enqueue(None, &content, ctx));
                self.due.insert(chat);
            }
            Err(refused) => self.alarm("packages", &refused.message),
        }
    }

    /// Of the KeyPackages that a contact was given, those that were replaced twice are erased: until
    /// then an invitation with one of them may be under way.
    fn remember_given(&mut self, chat: ChatId, packages: &Packages) {
        let all = packages.single.iter().chain([&packages.last_resort]);
        let all = all.map(|package| package.as_slice().to_vec()).collect();
        let given = self.given.entry(chat).or_default();
        given.push(all);
        let old = if given.len() > GENERATIONS { given.remove(0) } else { Vec::new() };
        let record = to_bytes(given);
        self.news.record("account", [b"g", &chat.0[..]].concat(), Some(record));
        for package in old {
            if let Err(refused) = self.mls.forget_key_package(&package) {
                self.alarm("erasure", &format!("A KeyPackage could not be erased ({refused})."));
            }
        }
    }

    fn make_packages(&mut self) -> Result<Packages, Refused> {
        let (me, mls) = (&self.me, &mut self.mls);
        let mut package = |lasting| {
            let made = mls.key_package(&me.leaf_key, me.identity, me.device, lasting);
            made.map(|package| package.0.into()).map_err(internal)
        };
        let single = (0..SINGLE_PACKAGES).map(|_| package(false)).collect::<Result<_, _>>()?;
        Ok(Packages { single, last_resort: package(true)? })
    }

    /// A one-time link has served; an address goes on.
    pub(super) fn link_was_used(&mut self, link: [u8; 16]) {
        match self.links.link(&link).map(|link| (link.aim, link.kind)) {
            Some((Aim::Return { .. }, _)) => self.on_no_answer(link),
            Some((_, LinkKind::OneTime)) => self.close_link(link, LinkState::Used),
            _ => {}
        }
    }
}
