//! The body of a message: what MLS encrypts and what *C* in the cell's head commits to.
//!
//! Kinds that this version does not know are kept with their bytes and shown as needing a newer
//! version; whether a message counts never depends on the reader's version.

use crate::ids::MessageId;
use crate::parcel::ParcelRef;
use rand::CryptoRng;
use sha2::{Digest, Sha256};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};
use undertone_crypto::mls::Member;
use undertone_crypto::{IdentityKey, SignedDeviceList};
use undertone_wire::{HeadRef, Malformed, decode, encode};

/// Most bytes of a text; longer ones are sent as files.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// What one message says, with what makes it provable.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Body {
    /// The MLS group that it was written for.
    pub conversation: [u8; 32],
    /// Number of the author's device list.
    pub device_list: u64,
    /// Random, and the same after every re-sealing: makes the message's id.
    pub salt: [u8; 16],
    /// Running number of the author's device in this conversation.
    pub number: u64,
    /// The author's clock, Unix milliseconds.
    pub sent_ms: u64,
    /// Kind of `content`.
    pub kind: u16,
    /// As [`Content`] of that kind.
    pub content: VLBytes,
    /// Keeps *C* from being guessed.
    pub blinding: [u8; 32],
}

impl Body {
    /// *C*: `SHA-256("undertone body 1" ‖ body)`.
    pub(crate) fn commitment(bytes: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(b"undertone body 1").chain_update(bytes).finalize().into()
    }

    /// A fresh blinding value.
    pub(crate) fn blinding(rng: &mut dyn CryptoRng) -> [u8; 32] {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        bytes
    }

    /// The message's id, when `author` wrote it.
    pub(crate) fn id(&self, author: &Member) -> MessageId {
        let content = self.content.as_slice();
        MessageId::of(&author.identity, &author.device, &self.salt, self.kind, content)
    }
}

macro_rules! contents {
    ($($(#[$doc:meta])* $kind:literal $name:ident($ty:ty)),* $(,)?) => {
        /// What a message says.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) enum Content {
            $($(#[$doc])* $name($ty),)*
            /// Of a kind that this version does not know.
            Unknown(u16),
        }

        impl Content {
            /// Kind and bytes, as a [`Body`] carries them.
            ///
            /// # Panics
            /// For [`Content::Unknown`], which is only ever read.
            pub(crate) fn to_parts(&self) -> (u16, Vec<u8>) {
                match self {
                    $(Self::$name(content) => ($kind, encode(content)),)*
                    Self::Unknown(kind) => unreachable!("kind {kind} is never written"),
                }
            }

            /// Reads the content of a body.
            pub(crate) fn from_parts(kind: u16, bytes: &[u8]) -> Result<Self, Malformed> {
                Ok(match kind {
                    $($kind => Self::$name(decode(bytes)?),)*
                    other => Self::Unknown(other),
                })
            }
        }
    };
}

contents! {
    /// Text for people, UTF-8.
    1 Text(VLBytes),
    /// The first message of a leaf: who it is, and how to reach it.
    2 Hello(Hello),
    /// Fresh KeyPackages for the other side of a contact.
    3 Packages(Packages),
    /// The other side of a contact is invited to a group.
    4 Invite(Box<Invite>),
    /// The author leaves.
    5 Leave(Leave),
    /// Where the other side of a contact can ask to begin the conversation anew.
    6 Door(Door),
    /// The author's device lost a group and asks to be let in again.
    7 Lost(Lost),
}

/// The first message of a leaf.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Hello {
    /// The author's name, UTF-8; tamed by the reader.
    pub name: VLBytes,
    /// The author's devices.
    pub list: SignedDeviceList,
}

/// KeyPackages of the author's device.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Packages {
    /// For one use each.
    pub single: Vec<VLBytes>,
    /// For when those are used up.
    pub last_resort: VLBytes,
}

/// An invitation to a group that one has just been added to.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Invite {
    /// The MLS group.
    pub conversation: [u8; 32],
    /// Where the Welcome lies.
    pub welcome: ParcelRef,
    /// Where the ratchet tree lies.
    pub tree: ParcelRef,
    /// Head at the closing tick of the epoch before: opens the joiner's first epoch.
    pub opening: HeadRef,
    /// The members' names as the inviter knows them.
    pub names: Vec<NamedMember>,
    /// The group whose place it takes, if it takes one's.
    pub succeeds: Option<Succeeds>,
}

/// The group whose place another takes.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Succeeds {
    /// The MLS group.
    pub conversation: [u8; 32],
    /// What the invited person wrote there and what counted up to this tick, the inviter's device has read.
    pub read_to: u64,
}

/// A member's name as somebody else knows it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct NamedMember {
    /// Who.
    pub identity: IdentityKey,
    /// UTF-8; tamed by the reader.
    pub name: VLBytes,
}

/// A private address of the author's device, for the other side of a contact alone. The newest counts.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Door {
    /// Addresses and keys of the requests come from this.
    pub secret: [u8; 32],
    /// X-Wing key for the requests.
    pub envelope: VLBytes,
}

/// A group that the author's device cannot follow any more.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Lost {
    /// The MLS group.
    pub conversation: [u8; 32],
}

/// The author leaves. Provable by the cell's head, so that any member may remove the leaf.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Leave {
    /// SHA-256 of the leaver's MLS encryption key: another after every return to the group.
    pub stay: [u8; 32],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_kinds_are_kept_apart_from_malformed_ones() {
        assert_eq!(Content::from_parts(999, b"whatever"), Ok(Content::Unknown(999)));
        assert!(Content::from_parts(3, b"\xff").is_err());
    }

    #[test]
    fn the_commitment_covers_every_byte() {
        assert_ne!(Body::commitment(b"a"), Body::commitment(b"b"));
    }
}
