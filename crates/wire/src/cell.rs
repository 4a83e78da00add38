//! Cells and their addresses (DESIGN.md sections 2 and 3.1).

use crate::sha256::sha256;
use std::fmt;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// Bytes in a cell.
pub const CELL_LEN: usize = 2048;

macro_rules! bytes32 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(TlsSize, TlsSerialize, TlsDeserializeBytes)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The raw bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }
    };
}

bytes32! {
    /// The fingerprint of a server's first signing key; it never changes.
    ServerId
}
bytes32! {
    /// The address of one cell. Knowing it is the right to read that cell.
    Tag
}
bytes32! {
    /// The preimage of a tag. Knowing it is the right to write that cell.
    WriteKey
}
bytes32! {
    /// SHA-256 of a tag: what the server's log shows of it, so that the log grants no reading.
    TagHash
}
bytes32! {
    /// SHA-256 of a cell's bytes.
    CellHash
}

/// The first eight bytes of a [`TagHash`], big-endian: what a digest lists.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    TlsSize,
    TlsSerialize,
    TlsDeserializeBytes,
)]
pub struct Prefix(pub u64);

impl Tag {
    /// `tag = SHA-256("undertone tag 1" ‖ server_id ‖ SHA-256(w))` (DESIGN.md section 3.1).
    pub fn derive(server: &ServerId, write: &WriteKey) -> Self {
        Self(sha256(&[b"undertone tag 1", &server.0, &sha256(&[&write.0])]))
    }

    /// What the log lists of this tag.
    pub fn hash(&self) -> TagHash {
        TagHash(sha256(&[&self.0]))
    }

    /// The prefix that a digest lists for this tag.
    pub fn prefix(&self) -> Prefix {
        self.hash().prefix()
    }
}

impl TagHash {
    /// The eight bytes that a digest lists.
    pub fn prefix(&self) -> Prefix {
        let first: [u8; 8] = self.0[..8].try_into().expect("eight of thirty-two bytes");
        let prefix = Prefix(u64::from_be_bytes(first));
        #[cfg(feature = "dangerous-short-prefixes")]
        let prefix = crate::dangerous_short_prefixes::cut(prefix);
        prefix
    }
}

// Addresses grant rights and link people: none of them may ever stand in a log line.
macro_rules! hidden_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
hidden_debug!(Tag, WriteKey, TagHash, CellHash, Cell);

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerId({self})")
    }
}

/// Lowercase hexadecimal, as it stands in `undertone://` addresses.
impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// 2,048 bytes of sealed data.
#[derive(Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Cell(Box<CellBytes>);

#[derive(Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
struct CellBytes([u8; CELL_LEN]);

impl Cell {
    /// Takes exactly one cell's bytes.
    pub fn from_array(bytes: [u8; CELL_LEN]) -> Self {
        Self(Box::new(CellBytes(bytes)))
    }

    /// `None` unless `bytes` has a cell's length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_array)
    }

    /// The sealed bytes.
    pub fn as_bytes(&self) -> &[u8; CELL_LEN] {
        &self.0.0
    }

    /// SHA-256 of the cell, as the log commits to it.
    pub fn hash(&self) -> CellHash {
        CellHash(sha256(&[self.as_bytes()]))
    }
}
