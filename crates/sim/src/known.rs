//! What is known to be wrong in the engine and waits for its repair, each with its reason. A rule
//! that is bent here is bent as narrowly as can be said; when a repair comes, its lines go.

use crate::act::{Fault, What};
use crate::world::World;

/// A connection that is dead for longer than this makes the engine call a cell withheld.
const DEAD_MS: u64 = 50_000;

impl World {
    /// A stay that was over before the device read of it is skipped without a word: what was written
    /// in it is missing, and no gap is shown.
    pub(crate) fn known_skipped_stay(&self, who: usize, group: &[u8; 32], epoch: u64) -> bool {
        let (identity, entered) = (&self.people[who].identity, &self.people[who].entered);
        let of_group = entered.range((*group, 0)..=(*group, u64::MAX));
        let mut same_stay = of_group
            .map(|(_, seen)| *seen)
            .filter(|seen| self.watch.stays(group, identity, epoch.min(*seen)..=epoch.max(*seen)));
        same_stay.next().is_none()
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

/// Two members invite the same person in turn: the older invitation is called a failure although the
/// newer one was followed, or one is said to wait although both lead to the same group.
pub(crate) fn known_invitation(code: &str, text: &str) -> bool {
    code == "join_waits" || (code == "join_failed" && text.contains("it is not newer than"))
}
