//! A share of the simulator's planted bugs, found with real cryptography.
//!
//! It stands here because the workspace's own tests are built together with the binary, which must
//! never contain a planted bug. `cargo xtask sim --mutants` looks for all of them.

use undertone_sim::Planted;

/// Those that show at once.
const CHEAP: [&str; 4] = ["double-merge", "lost-welcome", "own-unknown", "shown-twice"];

#[test]
fn a_share_of_the_planted_bugs_is_found() {
    let planted = Planted::all().into_iter().filter(|bug| CHEAP.contains(&bug.word()));
    let found = planted.filter(|bug| bug.hunt(0, bug.seeds()).is_some()).count();
    assert_eq!(found, CHEAP.len());
}
