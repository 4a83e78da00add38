//! `fuzz`: every target of `fuzz/` in turn, under libFuzzer.
//!
//! Not a part of `test`, which replays the corpus instead: fuzzing needs a nightly compiler and
//! time. What is new and interesting goes to `target/corpus`, what broke a target to
//! `fuzz/artifacts`; `docs/fuzzing.md` says what to do with both.

use crate::{
    Ended,
    cargo::{cargo, root, succeeds},
};
use anyhow::{Context, Result};
use std::{fs, process::Command};

/// Seconds for each target, unless said otherwise.
const SECONDS: u32 = 60;

const USAGE: &str = "cargo xtask fuzz [--seconds N] [TARGET...]";

/// Without a sanitizer: no crate of ours has unsafe code, and what is looked for (panics, hangs,
/// memory without bound) shows without one, twice as fast.
const OPTIONS: [&str; 3] = ["--release", "--sanitizer", "none"];

/// An input that takes longer hangs, and one that takes more memory takes too much.
const LIMITS: [&str; 4] =
    ["-timeout=20", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1"];

pub(crate) fn run(words: &[&str]) -> Result<Ended> {
    let (seconds, named) = match words {
        ["--seconds", seconds, named @ ..] => (seconds.parse().ok(), named),
        named => (Some(SECONDS), named),
    };
    let Some(seconds) = seconds.filter(|seconds| *seconds > 0) else {
        return Ok(Ended::Usage(USAGE.to_owned()));
    };
    let all = targets()?;
    if let Some(unknown) = named.iter().find(|name| !all.iter().any(|target| target == *name)) {
        let all = all.join(" ");
        return Ok(Ended::Usage(format!("no target {unknown}\n{USAGE}\nTargets: {all}")));
    }
    if !has_nightly() {
        return Ok(Ended::Usage(
            "libFuzzer needs a nightly compiler: rustup toolchain install nightly".to_owned(),
        ));
    }
    if !has_cargo_fuzz() && !succeeds(&mut cargo(&["install", "--locked", "cargo-fuzz"]))? {
        return Ok(Ended::Badly);
    }
    let chosen: Vec<&str> =
        if named.is_empty() { all.iter().map(String::as_str).collect() } else { named.to_vec() };
    run_targets(&chosen, seconds)
}

/// One after the other; one that breaks does not keep the others from running.
fn run_targets(targets: &[&str], seconds: u32) -> Result<Ended> {
    if !succeeds(nightly("build").args(OPTIONS))? {
        return Ok(Ended::Badly);
    }
    let mut broken = Vec::new();
    for target in targets {
        println!("== {target}, {seconds} s");
        if !fuzz(target, seconds)? {
            broken.push(*target);
        }
    }
    if broken.is_empty() {
        println!("{} targets stood it", targets.len());
        return Ok(Ended::Well);
    }
    println!("broken: {} (the inputs are in fuzz/artifacts)", broken.join(", "));
    Ok(Ended::Badly)
}

fn fuzz(target: &str, seconds: u32) -> Result<bool> {
    // libFuzzer writes into the first folder and only reads the second.
    let grown = root().join("target/corpus").join(target);
    fs::create_dir_all(&grown).context("the folder for new inputs")?;
    let kept = root().join("fuzz/corpus").join(target);
    let mut command = nightly("run");
    command.args(OPTIONS).arg(target).args([grown, kept]).arg("--").args(LIMITS);
    succeeds(command.arg(format!("-max_total_time={seconds}")))
}

fn nightly(verb: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "fuzz", verb]).current_dir(root());
    command
}

fn has_nightly() -> bool {
    let asked = Command::new("rustup").args(["run", "nightly", "rustc", "--version"]).output();
    asked.is_ok_and(|output| output.status.success())
}

fn has_cargo_fuzz() -> bool {
    cargo(&["fuzz", "--version"]).output().is_ok_and(|output| output.status.success())
}

/// The names of all targets, the cheap ones first.
fn targets() -> Result<Vec<String>> {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).context("fuzz/Cargo.toml")?;
    let bins = manifest.split("[[bin]]").skip(1);
    let name = |bin: &str| Some(bin.split_once("name = \"")?.1.split_once('"')?.0.to_owned());
    Ok(bins.filter_map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features_of(words: &[&str]) -> String {
        let mut command = cargo(&["tree", "--locked", "--edges", "features"]);
        let output = command.args(words).output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    const DOOR: &str = "feature \"fuzzing\"";

    #[test]
    fn nothing_in_the_workspace_has_the_doors_of_the_fuzz_targets() {
        assert!(!features_of(&["--workspace"]).contains(DOOR));
        // The targets do: so the words are those that would show it.
        let fuzz = ["--manifest-path", "fuzz/Cargo.toml", "--package", "undertone-hostile"];
        assert!(features_of(&fuzz).contains(DOOR));
    }

    #[test]
    fn the_targets_are_known() {
        let targets = targets().expect("the manifest");
        assert!(targets.len() > 20 && targets.contains(&"client_member".to_owned()));
    }
}
