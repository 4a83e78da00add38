//! The cryptography that OpenMLS is given: libcrux's, but with our generator and our sealing.

#[cfg(feature = "stand-in")]
use crate::stand_in::CryptoProvider;
use crate::{Secret, schedule::expand, xwing};
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
use sha2::{Digest, Sha256};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tls_codec::SecretVLBytes;
use zeroize::Zeroizing;

/// See the module's head.
pub(super) struct Crypto {
    libcrux: CryptoProvider,
    generators: Mutex<Generators>,
}

/// OpenMLS seals the secrets of a path on several threads at once, and which is first nobody knows.
/// Were all served from one stream, no run could be repeated. So sealing has a key of its own, and
/// what one seal draws follows from that key and from what it seals: distinct for distinct input, and
/// the same bytes for the same (RFC 8937 mixes in the same way).
struct Generators {
    stream: ChaCha20Rng,
    sealing: Secret,
}

impl Generators {
    fn new(seed: [u8; 32]) -> Self {
        let mut stream = ChaCha20Rng::from_seed(seed);
        let sealing = Secret::random(&mut stream);
        Self { stream, sealing }
    }
}

impl Crypto {
    /// Seeded from the operating system.
    pub(super) fn new() -> Result<Self, CryptoError> {
        let libcrux = CryptoProvider::new()?;
        let seed = libcrux.random_array().map_err(|_| CryptoError::InsufficientRandomness)?;
        Ok(Self { libcrux, generators: Mutex::new(Generators::new(seed)) })
    }

    pub(super) fn reseed(&self, rng: &mut dyn CryptoRng) {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut seed[..]);
        *self.generators() = Generators::new(*seed);
    }

    /// A panic while the lock is held leaves generators that still generate.
    fn generators(&self) -> MutexGuard<'_, Generators> {
        self.generators.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenMlsRand for Crypto {
    type Error = CryptoError;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], CryptoError> {
        let mut bytes = [0; N];
        self.generators().stream.fill_bytes(&mut bytes);
        Ok(bytes)
    }

    fn random_vec(&self, length: usize) -> Result<Vec<u8>, CryptoError> {
        let mut bytes = vec![0; length];
        self.generators().stream.fill_bytes(&mut bytes);
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
        let key = self.generators().sealing.clone();
        let input = [public, info, aad, plaintext].map(Sha256::digest);
        let seed = expand(&key, "seal", &input.each_ref().map(|hash| hash.as_slice()));
        let mut rng = ChaCha20Rng::from_seed(*seed.dangerous_bytes());
        let (output, ciphertext) = xwing::seal(public, info, aad, plaintext, &mut rng)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{envelope, vectors::rng};

    #[test]
    fn what_is_sealed_first_changes_nothing() {
        let (_, public) = envelope::generate(&mut rng(1)).expect("a key");
        let seal = |order: [&[u8]; 2]| {
            let crypto = Crypto::new().expect("a generator");
            crypto.reseed(&mut rng(2));
            order.map(|plaintext| {
                let sealed = crypto.hpke_seal(xwing::config(), &public.0, b"", b"", plaintext);
                let sealed = sealed.expect("a key to seal to");
                (sealed.kem_output.as_slice().to_vec(), sealed.ciphertext.as_slice().to_vec())
            })
        };
        let [one, other] = seal([b"one", b"other"]);
        assert_eq!(seal([b"other", b"one"]), [other.clone(), one.clone()]);
        assert_ne!(one.0, other.0);
    }
}
