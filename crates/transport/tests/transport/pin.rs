//! The pin: which servers a client talks to (T18).

use crate::support::{ada, bound, keys};
use rcgen::{KeyPair, PublicKeyData};
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    version::TLS13,
};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use undertone_puppet::{
    Keys, Puppet, binding, certificate, private, public, server_config, signing,
};
use undertone_transport::{Blame, ConnectError, Connection, Limits, Pin, Socks5, Step};
use undertone_wire::{KeySuccession, ServerAddress, TlsBinding, encode};

/// What stands in a certificate for this key.
type Extensions = fn(&KeyPair) -> Vec<Vec<u8>>;

/// Listens, does TLS as configured, then drops whoever got through; returns its port.
async fn listen(config: ServerConfig) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    // Got through: hang up in the middle of the upgrade.
                    let _ = stream.read(&mut [0; 1]).await;
                    let _ = stream.shutdown().await;
                }
            });
        }
    });
    port
}

async fn open(port: u16) -> ConnectError {
    let address = ServerAddress::new("127.0.0.1", port, ada()).unwrap();
    Connection::open(&address, None, &Limits::default()).await.unwrap_err()
}

/// Whether the client was content with the certificate and went on to the upgrade.
fn passed(error: &ConnectError) -> bool {
    match error {
        ConnectError::Unreachable { step, .. } => *step == Step::Open,
        ConnectError::Protocol(what) => *what == "it does not open a WebSocket",
        _ => false,
    }
}

async fn meets(extensions: impl FnOnce(&KeyPair) -> Vec<Vec<u8>>) -> ConnectError {
    let key = KeyPair::generate().unwrap();
    let certificate = certificate(&key, extensions(&key));
    open(listen(server_config(&key, certificate)).await).await
}

#[tokio::test]
async fn the_pinned_server_is_let_through() {
    let error = meets(|key| vec![bound(key, 1)]).await;
    assert!(passed(&error), "{error:?}");
}

#[tokio::test]
async fn a_successor_of_the_pinned_key_is_let_through() {
    let error = meets(|key| vec![binding(&keys().succeed(signing(2), 10), key)]).await;
    assert!(passed(&error), "{error:?}");
}

#[tokio::test]
async fn others_are_refused_whatever_their_certificate_says() {
    let strangers: [(&str, Extensions); 6] = [
        ("no binding", |_| vec![]),
        ("another server", |key| vec![bound(key, 2)]),
        ("a binding copied from the real certificate", |_| {
            vec![bound(&KeyPair::generate().unwrap(), 1)]
        }),
        ("a successor nobody named", |key| {
            let step = KeySuccession::sign(&signing(3), &ada(), public(2), 10);
            let spki = key.subject_public_key_info();
            vec![encode(&TlsBinding::sign(&signing(2), public(1), vec![step], &spki))]
        }),
        ("two bindings", |key| vec![bound(key, 2), bound(key, 1)]),
        ("a binding cut short", |key| {
            let whole = bound(key, 1);
            vec![whole[..whole.len() - 1].to_vec()]
        }),
    ];
    for (who, extensions) in strangers {
        let error = meets(extensions).await;
        assert!(matches!(error, ConnectError::WrongServer), "{who}: {error:?}");
        assert_eq!(error.blame(), Blame::Impostor);
    }
}

/// The keys of a server that has had these, each from a tick of its own.
fn succession(numbers: &[u8]) -> Keys {
    let steps = numbers.iter().zip(1..);
    steps.fold(keys(), |keys, (number, step)| keys.succeed(signing(*number), 10 * step))
}

/// What becomes of a connection to a server with the keys `shown`, in its certificate and in what it
/// says, for a client that knows `known`.
async fn met(known: &Keys, certified: &Keys, said: &Keys) -> Result<Connection, ConnectError> {
    let mut puppet = Puppet::new(certified).await;
    puppet.info = undertone_puppet::info(said);
    let (address, pin) = (puppet.address(), Pin::from(known.ring().unwrap()));
    let limits = Limits::default();
    tokio::select! {
        opened = Connection::open_pinned(&address, &pin, None, &limits) => opened,
        () = puppet.introduce_itself() => unreachable!("it goes on for ever"),
    }
}

#[tokio::test]
async fn who_knows_the_newest_key_accepts_it_and_its_successors() {
    let known = succession(&[2]);
    for shown in [succession(&[2]), succession(&[2, 3])] {
        let connection = met(&known, &shown, &shown).await.unwrap();
        assert_eq!(connection.keys, shown.ring().unwrap());
    }
}

