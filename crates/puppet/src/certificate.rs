//! Certificates, right and wrong ones.

use rcgen::{CertificateParams, CustomExtension, KeyPair, PublicKeyData};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    version::TLS13,
};
use std::sync::Arc;
use undertone_server_core::Keys;
use undertone_wire::{TLS_BINDING_OID, TlsBinding, encode};

/// A certificate for `key` with these contents of the binding's extension.
pub fn certificate(key: &KeyPair, bindings: Vec<Vec<u8>>) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    for content in bindings {
        params.custom_extensions.push(CustomExtension::from_oid_content(&TLS_BINDING_OID, content));
    }
    params.self_signed(key).unwrap().der().clone()
}

/// What binds a certificate for `key` to the server that has these keys.
pub fn binding(keys: &Keys, key: &KeyPair) -> Vec<u8> {
    let spki = key.subject_public_key_info();
    encode(&TlsBinding::sign(&keys.signing, keys.first, keys.succession.clone(), &spki))
}

/// TLS 1.3 with this certificate.
pub fn server_config(key: &KeyPair, certificate: CertificateDer<'static>) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private(key))
        .unwrap()
}

/// The secret half, as rustls takes it.
pub fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}
