//! `drill`: what can be done to Undertone, and who notices.
//!
//! The drill is a crate of the fuzz targets' workspace, because it needs doors into the engine that
//! nothing in this one may have: what a malicious member knows, and checks that can be switched off.

use crate::{
    Ended,
    cargo::{cargo, succeeds},
};
use anyhow::Result;

const USAGE: &str = "\
cargo xtask drill tamper               play every row and write docs/drill-tamper.md
cargo xtask drill tamper --check       say whether that document is up to date
cargo xtask drill tamper --mutations   also switch off one check after the other
cargo xtask drill tamper ROW...        play these rows and tell what came of them";

/// Its workspace; what it shares with this one is compiled once.
const PROGRAM: [&str; 10] = [
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
        ["tamper", rest @ ..] if are_known(rest) => {
            let well = succeeds(cargo(&PROGRAM).args(rest))?;
            Ok(if well { Ended::Well } else { Ended::Badly })
        }
        ["graph", ..] => Ok(Ended::Usage("drill graph is not in this release".to_owned())),
        _ => Ok(Ended::Usage(USAGE.to_owned())),
    }
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
