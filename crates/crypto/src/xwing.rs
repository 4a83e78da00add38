//! Sealing to an X-Wing key (HPKE, RFC 9180, base mode) with randomness that is an argument.
//!
//! The parts are libcrux's KEM and hpke-rs's key schedule, put together here for two reasons. The
//! library's own one-shot call draws from the operating system, and no run could be repeated. And
//! libcrux-kem 0.0.9 slices a public key without looking at its length: a key that is too short, sent
//! by anybody, would be a panic. [`parse`] is the only way to such a key.

#[cfg(not(feature = "stand-in"))]
use hpke_rs::{Hpke, Mode};
#[cfg(not(feature = "stand-in"))]
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
#[cfg(not(feature = "stand-in"))]
use hpke_rs_libcrux::HpkeLibcrux;
#[cfg(not(feature = "stand-in"))]
use libcrux_kem::{Algorithm, PublicKey};
#[cfg(not(feature = "stand-in"))]
use openmls_traits::types::CryptoError;
use openmls_traits::types::{HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};
#[cfg(not(feature = "stand-in"))]
use rand::CryptoRng;
#[cfg(not(feature = "stand-in"))]
use zeroize::Zeroizing;

#[cfg(feature = "stand-in")]
pub(crate) use crate::stand_in::{is_key, seal};

/// Bytes of a public key.
pub(crate) const PUBLIC_LEN: usize = 1216;

/// Bytes of an encapsulated secret.
pub(crate) const KEM_OUTPUT_LEN: usize = 1120;

#[cfg(not(feature = "stand-in"))]
/// Bytes of randomness that one encapsulation takes: ML-KEM's and X25519's.
const SEED_LEN: usize = 64;

/// The algorithms of suite 0x004D, as OpenMLS names them.
pub(crate) fn config() -> HpkeConfig {
    HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305)
}

#[cfg(not(feature = "stand-in"))]
/// Whether `bytes` are a key that one can seal to.
pub(crate) fn is_key(bytes: &[u8]) -> bool {
    parse(bytes).is_ok()
}

#[cfg(not(feature = "stand-in"))]
/// Seals `plaintext` to `public`: the KEM's output and the ciphertext.
pub(crate) fn seal(
    public: &[u8],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
    let mut seed = Zeroizing::new([0; SEED_LEN]);
    rng.fill_bytes(&mut seed[..]);
    let (shared, output) = parse(public)?
        .encapsulate_derand(&seed[..])
        .map_err(|_| CryptoError::HpkeEncryptionError)?;
    let shared = Zeroizing::new(shared.encode());
    let sealed = hpke()
        .key_schedule(&shared, info, &[], &[])
        .and_then(|mut context| context.seal(aad, plaintext));
    Ok((output.encode(), sealed.map_err(|_| CryptoError::HpkeEncryptionError)?))
}

#[cfg(not(feature = "stand-in"))]
fn parse(bytes: &[u8]) -> Result<PublicKey, CryptoError> {
    if bytes.len() != PUBLIC_LEN {
        return Err(CryptoError::InvalidLength);
    }
    let key = PublicKey::decode(Algorithm::XWingKemDraft06, bytes);
    key.map_err(|_| CryptoError::HpkeEncryptionError)
}

#[cfg(not(feature = "stand-in"))]
fn hpke() -> Hpke<HpkeLibcrux> {
    let (kem, kdf) = (KemAlgorithm::XWingDraft06, KdfAlgorithm::HkdfSha256);
    Hpke::new(Mode::Base, kem, kdf, AeadAlgorithm::ChaCha20Poly1305)
}
