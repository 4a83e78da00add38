//! # The server's front door
//!
//! `undertone serve` and `undertone admin` without their command line. The pure engine
//! ([`undertone_server_core::Engine`]) judges, seals and proves; this crate gives it a disk
//! ([`StdFiles`]), a thread that seals ticks, a clock, TLS, and clients.
//!
//! ```text
//! socket ─▶ door ─▶ session ──PUT──▶ engine's queue ─▶ sealer (one thread, one sync per tick)
//!                     │  ▲  └─reads─▶ engine                │
//!                     │  └──answers to PUTs◀────────────────┤
//!                     └─────pushes◀── follower ◀── hub ◀────┘ newest tick
//! ```
//!
//! Invariants:
//! * There are two doors on one route and no third (T09): `http` turns everything else away.
//! * Whatever a client can make grow has a limit, and what happens there is written beside it.
//! * Nothing is logged that comes from a client: no address, tag, name or byte of a request. A
//!   test with a tracing layer holds this.
//! * `clock` is the only module that reads the time.

pub mod admin;
mod clock;
mod config;
mod crowd;
mod descriptors;
mod door;
mod error;
mod farewell;
mod files;
mod folder;
mod follower;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
mod hub;
mod keys;
mod recovery;
mod sealer;
mod serve;
mod service;
mod session;
mod tls;
mod trouble;

pub use config::{Admission, Config, EXAMPLE, Limits, Listen, Operator, Policy, Tick};
pub use error::{ErrorKind, ServeError};
pub use files::StdFiles;
pub use serve::{ServeArgs, Server, serve};
