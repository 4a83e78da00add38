//! Everything that goes wrong, as a person and a script see it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use undertone_client::{Blame, CommandError, ConnectError, CreateError, OpenError, Unfinished};
use undertone_core::{BadName, LoadError, NAME_BYTES_MAX, io::Refused};
use undertone_store::StoreError;

/// The exit codes of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// Our bug.
    Bug = 1,
    /// Usage.
    Usage = 2,
    /// Not found, or ambiguous.
    NotFound = 3,
    /// Refused for security or policy.
    Refused = 4,
    /// Server or network not reachable; what was queued stays queued.
    Unreachable = 5,
    /// Wrong passphrase, or locked.
    Passphrase = 6,
    /// Disk or storage.
    Storage = 7,
    /// Damaged profile or foreign version.
    Profile = 8,
    /// Waited in vain.
    TimedOut = 9,
}

/// A failure: what happened, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// A stable word for programs.
    pub code: String,
    /// What happened, for people.
    pub message: String,
    /// What to do; never empty.
    pub hint: String,
    /// Ids that exist by then, and candidates.
    pub ids: Map<String, Value>,
}

impl Failure {
    /// A failure, and what to do about it.
    pub fn new(
        exit: Exit,
        code: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (code, message, hint) = (code.to_owned(), message.into(), hint.into());
        Self { exit, code, message, hint, ids: Map::new() }
    }

    /// The user's mistake.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message, hint)
    }

    /// The system has nothing more to give.
    pub fn system(message: impl Into<String>) -> Self {
        Self::new(Exit::Storage, "system", message, "end other programs, and try again")
    }

    /// A name that somebody typed and that cannot be one.
    pub(crate) fn bad_name(bad: &BadName) -> Self {
        Self::usage(
            bad.to_string(),
            format!("choose a name of 1 to {NAME_BYTES_MAX} bytes on one line"),
        )
    }

    /// Something that the engine answered and that does not fit the question.
    pub(crate) fn bug(what: &str) -> Self {
        Self::new(
            Exit::Bug,
            "bug",
            format!("this is a bug of Undertone: {what}"),
            "please report it, with what you did and what `undertone doctor` says",
        )
    }

    /// The server did what must not be.
    pub(crate) fn alarm(code: &str, text: String) -> Self {
        Self::new(
            Exit::Refused,
            code,
            text,
            "what was queued stays queued; tell the operator and your contacts by another way, \
             and see `undertone doctor`",
        )
    }

    /// Adds an id that exists.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.ids.insert(key.to_owned(), value.into());
        self
    }

    /// `{"error":{…}}` and the ids beside it.
    pub fn to_json(&self) -> Value {
        let Self { code, message, hint, .. } = self;
        let mut object = Map::new();
        let error = json!({ "code": code, "message": message, "hint": hint });
        object.insert("error".to_owned(), error);
        object.extend(self.ids.clone());
        Value::Object(object)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let exit = match refused.code {
            "not_found" => Exit::NotFound,
            "bad_link" | "too_long" | "empty" | "bad_name" => Exit::Usage,
            "other_version" => Exit::Profile,
            _ => Exit::Refused,
        };
        Self::new(exit, refused.code, refused.message, refused.hint)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::of_store(&error)
    }
}

impl Failure {
    fn of_store(error: &StoreError) -> Self {
        let message = error.to_string();
        let (exit, code, hint) = match error {
            StoreError::Newer { .. } => return Self::newer_profile(message),
            StoreError::Damaged(_) => return Self::damaged_profile(message),
            StoreError::Exists(_) => (Exit::Usage, "profile_exists", PROFILE_EXISTS),
            StoreError::NotFound(_) => (Exit::NotFound, "no_profile", NO_PROFILE),
            StoreError::WrongPassphrase => {
                (Exit::Passphrase, "wrong_passphrase", "nothing was changed; try again")
            }
            StoreError::InUse => (Exit::Storage, "in_use", "end the other process, or wait for it"),
            StoreError::Full => (Exit::Storage, "storage", "nothing half-done was kept; make room"),
            StoreError::ReadOnly(_) => (Exit::Storage, "storage", READ_ONLY),
            StoreError::Disk(_) => (Exit::Storage, "storage", DISK),
        };
        Self::new(exit, code, message, hint)
    }
}

const PROFILE_EXISTS: &str = "name another folder with --profile, or use the profile that is there";
const NO_PROFILE: &str = "make one with `undertone init`, or name its folder with --profile";
const READ_ONLY: &str = "nothing half-done was kept; make the folder writable for you";
const DISK: &str = "nothing half-done was kept; look after the disk, and try again";

impl Failure {
    fn newer_profile(message: String) -> Self {
        let hint = "use the newer version of Undertone that wrote it";
        Self::new(Exit::Profile, "newer_profile", message, hint)
    }

    fn damaged_profile(message: String) -> Self {
        let hint = "nothing was changed; put back all files of the folder from a copy";
        Self::new(Exit::Profile, "damaged_profile", message, hint)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refused) => refused.into(),
            CommandError::Store(error) => match error.store() {
                Some(error) => Self::of_store(error),
                None => Self::bug("the store ended early"),
            },
            CommandError::Stopped(_) => Self::bug("the driver ended early"),
        }
    }
}

impl From<Unfinished> for Failure {
    fn from(unfinished: Unfinished) -> Self {
        let message = unfinished.to_string();
        let (exit, code, hint) = match unfinished {
            Unfinished::Unreachable(_) => (
                Exit::Unreachable,
                "unreachable",
                "what was queued stays queued and goes out by itself later",
            ),
            Unfinished::Impostor(_) => (
                Exit::Refused,
                "wrong_server",
                "nothing was sent; ask the operator whether the address is right",
            ),
            Unfinished::Version(_) => (
                Exit::Profile,
                "other_version",
                "what was queued stays queued; update the older side",
            ),
            Unfinished::TimedOut => (
                Exit::TimedOut,
                "timed_out",
                "nothing is lost; ask again, or give it more time with --timeout",
            ),
            Unfinished::Command(error) => return error.into(),
        };
        Self::new(exit, code, message, hint)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let message = error.to_string();
        match error {
            OpenError::Store(error) => error.into(),
            OpenError::Engine(LoadError::Newer(_)) => Self::newer_profile(message),
            OpenError::Engine(LoadError::Damaged(_)) | OpenError::Setting(_) => {
                Self::damaged_profile(message)
            }
            OpenError::System(_) => Self::system(message),
        }
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Store(error) => error.into(),
            CreateError::Open(error) => error.into(),
            CreateError::Connect(error) => Self::of_connecting(&error),
        }
    }
}

impl Failure {
    fn of_connecting(error: &ConnectError) -> Self {
        let (exit, code, hint) = match error.blame() {
            Blame::Impostor => {
                (Exit::Refused, "wrong_server", "ask the operator for the right address")
            }
            Blame::Version => (Exit::Profile, "other_version", "update the older side"),
            Blame::Network | Blame::Server => {
                (Exit::Unreachable, "unreachable", "is the address right, and the server running?")
            }
        };
        Self::new(exit, code, error.to_string(), format!("nothing was made; {hint}"))
    }
}

#[cfg(test)]
mod tests;
