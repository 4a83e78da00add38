//! `sim`: whole worlds from seeds, on all cores.
//!
//! Its own profile: as fast as a release, with every assertion on.

use crate::{
    Ended,
    cargo::{cargo, succeeds},
};
use anyhow::Result;

const USAGE: &str = "\
cargo xtask sim [--seeds N] [--from S] [--all]   play N seeds; stop at the first failure unless --all
cargo xtask sim --seed S [--keep STEPS]          play one seed and tell what happens";

/// Words that take a value, and words that do not.
const WITH_VALUE: [&str; 4] = ["--seeds", "--from", "--seed", "--keep"];
const ALONE: [&str; 2] = ["--all", "--quiet"];

pub(crate) fn run(words: &[&str]) -> Result<Ended> {
    if !are_known(words) {
        return Ok(Ended::Usage(USAGE.to_owned()));
    }
    let mut command =
        cargo(&["run", "--quiet", "--locked", "--profile", "sim", "-p", "undertone-sim"]);
    command.args(["--example", "sim", "--"]).args(words);
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

    #[test]
    fn a_word_without_its_value_is_refused() {
        assert!(are_known(&["--seed", "7", "--keep", "0-4"]));
        assert!(!are_known(&["--seed"]));
        assert!(!are_known(&["--sead", "7"]));
    }
}
