//! What is known to be wrong in the engine and waits for its repair, each with its reason. A rule
//! that is bent here is bent as narrowly as can be said; when a repair comes, its lines go.

use crate::act::{Fault, What};
use crate::world::World;

/// A connection that is dead for longer than this makes the engine call a cell withheld.
const DEAD_MS: u64 = 50_000;

impl World {
    /// Three answers that do not come within thirty seconds each are called withheld, although the
    /// connection may be dead and takes up to 75 seconds to be known so.
    pub(crate) fn known_withheld(&self) -> bool {
        self.plan.played().any(|step| match step.what {
            What::Fault(Fault::HalfOpen { ms, .. }) => ms > DEAD_MS,
            _ => false,
        })
    }
}
