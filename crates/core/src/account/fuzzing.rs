//! What the door of [`crate::fuzzing`] needs of an account's insides.

use super::Account;
use crate::conversation::tests_kit::Secrets;
use crate::ids::ChatId;
use undertone_crypto::LeafKey;

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
}
