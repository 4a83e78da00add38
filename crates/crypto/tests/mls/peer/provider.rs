//! Suite 0x004D for mls-rs: RustCrypto for everything but the KEM, libcrux's X-Wing for HPKE.

use mls_rs_core::crypto::{
    CipherSuite, CipherSuiteProvider, CryptoProvider, HpkeCiphertext, HpkePsk, HpkePublicKey,
    HpkeSecretKey, SignaturePublicKey, SignatureSecretKey,
};
use mls_rs_core::error::IntoAnyError;
use mls_rs_crypto_rustcrypto::{RustCryptoError, RustCryptoProvider};
use openmls_libcrux_crypto::CryptoProvider as Libcrux;
use openmls_traits::{
    crypto::OpenMlsCrypto,
    types::{
        CryptoError, HpkeAeadType, HpkeCiphertext as Sealed, HpkeConfig, HpkeKdfType, HpkeKemType,
    },
};
use std::sync::Arc;
use zeroize::Zeroizing;

pub(crate) const SUITE: CipherSuite = CipherSuite::new(0x004D);

type Classical = <RustCryptoProvider as CryptoProvider>::CipherSuiteProvider;

#[derive(Clone)]
pub(crate) struct XWingProvider {
    classical: Classical,
    libcrux: Arc<Libcrux>,
}

impl XWingProvider {
    pub(crate) fn new() -> Self {
        let classical = RustCryptoProvider::new();
        let classical = classical.cipher_suite_provider(CipherSuite::CURVE25519_CHACHA);
        Self {
            classical: classical.expect("RustCrypto has the classical sister suite"),
            libcrux: Arc::new(Libcrux::new().expect("randomness")),
        }
    }
}

impl CryptoProvider for XWingProvider {
    type CipherSuiteProvider = Self;

    fn supported_cipher_suites(&self) -> Vec<CipherSuite> {
        vec![SUITE]
    }

    fn cipher_suite_provider(&self, suite: CipherSuite) -> Option<Self> {
        (suite == SUITE).then(|| self.clone())
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Classical(#[from] RustCryptoError),
    #[error("libcrux: {0:?}")]
    Libcrux(CryptoError),
    #[error("not used by Undertone")]
    Unused,
}

impl IntoAnyError for Failed {
    fn into_dyn_error(self) -> Result<Box<dyn std::error::Error + Send + Sync>, Self> {
        Ok(self.into())
    }
}

fn config() -> HpkeConfig {
    HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305)
}

impl CipherSuiteProvider for XWingProvider {
    type Error = Failed;
    type HpkeContextS = <Classical as CipherSuiteProvider>::HpkeContextS;
    type HpkeContextR = <Classical as CipherSuiteProvider>::HpkeContextR;

    fn cipher_suite(&self) -> CipherSuite {
        SUITE
    }

    fn hash(&self, data: &[u8]) -> Result<Vec<u8>, Failed> {
        Ok(self.classical.hash(data)?)
    }

    fn mac(&self, key: &[u8], data: &[u8]) -> Result<Vec<u8>, Failed> {
        Ok(self.classical.mac(key, data)?)
    }

    fn aead_seal(
        &self,
        key: &[u8],
        data: &[u8],
        aad: Option<&[u8]>,
        nonce: &[u8],
    ) -> Result<Vec<u8>, Failed> {
        Ok(self.classical.aead_seal(key, data, aad, nonce)?)
    }

