//! Lines that a process says while it runs.

use crate::process::{self, PATIENCE};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

/// A `watch` (or anything else that says one JSON object per line); killed when dropped.
#[derive(Debug)]
pub struct Watch {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<Value>,
}

impl Watch {
    /// Starts it and waits for its first line, `ready`.
    ///
    /// # Errors
    /// When it does not get that far.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("the output was piped")?;
        let mut watch = Self { child, lines: lines(stdout), seen: Vec::new() };
        watch.until(|event| event["event"] == "ready")?;
        Ok(watch)
    }

    /// The next event that fits; those before it are passed over.
    ///
    /// # Errors
    /// When none comes in time or the process ends; says what has come.
    pub fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                bail!("what was waited for did not come; seen: {:#?}", self.seen);
            };
            let event: Value = serde_json::from_str(&line)
                .with_context(|| format!("a line is not JSON: {line}"))?;
            self.seen.push(event.clone());
            if fits(&event) {
                return Ok(event);
            }
        }
    }

    /// Waits for a message with this text.
    ///
    /// # Errors
    /// As [`Watch::until`].
    pub fn until_text(&mut self, text: &str) -> Result<Value> {
        self.until(|event| event["event"] == "message" && event["text"] == text)
            .with_context(|| format!("the text {text:?} was waited for"))
    }

    /// All events so far.
    pub fn seen(&self) -> &[Value] {
        &self.seen
    }

    /// Stops it where it is (SIGSTOP), as a laptop's lid does.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> Result<()> {
        process::signal(&self.child, "STOP")
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> Result<()> {
        process::signal(&self.child, "CONT")
    }

    /// Ends it at once (SIGKILL).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<()> {
        process::kill(&mut self.child)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = process::kill(&mut self.child);
    }
}

/// The lines of a stream as they come.
pub(crate) fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
