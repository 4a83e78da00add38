//! The server's signing keys on disk: the first one, whose fingerprint is the server's id for
//! ever, and those that followed, each named by the one before it.
//!
//! `server.keys` holds a version (u16), the first public key, the succession, and the newest key's
//! 32-byte seed, in the presentation language of the wire; it is replaced as a whole. Older seeds
//! are gone once a key has followed: the engine signs an empty tick under the new key before it
//! does anything else. Whoever reads this file can pose as the server; they still cannot read a
//! word of what it holds.

use crate::{
    error::ServeError,
    folder::{read_small, write_whole},
};
use ed25519_dalek::SigningKey;
use std::path::{Path, PathBuf};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_server_core::Keys;
use undertone_wire::{KeySuccession, ServerKey, decode, encode};
use zeroize::{Zeroize, Zeroizing};

const VERSION: u16 = 1;
const FILE_LEN_MAX: u64 = 1 << 20;

/// The file's contents.
#[derive(TlsSize, TlsSerialize, TlsDeserializeBytes)]
struct KeysFile {
    version: u16,
    first: ServerKey,
    succession: Vec<KeySuccession>,
    seed: [u8; 32],
}

impl Drop for KeysFile {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

/// Makes the first key of a new server from 32 random bytes.
pub(crate) fn first(seed: &[u8; 32]) -> Keys {
    Keys::first(SigningKey::from_bytes(seed))
}

/// Reads `server.keys` in `root`; `None` when there is none.
pub(crate) fn load(root: &Path) -> Result<Option<Keys>, ServeError> {
    let bytes = read_small(&file(root), FILE_LEN_MAX)?.map(Zeroizing::new);
    bytes.map(|bytes| parse(&bytes)).transpose()
}

/// Writes `server.keys` in `root`, durably.
pub(crate) fn store(root: &Path, keys: &Keys) -> Result<(), ServeError> {
    write_whole(&file(root), &Zeroizing::new(file_of(keys)))
}

/// The bytes of `server.keys`.
pub(crate) fn file_of(keys: &Keys) -> Vec<u8> {
    encode(&KeysFile {
        version: VERSION,
        first: keys.first,
        succession: keys.succession.clone(),
        seed: keys.signing.to_bytes(),
    })
}

/// Names the key of `seed` as the one that signs from tick `from_tick` on.
pub(crate) fn rotate(keys: Keys, seed: &[u8; 32], from_tick: u64) -> Result<Keys, ServeError> {
    let keys = keys.succeed(SigningKey::from_bytes(seed), from_tick);
    match keys.ring() {
        Ok(_) => Ok(keys),
        Err(_) => Err(ServeError::Config(
            "the key was changed and has not signed anything yet; start the server first".into(),
        )),
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Keys, ServeError> {
    let version = bytes.first_chunk().map(|version| u16::from_be_bytes(*version));
    if version != Some(VERSION) {
        return Err(damaged("it is of another version"));
    }
    let file: KeysFile = decode(bytes).map_err(|_| damaged("its bytes are out of the grammar"))?;
    let keys = Keys {
        signing: SigningKey::from_bytes(&file.seed),
        first: file.first,
        succession: file.succession.clone(),
    };
    keys.ring().map_err(|_| damaged("the keys in it do not follow from each other"))?;
    Ok(keys)
}

fn file(root: &Path) -> PathBuf {
    root.join("server.keys")
}

fn damaged(why: &str) -> ServeError {
    ServeError::Damaged(format!("server.keys: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stays_when_keys_follow() {
        let dir = tempfile::tempdir().unwrap();
        let keys = first(&[1; 32]);
        let id = keys.first.server_id();
        store(dir.path(), &rotate(keys, &[2; 32], 10).unwrap()).unwrap();
        let keys = load(dir.path()).unwrap().unwrap();
        let ring = keys.ring().unwrap();
        assert_eq!(ring.server(), id);
        assert_eq!(ring.key_at(9), keys.first);
        assert_eq!(ring.key_at(10).0, keys.signing.verifying_key().to_bytes());
    }

    #[test]
    fn two_keys_for_one_tick_are_refused() {
        let keys = rotate(first(&[1; 32]), &[2; 32], 10).unwrap();
        assert!(matches!(rotate(keys, &[3; 32], 10), Err(ServeError::Config(_))));
    }

    #[test]
    fn a_damaged_file_is_named_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        assert!(load(dir.path()).unwrap().is_none());
        store(dir.path(), &rotate(first(&[1; 32]), &[2; 32], 10).unwrap()).unwrap();
        let whole = std::fs::read(file(dir.path())).unwrap();
        let damaged = |bytes: &[u8]| {
            std::fs::write(file(dir.path()), bytes).unwrap();
            let refused = matches!(load(dir.path()), Err(ServeError::Damaged(_)));
            refused && std::fs::read(file(dir.path())).unwrap() == bytes
        };
        for place in 0..whole.len() {
            assert!(damaged(&whole[..place]), "cut at {place}");
            let mut other = whole.clone();
            other[place] ^= 1;
            assert!(damaged(&other), "changed at {place}");
        }
    }
}
