//! `kills`: the end-to-end test that kills processes, as often as wanted.

use crate::{
    Ended,
    cargo::{cargo, succeeds},
};
use anyhow::Result;

/// Kills when nothing else was said; the number that is to be on record.
const COUNT: u64 = 200;

pub(crate) fn run(words: &[&str]) -> Result<Ended> {
    let (mut count, mut seed) = (COUNT, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().and_then(|value| value.parse::<u64>().ok());
        match (*word, value) {
            ("--count", Some(value)) => count = value,
            ("--seed", Some(value)) => seed = Some(value),
            _ => return Ok(Ended::Usage("cargo xtask kills [--count N] [--seed S]".to_owned())),
        }
    }
    if !succeeds(&mut cargo(&["build", "--locked", "-p", "undertone"]))? {
        return Ok(Ended::Badly);
    }
    let mut test = cargo(&["test", "--locked", "-p", "undertone-e2e", "--test", "stories"]);
    test.args(["kills::", "--", "--nocapture"]).env("UNDERTONE_KILLS", count.to_string());
    if let Some(seed) = seed {
        test.env("UNDERTONE_SEED", seed.to_string());
    }
    Ok(if succeeds(&mut test)? { Ended::Well } else { Ended::Badly })
}
