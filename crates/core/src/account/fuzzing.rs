//! What the door of [`crate::fuzzing`] needs of an account's insides.

use super::Account;
use super::links::Aim;
use crate::body::Door;
use crate::conversation::tests_kit::Secrets;
use crate::ids::ChatId;
use crate::link::{LinkKind, Offer, Post};
use undertone_crypto::{DeviceId, IdentityKey, LeafKey};
use undertone_wire::{ServerId, SignedHead, encode};

impl Account {
    /// Everything that this member can compute of the conversation's epoch, while it is live.
    pub(crate) fn secrets_for_fuzzing(&self, chat: ChatId) -> Option<Secrets> {
        let conversation = self.conversations.get(&chat)?;
        conversation.is_live().then(|| conversation.secrets())
    }

    /// The key that signs this device's heads.
    pub(crate) fn leaf_key_for_fuzzing(&self) -> LeafKey {
        self.me.leaf_key.clone()
    }

    /// The head that this device has verified last, with the server's signature.
    pub(crate) fn signed_head_for_fuzzing(&self) -> Option<SignedHead> {
        self.log.signed_head().cloned()
    }

    /// An MLS commit of this member that removes these leaves, and is not followed here.
    pub(crate) fn commit_for_fuzzing(&mut self, chat: ChatId, remove: Vec<u32>) -> Option<Vec<u8>> {
        let conversation = self.conversations.get_mut(&chat).filter(|it| it.is_live())?;
        let aad = self.log.signed_head().map(encode).unwrap_or_default();
        let spec = undertone_crypto::mls::CommitSpec { aad, remove, ..Default::default() };
        let made = conversation.group_mut().commit(&mut self.mls, &self.me.leaf_key, spec);
        Some(made.ok()?.commit)
    }

    /// Wishes for a leaf in `identity`'s name whose key this device has made.
    pub(crate) fn forge_leaf_for_fuzzing(&mut self, chat: ChatId, identity: IdentityKey) {
        let (key, device) = (LeafKey::random(&mut self.rng), DeviceId([66; 16]));
        let Ok(package) = self.mls.key_package(&key, identity, device, true) else { return };
        let known = self.contacts.forge_package_for_tests(identity, package.0);
        self.with(chat, |to, ctx| to.want_for_tests(identity, ctx));
        self.due.insert(chat);
        self.settle();
        self.contacts.put_list_back(&identity, known);
        self.flush();
    }

    /// The MLS group behind a conversation.
    pub(crate) fn group_of(&self, chat: ChatId) -> Option<[u8; 32]> {
        Some(self.conversations.get(&chat)?.conversation)
    }

    /// A message of this member, of which its own device knows nothing.
    pub(crate) fn encrypt_for_fuzzing(
        &mut self,
        chat: ChatId,
        aad: &[u8],
        body: &[u8],
    ) -> Option<Vec<u8>> {
        let conversation = self.conversations.get_mut(&chat)?;
        if !conversation.is_live() {
            return None;
        }
        let group = conversation.group_mut();
        group.encrypt(&mut self.mls, &self.me.leaf_key, aad, body).ok()
    }

    /// What a one-time link of this device's offers.
    pub(crate) fn offer_for_fuzzing(&mut self, link: [u8; 16]) -> Option<Offer> {
        Some(self.sign_offer(link, Post::Offer, 0).ok()??.1)
    }

    /// What a request of this device would offer, and the key that signs it; nothing is asked for.
    pub(crate) fn request_for_fuzzing(
        &mut self,
        expires_ms: u64,
    ) -> Option<(Offer, LeafKey, ServerId)> {
        let id = self.new_link(LinkKind::OneTime, Aim::Contact, expires_ms).ok()?;
        let offer = self.offer_for_fuzzing(id)?;
        self.remove_link(id);
        Some((offer, self.me.leaf_key.clone(), self.me.server))
    }

    /// The door that a contact has given, and the server's time.
    pub(crate) fn door_for_fuzzing(&self, peer: &IdentityKey) -> Option<(Door, ServerId, u64)> {
        Some((self.contacts.door_of(peer)?, self.me.server, self.log.time_ms()))
    }
}
