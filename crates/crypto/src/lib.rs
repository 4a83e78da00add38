//! # The cryptography of Undertone
//!
//! The only crate that names OpenMLS. It turns an epoch's exported secret into tags and keys
//! ([`schedule`]), seals cells ([`cell`]), holds identities and device lists, seals letters to one key
//! ([`envelope`]) and wraps the MLS groups. It is pure: no clock that decides anything, no socket, no
//! file; randomness is an argument, and for MLS the generator is: see [`Mls::reseed`].
//!
//! Nothing secret is printed or serialised by accident: see [`Secret`].
//!
//! ## For callers
//! * Everything that can fail by bytes, by the operating system's randomness or by an unfit call says
//!   so: [`Mls::load`], [`Mls::key_package`] and [`Group::exporter`] return a `Result`,
//!   [`envelope::seal`] refuses bytes that are no key, [`SignedDeviceList::verify`] names the fault.
//! * [`Group::tree`] and [`Group::policy`] read the handle alone. [`Group::load`] of an unknown id is
//!   [`Refused::UnknownGroup`]; [`Group::forget`] erases a group.
//! * [`mls::inspect_key_package`] and [`Mls::forget_key_package`] take the bytes as a slice.
//! * A call on a [`Group`] or on [`Mls`] that fails leaves no trace in the handle or the store.

pub mod cbor;
pub mod cell;
mod device;
pub mod envelope;
mod identity;
mod leaf;
pub mod mls;
#[cfg(doctest)]
mod must_not_compile;
pub mod schedule;
mod secret;
mod signature;
#[cfg(feature = "stand-in")]
mod stand_in;
#[cfg(test)]
mod vectors;
mod xwing;

pub use cell::NotOurs;
pub use device::{DEVICES_MAX, Device, DeviceId, DeviceList, ListFault, SignedDeviceList};
pub use envelope::{EnvelopePublic, EnvelopeSecret};
pub use identity::{
    BadFingerprint, BadPhrase, Identity, IdentityKey, Phrase, WORDS, safety_number,
};
pub use leaf::{LeafKey, verify_contact, verify_header};
pub use mls::{
    Blame, CommitSpec, Group, KeyPackageBytes, KeyPackageInfo, LEAVES_MAX, Member, Mls,
    PendingCommit, Plain, Refused, Staged, StoreFault, inspect_key_package,
};
pub use schedule::{
    CellKey, EpochLog, Slot, SlotKeys, evidence_keys, evidence_seed, expand, link_keys, part_keys,
};
pub use secret::Secret;
