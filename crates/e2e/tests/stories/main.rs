//! Stories of real processes, told from the outside.
//!
//! One module per chapter. A failing story leaves its place with the lines it has seen; rerun one
//! with `cargo test -p undertone-e2e NAME`.

mod disks;
mod frozen;
mod holdings;
mod keys;
mod kills;
mod links;
mod network;
mod profiles;
mod rollbacks;
mod servers;
mod stage;
mod talk;
mod texts;
mod versions;
