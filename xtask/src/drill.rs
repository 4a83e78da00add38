//! `drill`: attacks on the real parts, with what they came to.

use crate::{
    Ended,
    cargo::{cargo, succeeds},
};
use anyhow::Result;

const USAGE: &str =
    "cargo xtask drill graph     how far who talks with whom can be recovered at the level direct";

pub(crate) fn run(words: &[&str]) -> Result<Ended> {
    match words {
        ["graph"] => graph(),
        _ => Ok(Ended::Usage(USAGE.to_owned())),
    }
}

/// The cryptography is played: metadata is the same with it.
fn graph() -> Result<Ended> {
    let mut command =
        cargo(&["run", "--quiet", "--locked", "--profile", "sim", "-p", "undertone-sim"]);
    command.args(["--features", "stand-in", "--example", "graph"]);
    Ok(if succeeds(&mut command)? { Ended::Well } else { Ended::Badly })
}
