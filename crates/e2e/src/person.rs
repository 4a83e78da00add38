//! A person: a profile, and commands on it.

use crate::{Ended, Running, Watch, binary, server::limited};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Every profile of a test has this passphrase.
const PASSPHRASE: &str = "a heron stands in the reeds";

/// What a command came to.
#[derive(Debug)]
pub struct Answer {
    /// The exit code; none when it was killed.
    pub exit: Option<i32>,
    /// The one JSON object on stdout.
    pub json: Value,
    /// What it said to people.
    pub stderr: String,
}

impl Answer {
    /// Reads what a `--json` command left.
    ///
    /// # Errors
    /// When stdout is anything but exactly one JSON object.
    pub fn of(ended: &Ended) -> Result<Self> {
        let json = serde_json::from_str(&ended.stdout)
            .with_context(|| format!("not one JSON object: {ended:?}"))?;
        Ok(Self { exit: ended.status.code(), json, stderr: ended.stderr.clone() })
    }

    /// The stable word of a failure.
    pub fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }
}

/// A person with one device.
#[derive(Clone, Debug)]
pub struct Person {
    /// The name that contacts see.
    pub name: String,
    /// The profile's folder.
    pub profile: PathBuf,
    passphrase: PathBuf,
    file_kib_max: Option<u64>,
}

impl Person {
    /// Somebody who has no profile yet, but a place for it in `home`.
    ///
    /// # Errors
    /// When the passphrase cannot be written there.
    pub fn nobody(home: &Path, name: &str) -> Result<Self> {
        let place = format!("person-{}", fs::read_dir(home)?.count());
        let passphrase = home.join(format!("{place}.passphrase"));
        fs::write(&passphrase, PASSPHRASE)?;
        Ok(Self {
            name: name.to_owned(),
            profile: home.join(place),
            passphrase,
            file_kib_max: None,
        })
    }

    /// Somebody with a fresh profile on a server.
    ///
    /// # Errors
    /// When `init` fails.
    pub fn init(home: &Path, name: &str, server: &str) -> Result<Self> {
        let person = Self::nobody(home, name)?;
        person.ok(&["init", "--name", name, "--server", server])?;
        Ok(person)
    }

    /// The same profile with another passphrase typed.
    #[must_use]
    pub fn with_passphrase_file(&self, file: &Path) -> Self {
        Self { passphrase: file.to_owned(), ..self.clone() }
    }

    /// The same person with another folder.
    #[must_use]
    pub fn with_profile(&self, folder: &Path) -> Self {
        Self { profile: folder.to_owned(), ..self.clone() }
    }

    /// The same person on a disk on which no file may grow beyond so many KiB.
    #[must_use]
    pub fn with_file_kib_max(&self, kib: u64) -> Self {
        Self { file_kib_max: Some(kib), ..self.clone() }
    }

    /// A command of this person, `--json` included.
    ///
    /// # Errors
    /// When there is no binary.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let binary = binary()?;
        let mut command = match self.file_kib_max {
            None => Command::new(binary),
            Some(kib) => limited(&binary, kib),
        };
        command.arg("--json").arg("--profile").arg(&self.profile);
        command.arg("--passphrase-file").arg(&self.passphrase).args(words);
        Ok(command)
    }

    /// Starts a command.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self, words: &[&str]) -> Result<Running> {
        Running::start(&mut self.command(words)?)
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// When it does not end in time, or prints anything but one JSON object.
    pub fn run(&self, words: &[&str]) -> Result<Answer> {
        let ended = self.start(words)?.end()?;
        Answer::of(&ended).with_context(|| format!("{} {words:?}", self.name))
    }

    /// Runs a command that must succeed.
    ///
    /// # Errors
    /// When it does not.
    pub fn ok(&self, words: &[&str]) -> Result<Value> {
        let answer = self.run(words)?;
        ensure!(answer.exit == Some(0), "{} {words:?}: {answer:?}", self.name);
        Ok(answer.json)
    }

    /// Runs a command that must fail with this exit code and word.
    ///
    /// # Errors
    /// When it does not.
    pub fn refused(&self, words: &[&str], exit: i32, code: &str) -> Result<Value> {
        let answer = self.run(words)?;
        let fits = answer.exit == Some(exit) && answer.code() == code;
        ensure!(fits, "{} {words:?}: not {exit} {code} but {answer:?}", self.name);
        let error = &answer.json["error"];
        let told = |key: &str| error[key].as_str().is_some_and(|text| !text.is_empty());
        ensure!(told("message") && told("hint"), "{words:?} explains nothing: {answer:?}");
        Ok(answer.json)
    }

    /// Starts a `watch`; other commands on the profile go through it.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn watch(&self) -> Result<Watch> {
        Watch::start(&mut self.command(&["watch"])?)
    }

    /// A watch that also says again what came after an event.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn watch_since(&self, seq: u64) -> Result<Watch> {
        Watch::start(&mut self.command(&["watch", "--since", &seq.to_string()])?)
    }

    /// A conversation's messages, as `read` gives them.
    ///
    /// # Errors
    /// When `read` fails.
    pub fn messages(&self, chat: &str) -> Result<Vec<Value>> {
        let json = self.ok(&["read", chat, "--limit", "10000"])?;
        Ok(json["messages"].as_array().context("no messages")?.clone())
    }

    /// Author and text of every message of a conversation.
    ///
    /// # Errors
    /// When `read` fails.
    pub fn talk(&self, chat: &str) -> Result<Vec<(String, String)>> {
        let of = |message: &Value, key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let messages = self.messages(chat)?;
        Ok(messages.iter().map(|it| (of(it, "from"), of(it, "text"))).collect())
    }

    /// The entry of a conversation in `chats`.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn chat(&self, name: &str) -> Result<Value> {
        let chats = self.ok(&["chats"])?;
        let found = chats["chats"]
            .as_array()
            .and_then(|chats| chats.iter().find(|chat| chat["name"] == name).cloned());
        found.with_context(|| format!("{} has no chat {name}: {chats}", self.name))
    }
}

/// Makes two people contacts by a one-time link.
///
/// # Errors
/// When any step of it fails.
pub fn befriend(one: &Person, other: &Person) -> Result<()> {
    let mut watching = one.watch()?;
    let link = one.ok(&["link"])?;
    let link = link["link"].as_str().context("no link")?;
    let accepted = other.ok(&["accept", link, "--timeout", "60"])?;
    ensure!(accepted["state"] == "open", "{accepted}");
    watching.until(|event| event["event"] == "chat" && event["state"] == "open")?;
    one.ok(&["sync"]).map(drop)
}
