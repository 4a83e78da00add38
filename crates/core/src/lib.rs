//! # The engine: everything a device decides, and nothing else
//!
//! A sans-IO machine. Time and randomness are arguments; sockets, files and the clock belong to the
//! driver. [`Account`] routes inputs, `conversation` decides for one MLS group,
//! `log` follows the server's log of ticks, `cells` stores and fetches cells.
//!
//! The driver's contract is *persist before release*; see [`io`].

mod account;
mod body;
mod cells;
mod conversation;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod head;
mod ids;
pub mod io;
mod link;
mod log;
mod mutant;
mod parcel;
mod policy;
mod stored;
#[cfg(test)]
mod world;

pub use account::{Account, Creation, Loaded, Records, spaces};
pub use body::TEXT_BYTES_MAX;
pub use conversation::{Seat, Standing, StandingEpoch};
pub use ids::{BadName, ChatId, MessageId, NAME_BYTES_MAX, Name};
pub use link::{LinkFault, is_reusable};
#[cfg(feature = "mutants")]
pub use mutant::plant;
pub use mutant::{HAS_MUTANTS, Mutant};
pub use stored::LoadError;
