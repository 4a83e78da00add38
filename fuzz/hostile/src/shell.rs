//! What the programs read besides: a profile's header, a server's files, lines of the control
//! socket, HTTP, certificates.

use crate::{engine::server_key, seeds::rng, session};
use std::sync::OnceLock;
use undertone_client::control::fuzzing as control;
use undertone_crypto::Secret;
use undertone_server::{Config, EXAMPLE, fuzzing as server};
use undertone_server_core::Keys;
use undertone_store::{DatabaseKey, KdfParams, header, header::Header};
use undertone_transport::{Pin, Socks5, fuzzing as transport};
use undertone_wire::ServerId;

/// `profile.json`.
pub(crate) fn profile_header(bytes: &[u8]) {
    if let Ok(header) = Header::from_bytes(bytes) {
        let written = Header::from_bytes(&header.to_bytes());
        assert_eq!(written.ok().as_ref(), Some(&header), "what is read is what is written");
    }
}

/// `server.keys`, `server.toml`, and the proxy that a profile names.
pub(crate) fn settings(bytes: &[u8]) {
    let _ = server::keys(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Config::parse(text);
    if let Ok(proxy) = text.parse::<Socks5>() {
        assert_eq!(proxy.to_string().parse(), Ok(proxy));
    }
}

/// Lines between two processes that use one profile.
pub(crate) fn control_lines(bytes: &[u8]) {
    runtime().block_on(control::lines(bytes));
    let text = String::from_utf8_lossy(bytes);
    let (challenge, proof) = text.split_once('\n').unwrap_or((&text, ""));
    let key = DatabaseKey::of(Secret::from_bytes([1; 32]));
    assert!(!control::proves(&key, challenge, proof), "nobody has the key");
}

/// A request's head at the server, a response's at the client.
pub(crate) fn http(bytes: &[u8]) {
    server::head(bytes);
    transport::response(bytes);
}

/// The certificate of whoever answers at the server's address.
pub(crate) fn certificate(bytes: &[u8]) {
    let first = Keys::first(server_key()).first;
    for pin in [Pin::from(first.server_id()), Pin::from(ServerId([1; 32]))] {
        let _ = transport::certificate(bytes, &pin);
    }
}

/// One that only ever reads from memory.
fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let built = tokio::runtime::Builder::new_current_thread().build();
        built.expect("a runtime without threads, sockets and timers takes nothing of the system")
    })
}

/// Inputs in the grammar of these targets: (target, bytes).
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    files().into_iter().chain(talk()).collect()
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let key = DatabaseKey::of(Secret::from_bytes([1; 32]));
    let kdf = KdfParams::DANGEROUS_CHEAP;
    let sealed = header::Header::seal(header::DATABASE, &key, "words", kdf, &mut rng());
    let header = sealed.expect("parameters in range").to_bytes();
    vec![
        ("profile_header", header),
        ("settings", b"socks5h://ada:secret@[::1]:9050".to_vec()),
        ("settings", EXAMPLE.as_bytes().to_vec()),
        ("settings", server::key_file(&[1; 32])),
    ]
}

fn talk() -> Vec<(&'static str, Vec<u8>)> {
    let info = [1, 0, 0, 0, 7, 6];
    let stream = [1, 0, 0, 0, 7, 4, 0, 0, 0, 0, 0, 0, 0, 1];
    let chunk =
        |kind: u8, bytes: &[u8]| [&[kind], &(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let post = b"POST /undertone/1 HTTP/1.1\r\ncontent-length: 6\r\n\r\n";
    let response = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n";
    let lines = [
        r#"{"undertone_control":1,"challenge":"00"}"#,
        r#"{"challenge":"00","proof":"11"}"#,
        r#"{"request":{"verb":"chats"}}"#,
        r#"{"line":{"text":"hello"}}"#,
        r#"{"done":null}"#,
    ];
    vec![
        ("server_session", [&[0], session::UPGRADE, &session::message(0x82, &info)].concat()),
        ("server_session", [&[0], &post[..], &info].concat()),
        (
            "server_session",
            [&[1], &chunk(4, &info)[..], &chunk(4, &stream), &[2, 2, 3, 9]].concat(),
        ),
        ("http", session::UPGRADE.to_vec()),
        ("http", [&post[..], &info].concat()),
        ("http", [&response[..], &info].concat()),
        ("control_lines", format!("{}\n", lines.join("\n")).into_bytes()),
    ]
}
