//! TLS 1.3 with a certificate that the server's own key vouches for.
//!
//! The TLS key is kept until the signing key is rotated; the certificate around it is made at every start, because
//! its binding shows the succession of the server's keys, which may have grown. Clients look at
//! the binding alone: name and dates of the certificate mean nothing.

use crate::{
    error::ServeError,
    folder::{read_small, write_whole},
};
use rcgen::{CertificateParams, CustomExtension, DnType, KeyPair, PublicKeyData};
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    version::TLS13,
};
use std::{path::Path, sync::Arc};
use undertone_server_core::Keys;
use undertone_wire::{TLS_BINDING_OID, TlsBinding, encode};
use zeroize::Zeroizing;

const KEY_LEN_MAX: u64 = 4096;

/// The TLS side of the server whose folder is `root`.
pub(crate) fn server_config(root: &Path, keys: &Keys) -> Result<Arc<ServerConfig>, ServeError> {
    let key = load_or_make(&root.join("tls.key"))?;
    let certificate = certificate(&key, keys)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(internal)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .map_err(internal)?;
    // Clients do not resume, so that their connections cannot be linked.
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The post-quantum hybrid is the only exchange, as in the client.
fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    }
}

fn load_or_make(path: &Path) -> Result<KeyPair, ServeError> {
    if let Some(bytes) = read_small(path, KEY_LEN_MAX)?.map(Zeroizing::new) {
        return KeyPair::try_from(bytes.as_slice())
            .map_err(|_| ServeError::Damaged(format!("{} is no key", path.display())));
    }
    let key = KeyPair::generate().map_err(internal)?;
    write_whole(path, &Zeroizing::new(key.serialize_der()))?;
    Ok(key)
}

fn certificate(key: &KeyPair, keys: &Keys) -> Result<rcgen::Certificate, ServeError> {
    let spki = key.subject_public_key_info();
    let binding = TlsBinding::sign(&keys.signing, keys.first, keys.succession.clone(), &spki);
    let extension = CustomExtension::from_oid_content(&TLS_BINDING_OID, encode(&binding));
    let mut params = CertificateParams::new(Vec::new()).map_err(internal)?;
    params.distinguished_name.push(DnType::CommonName, "undertone");
    params.custom_extensions.push(extension);
    params.self_signed(key).map_err(internal)
}

fn internal(error: impl std::fmt::Display) -> ServeError {
    ServeError::Internal(error.to_string())
}
