//! Offers and answers, and the cells that carry them.

use crate::body::Content;
use crate::ids::MessageId;
use crate::parcel::ParcelRef;
use rand::CryptoRng;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};
use undertone_crypto::mls::{KeyPackageInfo, inspect_key_package};
use undertone_crypto::{
    DeviceId, IdentityKey, LeafKey, SignedDeviceList, envelope, verify_contact,
};
use undertone_crypto::{EnvelopePublic, EnvelopeSecret};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{HeadRef, Tag, decode, encode};

/// What a link's cell carries. It has no leaf: what lies in the parcel is signed by itself.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Letter {
    /// What the parcel is.
    pub kind: LetterKind,
    /// Where it lies.
    pub parcel: ParcelRef,
}

/// The kinds of letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub(crate) enum LetterKind {
    /// An [`Offer`].
    Offer = 1,
    /// An [`Answer`], sealed.
    Answer = 2,
    /// A [`Reentry`](super::Reentry), sealed.
    Reentry = 3,
}

/// How to begin a conversation with whoever made the link.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Offer {
    /// The maker's devices.
    pub list: SignedDeviceList,
    /// Which of them made the offer.
    pub device: DeviceId,
    /// Its KeyPackage.
    pub package: VLBytes,
    /// X-Wing key for the answer.
    pub envelope: VLBytes,
    /// When the link ends, Unix milliseconds.
    pub expires_ms: u64,
    /// The device's signature over the offer's tag and all of this.
    pub signature: [u8; 64],
}

/// Why an offer or answer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OfferFault {
    /// Not in the grammar, or not for us.
    #[error("it cannot be read")]
    Unreadable,
    /// Signed by somebody else than the link names.
    #[error("it is not by the person whom the link names")]
    OtherIdentity,
    /// A signature does not hold.
    #[error("it is not signed by a listed device")]
    Signature,
}

/// Everything but the signature, for signing.
pub(super) fn signed_bytes<T: tls_codec::Serialize>(tag: &Tag, unsigned: &T) -> Vec<u8> {
    [&tag.as_bytes()[..], &encode(unsigned)].concat()
}

/// The key of a device that a genuine list names.
pub(super) fn listed_key(
    list: &SignedDeviceList,
    device: DeviceId,
) -> Result<[u8; 32], OfferFault> {
    list.verify().map_err(|_| OfferFault::Signature)?;
    let entry = list.list.devices.iter().find(|entry| entry.id == device);
    entry.map(|entry| entry.mls_key).ok_or(OfferFault::Signature)
}

impl Offer {
    /// Signs this offer for the cell at `tag`.
    pub(crate) fn sign(mut self, key: &LeafKey, tag: &Tag) -> Self {
        self.signature = [0; 64];
        self.signature = key.sign_contact(&signed_bytes(tag, &self));
        self
    }

    /// Reads an offer that must be by `identity`.
    ///
    /// # Errors
    /// Says who is to blame.
    pub(crate) fn open(
        bytes: &[u8],
        tag: &Tag,
        identity: &IdentityKey,
    ) -> Result<(Self, KeyPackageInfo), OfferFault> {
        let offer: Self = decode(bytes).map_err(|_| OfferFault::Unreadable)?;
        if offer.list.identity != *identity && !is_off(Check::OfferIdentity) {
            return Err(OfferFault::OtherIdentity);
        }
        let key = listed_key(&offer.list, offer.device)?;
        let unsigned = Self { signature: [0; 64], ..offer.clone() };
        let genuine = verify_contact(&key, &signed_bytes(tag, &unsigned), &offer.signature);
        if !genuine && !is_off(Check::OfferSignature) {
            return Err(OfferFault::Signature);
        }
        let package = inspect_key_package(offer.package.as_slice());
        let package = package.map_err(|_| OfferFault::Unreadable)?;
        let same = (package.identity == *identity || is_off(Check::OfferIdentity))
            && package.device == offer.device
            && package.mls_key == key;
        if same { Ok((offer, package)) } else { Err(OfferFault::OtherIdentity) }
    }
}

/// What the accepting side writes, sealed to the offer's envelope key.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Answer {
    /// The new MLS group.
    pub conversation: [u8; 32],
    /// The creator's newest head: opens epoch 1.
    pub opening: HeadRef,
    /// The creator's devices.
    pub list: SignedDeviceList,
    /// Which of them created the group.
    pub device: DeviceId,
    /// The creator's name, UTF-8; tamed by the reader.
    pub name: VLBytes,
    /// Their first words.
    pub message: Option<FirstMessage>,
    /// For the offer's KeyPackage.
    pub welcome: VLBytes,
    /// The group's ratchet tree.
    pub tree: VLBytes,
    /// The device's signature over the answer's tag and all of this.
    pub signature: [u8; 64],
}

/// A message that comes with an answer.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct FirstMessage {
    /// Random: makes its id.
    pub salt: [u8; 16],
    /// The author's clock, Unix milliseconds.
    pub sent_ms: u64,
    /// UTF-8.
    pub text: VLBytes,
}

impl FirstMessage {
    /// The id, when this device wrote it: that of the same words in a conversation.
    pub(crate) fn id(&self, identity: &IdentityKey, device: &DeviceId) -> MessageId {
        let (kind, content) = Content::Text(self.text.clone()).to_parts();
        MessageId::of(identity, device, &self.salt, kind, &content)
    }
}

const ANSWER_INFO: &[u8] = b"undertone answer 1";

impl Answer {
    /// Signs this answer for the cell at `tag` and seals it to `offer`'s envelope key.
    ///
    /// # Errors
    /// [`OfferFault::Unreadable`] when the offer's key is none.
    pub(crate) fn seal(
        mut self,
        key: &LeafKey,
        tag: &Tag,
        offer: &Offer,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, OfferFault> {
        self.signature = [0; 64];
        self.signature = key.sign_contact(&signed_bytes(tag, &self));
        let public = EnvelopePublic(offer.envelope.as_slice().to_vec());
        let sealed = envelope::seal(&public, ANSWER_INFO, tag.as_bytes(), &encode(&self), rng);
        sealed.map_err(|_| OfferFault::Unreadable)
    }

    /// Opens an answer that was written to the cell at `tag`.
    ///
    /// # Errors
    /// Says who is to blame.
    pub(crate) fn open(
        sealed: &[u8],
        secret: &EnvelopeSecret,
        tag: &Tag,
    ) -> Result<Self, OfferFault> {
        let bytes = envelope::open(secret, ANSWER_INFO, tag.as_bytes(), sealed);
        let answer: Self =
            bytes.ok().and_then(|bytes| decode(&bytes).ok()).ok_or(OfferFault::Unreadable)?;
        let key = listed_key(&answer.list, answer.device)?;
        let unsigned = Self { signature: [0; 64], ..answer.clone() };
        let genuine = verify_contact(&key, &signed_bytes(tag, &unsigned), &answer.signature);
        if genuine { Ok(answer) } else { Err(OfferFault::Signature) }
    }
}
