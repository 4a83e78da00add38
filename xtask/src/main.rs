//! The workspace's own commands: `cargo xtask VERB`.
//!
//! Each verb is one module. What a verb needs beyond Rust it asks for in words, and nothing here is
//! needed to use Undertone.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to people")]

mod bench;
mod cargo;
mod demo;
mod drill;
mod fuzz;
mod kills;
mod sim;
mod test;
mod wasm;

use anyhow::Result;
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask VERB

  test                           everything that CI runs
  demo [--no-wait]               a server and three people, told step by step; stays up to be joined
  kills [--count N] [--seed S]   kill processes at random moments of a conversation
  sim [--seeds N] [--seed S]     play whole worlds from seeds; a failing one is made shorter
  drill tamper                   every known misdeed, and who notices; writes docs/drill-tamper.md
  drill graph                    how far who talks with whom can be recovered
  bench [server|client|peers]    measure; without a word: server and client
  fuzz [--seconds N] [TARGET...] hostile bytes, so long for each target; needs a nightly compiler
  wasm                           build the pure crates for wasm32

Later releases: screens.";

/// Why a verb ended.
enum Ended {
    /// All is well.
    Well,
    /// Something that the verb looks for was found; it has been said.
    Badly,
    /// The command line was wrong; why.
    Usage(String),
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Badly) => ExitCode::FAILURE,
        Ok(Ended::Usage(why)) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<Ended> {
    let Some((verb, rest)) = words.split_first() else {
        return Ok(Ended::Usage(USAGE.to_owned()));
    };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match verb.as_str() {
        "test" if rest.is_empty() => test::run(),
        "demo" => demo::run(&rest),
        "kills" => kills::run(&rest),
        "bench" => bench::run(&rest),
        "fuzz" => fuzz::run(&rest),
        "wasm" if rest.is_empty() => wasm::run(),
        "sim" => sim::run(&rest),
        "drill" => drill::run(&rest),
        "screens" => Ok(Ended::Usage(format!("{verb} is not in this release"))),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(Ended::Well)
        }
        _ => Ok(Ended::Usage(USAGE.to_owned())),
    }
}
