//! # The cell server without sockets, files or a clock
//!
//! [`Engine`] is the server of DESIGN.md section 3 as plain functions: cells are submitted, a tick
//! is sealed at a time that the caller names, and the answers come back with their proofs. It
//! stands on a [`CellStore`], whose contract is written down and enforced by one conformance
//! suite ([`testing`]); [`Segments`] is the durable engine ("the store is the log"), [`Memory`]
//! the one for simulation. Bytes reach a disk only through [`Files`], which the driver implements
//! and which [`MemFiles`] simulates with its power cuts.
//!
//! Invariants, each with a test:
//! * what was answered is durable: no answer names a tick before the store has synced it;
//! * the log only grows: every head continues the one before it, across restarts and expiry;
//! * after a failed write or sync nothing is stored until the folder is opened again;
//! * reading never waits for a sync.

mod check;
mod engine;
mod files;
mod holds;
mod log;
mod segments;
mod store;

#[cfg(test)]
mod testkit;

pub use check::{Finding, Report, check};
pub use engine::{Config, Engine, Keys, OpenError, Put, Sealed, Ticket};
pub use files::{Crash, Files, MemFiles};
pub use holds::{Held, holds};
pub use log::{Log, LogError, SpineRecord};
pub use segments::{Cut, Segments};
pub use store::{CellStore, Fault, HourSpan, Memory, NewTick, Place, Slot, StoreError, StoredTick};

/// The conformance suite that every [`CellStore`] runs.
pub mod testing {
    pub use crate::store::conformance::{Harness, run};
}
