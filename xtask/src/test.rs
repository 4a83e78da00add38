//! `test`: everything that CI runs.
//!
//! One target folder and one profile, so that nothing is compiled twice: all targets are built at
//! once, which also makes the binary that the end-to-end tests script, and then run. A step that
//! fails does not hide those after it. The last line says how many tests passed and failed.

use crate::{
    Ended,
    cargo::{cargo, is_there, succeeds},
    demo,
};
use anyhow::{Context, Result, ensure};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

/// Tests as counted by their harnesses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

pub(crate) fn run() -> Result<Ended> {
    need_python()?;
    let mut failed = Vec::new();
    let mut step = |name: &'static str, command: &mut Command| -> Result<()> {
        println!("== {name}");
        if !succeeds(command)? {
            failed.push(name);
        }
        Ok(())
    };
    step("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    step("clippy", &mut cargo(&clippy))?;
    step("build", &mut cargo(&["build", "--locked", "--workspace", "--all-targets"]))?;
    println!("== tests");
    let (mut counts, all_ran) = tests(&["--workspace"])?;
    println!("== hostile bytes and the tamper drill");
    let (hostile, all_stood) = tests(&HOSTILE)?;
    counts.join(hostile);
    println!("== demo");
    let shown = match demo::play(false) {
        Ok(ended) => matches!(ended, Ended::Well),
        Err(error) => {
            println!("{error:#}");
            false
        }
    };
    let mut doc =
        cargo(&["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"]);
    step("documentation", doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    for (name, well) in [("tests", all_ran), ("hostile bytes", all_stood), ("demo", shown)] {
        if !well {
            failed.push(name);
        }
    }
    println!("{}", summary(&failed, counts));
    Ok(if failed.is_empty() { Ended::Well } else { Ended::Badly })
}

/// The store's independent verifier is a Python program, and a test runs it.
fn need_python() -> Result<()> {
    if is_there("python3") {
        return Ok(());
    }
    println!("== python3 is missing; trying to install it");
    let installed = is_there("apt-get")
        && succeeds(Command::new("apt-get").args(["install", "-y", "python3"]))?
        && is_there("python3");
    ensure!(
        installed,
        "python3 is missing: the independent verifier of the store is a Python program. \
         Install it (on Debian or Ubuntu: apt-get install python3)"
    );
    Ok(())
}

/// The fuzz targets' corpus, replayed, and the rows of the tamper drill. They are a workspace of their
/// own, because they open doors into the crates that nothing else may have; what they share with this
/// one is compiled once.
const HOSTILE: [&str; 8] = [
    "--manifest-path",
    "fuzz/Cargo.toml",
    "--package",
    "undertone-hostile",
    "--package",
    "undertone-drill",
    "--target-dir",
    "target",
];

/// Runs all tests, shows what they say, and counts; also whether every harness was content.
fn tests(of: &[&str]) -> Result<(Counts, bool)> {
    let mut child = cargo(&["test", "--locked", "--no-fail-fast"])
        .args(of)
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo test does not start")?;
    let stdout = child.stdout.take().context("the output was piped")?;
    let mut counts = Counts::default();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        counts.add(&line);
    }
    Ok((counts, child.wait()?.success()))
}

impl Counts {
    fn join(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// Takes a harness's closing line into account; other lines are nothing.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(word)) = (words.next(), words.next()) else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// What failed, and the counts as the last line.
fn summary(failed: &[&str], counts: Counts) -> String {
    let mut lines = Vec::new();
    if !failed.is_empty() {
        lines.push(format!("failed: {}", failed.join(", ")));
    }
    if counts.ignored > 0 {
        lines.push(format!("{} ignored", counts.ignored));
    }
    lines.push(format!("{} passed, {} failed", counts.passed, counts.failed));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; \
             finished in 0.00s",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
            "5 passed; 5 failed",
        ] {
            counts.add(line);
        }
        assert_eq!(counts, Counts { passed: 4, failed: 2, ignored: 1 });
    }

    #[test]
    fn the_counts_come_last() {
        let counts = Counts { passed: 4, failed: 2, ignored: 1 };
        assert_eq!(
            summary(&["clippy", "tests"], counts),
            "failed: clippy, tests\n1 ignored\n4 passed, 2 failed"
        );
    }
}
