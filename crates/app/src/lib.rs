//! # The command line
//!
//! One file per verb in [`verbs`]: its arguments, what it asks of the session, its JSON and what a
//! person reads. The verbs are plain data (`serde`), so that the process that holds a profile can
//! run those of another process, and a programming interface can offer the same.
//!
//! * [`run`](mod@run) opens the profile, or reaches the process that has it, and runs one verb;
//! * [`Failure`] is what everything that goes wrong becomes: an exit code, a stable word, a
//!   sentence and a hint;
//! * [`show`] makes texts and names of other people harmless before a terminal sees them.
//!
//! Names, flags, JSON keys and exit codes are promises to scripts: add, don't change.

mod context;
mod failure;
mod global;
mod later;
mod message;
mod outcome;
mod passphrase;
mod resolve;
pub mod run;
pub mod show;
pub mod verbs;

pub use failure::{Exit, Failure};
pub use global::Global;
pub use outcome::{Outcome, print_failure, print_json, print_outcome};
pub use run::run;
pub use verbs::Verb;
