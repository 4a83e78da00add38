//! Toys in the place of libcrux: see [`undertone_wire::stand_in`]. Lengths are the real ones, so that
//! whatever takes several cells with real cryptography takes as many with these.

use crate::xwing::{KEM_OUTPUT_LEN, PUBLIC_LEN};
use openmls_traits::types::{
    AeadType, CryptoError, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair, SignatureScheme,
};
use rand::CryptoRng;
use tls_codec::SecretVLBytes;
use undertone_wire::{ed25519, stand_in};

const CHECK_LEN: usize = 16;

/// In the place of libcrux's provider, with the calls that are made of it.
pub(crate) struct CryptoProvider;

impl CryptoProvider {
    pub(crate) fn new() -> Result<Self, CryptoError> {
        Ok(Self)
    }

    /// A simulation seeds its generators itself.
    pub(crate) fn random_array<const N: usize>(&self) -> Result<[u8; N], CryptoError> {
        Ok([0; N])
    }

    pub(crate) fn hpke_open(
        &self,
        _: HpkeConfig,
        input: &HpkeCiphertext,
        secret: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let shared = stand_in::mix(&[&public_of(secret), input.kem_output.as_slice(), info]);
        open(&shared, &[], aad, input.ciphertext.as_slice()).ok_or(CryptoError::HpkeDecryptionError)
    }

    pub(crate) fn derive_hpke_keypair(
        &self,
        _: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        let private = stand_in::mix(&[b"private", ikm]).to_vec();
        let mut public = public_of(&private).to_vec();
        public.resize(PUBLIC_LEN, 0);
        Ok(HpkeKeyPair { private: private.into(), public })
    }

    pub(crate) fn verify_signature(
        &self,
        _: SignatureScheme,
        data: &[u8],
        public: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let public = public.try_into().map_err(|_| CryptoError::InvalidPublicKey)?;
        let signature = signature.try_into().map_err(|_| CryptoError::InvalidSignature)?;
        let genuine = ed25519::verify(public, data, signature);
        genuine.then_some(()).ok_or(CryptoError::InvalidSignature)
    }

    /// Leaves sign with their own key.
    pub(crate) fn sign(
        &self,
        _: SignatureScheme,
        _: &[u8],
        _: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        Err(CryptoError::UnsupportedSignatureScheme)
    }

    pub(crate) fn hkdf_extract(
        &self,
        _: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        Ok(stand_in::mix(&[b"extract", salt, ikm]).to_vec().into())
    }

    pub(crate) fn hkdf_expand(
        &self,
        _: HashType,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        let mut output = Vec::with_capacity(length + 32);
        for block in 0u64.. {
            if output.len() >= length {
                break;
            }
            output.extend(stand_in::mix(&[b"expand", prk, info, &block.to_le_bytes()]));
        }
        output.truncate(length);
        Ok(output.into())
    }

    pub(crate) fn hmac(
        &self,
        _: HashType,
        key: &[u8],
        message: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        Ok(stand_in::mix(&[b"mac", key, message]).to_vec().into())
    }

    pub(crate) fn hash(&self, _: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(stand_in::mix(&[data]).to_vec())
    }

    pub(crate) fn aead_encrypt(
        &self,
        _: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        Ok(close(key, nonce, aad, data))
    }

    pub(crate) fn aead_decrypt(
        &self,
        _: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        open(key, nonce, aad, sealed).ok_or(CryptoError::AeadDecryptionError)
    }
}

fn public_of(secret: &[u8]) -> [u8; 32] {
    stand_in::mix(&[b"public", secret])
}

/// In the place of X-Wing: a key has the right length.
pub(crate) fn is_key(bytes: &[u8]) -> bool {
    bytes.len() == PUBLIC_LEN
}

/// In the place of HPKE's one-shot seal.
pub(crate) fn seal(
    public: &[u8],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
    if !is_key(public) {
        return Err(CryptoError::InvalidLength);
    }
    let mut output = vec![0; 32];
    rng.fill_bytes(&mut output);
    output.resize(KEM_OUTPUT_LEN, 0);
    let shared = stand_in::mix(&[&public[..32], &output, info]);
    Ok((output, close(&shared, &[], aad, plaintext)))
}

fn close(key: &[u8], nonce: &[u8], aad: &[u8], data: &[u8]) -> Vec<u8> {
    let mut sealed = data.to_vec();
    stand_in::mask(key, nonce, &mut sealed);
    let check = stand_in::check(key, nonce, aad, &sealed);
    sealed.extend(check);
    sealed
}

fn open(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (masked, check) = sealed.split_at_checked(sealed.len().checked_sub(CHECK_LEN)?)?;
    if stand_in::check(key, nonce, aad, masked) != check {
        return None;
    }
    let mut data = masked.to_vec();
    stand_in::mask(key, nonce, &mut data);
    Some(data)
}
