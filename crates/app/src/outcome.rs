//! What a verb came to, and how it is printed.

use crate::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{self, Write};

/// What a verb came to: the same twice, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// One object; null prints nothing, for what has printed its lines already.
    pub json: Value,
    /// Lines, the last without its end; empty prints nothing.
    pub human: String,
}

impl Outcome {
    /// Both forms.
    pub fn new(json: Value, human: impl Into<String>) -> Self {
        Self { json, human: human.into() }
    }
}

/// Prints an outcome on stdout.
///
/// # Errors
/// When stdout takes no more.
pub fn print_outcome(outcome: &Outcome, json: bool) -> io::Result<()> {
    match (json, outcome.human.is_empty()) {
        (true, _) if outcome.json.is_null() => Ok(()),
        (true, _) => print_json(&outcome.json),
        (false, true) => Ok(()),
        (false, false) => print_line(&outcome.human),
    }
}

/// Prints a failure: for people on stderr, for programs on stdout.
///
/// # Errors
/// When the stream takes no more.
pub fn print_failure(failure: &Failure, json: bool) -> io::Result<()> {
    if json {
        return print_json(&failure.to_json());
    }
    let mut stderr = io::stderr().lock();
    writeln!(stderr, "undertone: {}", crate::show::text(&failure.message))?;
    if !failure.hint.is_empty() {
        writeln!(stderr, "  {}", crate::show::text(&failure.hint))?;
    }
    Ok(())
}

/// Prints one JSON value on a line of its own.
///
/// # Errors
/// When stdout takes no more.
pub fn print_json(value: &Value) -> io::Result<()> {
    print_line(&crate::show::harmless_json(value))
}

/// Prints a line, flushed: whoever watches reads it at once.
pub(crate) fn print_line(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
