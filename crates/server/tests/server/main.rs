//! The server as a whole: real sockets, real TLS, real files.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod admin;
mod bounds;
mod cut;
mod doors;
mod restart;
mod stream;
mod support;
