//! `drill`: attacks on the real parts, with what they came to.
//!
//! The tamper drill is a crate of the fuzz targets' workspace, because it needs doors into the engine
//! that nothing in this one may have: what a malicious member knows, and checks that can be switched
//! off.

use crate::{
    Ended,
    cargo::{cargo, succeeds},
};
use anyhow::Result;

const USAGE: &str = "\
cargo xtask drill tamper               play every misdeed and write docs/drill-tamper.md
cargo xtask drill tamper --check       say whether that document is up to date
cargo xtask drill tamper --mutations   also switch off one check after the other
cargo xtask drill tamper ROW...        play these rows and tell what came of them
cargo xtask drill graph                how far who talks with whom can be recovered at the level direct";

/// What it shares with this workspace is compiled once.
const TAMPER: [&str; 10] = [
    "run",
    "--quiet",
    "--locked",
    "--manifest-path",
    "fuzz/Cargo.toml",
    "--package",
    "undertone-drill",
    "--target-dir",
    "target",
    "--",
];

pub(crate) fn run(words: &[&str]) -> Result<Ended> {
    match words {
        ["tamper", rest @ ..] if are_known(rest) => tamper(rest),
        ["graph"] => graph(),
        _ => Ok(Ended::Usage(USAGE.to_owned())),
    }
}

fn tamper(words: &[&str]) -> Result<Ended> {
    let well = succeeds(cargo(&TAMPER).args(words))?;
    Ok(if well { Ended::Well } else { Ended::Badly })
}

/// The cryptography is played: metadata is the same with it.
fn graph() -> Result<Ended> {
    let mut command =
        cargo(&["run", "--quiet", "--locked", "--profile", "sim", "-p", "undertone-sim"]);
    command.args(["--features", "stand-in", "--example", "graph"]);
    Ok(if succeeds(&mut command)? { Ended::Well } else { Ended::Badly })
}

/// Rows are known to the program alone.
fn are_known(words: &[&str]) -> bool {
    let known = |word: &&str| !word.starts_with("--") || ["--check", "--mutations"].contains(word);
    words.iter().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_known_and_rows_are_not_judged_here() {
        assert!(are_known(&["--check", "--mutations"]));
        assert!(are_known(&["cell-altered"]));
        assert!(!are_known(&["--chekc"]));
    }
}
