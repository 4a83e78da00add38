//! # The cryptography of Undertone
//!
//! The only crate that names OpenMLS. It turns an epoch's exported secret into tags and keys
//! ([`schedule`]), seals cells ([`cell`]), holds identities and device lists, seals letters to one key
//! ([`envelope`]) and wraps the MLS groups. It is pure: no clock, no socket, no file; randomness is an
//! argument, except inside MLS and HPKE, whose library draws from the operating system.
//!
//! Nothing secret is printed or serialised by accident: see [`Secret`].

pub mod cell;
mod device;
pub mod envelope;
mod identity;
mod leaf;
pub mod schedule;
mod secret;
mod signature;

pub use cell::NotOurs;
pub use device::{DEVICES_MAX, Device, DeviceId, DeviceList, ListFault, SignedDeviceList};
pub use envelope::{EnvelopePublic, EnvelopeSecret};
pub use identity::{
    BadFingerprint, BadPhrase, Identity, IdentityKey, Phrase, WORDS, safety_number,
};
pub use leaf::{LeafKey, verify_header};
pub use schedule::{CellKey, EpochLog, Slot, SlotKeys, expand, link_keys, part_keys};
pub use secret::Secret;
