//! The server as a whole: real sockets, real TLS, real files.
#![allow(missing_docs)]

mod admin;
mod bounds;
mod doors;
mod restart;
mod stream;
mod support;
