//! # The world simulator
//!
//! A seed is a world: people with real devices ([`undertone_core::Account`]), the real server engine
//! over its store in memory, a network between them that delays, cuts and repeats, disks that fill
//! up, clocks that are wrong, and a virtual clock over it all. Nothing of the product is
//! re-implemented here; only the driver's loop, the wires and the disks are.
//!
//! [`Plan::of_seed`] writes the script: what people do and what goes wrong, step by step. [`run`]
//! plays it, watches every step, lets the world come to rest and judges what everybody has in their
//! history. The same plan gives the same run, byte for byte.
//!
//! **Persist before release.** Outputs of an engine are acted upon one at a time. A crash may fall
//! between any two; what was persisted stays, everything later is gone.
//!
//! **What is held to be wrong** is listed in [`Wrong`]; who is entitled to a message is
//! defined in `judge`. Time and randomness are arguments: no clock, thread, socket or file here.

mod act;
mod disk;
mod faults;
mod hunt;
mod judge;
mod line;
mod lineage;
mod minimise;
mod net;
mod observe;
mod outcome;
mod perform;
mod person;
mod plan;
mod play;
mod presence;
mod server;
mod told;
mod watch;
mod wishes;
mod world;

pub use act::{Act, Fault, Place, Step, What};
pub use disk::Disk;
pub use hunt::{Found, Planted};
pub use minimise::minimise;
pub use observe::{Asked, Observed, Presence, observe};
pub use outcome::{Coverage, Outcome, Violation, Wrong};
pub use plan::{Plan, Shape};
#[cfg(feature = "mutants")]
pub use undertone_core::Mutant;

/// Plays a plan to its quiet end. With `tell`, the outcome carries a readable transcript.
pub fn run(plan: &Plan, tell: bool) -> Outcome {
    Outcome::of(|| world::World::new(plan, tell).run())
}

/// Plays a plan on a server whose disk lies: a restart loses the last tick that was synced.
pub fn run_on_lying_disk(plan: &Plan) -> Outcome {
    Outcome::of(|| {
        let mut world = world::World::new(plan, false);
        world.server.forgets = true;
        world.run()
    })
}

/// Plays a plan with a bug planted in every engine.
#[cfg(feature = "mutants")]
pub fn run_mutant(plan: &Plan, mutant: Mutant) -> Outcome {
    undertone_core::plant(Some(mutant));
    let outcome = run(plan, false);
    undertone_core::plant(None);
    outcome
}

#[cfg(test)]
mod tests;
