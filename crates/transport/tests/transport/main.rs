//! The client's side against real TLS, and against servers that do not behave.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod cut;
mod link;
mod pin;
mod support;
mod talk;
