//! The database key and its wrapping under the passphrase.

use crate::{StoreError, header::KdfParams};
use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use std::fmt;
use undertone_crypto::{Secret, expand};
use zeroize::Zeroizing;

/// Bytes of a wrapped key: a nonce of 24, the key, a tag of 16.
pub(crate) const WRAPPED_LEN: usize = 24 + 32 + 16;

/// The random key of a profile's database. Whoever has it can read the profile.
#[derive(Clone)]
pub struct DatabaseKey(Secret);

impl DatabaseKey {
    /// A fresh key.
    pub(crate) fn random(rng: &mut dyn rand::CryptoRng) -> Self {
        Self(Secret::random(rng))
    }

    /// Another secret that is sealed the same way.
    pub fn of(secret: Secret) -> Self {
        Self(secret)
    }

    /// The secret itself.
    pub fn dangerous_secret(&self) -> &Secret {
        &self.0
    }

    /// Proof towards somebody who also has the key, without showing it: a PRF of `challenge`.
    /// `role` keeps the proofs of the two sides apart.
    ///
    /// # Panics
    /// For a challenge of more than 65,535 bytes: whoever asks strangers limits it before.
    pub fn proof(&self, role: &str, challenge: &[u8]) -> [u8; 32] {
        *expand(&self.0, role, &[challenge]).dangerous_bytes()
    }

    /// The key as SQLCipher takes it; no second derivation is wanted for a random key.
    pub(crate) fn dangerous_pragma(&self) -> Zeroizing<String> {
        let hex = Zeroizing::new(hex::encode(self.0.dangerous_bytes()));
        Zeroizing::new(format!("x'{}'", *hex))
    }

    /// Wraps the key under `passphrase`; `bound` is authenticated along.
    pub(crate) fn wrap(
        &self,
        passphrase: &str,
        params: &KdfParams,
        salt: &[u8; 16],
        bound: &[u8],
        rng: &mut dyn rand::CryptoRng,
    ) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; 24];
        rng.fill_bytes(&mut nonce);
        let payload = Payload { msg: self.0.dangerous_bytes(), aad: bound };
        let sealed = cipher(passphrase, params, salt)?
            .encrypt(XNonce::from_slice(&nonce), payload)
            .expect("32 bytes are below the cipher's limit");
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`Self::wrap`] made.
    pub(crate) fn unwrap_with(
        passphrase: &str,
        params: &KdfParams,
        salt: &[u8; 16],
        bound: &[u8],
        wrapped: &[u8; WRAPPED_LEN],
    ) -> Result<Self, StoreError> {
        let (nonce, sealed) = wrapped.split_at(24);
        let opened = cipher(passphrase, params, salt)?
            .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: bound })
            .map_err(|_| StoreError::WrongPassphrase)?;
        let opened = Zeroizing::new(opened);
        let bytes = opened[..].try_into().expect("the tag covers exactly 32 bytes");
        Ok(Self(Secret::from_bytes(bytes)))
    }
}

impl fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseKey(…)")
    }
}

/// Argon2id version 1.3 (RFC 9106), straight into the wrapping cipher.
fn cipher(
    passphrase: &str,
    kdf: &KdfParams,
    salt: &[u8; 16],
) -> Result<XChaCha20Poly1305, StoreError> {
    let params = Params::new(kdf.memory_kib, kdf.passes, kdf.lanes, Some(32))
        .map_err(|error| StoreError::Damaged(format!("profile.json: Argon2id: {error}")))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *key)
        .map_err(|error| StoreError::Damaged(format!("profile.json: Argon2id: {error}")))?;
    Ok(XChaCha20Poly1305::new(Key::from_slice(&*key)))
}
