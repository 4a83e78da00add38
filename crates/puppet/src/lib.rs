//! # A server whose part a test plays
//!
//! For tests only. The real server never says what it must not; a [`Puppet`] is real up to the open
//! WebSocket, with keys and a certificate that clients accept, and says what the test wants: other
//! versions, an older key, nonsense, or nothing.
//!
//! It panics where a test would: nothing that ships depends on this crate.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod certificate;
mod keys;
mod puppet;

pub use certificate::{binding, certificate, private, server_config};
pub use keys::{first, info, public, signing, stolen};
pub use puppet::{Puppet, Visitor};
pub use undertone_server_core::Keys;
