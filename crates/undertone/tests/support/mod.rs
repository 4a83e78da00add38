//! Profiles and a server of the real binary.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};
use tempfile::TempDir;

/// A folder with a passphrase in it, and room for profiles.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(place.path("passphrase"), "correct horse\n").unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs one command on the profile `ada`; its exit code and its object.
    pub(crate) fn run(&self, words: &[&str]) -> (i32, serde_json::Value) {
        let output = self.command("ada", words).output().unwrap();
        (code(&output), object(&output))
    }

    /// A command on somebody's profile.
    pub(crate) fn command(&self, who: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_undertone"));
        command.arg("--profile").arg(self.path(who));
        command.arg("--passphrase-file").arg(self.path("passphrase"));
        command.arg("--json").args(words).stdin(Stdio::null());
        command
    }
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

pub(crate) fn object(output: &Output) -> serde_json::Value {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    serde_json::from_str(&stdout).unwrap()
}

/// A server that runs until it is dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: String,
}

impl Served {
    pub(crate) fn start(place: &Place) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_undertone"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(place.path("data"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("ready ").unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
