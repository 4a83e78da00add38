//! # The harness: real processes, told what to do and watched
//!
//! End-to-end tests and the demo script the real `undertone` binary, exactly as a person or a
//! program would: a [`Server`] in a folder of its own, a [`Person`] with a profile, and the lines
//! that come out. Nothing here knows what happens inside.
//!
//! * **Nothing sleeps.** A test waits for a line, an event or the end of a process; every wait has
//!   a limit ([`PATIENCE`]) after which it fails and says what it has seen.
//! * **Ports are picked by the system**, folders are temporary, and whatever was started is ended
//!   when its value is dropped.
//! * [`Canaries`] are the secrets of a run; [`Canaries::in_folder`] and [`Canaries::in_memory`]
//!   search everything that a server holds for them.

mod binary;
mod canary;
mod disk;
mod middle;
mod person;
mod process;
mod server;
mod socks;
mod watch;

pub use binary::binary;
pub use canary::{Canaries, Found};
pub use disk::Disk;
pub use middle::{Middle, Mood};
pub use person::{Answer, Person, befriend};
pub use process::{Ended, PATIENCE, Running};
pub use server::{Server, Setup};
pub use socks::Socks;
pub use watch::Watch;
