//! # The profile: what one device keeps on disk
//!
//! A profile is a folder with four files:
//!
//! * `profile.json` ([`header`]): format, Argon2id parameters, salt, and the database key wrapped
//!   under the passphrase. It has a checksum, so that damage is told apart from a wrong passphrase.
//! * `profile.db` ([`sqlite`]): everything else, in SQLCipher under that random key.
//! * `lock`: held by the one process that has the profile open.
//! * `control`: the socket of that process (made by the driver, not here).
//!
//! What it promises: a [`Batch`] is durable as a whole or not at all when [`Store::commit`] returns;
//! a profile that cannot be read is an error and never an empty profile; files are readable by
//! their owner alone. What it does not: it cannot notice that the whole folder was put back to an
//! earlier state; the engine notices that by its own cells on the server.
//!
//! [`Memory`] keeps the same contract without a disk; one conformance suite holds both to it.

mod error;
mod folder;
pub mod header;
mod key;
mod memory;
mod profile;
mod records;
mod rows;
pub mod sqlite;
mod store;

pub use error::{StoreError, StoreErrorKind};
pub use folder::{CONTROL_FILE, Lock};
pub use header::KdfParams;
pub use key::DatabaseKey;
pub use memory::Memory;
pub use profile::{Prepared, Profile};
pub use records::Records;
pub use store::{
    Batch, ChatSummary, EVENTS_KEPT, EventRow, HistoryQuery, Listed, NewEvent, SETTING_BYTES_MAX,
    Store, StoredEvent,
};

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests;
