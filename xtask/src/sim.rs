//! `sim`: whole worlds from seeds, on all cores.
//!
//! Its own profile: as fast as a release, with every assertion on. Real cryptography unless `--fast`
//! puts toys in its place; planted bugs are looked for with the toys.

use crate::{
    Ended,
    cargo::{cargo, succeeds},
};
use anyhow::Result;

const USAGE: &str = "\
cargo xtask sim [--fast] [--seeds N] [--from S] [--all]   play N seeds; stop at the first failure
                                                          unless --all
cargo xtask sim [--fast] --seed S [--keep STEPS]          play one seed and tell what happens
cargo xtask sim --mutants [--seeds N]                     look for every planted bug; each must show
                                                          its sign in N seeds, or in its own number";

/// Words that take a value, and words that do not.
const WITH_VALUE: [&str; 4] = ["--seeds", "--from", "--seed", "--keep"];
const ALONE: [&str; 4] = ["--all", "--quiet", "--mutants", FAST];

/// Chooses the build; the program itself does not know it.
const FAST: &str = "--fast";

pub(crate) fn run(words: &[&str]) -> Result<Ended> {
    if !are_known(words) {
        return Ok(Ended::Usage(USAGE.to_owned()));
    }
    let mut command =
        cargo(&["run", "--quiet", "--locked", "--profile", "sim", "-p", "undertone-sim"]);
    let features = match (words.contains(&FAST), words.contains(&"--mutants")) {
        (_, true) => "mutants,stand-in",
        (true, false) => "stand-in",
        (false, false) => "",
    };
    command.args(["--features", features, "--example", "sim", "--"]);
    command.args(words.iter().filter(|word| **word != FAST));
    Ok(if succeeds(&mut command)? { Ended::Well } else { Ended::Badly })
}

fn are_known(words: &[&str]) -> bool {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let known = ALONE.contains(word) || (WITH_VALUE.contains(word) && words.next().is_some());
        if !known {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The binary itself also refuses to be built with them.
    #[test]
    fn the_binary_depends_on_neither_toys_nor_planted_bugs() {
        let mut tree = cargo(&["tree", "--locked", "--offline", "-p", "undertone"]);
        let output = tree.args(["--edges", "features,no-dev"]).output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let tree = String::from_utf8_lossy(&output.stdout);
        assert!(tree.contains("undertone-crypto"));
        assert!(!tree.contains("\"stand-in\"") && !tree.contains("\"mutants\""), "{tree}");
    }

    #[test]
    fn a_word_without_its_value_is_refused() {
        assert!(are_known(&["--seed", "7", "--keep", "0-4"]));
        assert!(!are_known(&["--seed"]));
        assert!(!are_known(&["--sead", "7"]));
    }
}
