//! From an epoch's exported secret to the keys of one cell (DESIGN.md section 4).
//!
//! Everything is one function, [`expand`]; labels keep the purposes apart, and slots step one way, so
//! that whoever takes a device learns no key of a slot that the device has already left behind.
//! Callers erase a root (the [`EpochLog`], a lane's slot 0) once they have derived what they need.

use crate::Secret;
use sha2::{Digest, Sha256};
use std::fmt;
use undertone_wire::{HeadRef, Prefix, ServerId, Tag, WriteKey};

/// HKDF-Expand-SHA256 (RFC 5869) with PRK `secret` and 32 bytes of output.
///
/// `info` is the label and then each argument, every one of them preceded by its length as a
/// big-endian `u16`: no two different calls have the same `info`.
///
/// # Panics
/// If the label or an argument is longer than 65,535 bytes; all callers pass short ones.
pub fn expand(secret: &Secret, label: &str, args: &[&[u8]]) -> Secret {
    let mut info = Vec::with_capacity(2 + label.len() + args.len() * 34);
    for part in [label.as_bytes()].iter().chain(args) {
        let length = u16::try_from(part.len()).expect("labels and arguments are short");
        info.extend_from_slice(&length.to_be_bytes());
        info.extend_from_slice(part);
    }
    #[cfg(feature = "stand-in")]
    return Secret::from_bytes(undertone_wire::stand_in::mix(&[secret.dangerous_bytes(), &info]));
    #[cfg(not(feature = "stand-in"))]
    hkdf_expand(secret, &info)
}

#[cfg(not(feature = "stand-in"))]
fn hkdf_expand(secret: &Secret, info: &[u8]) -> Secret {
    use hkdf::Hkdf;
    let mut output = [0; 32];
    Hkdf::<sha2::Sha256>::from_prk(secret.dangerous_bytes())
        .and_then(|hkdf| hkdf.expand(info, &mut output).map_err(|_| hkdf::InvalidPrkLength))
        .expect("32 bytes are a fit PRK and a fit length of output");
    Secret::from_bytes(output)
}

/// The root of all slots of one epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct EpochLog(Secret);

impl EpochLog {
    /// Binds `exported` (the MLS exporter's secret of the epoch) to the server and to the head that
    /// closed the epoch before: nobody can fill an epoch's slots before it opens.
    pub fn derive(exported: &Secret, server: &ServerId, closing: &HeadRef) -> Self {
        let args: [&[u8]; 3] = [&server.0, &closing.tick.to_be_bytes(), &closing.root];
        Self(expand(exported, "epoch log", &args))
    }

    /// The first slot of the control lane, which all members share.
    pub fn control(&self) -> Slot {
        Slot::first(&expand(&self.0, "control", &[]))
    }

    /// The first slot of the lane in which `leaf` alone writes.
    pub fn lane(&self, leaf: u32) -> Slot {
        Slot::first(&expand(&self.0, "lane", &[&leaf.to_be_bytes()]))
    }
}

/// One position of a lane.
#[derive(Clone, PartialEq, Eq)]
pub struct Slot {
    index: u64,
    secret: Secret,
}

impl Slot {
    fn first(lane: &Secret) -> Self {
        Self { index: 0, secret: expand(lane, "slot 0", &[]) }
    }

    /// The slot after this one. There is no way back.
    ///
    /// # Panics
    /// After slot 2^64 - 1, which no lane reaches.
    pub fn next(&self) -> Self {
        let index = self.index.checked_add(1).expect("no lane has 2^64 slots");
        Self { index, secret: expand(&self.secret, "next", &[]) }
    }

    /// Its number in the lane, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Tag, write key and cell key of this slot on `server`.
    pub fn keys(&self, server: &ServerId) -> SlotKeys {
        SlotKeys::derive(&self.secret, server)
    }

    /// A slot from its stored form.
    pub fn from_parts(index: u64, secret: [u8; 32]) -> Self {
        Self { index, secret: Secret::from_bytes(secret) }
    }

    /// What [`Slot::from_parts`] takes: for the encrypted store and nothing else.
    pub fn dangerous_parts(&self) -> (u64, [u8; 32]) {
        (self.index, *self.secret.dangerous_bytes())
    }
}

/// What seals one cell. It is a [`Secret`] of its own type, so that no other can take its place.
#[derive(Clone, PartialEq, Eq)]
pub struct CellKey(pub(crate) Secret);

/// Where one cell lies, what proves the right to write it, and what seals it.
#[derive(Clone, PartialEq, Eq)]
pub struct SlotKeys {
    /// The address.
    pub tag: Tag,
    /// What a digest lists of it: looked up far more often than it is derived.
    pub prefix: Prefix,
    /// The preimage of `tag`: shown to the server with the cell.
    pub write: WriteKey,
    /// The key that never leaves the members' devices.
    pub cell: CellKey,
}

impl SlotKeys {
    fn derive(slot: &Secret, server: &ServerId) -> Self {
        let write = WriteKey(*expand(slot, "write", &[]).dangerous_bytes());
        let cell = CellKey(expand(slot, "cell", &[]));
        let tag = Tag::derive(server, &write);
        Self { tag, prefix: tag.prefix(), write, cell }
    }
}

/// The keys of part `index` of the parcel whose head carries `seed`.
pub fn part_keys(seed: &Secret, server: &ServerId, index: u32) -> SlotKeys {
    SlotKeys::derive(&expand(seed, "part", &[&index.to_be_bytes()]), server)
}

/// The keys of the cell that proves where another one was first listed, by that one's write key:
/// whoever knows a slot finds it (ADR 0010).
pub fn evidence_keys(write: &WriteKey, server: &ServerId) -> SlotKeys {
    SlotKeys::derive(&expand(&Secret::from_bytes(write.0), "again", &[]), server)
}

/// The seed of that cell's nonce: whoever proves the same seals the same bytes.
pub fn evidence_seed(write: &WriteKey, content: &[u8]) -> [u8; 32] {
    let hash: [u8; 32] = Sha256::digest(content).into();
    *expand(&Secret::from_bytes(write.0), "again seal", &[&hash]).dangerous_bytes()
}

/// The keys of a link, address or re-entry cell: `what` names it ("offer", "answer", …) and `args`
/// tell cells of one name apart (a day, a number).
pub fn link_keys(secret: &Secret, server: &ServerId, what: &str, args: &[&[u8]]) -> SlotKeys {
    SlotKeys::derive(&expand(secret, what, args), server)
}

macro_rules! hidden_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
hidden_debug!(EpochLog, CellKey, SlotKeys);

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({}, …)", self.index)
    }
}

#[cfg(test)]
#[path = "schedule/tests.rs"]
mod tests;
