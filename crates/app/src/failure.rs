//! Everything that goes wrong, as a person and a script see it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use undertone_client::{Blame, CommandError, ConnectError, CreateError, OpenError, Unfinished};
use undertone_core::{LoadError, io::Refused};
use undertone_store::{StoreError, StoreErrorKind};

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
    /// What to do; may be empty.
    pub hint: String,
    /// Ids that exist by then, and candidates.
    pub ids: Map<String, Value>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        let (code, message) = (code.to_owned(), message.into());
        Self { exit, code, message, hint: String::new(), ids: Map::new() }
    }

    /// The user's mistake.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Something that the engine answered and that does not fit the question.
    pub(crate) fn bug(what: &str) -> Self {
        Self::new(Exit::Bug, "bug", format!("this is a bug of Undertone: {what}"))
    }

    /// The server did what must not be.
    pub(crate) fn alarm(code: &str, text: String) -> Self {
        Self::new(Exit::Refused, code, text).hint(
            "what was queued stays queued; tell the operator and your contacts by another way, \
             and see `undertone doctor`",
        )
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
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
        Self::new(exit, refused.code, refused.message).hint(refused.hint)
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
        match error.kind() {
            StoreErrorKind::Missing => match error {
                StoreError::Exists(_) => Self::new(Exit::Usage, "profile_exists", message)
                    .hint("name another folder with --profile, or use the profile that is there"),
                _ => Self::new(Exit::NotFound, "no_profile", message)
                    .hint("make one with `undertone init`, or name its folder with --profile"),
            },
            StoreErrorKind::Passphrase => Self::new(Exit::Passphrase, "wrong_passphrase", message)
                .hint("nothing was changed; try again"),
            StoreErrorKind::Storage => {
                let code = if matches!(error, StoreError::InUse) { "in_use" } else { "storage" };
                Self::new(Exit::Storage, code, message)
                    .hint("nothing half-done was kept; make room or end the other process")
            }
            StoreErrorKind::Profile => Self::of_profile(error, message),
        }
    }

    fn of_profile(error: &StoreError, message: String) -> Self {
        match error {
            StoreError::Newer { .. } => Self::new(Exit::Profile, "newer_profile", message)
                .hint("use the newer version of Undertone that wrote it"),
            _ => Self::new(Exit::Profile, "damaged_profile", message)
                .hint("nothing was changed; put back all files of the folder from a copy"),
        }
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
        match unfinished {
            Unfinished::Unreachable(_) => Self::new(Exit::Unreachable, "unreachable", message)
                .hint("what was queued stays queued and goes out by itself later"),
            Unfinished::Impostor(_) => Self::new(Exit::Refused, "wrong_server", message)
                .hint("nothing was sent; ask the operator whether the address is right"),
            Unfinished::Version(_) => Self::new(Exit::Profile, "other_version", message)
                .hint("what was queued stays queued; update the older side"),
            Unfinished::TimedOut => Self::new(Exit::TimedOut, "timed_out", message)
                .hint("nothing is lost; ask again, or give it more time with --timeout"),
            Unfinished::Command(error) => error.into(),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let message = error.to_string();
        match error {
            OpenError::Store(error) => error.into(),
            OpenError::Engine(LoadError::Newer(_)) => {
                Self::new(Exit::Profile, "newer_profile", message)
                    .hint("use the newer version of Undertone that wrote it")
            }
            OpenError::Engine(LoadError::Damaged(_)) | OpenError::Setting(_) => {
                Self::new(Exit::Profile, "damaged_profile", message)
                    .hint("nothing was changed; put back all files of the folder from a copy")
            }
            OpenError::System(_) => Self::new(Exit::Storage, "system", message),
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
        Self::new(exit, code, error.to_string()).hint(format!("nothing was made; {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_stand_beside_the_error() {
        let failure = Failure::new(Exit::Unreachable, "unreachable", "gone")
            .hint("wait")
            .with("message", "%01");
        let expected = json!({
            "error": { "code": "unreachable", "message": "gone", "hint": "wait" },
            "message": "%01",
        });
        assert_eq!(failure.to_json(), expected);
    }

    #[test]
    fn refusals_get_the_exit_codes_of_the_interface() {
        let exit = |code| {
            let refused = Refused { code, message: String::new(), hint: String::new() };
            Failure::from(refused).exit as u8
        };
        assert_eq!(exit("not_found"), 3);
        for code in ["link_used", "roster_changed", "wrong_server", "group_full", "not_allowed"] {
            assert_eq!(exit(code), 4, "{code}");
        }
        assert_eq!(exit("too_long"), 2);
        assert_eq!(exit("other_version"), 8);
    }

    #[tokio::test]
    async fn a_store_that_fails_under_a_running_driver_is_told_by_its_kind() {
        let exit = async |error: StoreError| {
            let (storage, _closed) =
                undertone_client::Storage::start(undertone_store::Memory::default(), ()).unwrap();
            let failed = storage.run(move |_| Err::<(), _>(error)).await.unwrap_err();
            let failure = Failure::from(CommandError::Store(std::sync::Arc::new(failed)));
            (failure.exit as u8, failure.code)
        };
        assert_eq!(exit(StoreError::Full).await, (7, "storage".to_owned()));
        let damaged = StoreError::Damaged("page 7".to_owned());
        assert_eq!(exit(damaged).await, (8, "damaged_profile".to_owned()));
    }

    #[test]
    fn the_store_gets_the_exit_codes_of_the_interface() {
        let exit = |error: StoreError| Failure::from(error).exit as u8;
        assert_eq!(exit(StoreError::NotFound("x".into())), 3);
        assert_eq!(exit(StoreError::Exists("x".into())), 2);
        assert_eq!(exit(StoreError::WrongPassphrase), 6);
        assert_eq!(exit(StoreError::InUse), 7);
        assert_eq!(exit(StoreError::Full), 7);
        assert_eq!(exit(StoreError::Damaged("x".into())), 8);
        assert_eq!(exit(StoreError::Newer { found: 2, known: 1 }), 8);
    }
}