#[tokio::test]
async fn who_knows_the_newest_key_refuses_those_before_it_and_other_successors() {
    let known = succession(&[2, 3]);
    for (what, shown) in [
        ("the first", succession(&[])),
        ("an older one", succession(&[2])),
        ("another successor of an older one", succession(&[2, 4])),
        ("another successor of the first", succession(&[4, 5, 6])),
    ] {
        for (certified, said) in [(&shown, &shown), (&shown, &known), (&known, &shown)] {
            let error = met(&known, certified, said).await.unwrap_err();
            assert!(matches!(error, ConnectError::WrongServer), "{what}: {error:?}");
            assert_eq!(error.blame(), Blame::Impostor);
        }
    }
    // Who knows nothing but the id cannot tell.
    met(&keys(), &succession(&[4]), &succession(&[4])).await.unwrap();
}

#[tokio::test]
async fn the_real_certificate_without_its_key_is_refused() {
    let (real, own) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = certificate(&real, vec![bound(&real, 1)]);
    // rustls checks that they fit together; a thief's TLS would not.
    let thief = Arc::new(rustls::sign::CertifiedKey::new(
        vec![certificate],
        aws_lc_rs::sign::any_supported_type(&private(&own)).unwrap(),
    ));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(thief)));
    let error = open(listen(config).await).await;
    assert!(matches!(error, ConnectError::WrongServer), "{error:?}");
}

#[tokio::test]
async fn a_classical_key_exchange_is_not_agreed_upon() {
    let key = KeyPair::generate().unwrap();
    let certificate = certificate(&key, vec![bound(&key, 1)]);
    let classical = CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1],
        ..aws_lc_rs::default_provider()
    };
    let config = ServerConfig::builder_with_provider(Arc::new(classical))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private(&key))
        .unwrap();
    let error = open(listen(config).await).await;
    assert!(matches!(error, ConnectError::Protocol(_)), "{error:?}");
    assert_eq!(error.blame(), Blame::Server);
}

#[tokio::test]
async fn what_is_no_tls_and_what_is_nobody_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let http = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 512]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    let error = open(port).await;
    assert!(matches!(error, ConnectError::Protocol(_)), "{error:?}");
    http.await.unwrap();
    let error = open(port).await;
    assert!(matches!(error, ConnectError::Unreachable { step: Step::Connect, .. }), "{error:?}");
    assert_eq!(error.blame(), Blame::Network);
}

#[tokio::test]
async fn a_server_that_never_answers_ends_in_a_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = ServerAddress::new("127.0.0.1", port, ada()).unwrap();
    let hasty = Limits { handshake: std::time::Duration::from_millis(50), ..Limits::default() };
    let error = Connection::open(&address, None, &hasty).await.unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut(Step::Tls)), "{error:?}");
}

/// A SOCKS5 proxy (RFC 1928, no authentication) that connects whatever name it is asked for to
/// `target`, and tells the name.
async fn proxy(target: u16) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut hello = [0; 3];
        client.read_exact(&mut hello).await.unwrap();
        client.write_all(&[5, 0]).await.unwrap();
        let mut head = [0; 5];
        client.read_exact(&mut head).await.unwrap();
        assert_eq!(&head[..4], &[5, 1, 0, 3], "it asks for a name, not for an address");
        let mut rest = vec![0; usize::from(head[4]) + 2];
        client.read_exact(&mut rest).await.unwrap();
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", target)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        rest.truncate(rest.len() - 2);
        String::from_utf8(rest).unwrap()
    });
    (port, task)
}

#[tokio::test]
async fn a_proxy_resolves_the_name() {
    let key = KeyPair::generate().unwrap();
    let certificate = certificate(&key, vec![bound(&key, 1)]);
    let (port, asked) = proxy(listen(server_config(&key, certificate)).await).await;
    let socks: Socks5 = format!("socks5h://127.0.0.1:{port}").parse().unwrap();
    // A name that no resolver on earth knows (RFC 6761).
    let address = ServerAddress::new("chat.invalid", 7443, ada()).unwrap();
    let error = Connection::open(&address, Some(&socks), &Limits::default()).await.unwrap_err();
    assert!(passed(&error), "{error:?}");
    assert_eq!(asked.await.unwrap(), "chat.invalid");
}

#[tokio::test]
async fn a_proxy_that_is_away_is_said_to_be() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let socks: Socks5 = format!("socks5h://127.0.0.1:{port}").parse().unwrap();
    let address = ServerAddress::new("chat.invalid", 7443, ada()).unwrap();
    let error = Connection::open(&address, Some(&socks), &Limits::default()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { step: Step::Proxy, .. }), "{error:?}");
}
