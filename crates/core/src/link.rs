//! First contact: the URI that one person hands to another, and the two letters that follow
//! (DESIGN.md section 5).
//!
//! The URI carries a secret. From it both sides compute the addresses of an *offer* (KeyPackage and
//! envelope key of whoever made the link) and of an *answer* (Welcome to the new two-party group,
//! sealed to the offer's envelope key). Write-once makes a one-time link single-use: the first
//! answer holds the slot. A reusable address has 64 offer slots and 4,096 answer slots a day.
//!
//! The same letters carry *re-entry*: a request at a door that a contact was given takes the place of
//! the offer, and is answered like one (ADR 0011).
//!
//! Offers and answers are signed by a device whose device list, signed by the identity, travels
//! beside: the identity's own key stays sealed (ADR 0002).

mod letter;
mod reentry;
mod uri;

pub(crate) use letter::{Answer, FirstMessage, Letter, LetterKind, Offer, OfferFault};
pub(crate) use reentry::Reentry;
pub use uri::{LinkFault, is_reusable};
pub(crate) use uri::{LinkKind, LinkUri};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use undertone_crypto::{Secret, SlotKeys, link_keys};
use undertone_wire::ServerId;

/// Offer slots of a reusable address per day (UTC by head time).
pub(crate) const OFFER_SLOTS: u16 = 64;
/// Answer slots of a reusable address per day.
pub(crate) const ANSWER_SLOTS: u16 = 4096;
/// Days for which a reusable address stores its offers in advance, today included.
pub(crate) const OFFER_DAYS: u32 = 30;

/// Slots for requests at the door that a contact was given, per day.
pub(crate) const DOOR_SLOTS: u16 = 8;

/// Days since 1970 at a head's time.
pub(crate) fn day_of(time_ms: u64) -> u32 {
    u32::try_from(time_ms / 86_400_000).unwrap_or(u32::MAX)
}

/// One letter of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Post {
    /// The offer of a one-time link.
    Offer,
    /// The answer to a one-time link.
    Answer,
    /// An offer of a reusable address.
    DayOffer {
        /// Its day.
        day: u32,
        /// One of [`OFFER_SLOTS`].
        slot: u16,
    },
    /// An answer to a reusable address.
    DayAnswer {
        /// Its day.
        day: u32,
        /// One of [`ANSWER_SLOTS`].
        slot: u16,
    },
    /// A request at a door.
    Reentry {
        /// Its day.
        day: u32,
        /// One of [`DOOR_SLOTS`].
        slot: u16,
    },
}

impl Post {
    /// Address and keys of this letter of the link with `secret`.
    pub(crate) fn keys(self, secret: &Secret, server: &ServerId) -> SlotKeys {
        let of_day = |what, day: u32, slot: u16| {
            link_keys(secret, server, what, &[&day.to_be_bytes(), &slot.to_be_bytes()])
        };
        match self {
            Self::Offer => link_keys(secret, server, "offer", &[]),
            Self::Answer => link_keys(secret, server, "answer", &[]),
            Self::DayOffer { day, slot } => of_day("day offer", day, slot),
            Self::DayAnswer { day, slot } => of_day("day answer", day, slot),
            Self::Reentry { day, slot } => of_day("re-entry", day, slot),
        }
    }
}

/// A link's name in this device's records: says nothing of its secret.
pub(crate) fn link_id(secret: &[u8; 32]) -> [u8; 16] {
    let hash = Sha256::new().chain_update(b"undertone link id 1").chain_update(secret).finalize();
    hash[..16].try_into().expect("sixteen of thirty-two bytes")
}
