//! # The driver: everything around the engine that touches the world
//!
//! The engine (`undertone_core::Account`) decides and does nothing; this crate owns the clock, the
//! [link](undertone_transport::Link) to the server, the thread of the store, and the loop between
//! them:
//!
//! 1. take the inputs that are ready, and hand them to the engine;
//! 2. collect its outputs until it has no more;
//! 3. commit everything that is to be persisted, and the events, as **one** transaction;
//! 4. only then release the rest, in order.
//!
//! That is *persist before release*. When a commit fails the engine is ahead of the disk: the
//! driver stops, nothing was released, and the next start goes on from what is on disk.
//!
//! Front ends hold a [`Session`]. One process has a profile open at a time; [`control`] lets
//! others use it through a socket in the profile's folder.

pub mod clock;
pub mod control;
mod create;
mod driver;
mod engine;
mod event;
mod identity;
mod network;
mod open;
mod session;
mod storage;
mod wait;

pub use create::{CreateError, Made, NewProfile, Prepared, new_phrase, prepare};
pub use engine::Engine;
pub use event::{EventBody, chat_state_word, kind_word, message_state_word};
pub use identity::open_identity;
pub use network::{LinkState, Wires};
pub use open::{OpenError, Reach, Running, open, start};
pub use session::{CommandError, Session};
pub use storage::{Stopped, Storage, StorageError};
pub use undertone_transport::{BadProxy, Blame, ConnectError, Socks5};
pub use wait::{Patience, Unfinished};

/// The setting that holds the server's address.
pub const SETTING_SERVER: &str = "server";
/// The setting that holds the proxy, if there is one.
pub const SETTING_PROXY: &str = "proxy";
/// The setting that holds the identity's secret, sealed under the passphrase alone.
pub const SETTING_IDENTITY: &str = "identity";

#[cfg(test)]
mod tests;
