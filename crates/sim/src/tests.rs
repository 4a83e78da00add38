//! The simulator's own tests, and CI's share of seeds.

use crate::{Plan, run};

#[test]
fn a_seed_replays_byte_for_byte() {
    let plan = Plan::of_seed(3);
    let (first, again) = (run(&plan, false), run(&plan, false));
    assert_eq!(first.digest, again.digest);
    assert_eq!(first.simulated_ms, again.simulated_ms);
}
