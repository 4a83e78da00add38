//! Which devices are a person's: a numbered, signed, hash-chained list (DESIGN.md sections 2 and 5).
//!
//! The identity signs the list; each entry names the MLS signature key of one device, and a leaf of a
//! group is somebody's only if the list says so. A list with a lower number than one that is known is
//! refused: a removed device cannot be brought back by an old list.

use crate::{Identity, IdentityKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_wire::checks::{Check, is_off};

const LABEL: &str = "undertone device list 1";

/// Most devices in one list.
pub const DEVICES_MAX: usize = 32;

/// One installation, chosen at random when it is made.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    TlsSize,
    TlsSerialize,
    TlsDeserializeBytes,
)]
pub struct DeviceId(#[serde(with = "serde_bytes")] pub [u8; 16]);

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "DeviceId({a:02x}{b:02x}…)")
    }
}

/// One entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Device {
    /// The device.
    pub id: DeviceId,
    /// The Ed25519 key with which its leaves sign.
    pub mls_key: [u8; 32],
}

/// A person's devices at one time.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct DeviceList {
    /// The first list is 1; each later one counts up by one.
    pub number: u64,
    /// [`SignedDeviceList::hash`] of the list before; zeros in the first.
    pub previous: [u8; 32],
    /// The devices, sorted by id, each once.
    pub devices: Vec<Device>,
    /// Unix milliseconds at which it was made, by the clock of the device that made it.
    pub time_ms: u64,
}

/// A list with the signature of the person whose devices they are.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SignedDeviceList {
    /// Whose it is.
    pub identity: IdentityKey,
    /// What is signed.
    pub list: DeviceList,
    /// Ed25519 over the label `undertone device list 1` and the list's bytes.
    pub signature: [u8; 64],
}

/// Why a device list is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// The identity did not sign it.
    #[error("the device list is not signed by its identity")]
    Signature,
    /// No device, too many, or not in order.
    #[error("the device list is not well-formed")]
    Form,
    /// It is about another person.
    #[error("the device list is another person's")]
    OtherIdentity,
    /// An older list than the known one.
    #[error("device list {offered} is older than list {known}, which is known")]
    Older {
        /// The number that is known.
        known: u64,
        /// The number that was shown.
        offered: u64,
    },
    /// Two lists of one number, or a list that does not continue the known one: the identity has
    /// signed two histories.
    #[error("device list {number} contradicts the one that is known")]
    Fork {
        /// The number at which they part.
        number: u64,
    },
}

impl SignedDeviceList {
    /// Signs `list`.
    pub fn sign(identity: &Identity, list: DeviceList) -> Self {
        let signature = identity.sign(LABEL, &undertone_wire::encode(&list));
        Self { identity: identity.key(), list, signature }
    }

    /// Checks the form and the signature, by itself; see [`SignedDeviceList::follows`] for history.
    ///
    /// # Errors
    /// [`ListFault::Form`] or [`ListFault::Signature`].
    pub fn verify(&self) -> Result<(), ListFault> {
        let devices = &self.list.devices;
        let sorted = devices.is_sorted_by(|a, b| a.id < b.id);
        let first = self.list.number == 1;
        let chained = first == (self.list.previous == [0; 32]);
        if !sorted || devices.is_empty() || devices.len() > DEVICES_MAX {
            return Err(ListFault::Form);
        }
        if self.list.number == 0 || !chained {
            return Err(ListFault::Form);
        }
        let message = undertone_wire::encode(&self.list);
        let genuine =
            self.identity.verify(LABEL, &message, &self.signature) || is_off(Check::ListSignature);
        genuine.then_some(()).ok_or(ListFault::Signature)
    }

    /// Checks that this list may take the place of `known`. The same list again may; after a hole
    /// (lists that were never seen) the number alone decides, because the chain cannot.
    ///
    /// # Errors
    /// Says how the two contradict each other. Both must have been verified before.
    pub fn follows(&self, known: &Self) -> Result<(), ListFault> {
        let (offered, number) = (self.list.number, known.list.number);
        if is_off(Check::ListHistory) {
            return Ok(());
        }
        if self.identity != known.identity {
            return Err(ListFault::OtherIdentity);
        }
        if offered < number {
            return Err(ListFault::Older { known: number, offered });
        }
        let forked = match offered - number {
            0 => self.list != known.list,
            1 => self.list.previous != known.hash(),
            _ => false,
        };
        if forked { Err(ListFault::Fork { number: offered }) } else { Ok(()) }
    }

    /// SHA-256 over the identity and the list's bytes: what the next list names as `previous`.
    pub fn hash(&self) -> [u8; 32] {
        let list = undertone_wire::encode(&self.list);
        Sha256::new().chain_update(self.identity.0).chain_update(list).finalize().into()
    }

    /// Whether the list names `device` with the key `mls_key`.
    pub fn names(&self, device: DeviceId, mls_key: &[u8; 32]) -> bool {
        self.list.devices.iter().any(|entry| entry.id == device && entry.mls_key == *mls_key)
    }
}

#[cfg(test)]
#[path = "device/tests.rs"]
mod tests;
