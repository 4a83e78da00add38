//! Letters that no honest device writes: copied offers, and requests at a contact's door.

use crate::account::Account;
use crate::body::Door;
use crate::link::{Letter, LetterKind, LinkUri, Offer, Post, Reentry, day_of, link_id};
use crate::parcel::{MESSAGE_PARTS_MAX, ParcelRef, pack};
use rand::{CryptoRng, Rng};
use undertone_crypto::{EnvelopePublic, IdentityKey, LeafKey, Secret, SlotKeys, cell, envelope};
use undertone_wire::{Cell, ServerId, encode};

/// A letter, to be stored: its parts first.
#[derive(Clone)]
pub struct Posted {
    parcel: ParcelRef,
    kind: LetterKind,
    /// The parts and where they lie.
    pub parts: Vec<(SlotKeys, Cell)>,
    /// Where the letter stands.
    pub keys: SlotKeys,
    /// The letter.
    pub cell: Cell,
}

impl Posted {
    fn new(
        kind: LetterKind,
        payload: &[u8],
        keys: SlotKeys,
        server: &ServerId,
        rng: &mut dyn CryptoRng,
    ) -> Option<Self> {
        let packed = pack(payload, MESSAGE_PARTS_MAX, server, rng).ok()?;
        let letter = encode(&Letter { kind, parcel: packed.reference.clone() });
        let cell = cell::seal(&keys, &letter, rng).ok()?;
        Some(Self { parcel: packed.reference, kind, parts: packed.parts, keys, cell })
    }

    /// The same parts, as the letter of another slot.
    pub fn moved(&self, keys: SlotKeys, rng: &mut dyn CryptoRng) -> Option<Self> {
        let letter = encode(&Letter { kind: self.kind, parcel: self.parcel.clone() });
        let cell = cell::seal(&keys, &letter, rng).ok()?;
        Some(Self { keys, cell, ..self.clone() })
    }
}

/// The offer of `account`'s one-time link under a secret and with an envelope key of somebody else's,
/// and the link to it.
pub fn copied_offer(
    account: &mut Account,
    link: &str,
    rng: &mut dyn CryptoRng,
) -> Option<(String, Posted)> {
    let link = LinkUri::parse(link).ok()?;
    let offer = account.offer_for_fuzzing(link_id(&link.secret))?;
    let (_, envelope) = envelope::generate(rng).ok()?;
    let secret = Secret::random(rng);
    let keys = Post::Offer.keys(&secret, &link.server);
    let copy = Offer { envelope: envelope.0.into(), ..offer };
    let posted = Posted::new(LetterKind::Offer, &encode(&copy), keys, &link.server, rng)?;
    Some((LinkUri { secret: *secret.dangerous_bytes(), ..link }.to_text(), posted))
}

/// The door to a contact, as who was given it knows it.
pub struct Way {
    door: Door,
    server: ServerId,
    day: u32,
}

impl Way {
    /// Address and keys of one of the day's slots.
    pub fn slot(&self, slot: u16) -> SlotKeys {
        let post = Post::Reentry { day: self.day, slot };
        post.keys(&Secret::from_bytes(self.door.secret), &self.server)
    }

    /// Any bytes where a sealed request belongs.
    pub fn post(&self, slot: u16, sealed: &[u8], rng: &mut dyn CryptoRng) -> Option<Posted> {
        Posted::new(LetterKind::Reentry, sealed, self.slot(slot), &self.server, rng)
    }

    /// A request, sealed for one of the slots.
    pub fn ask(&self, slot: u16, asking: &Asking, rng: &mut dyn CryptoRng) -> Option<Posted> {
        let tag = self.slot(slot).tag;
        let envelope = EnvelopePublic(self.door.envelope.as_slice().to_vec());
        let request = asking.request.clone();
        let sealed = request.seal(&asking.key, &tag, &envelope, rng).ok()?;
        self.post(slot, &sealed, rng)
    }
}

/// A request before it is sealed, and the key that signs it.
pub struct Asking {
    pub(crate) request: Reentry,
    pub(crate) key: LeafKey,
}

/// What a request claims.
#[derive(Clone, Copy, Debug)]
pub struct Claimed {
    /// Where the answer is to go; random when nothing is said.
    pub secret: Option<[u8; 32]>,
    /// When the request is over, Unix milliseconds.
    pub expires_ms: u64,
}

impl Asking {
    /// A request by `account`'s device, whatever it has lost, signed as an honest one.
    pub fn by(account: &mut Account, claimed: Claimed, rng: &mut dyn CryptoRng) -> Option<Self> {
        let secret = claimed.secret.unwrap_or_else(|| rng.random());
        let (offer, key, server) = account.request_for_fuzzing(claimed.expires_ms)?;
        let place = Post::Offer.keys(&Secret::from_bytes(secret), &server).tag;
        let offer = offer.sign(&key, &place);
        let request = Reentry { lost: [9; 32], secret, offer, signature: [0; 64] };
        Some(Self { request, key })
    }

    /// The same, signed by nobody's key.
    pub fn signed_by_nobody(self, rng: &mut dyn CryptoRng) -> Self {
        Self { key: LeafKey::random(rng), ..self }
    }
}

/// The secret of a link.
pub fn secret_of(link: &str) -> Option<[u8; 32]> {
    Some(LinkUri::parse(link).ok()?.secret)
}

impl Account {
    /// The door that a contact has given this device, at the newest head's day.
    pub fn way_to(&self, peer: &IdentityKey) -> Option<Way> {
        let (door, server, time_ms) = self.door_for_fuzzing(peer)?;
        Some(Way { door, server, day: day_of(time_ms) })
    }
}
