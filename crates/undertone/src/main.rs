//! The one binary: a messenger's client and its server.
//!
//! This crate only parses and hands on; what a verb does stands in `undertone-app`, what the server
//! does in `undertone-server`.

mod cli;
mod generate;
mod operator;

use clap::Parser;
use cli::{Cli, Command};
use std::{ffi::OsStr, io::Write, process::ExitCode};
use tracing_subscriber::EnvFilter;
use undertone_app::{Exit, Failure, print_failure};

// What only simulations may have is refused here, whatever features a build was asked for.
const _: () = assert!(!undertone_wire::STAND_IN, "toys stand in the place of cryptography");
const _: () = assert!(undertone_wire::checks::STAND, "a check can be switched off");
const _: () = assert!(!undertone_core::HAS_MUTANTS, "the engine can be made wrong on purpose");

fn main() -> ExitCode {
    log_to_stderr();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    // A panic is our bug; it must not look like an exit code that means something else.
    std::panic::catch_unwind(|| run(cli)).unwrap_or(ExitCode::from(Exit::Bug as u8))
}

fn run(cli: Cli) -> ExitCode {
    let Cli { global, command } = cli;
    match command {
        Command::Person(verb) => {
            match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => finished(runtime, undertone_app::run(&global, verb)),
                Err(error) => no_runtime(&error, global.json),
            }
        }
        Command::Serve(args) => match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime.block_on(operator::serve(&args, global.json)),
            Err(error) => no_runtime(&error, global.json),
        },
        Command::Admin(args) => undertone_app::run::finish(operator::admin(&args), global.json),
        Command::Completions { shell } => print(&generate::completions(shell)),
        Command::Man { page } => match generate::man_page(page.as_deref()) {
            Some(page) => print(&page),
            None => undertone_app::run::finish(
                Err(Failure::new(
                    Exit::NotFound,
                    "not_found",
                    "there is no such page",
                    "`undertone man` prints the first, which names the others",
                )),
                global.json,
            ),
        },
    }
}

/// Runs `work`, and does not wait for what it has left behind: a lookup of a name blocks a thread
/// for as long as a dead resolver likes, which no `--timeout` ends.
fn finished<T>(runtime: tokio::runtime::Runtime, work: impl Future<Output = T>) -> T {
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

fn no_runtime(error: &std::io::Error, json: bool) -> ExitCode {
    let failure = Failure::system(format!("out of resources: {error}"));
    undertone_app::run::finish(Err(failure), json)
}

fn print(bytes: &[u8]) -> ExitCode {
    match std::io::stdout().lock().write_all(bytes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(Exit::Storage as u8),
    }
}

/// Help and version are no failures; everything else is exit 2, in JSON where that was asked for.
fn usage(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|arg| arg == OsStr::new("--json"));
    if error.use_stderr() && wants_json {
        let text = error.render().to_string();
        let failure = Failure::usage(sentence(&text), "`undertone COMMAND --help` explains it");
        // Without a stdout there is nobody to tell.
        let _ = print_failure(&failure, true);
        return ExitCode::from(Exit::Usage as u8);
    }
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(Exit::Usage as u8) } else { ExitCode::SUCCESS }
}

/// What went wrong, without the usage that follows it, on one line.
fn sentence(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let said = text.split("\n\nUsage:").next().unwrap_or(text);
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Diagnostics, on stderr, for whoever asks by `UNDERTONE_LOG`; warnings otherwise.
fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_env("UNDERTONE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    // What cannot be logged, such as on a full disk, must not end the server: tracing would say so on
    // stderr, and panic when that is the log which is full.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .init();
}

#[cfg(test)]
mod tests;
