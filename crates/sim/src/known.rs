//! What is known to be wrong in the engine and waits for its repair, each with its reason. A rule
//! that is bent here is bent as narrowly as can be said; when a repair comes, its lines go.

use crate::act::{Fault, What};
use crate::watch::Watch;
use crate::world::World;
use undertone_crypto::IdentityKey;

/// A connection that is dead for longer than this makes the engine call a cell withheld.
const DEAD_MS: u64 = 50_000;

impl World {
    /// Whoever is removed and added again before having read of the removal may be lost to the group:
    /// the second invitation is dropped, or mixed with the first.
    pub(crate) fn known_return(&self, who: usize, group: &[u8; 32]) -> bool {
        self.watch.has_returned(group, &self.people[who].identity)
    }

    /// Three answers that do not come within thirty seconds each are called withheld, although the
    /// connection may be dead and takes up to 75 seconds to be known so.
    pub(crate) fn known_withheld(&self) -> bool {
        self.plan.played().any(|step| match step.what {
            What::Fault(Fault::HalfOpen { ms, .. }) => ms > DEAD_MS,
            _ => false,
        })
    }
}

impl Watch {
    /// Whether somebody sat in a group, did not, and sat there again.
    pub(crate) fn has_returned(&self, group: &[u8; 32], whom: &IdentityKey) -> bool {
        let mut changes = 0;
        let mut before = false;
        for epoch in self.epochs_of(group) {
            let sits = epoch.seats.iter().any(|seat| seat.identity == *whom);
            changes += usize::from(sits != before);
            before = sits;
        }
        changes > 2
    }
}
