//! Servers of all kinds, real and false.

use ed25519_dalek::SigningKey;
use futures_util::{SinkExt, StreamExt};
use rcgen::{CertificateParams, CustomExtension, KeyPair, PublicKeyData};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    version::TLS13,
};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};
use undertone_wire::{
    Answer, Frame, Info, PROTOCOL_HIGHEST, PROTOCOL_LOWEST, Request, ServerAddress, ServerId,
    ServerKey, TLS_BINDING_OID, TlsBinding, decode, encode,
};

pub(crate) fn signing(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn public(seed: u8) -> ServerKey {
    ServerKey(signing(seed).verifying_key().to_bytes())
}

/// The pinned server of these tests.
pub(crate) fn ada() -> ServerId {
    public(1).server_id()
}

/// A certificate for `key` with these extensions.
pub(crate) fn certificate(key: &KeyPair, extensions: Vec<Vec<u8>>) -> CertificateDer<'static> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    for content in extensions {
        params.custom_extensions.push(CustomExtension::from_oid_content(&TLS_BINDING_OID, content));
    }
    params.self_signed(key).unwrap().der().clone()
}

pub(crate) fn bound(key: &KeyPair, seed: u8) -> Vec<u8> {
    let spki = key.subject_public_key_info();
    encode(&TlsBinding::sign(&signing(seed), public(seed), Vec::new(), &spki))
}

pub(crate) fn server_config(key: &KeyPair, certificate: CertificateDer<'static>) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private(key))
        .unwrap()
}

pub(crate) fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

/// Ada's server with nothing behind its WebSocket: tests play its part.
pub(crate) struct Puppet {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

/// One client of a [`Puppet`].
pub(crate) struct Visitor(pub(crate) WebSocketStream<TlsStream<TcpStream>>);

impl Puppet {
    pub(crate) async fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = certificate(&key, vec![bound(&key, 1)]);
        let acceptor = TlsAcceptor::from(Arc::new(server_config(&key, certificate)));
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), acceptor }
    }

    pub(crate) fn address(&self) -> ServerAddress {
        let port = self.listener.local_addr().unwrap().port();
        ServerAddress::new("127.0.0.1", port, ada()).unwrap()
    }

    /// The next client, up to the open WebSocket.
    pub(crate) async fn accept(&self) -> Visitor {
        let (socket, _) = self.listener.accept().await.unwrap();
        let stream = self.acceptor.accept(socket).await.unwrap();
        Visitor(accept_async(stream).await.unwrap())
    }

    /// The next client, told who the server is.
    pub(crate) async fn welcome(&self) -> Visitor {
        let mut visitor = self.accept().await;
        let Frame::Request { id, request: Request::Info } = visitor.next().await else {
            panic!("a client asks first who the server is")
        };
        visitor.send(&Frame::Answer { id, answer: Answer::Info(info()) }).await;
        visitor
    }
}

impl Visitor {
    pub(crate) async fn send(&mut self, frame: &Frame) {
        self.0.send(Message::Binary(encode(frame).into())).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Frame {
        match self.0.next().await.unwrap().unwrap() {
            Message::Binary(bytes) => decode(&bytes).unwrap(),
            other => panic!("not a frame: {other:?}"),
        }
    }
}

/// What Ada's server says of itself.
pub(crate) fn info() -> Info {
    Info {
        server: ada(),
        version_lowest: PROTOCOL_LOWEST,
        version_highest: PROTOCOL_HIGHEST,
        first_key: public(1),
        succession: Vec::new(),
        policy: b"open".to_vec().into(),
        tick_ms_min: 20,
        retention_s: 1,
        puts_in_flight_max: 1,
        oldest_tick: 1,
        contact: Vec::new().into(),
        notice: Vec::new().into(),
    }
}
