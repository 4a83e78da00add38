//! The letter by which a device asks a contact to begin their conversation anew.

use super::letter::{listed_key, signed_bytes};
use super::{Offer, OfferFault, Post};
use rand::CryptoRng;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_crypto::envelope::{self, EnvelopeFault};
use undertone_crypto::{
    EnvelopePublic, EnvelopeSecret, IdentityKey, LeafKey, Secret, verify_contact,
};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{ServerId, Tag, decode, encode};

const INFO: &[u8] = b"undertone re-entry 1";

/// A request to begin a two-party conversation anew, sealed to the door's envelope key. It is answered
/// like the offer of a one-time link with its secret.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Reentry {
    /// The MLS group that the device cannot follow any more.
    pub lost: [u8; 32],
    /// Where the answer goes.
    pub secret: [u8; 32],
    /// What it is made from; signed for the offer's place under that secret.
    pub offer: Offer,
    /// The device's signature over the request's tag and all of this.
    pub signature: [u8; 64],
}

impl Reentry {
    /// Signs this request for the cell at `tag` and seals it to a door's envelope key.
    ///
    /// # Errors
    /// [`EnvelopeFault`] when the door's key is none.
    pub(crate) fn seal(
        mut self,
        key: &LeafKey,
        tag: &Tag,
        envelope: &EnvelopePublic,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, EnvelopeFault> {
        self.signature = [0; 64];
        self.signature = key.sign_contact(&signed_bytes(tag, &self));
        envelope::seal(envelope, INFO, tag.as_bytes(), &encode(&self), rng)
    }

    /// Opens a request of `identity` that was written to the cell at `tag`: R01 to R06. Whether its
    /// device list may be followed is not looked at here.
    ///
    /// # Errors
    /// Says who is to blame.
    pub(crate) fn open(
        sealed: &[u8],
        secret: &EnvelopeSecret,
        tag: &Tag,
        server: &ServerId,
        identity: &IdentityKey,
    ) -> Result<Self, OfferFault> {
        let bytes = envelope::open(secret, INFO, tag.as_bytes(), sealed);
        let bytes = bytes.map_err(|_| OfferFault::Unreadable)?;
        let request: Self = decode(&bytes).map_err(|_| OfferFault::Unreadable)?;
        let key = listed_key(&request.offer.list, request.offer.device)?;
        let unsigned = Self { signature: [0; 64], ..request.clone() };
        let genuine = verify_contact(&key, &signed_bytes(tag, &unsigned), &request.signature);
        if !genuine && !is_off(Check::RequestSignature) {
            return Err(OfferFault::Signature);
        }
        let place = Post::Offer.keys(&Secret::from_bytes(request.secret), server).tag;
        let (offer, _) = Offer::open(&encode(&request.offer), &place, identity)?;
        // An answer could not be sealed, and what it answers would be lost first.
        let usable = EnvelopePublic(offer.envelope.as_slice().to_vec()).is_key();
        if usable { Ok(request) } else { Err(OfferFault::Unreadable) }
    }
}
