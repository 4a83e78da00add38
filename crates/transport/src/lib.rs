//! # The client's side of the wire
//!
//! One WebSocket per client carries [`Frame`](undertone_wire::Frame)s to and from one server. This
//! crate dials it (directly or through a SOCKS5 proxy), makes sure that the *pinned* server is at
//! the other end, and keeps a connection alive across failures.
//!
//! What it promises:
//! * **The pin is the server's id, not a name.** A certificate counts only when it carries a
//!   [`TlsBinding`](undertone_wire::TlsBinding) that leads from the pinned id to this very
//!   certificate's key. No certificate authority is asked, no date is compared: a valid certificate
//!   of somebody else for the same name is refused (T18), and a wrong clock does no harm.
//! * **A key that was replaced is worth nothing to whoever has met its successor.** A [`Pin`] that
//!   knows the server's keys accepts the same or more of them, and a [`Link`] learns as it goes.
//! * **No weaker exchange.** TLS 1.3 with X25519MLKEM768 alone is offered.
//! * **Everything ends.** Dialling, handshakes and silence have limits ([`Limits`]); messages are
//!   bounded before they are allocated; the queues of a [`Link`] are bounded.
//! * **Nothing is kept.** What was in flight when a connection broke is gone; the engine above
//!   persists what matters and asks again.
//!
//! The entry points: [`Connection::open`] for one connection, [`Link`] for a lasting one, [`post()`]
//! for the server's second door.

mod backoff;
mod connection;
mod dial;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod heard;
mod hurry;
mod link;
mod pin;
mod post;
mod tls;

pub use backoff::Backoff;
pub use connection::{Connection, FrameReceiver, FrameSender, MESSAGE_LEN_MAX};
pub use dial::{BadProxy, Limits, Socks5};
pub use error::{Blame, ConnectError, Lost, Step};
pub use hurry::Hurry;
pub use link::{Down, Link, LinkConfig, LinkEvent, Outgoing};
pub use pin::Pin;
pub use post::post;
pub use tls::client_config;
