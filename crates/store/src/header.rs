//! `profile.json`: what must be readable before the passphrase is known.
//!
//! Nothing in it is secret or personal. A checksum over all fields tells damage apart from a wrong
//! passphrase; the fields are also authenticated by the wrapping, so a changed one never opens.

use crate::{
    StoreError,
    key::{DatabaseKey, WRAPPED_LEN},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The purpose of the header that wraps the database key. One of another purpose never opens it.
pub const DATABASE: &str = "undertone profile key 1";

/// The purpose of the sealed identity, which opens under the passphrase alone.
pub const IDENTITY: &str = "undertone identity seed 1";

/// A header is a few hundred bytes; more is not one.
pub(crate) const HEADER_BYTES_MAX: u64 = 4096;

/// Cost of the passphrase's derivation (Argon2id, RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KdfParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// [`KdfParams::STANDARD`].
impl Default for KdfParams {
    fn default() -> Self {
        Self::STANDARD
    }
}

impl KdfParams {
    /// For people's passphrases: the second recommended option of RFC 9106 section 4, with one
    /// lane because the implementation computes them one after the other.
    pub const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

    /// As cheap as Argon2id goes; protects nothing. For tests.
    pub const DANGEROUS_CHEAP: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    /// A hostile header must not make the program ask for all memory or run for hours.
    fn is_sane(&self) -> bool {
        (8..=1024 * 1024).contains(&self.memory_kib)
            && (1..=64).contains(&self.passes)
            && (1..=16).contains(&self.lanes)
    }
}

/// The header as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`] of the program that wrote it.
    format: u32,
    kdf: KdfParams,
    /// 16 bytes, hexadecimal.
    salt: String,
    /// Nonce and sealed database key, hexadecimal.
    wrapped_key: String,
    /// SHA-256 over the fields above, hexadecimal.
    checksum: String,
}

/// All that every format has; enough to tell a newer one.
#[derive(Deserialize)]
struct Formatted {
    format: u32,
}

impl Header {
    /// A header that opens `key` with `passphrase`, for [`DATABASE`] or another purpose.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when `kdf` is out of Argon2id's range.
    pub fn seal(
        purpose: &str,
        key: &DatabaseKey,
        passphrase: &str,
        kdf: KdfParams,
        rng: &mut dyn rand::CryptoRng,
    ) -> Result<Self, StoreError> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let wrapped =
            key.wrap(passphrase, &kdf, &salt, &bound(purpose, FORMAT, &kdf, &salt), rng)?;
        let (salt, wrapped_key) = (hex::encode(salt), hex::encode(wrapped));
        let mut header = Self { format: FORMAT, kdf, salt, wrapped_key, checksum: String::new() };
        header.checksum = header.sum();
        Ok(header)
    }

    /// The database key.
    ///
    /// # Errors
    /// [`StoreError::WrongPassphrase`] when it was sealed with another one, or for another purpose.
    pub fn open(&self, purpose: &str, passphrase: &str) -> Result<DatabaseKey, StoreError> {
        let salt = from_hex(&self.salt, "salt")?;
        let wrapped = from_hex::<WRAPPED_LEN>(&self.wrapped_key, "wrapped key")?;
        let bound = bound(purpose, self.format, &self.kdf, &salt);
        DatabaseKey::unwrap_with(passphrase, &self.kdf, &salt, &bound, &wrapped)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("strings and numbers serialise");
        bytes.push(b'\n');
        bytes
    }

    /// Reads the file's bytes.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a later format, [`StoreError::Damaged`] for anything else that
    /// [`Self::to_bytes`] does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let Formatted { format } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if format > FORMAT {
            return Err(StoreError::Newer { found: format, known: FORMAT });
        }
        let header: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        if header.checksum != header.sum() {
            return Err(damaged("the checksum does not fit"));
        }
        if !header.kdf.is_sane() {
            return Err(damaged("the cost parameters are out of range"));
        }
        Ok(header)
    }

    /// A header with other parameters and a fitting checksum, as an attacker would write it.
    #[cfg(test)]
    pub(crate) fn dangerous_with_kdf(mut self, kdf: KdfParams) -> Self {
        self.kdf = kdf;
        self.checksum = self.sum();
        self
    }

    fn sum(&self) -> String {
        let KdfParams { memory_kib, passes, lanes } = self.kdf;
        let Self { format, salt, wrapped_key, .. } = self;
        let text = format!("{format} {memory_kib} {passes} {lanes} {salt} {wrapped_key}");
        hex::encode(Sha256::digest(text))
    }
}

/// What the wrapping authenticates besides the key.
fn bound(purpose: &str, format: u32, kdf: &KdfParams, salt: &[u8; 16]) -> Vec<u8> {
    let numbers = [format, kdf.memory_kib, kdf.passes, kdf.lanes];
    let numbers = numbers.iter().flat_map(|number| number.to_be_bytes());
    purpose.bytes().chain(numbers).chain(*salt).collect()
}

fn from_hex<const N: usize>(text: &str, what: &str) -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| damaged(&format!("the {what} is not {N} bytes of hexadecimal")))?;
    Ok(bytes)
}

fn unreadable(error: serde_json::Error) -> StoreError {
    damaged(&error.to_string())
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("profile.json: {what}"))
}
