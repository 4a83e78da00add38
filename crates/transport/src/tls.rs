//! TLS 1.3 to the pinned server, and to nobody else.

use crate::{
    error::{ConnectError, Step},
    pin::Pin,
};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    version::TLS13,
};
use std::{io, sync::Arc};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use undertone_wire::{TLS_BINDING_OID, TlsBinding, decode};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The TLS configuration that accepts the pinned server alone.
pub fn client_config(pin: impl Into<Pin>) -> Arc<ClientConfig> {
    let provider = provider();
    let algorithms = provider.signature_verification_algorithms;
    let pinned = Pinned { pin: pin.into(), algorithms };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13])
        .expect("the provider has suites of TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_no_client_auth();
    // A resumed session would show the server that two connections are one client's.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// The post-quantum hybrid is the only exchange: nothing weaker can be agreed upon.
fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    }
}

pub(crate) async fn handshake(
    stream: TcpStream,
    pin: &Pin,
    host: &str,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| ConnectError::Protocol("its name is not a name"))?;
    let connector = TlsConnector::from(client_config(pin.clone()));
    connector.connect(name, stream).await.map_err(blame)
}

/// Tells an impostor and a stranger from a network that failed.
fn blame(error: io::Error) -> ConnectError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(_)) => ConnectError::WrongServer,
        Some(Error::InvalidMessage(_)) => ConnectError::Protocol("it does not speak TLS"),
        Some(_) => ConnectError::Protocol("it does not speak post-quantum TLS 1.3"),
        None => ConnectError::Unreachable { step: Step::Tls, source: error },
    }
}

/// Accepts a certificate only by its binding to the pinned server.
#[derive(Debug)]
struct Pinned {
    pin: Pin,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // Neither name nor dates are asked: the server's signature over the key says it all.
        check(end_entity, &self.pin).map_err(Error::InvalidCertificate)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not offered".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

pub(crate) fn check(certificate: &CertificateDer<'_>, pin: &Pin) -> Result<(), CertificateError> {
    let (rest, parsed) =
        X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    if !rest.is_empty() {
        return Err(CertificateError::BadEncoding);
    }
    let binding = binding(&parsed).ok_or_else(|| not_ours("no binding to an Undertone server"))?;
    let keys = binding
        .verify(&pin.server(), parsed.public_key().raw)
        .ok_or_else(|| not_ours("bound to another server or another key"))?;
    match pin.admits(&keys) {
        true => Ok(()),
        false => Err(not_ours("by keys that do not continue the known ones")),
    }
}

/// The binding, if the certificate bears exactly one.
fn binding(certificate: &X509Certificate<'_>) -> Option<TlsBinding> {
    let mut found = certificate.extensions().iter().filter(|extension| {
        extension.oid.iter().is_some_and(|parts| parts.eq(TLS_BINDING_OID.iter().copied()))
    });
    let extension = found.next()?;
    if found.next().is_some() {
        return None;
    }
    decode(extension.value).ok()
}

fn not_ours(why: &'static str) -> CertificateError {
    CertificateError::Other(OtherError(Arc::new(NotOurs(why))))
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotOurs(&'static str);
