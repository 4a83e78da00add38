//! The outer layer: a cell seals its content under the key of one slot (DESIGN.md section 4).
//!
//! ```text
//! cell = commitment(32) ‖ nonce(24) ‖ XChaCha20-Poly1305(ck, nonce, ad = tag, plaintext)
//! plaintext = u16 length ‖ content ‖ zeros, 1,976 bytes in all
//! commitment = Expand(ck, "commit", nonce)
//! ```
//! XChaCha20-Poly1305 alone does not commit to its key: somebody could craft a cell that opens under
//! two keys to two contents. The commitment makes that as hard as a collision of SHA-256. The nonce
//! is random, so that even a device that breaks the rule of one seal per slot leaks no key stream.

use crate::{
    Secret,
    schedule::{CellKey, SlotKeys, expand},
};
use rand::CryptoRng;
use subtle::ConstantTimeEq;
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{CELL_LEN, Cell};
use zeroize::Zeroizing;

const COMMITMENT_LEN: usize = 32;
const NONCE_LEN: usize = 24;
const AEAD_TAG_LEN: usize = 16;
const PLAINTEXT_AT: usize = COMMITMENT_LEN + NONCE_LEN;
const AEAD_TAG_AT: usize = CELL_LEN - AEAD_TAG_LEN;

/// Longest content of one cell, in bytes.
pub const CONTENT_MAX: usize = AEAD_TAG_AT - PLAINTEXT_AT - 2;

/// The content does not fit in one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{length} bytes do not fit in one cell: it holds {CONTENT_MAX}")]
pub struct TooLong {
    /// How long it is, in bytes.
    pub length: usize,
}

/// What was sealed is not what this key sealed: another key, or not a single bit of it is to be
/// trusted. Why exactly is nobody's business, so there is one error for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this was not sealed for us, or it was changed")]
pub struct NotOurs;

/// Seals `content` for the slot of `keys`.
///
/// # Errors
/// [`TooLong`] above [`CONTENT_MAX`] bytes.
pub fn seal(keys: &SlotKeys, content: &[u8], rng: &mut dyn CryptoRng) -> Result<Cell, TooLong> {
    let length = content.len();
    let prefix = u16::try_from(length).ok().filter(|_| length <= CONTENT_MAX);
    let prefix = prefix.ok_or(TooLong { length })?;

    let mut bytes = [0; CELL_LEN];
    let (commitment, rest) = bytes.split_at_mut(COMMITMENT_LEN);
    let (nonce, rest) = rest.split_at_mut(NONCE_LEN);
    let (plaintext, aead_tag) = rest.split_at_mut(AEAD_TAG_AT - PLAINTEXT_AT);
    rng.fill_bytes(nonce);
    commitment.copy_from_slice(commit(&keys.cell, nonce).dangerous_bytes());
    plaintext[..2].copy_from_slice(&prefix.to_be_bytes());
    plaintext[2..2 + length].copy_from_slice(content);
    aead_tag.copy_from_slice(&cipher::encrypt(&keys.cell.0, nonce, &keys.tag.0, plaintext));
    Ok(Cell::from_array(bytes))
}

/// Opens `cell`, which lay at the tag of `keys`.
///
/// # Errors
/// [`NotOurs`] unless it was sealed with these keys and is unchanged to the last bit.
pub fn open(keys: &SlotKeys, cell: &Cell) -> Result<Vec<u8>, NotOurs> {
    let (commitment, rest) = cell.as_bytes().split_at(COMMITMENT_LEN);
    let (nonce, rest) = rest.split_at(NONCE_LEN);
    let (sealed, aead_tag) = rest.split_at(AEAD_TAG_AT - PLAINTEXT_AT);
    let expected = commit(&keys.cell, nonce);
    let committed = bool::from(expected.dangerous_bytes().ct_eq(commitment));
    if !committed && !is_off(Check::KeyCommitment) {
        return Err(NotOurs);
    }
    let mut plaintext = Zeroizing::new(sealed.to_vec());
    cipher::decrypt(&keys.cell.0, nonce, &keys.tag.0, &mut plaintext, aead_tag)?;
    unpad(&plaintext)
}

/// One content has one padded form: a length beyond the cell or padding other than zeros is not ours.
fn unpad(plaintext: &[u8]) -> Result<Vec<u8>, NotOurs> {
    let (length, rest) = plaintext.split_first_chunk().ok_or(NotOurs)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (content, padding) = rest.split_at_checked(length).ok_or(NotOurs)?;
    padding.iter().all(|byte| *byte == 0).then(|| content.to_vec()).ok_or(NotOurs)
}

fn commit(key: &CellKey, nonce: &[u8]) -> Secret {
    expand(&key.0, "commit", &[nonce])
}

/// XChaCha20-Poly1305 in place.
#[cfg(not(feature = "stand-in"))]
mod cipher {
    use super::NotOurs;
    use crate::Secret;
    use chacha20poly1305::{AeadInPlace, KeyInit, Tag, XChaCha20Poly1305, XNonce};

    pub(super) fn encrypt(key: &Secret, nonce: &[u8], aad: &[u8], bytes: &mut [u8]) -> [u8; 16] {
        cipher(key)
            .encrypt_in_place_detached(XNonce::from_slice(nonce), aad, bytes)
            .expect("a cell is far below the cipher's limit of 2^38 bytes")
            .into()
    }

    pub(super) fn decrypt(
        key: &Secret,
        nonce: &[u8],
        aad: &[u8],
        bytes: &mut [u8],
        tag: &[u8],
    ) -> Result<(), NotOurs> {
        let (nonce, tag) = (XNonce::from_slice(nonce), Tag::from_slice(tag));
        cipher(key).decrypt_in_place_detached(nonce, aad, bytes, tag).map_err(|_| NotOurs)
    }

    fn cipher(key: &Secret) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(key.dangerous_bytes().into())
    }
}

/// The toy.
#[cfg(feature = "stand-in")]
mod cipher {
    use super::NotOurs;
    use crate::Secret;
    use undertone_wire::stand_in::{check, mask};

    pub(super) fn encrypt(key: &Secret, nonce: &[u8], aad: &[u8], bytes: &mut [u8]) -> [u8; 16] {
        mask(key.dangerous_bytes(), nonce, bytes);
        check(key.dangerous_bytes(), nonce, aad, bytes)
    }

    pub(super) fn decrypt(
        key: &Secret,
        nonce: &[u8],
        aad: &[u8],
        bytes: &mut [u8],
        tag: &[u8],
    ) -> Result<(), NotOurs> {
        if check(key.dangerous_bytes(), nonce, aad, bytes) != tag {
            return Err(NotOurs);
        }
        mask(key.dangerous_bytes(), nonce, bytes);
        Ok(())
    }
}

#[cfg(test)]
#[path = "cell/tests.rs"]
mod tests;
