//! What the programs read besides: a profile's header, a server's files, lines of the control
//! socket, HTTP, certificates.

use crate::engine::server_key;
use std::sync::OnceLock;
use undertone_client::control::fuzzing as control;
use undertone_crypto::Secret;
use undertone_server::{Config, fuzzing as server};
use undertone_server_core::Keys;
use undertone_store::{DatabaseKey, header::Header};
use undertone_transport::{Pin, fuzzing as transport};
use undertone_wire::ServerId;

/// `profile.json`.
pub(crate) fn profile_header(bytes: &[u8]) {
    if let Ok(header) = Header::from_bytes(bytes) {
        let written = Header::from_bytes(&header.to_bytes());
        assert_eq!(written.ok().as_ref(), Some(&header), "what is read is what is written");
    }
}

/// `server.keys` and `server.toml`.
pub(crate) fn server_files(bytes: &[u8]) {
    let _ = server::keys(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Config::parse(text);
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