    fn aead_open(
        &self,
        key: &[u8],
        ciphertext: &[u8],
        aad: Option<&[u8]>,
        nonce: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Failed> {
        Ok(self.classical.aead_open(key, ciphertext, aad, nonce)?)
    }

    fn aead_key_size(&self) -> usize {
        self.classical.aead_key_size()
    }

    fn aead_nonce_size(&self) -> usize {
        self.classical.aead_nonce_size()
    }

    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failed> {
        Ok(self.classical.kdf_extract(salt, ikm)?)
    }

    fn kdf_expand(
        &self,
        prk: &[u8],
        info: &[u8],
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Failed> {
        Ok(self.classical.kdf_expand(prk, info, length)?)
    }

    fn kdf_extract_size(&self) -> usize {
        self.classical.kdf_extract_size()
    }

    fn hpke_seal(
        &self,
        remote_key: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
        plaintext: &[u8],
    ) -> Result<HpkeCiphertext, Failed> {
        let aad = aad.unwrap_or_default();
        let sealed = self.libcrux.hpke_seal(config(), remote_key, info, aad, plaintext);
        let sealed = sealed.map_err(Failed::Libcrux)?;
        let (kem_output, ciphertext) = (sealed.kem_output.into(), sealed.ciphertext.into());
        Ok(HpkeCiphertext { kem_output, ciphertext })
    }

    fn hpke_open(
        &self,
        ciphertext: &HpkeCiphertext,
        secret: &HpkeSecretKey,
        _public: &HpkePublicKey,
        info: &[u8],
        aad: Option<&[u8]>,
    ) -> Result<Zeroizing<Vec<u8>>, Failed> {
        let sealed = Sealed {
            kem_output: ciphertext.kem_output.clone().into(),
            ciphertext: ciphertext.ciphertext.clone().into(),
        };
        let opened =
            self.libcrux.hpke_open(config(), &sealed, secret, info, aad.unwrap_or_default());
        opened.map(Zeroizing::new).map_err(Failed::Libcrux)
    }

    fn hpke_seal_psk(
        &self,
        _remote_key: &HpkePublicKey,
        _info: &[u8],
        _aad: Option<&[u8]>,
        _plaintext: &[u8],
        _psk: HpkePsk<'_>,
    ) -> Result<HpkeCiphertext, Failed> {
        Err(Failed::Unused)
    }

    fn hpke_open_psk(
        &self,
        _ciphertext: &HpkeCiphertext,
        _secret: &HpkeSecretKey,
        _public: &HpkePublicKey,
        _info: &[u8],
        _aad: Option<&[u8]>,
        _psk: HpkePsk<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Failed> {
        Err(Failed::Unused)
    }

    fn hpke_setup_s(
        &self,
        _remote_key: &HpkePublicKey,
        _info: &[u8],
    ) -> Result<(Vec<u8>, Self::HpkeContextS), Failed> {
        Err(Failed::Unused)
    }

    fn hpke_setup_r(
        &self,
        _kem_output: &[u8],
        _secret: &HpkeSecretKey,
        _public: &HpkePublicKey,
        _info: &[u8],
    ) -> Result<Self::HpkeContextR, Failed> {
        Err(Failed::Unused)
    }

    fn kem_derive(&self, ikm: &[u8]) -> Result<(HpkeSecretKey, HpkePublicKey), Failed> {
        let pair = self.libcrux.derive_hpke_keypair(config(), ikm).map_err(Failed::Libcrux)?;
        Ok((pair.private.to_vec().into(), pair.public.into()))
    }

    fn kem_generate(&self) -> Result<(HpkeSecretKey, HpkePublicKey), Failed> {
        let mut ikm = Zeroizing::new([0; 32]);
        self.classical.random_bytes(&mut ikm[..])?;
        self.kem_derive(&ikm[..])
    }

    fn kem_public_key_validate(&self, key: &HpkePublicKey) -> Result<(), Failed> {
        if key.len() == 1216 { Ok(()) } else { Err(Failed::Unused) }
    }

    fn random_bytes(&self, out: &mut [u8]) -> Result<(), Failed> {
        Ok(CipherSuiteProvider::random_bytes(&self.classical, out)?)
    }

    fn signature_key_generate(&self) -> Result<(SignatureSecretKey, SignaturePublicKey), Failed> {
        Ok(self.classical.signature_key_generate()?)
    }

    fn signature_key_derive_public(
        &self,
        secret: &SignatureSecretKey,
    ) -> Result<SignaturePublicKey, Failed> {
        Ok(self.classical.signature_key_derive_public(secret)?)
    }

    fn sign(&self, secret: &SignatureSecretKey, data: &[u8]) -> Result<Vec<u8>, Failed> {
        Ok(self.classical.sign(secret, data)?)
    }

    fn verify(
        &self,
        public: &SignaturePublicKey,
        signature: &[u8],
        data: &[u8],
    ) -> Result<(), Failed> {
        Ok(self.classical.verify(public, signature, data)?)
    }
}
