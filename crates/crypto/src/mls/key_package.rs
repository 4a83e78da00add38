//! Key packages: what one needs of a device to add it while it is away.

use super::{
    Mls, Refused,
    crypto::Crypto,
    profile::{self, SUITE},
};
use crate::{DeviceId, IdentityKey, LeafKey};
use openmls::prelude::{
    KeyPackage, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, OpenMlsCrypto, ProtocolVersion,
};
use openmls_traits::storage::StorageProvider as _;
use tls_codec::{DeserializeBytes as _, Serialize as _};

/// A key package as an `MLSMessage` (RFC 9420 section 6); about 2.7 kB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPackageBytes(pub Vec<u8>);

/// Who may be added with a key package, as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPackageInfo {
    /// The person; whether the person's device list agrees is for the caller to check.
    pub identity: IdentityKey,
    /// The device.
    pub device: DeviceId,
    /// The key with which its leaf will sign.
    pub mls_key: [u8; 32],
    /// Whether it may be used more than once.
    pub last_resort: bool,
}

/// Checks a key package: suite, signatures, form, capabilities.
///
/// # Errors
/// [`Refused::Malformed`], [`Refused::KeyPackage`] or [`Refused::Credential`].
pub fn inspect_key_package(bytes: &[u8]) -> Result<KeyPackageInfo, Refused> {
    let crypto = Crypto::new().map_err(Refused::internal)?;
    let package = validated(&crypto, bytes)?;
    let (identity, device, mls_key) = profile::who_of(package.leaf_node())?;
    Ok(KeyPackageInfo { identity, device, mls_key, last_resort: package.last_resort() })
}

impl Mls {
    /// Makes a key package whose secrets lie in this store until a Welcome uses them up, or, with
    /// `last_resort`, until [`Mls::forget_key_package`].
    ///
    /// # Errors
    /// [`Refused::Internal`] only.
    pub fn key_package(
        &mut self,
        key: &LeafKey,
        identity: IdentityKey,
        device: DeviceId,
        last_resort: bool,
    ) -> Result<KeyPackageBytes, Refused> {
        let builder = KeyPackage::builder()
            .key_package_lifetime(profile::lifetime())
            .leaf_node_capabilities(profile::capabilities());
        let builder = if last_resort { builder.mark_as_last_resort() } else { builder };
        let credential = profile::credential(key, identity, device);
        let bundle = builder.build(SUITE, &self.backend(), key, credential);
        let package = bundle.map_err(Refused::internal)?.into_key_package();
        let bytes = MlsMessageOut::from(package).tls_serialize_detached();
        bytes.map(KeyPackageBytes).map_err(Refused::internal)
    }

    /// Erases the secrets of a key package of ours; nothing happens when they are not here.
    ///
    /// # Errors
    /// When `bytes` is no valid key package.
    pub fn forget_key_package(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let package = validated(&self.crypto, bytes)?;
        let reference = package.hash_ref(&self.crypto).map_err(Refused::internal)?;
        Ok(self.store.delete_key_package(&reference)?)
    }
}

/// A key package that fits an Undertone group.
pub(super) fn validated(crypto: &impl OpenMlsCrypto, bytes: &[u8]) -> Result<KeyPackage, Refused> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes);
    let MlsMessageBodyIn::KeyPackage(package) = message.map_err(|_| Refused::Malformed)?.extract()
    else {
        return Err(Refused::Malformed);
    };
    let package = package.validate(crypto, ProtocolVersion::Mls10);
    let package = package.map_err(|_| Refused::KeyPackage)?;
    profile::fits(&package).then_some(package).ok_or(Refused::KeyPackage)
}
