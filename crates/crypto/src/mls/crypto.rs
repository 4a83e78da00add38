//! The cryptography that OpenMLS is given: libcrux's, but with our generator and our sealing.

#[cfg(feature = "stand-in")]
use crate::stand_in::CryptoProvider;
use crate::xwing;
#[cfg(not(feature = "stand-in"))]
use openmls_libcrux_crypto::CryptoProvider;
use openmls_traits::{
    crypto::OpenMlsCrypto,
    random::OpenMlsRand,
    types::{
        AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig,
        HpkeKeyPair, KemOutput, SignatureScheme,
    },
};
use rand::{CryptoRng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tls_codec::SecretVLBytes;
use zeroize::Zeroizing;

/// See the module's head.
pub(super) struct Crypto {
    libcrux: CryptoProvider,
    rng: Mutex<ChaCha20Rng>,
}

impl Crypto {
    /// Seeded from the operating system.
    pub(super) fn new() -> Result<Self, CryptoError> {
        let libcrux = CryptoProvider::new()?;
        let seed = libcrux.random_array().map_err(|_| CryptoError::InsufficientRandomness)?;
        Ok(Self { libcrux, rng: Mutex::new(ChaCha20Rng::from_seed(seed)) })
    }

    pub(super) fn reseed(&self, rng: &mut dyn CryptoRng) {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut seed[..]);
        *self.rng() = ChaCha20Rng::from_seed(*seed);
    }

    /// A panic while the lock is held leaves a generator that still generates.
    fn rng(&self) -> MutexGuard<'_, ChaCha20Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenMlsRand for Crypto {
    type Error = CryptoError;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], CryptoError> {
        let mut bytes = [0; N];
        self.rng().fill_bytes(&mut bytes);
        Ok(bytes)
    }

    fn random_vec(&self, length: usize) -> Result<Vec<u8>, CryptoError> {
        let mut bytes = vec![0; length];
        self.rng().fill_bytes(&mut bytes);
        Ok(bytes)
    }
}

impl OpenMlsCrypto for Crypto {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        let ours = suite == super::profile::SUITE;
        ours.then_some(()).ok_or(CryptoError::UnsupportedCiphersuite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![super::profile::SUITE]
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        check(config)?;
        let (output, ciphertext) = xwing::seal(public, info, aad, plaintext, &mut *self.rng())?;
        Ok(HpkeCiphertext { kem_output: output.into(), ciphertext: ciphertext.into() })
    }

    /// External commits alone would need it, and Undertone has none.
    fn hpke_setup_sender_and_export(
        &self,
        _config: HpkeConfig,
        _public: &[u8],
        _info: &[u8],
        _exporter_context: &[u8],
        _exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        Err(CryptoError::UnsupportedCiphersuite)
    }

    /// As above.
    fn hpke_setup_receiver_and_export(
        &self,
        _config: HpkeConfig,
        _output: &[u8],
        _secret: &[u8],
        _info: &[u8],
        _exporter_context: &[u8],
        _exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        Err(CryptoError::UnsupportedCiphersuite)
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        secret: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.libcrux.hpke_open(config, input, secret, info, aad)
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        self.libcrux.derive_hpke_keypair(config, ikm)
    }

    /// Leaf keys are made by [`LeafKey`](crate::LeafKey), from randomness that is an argument.
    fn signature_key_gen(&self, _: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        Err(CryptoError::UnsupportedSignatureScheme)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        public: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.libcrux.verify_signature(scheme, data, public, signature)
    }

    fn sign(
        &self,
        scheme: SignatureScheme,
        data: &[u8],
        key: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.libcrux.sign(scheme, data, key)
    }

    fn hkdf_extract(
        &self,
        hash: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.libcrux.hkdf_extract(hash, salt, ikm)
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.libcrux.hkdf_expand(hash, prk, info, length)
    }

    fn hmac(
        &self,
        hash: HashType,
        key: &[u8],
        message: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.libcrux.hmac(hash, key, message)
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.libcrux.hash(hash, data)
    }

    fn aead_encrypt(
        &self,
        aead: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.libcrux.aead_encrypt(aead, key, data, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        aead: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.libcrux.aead_decrypt(aead, key, sealed, nonce, aad)
    }
}

fn check(config: HpkeConfig) -> Result<(), CryptoError> {
    let ours = xwing::config();
    let same = config.0 == ours.0 && config.1 == ours.1 && config.2 == ours.2;
    same.then_some(()).ok_or(CryptoError::UnsupportedCiphersuite)
}
