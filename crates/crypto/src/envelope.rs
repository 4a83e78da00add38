//! Sealed letters to one key: HPKE (RFC 9180), base mode, X-Wing + HKDF-SHA256 + ChaCha20-Poly1305.
//!
//! Used where no MLS group exists yet: the answer to an offer, a request to re-enter. The same
//! implementation as inside MLS.

#[cfg(feature = "stand-in")]
use crate::stand_in::CryptoProvider;
use crate::{
    Secret,
    cell::NotOurs,
    xwing::{self, KEM_OUTPUT_LEN},
};
#[cfg(not(feature = "stand-in"))]
use openmls_libcrux_crypto::CryptoProvider;
#[cfg(not(feature = "stand-in"))]
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::HpkeCiphertext;
use rand::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// How much longer an envelope is than what it holds, in bytes.
pub const ENVELOPE_OVERHEAD: usize = KEM_OUTPUT_LEN + 16;

/// The key that opens envelopes. Erased when dropped.
#[derive(Clone)]
pub struct EnvelopeSecret(Zeroizing<Vec<u8>>);

/// The key to which envelopes are sealed: 1,216 bytes once checked.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvelopePublic(pub Vec<u8>);

/// The envelope could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeFault {
    /// The bytes are not an X-Wing public key: the fault of whoever sent them.
    #[error("this is not an X-Wing public key")]
    PublicKey,
    /// The operating system gave no randomness, or the library failed.
    #[error("the cryptographic library failed")]
    Library,
}

/// A fresh key pair.
///
/// # Errors
/// [`EnvelopeFault::Library`] only.
pub fn generate(
    rng: &mut dyn CryptoRng,
) -> Result<(EnvelopeSecret, EnvelopePublic), EnvelopeFault> {
    let seed = Secret::random(rng);
    let pair = provider()?.derive_hpke_keypair(xwing::config(), seed.dangerous_bytes());
    let pair = pair.map_err(|_| EnvelopeFault::Library)?;
    let secret = EnvelopeSecret(Zeroizing::new(pair.private.to_vec()));
    Ok((secret, EnvelopePublic(pair.public)))
}

/// Seals `plaintext` to `public`: `KEM output (1,120) ‖ ciphertext`.
///
/// # Errors
/// [`EnvelopeFault::PublicKey`] when `public` is no key.
pub fn seal(
    public: &EnvelopePublic,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, EnvelopeFault> {
    let sealed = xwing::seal(&public.0, info, aad, plaintext, rng);
    let (output, ciphertext) = sealed.map_err(|_| EnvelopeFault::PublicKey)?;
    Ok([output, ciphertext].concat())
}

/// Opens what [`seal`] made for the public half of `secret` with the same `info` and `aad`.
///
/// # Errors
/// [`NotOurs`] for everything else.
pub fn open(
    secret: &EnvelopeSecret,
    info: &[u8],
    aad: &[u8],
    envelope: &[u8],
) -> Result<Vec<u8>, NotOurs> {
    let (kem_output, ciphertext) = envelope.split_at_checked(KEM_OUTPUT_LEN).ok_or(NotOurs)?;
    let sealed = HpkeCiphertext {
        kem_output: kem_output.to_vec().into(),
        ciphertext: ciphertext.to_vec().into(),
    };
    let provider = provider().map_err(|_| NotOurs)?;
    provider.hpke_open(xwing::config(), &sealed, &secret.0, info, aad).map_err(|_| NotOurs)
}

impl EnvelopeSecret {
    /// From what [`EnvelopeSecret::dangerous_bytes`] gave.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key: for the encrypted store and nothing else.
    pub fn dangerous_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl EnvelopePublic {
    /// Whether something can be sealed to it.
    pub fn is_key(&self) -> bool {
        xwing::is_key(&self.0)
    }
}

fn provider() -> Result<CryptoProvider, EnvelopeFault> {
    CryptoProvider::new().map_err(|_| EnvelopeFault::Library)
}

impl fmt::Debug for EnvelopeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvelopeSecret(…)")
    }
}

impl fmt::Debug for EnvelopePublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvelopePublic(…)")
    }
}

#[cfg(test)]
#[path = "envelope/tests.rs"]
mod tests;
