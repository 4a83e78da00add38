//! `serve` and `admin`: the operator's side.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};
use std::{fmt::Display, net::SocketAddr, path::PathBuf, process::ExitCode};
use undertone_app::{Exit, Failure, Outcome};
use undertone_server::{ErrorKind, Policy, ServeError, admin};

/// Run a server. Prints one line when it accepts connections; SIGTERM or Ctrl-C ends it after the
/// tick that is under way.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  undertone serve --data /var/lib/undertone \
                        --listen 0.0.0.0:7443")]
pub(crate) struct ServeArgs {
    /// The server's folder; made at the first start.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen; port 0 picks one [default: 127.0.0.1:7443].
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Who may write; only `open` is in this release.
    #[arg(long, value_enum)]
    policy: Option<PolicyWord>,
    /// A settings file in TOML.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum PolicyWord {
    /// Everybody who reaches the server.
    Open,
    /// Holders of an invitation.
    Invite,
    /// Those admitted before.
    Closed,
}

/// Look after a server's data folder. `rotate-key` needs the server stopped; the others do not.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  undertone admin --data /var/lib/undertone holds")]
pub(crate) struct AdminArgs {
    /// The server's folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(subcommand)]
    action: AdminAction,
}

#[derive(Subcommand, Clone, Debug)]
enum AdminAction {
    /// What the server is and how much it holds.
    Status,
    /// Everything that the server holds, field by field.
    Holds,
    /// Make admission codes; not in this release.
    Invite {
        /// How many.
        #[arg(long, default_value_t = 1)]
        count: u32,
    },
    /// Revoke an admission; not in this release.
    Revoke {
        /// What to revoke.
        what: Option<String>,
    },
    /// Copy the folder while the server runs.
    Backup {
        /// A folder that does not exist yet.
        dest: PathBuf,
    },
    /// Verify the log of heads against the cells; exit 8 when something is wrong.
    Check,
    /// Name a new signing key by the old one.
    RotateKey,
}

/// Runs the server until it is told to end.
pub(crate) async fn serve(args: &ServeArgs, json: bool) -> ExitCode {
    let args = undertone_server::ServeArgs {
        data: args.data.clone(),
        listen: args.listen,
        policy: args.policy.map(|policy| match policy {
            PolicyWord::Open => Policy::Open,
            PolicyWord::Invite => Policy::Invite,
            PolicyWord::Closed => Policy::Closed,
        }),
        config: args.config.clone(),
    };
    let ready = |address: &dyn Display| {
        let outcome = Outcome::new(
            json!({ "event": "ready", "server": address.to_string() }),
            format!("ready {address}"),
        );
        // Whoever closed stdout does not want to know.
        let _ = undertone_app::print_outcome(&outcome, json);
    };
    let served = undertone_server::serve(&args, |address| ready(address)).await;
    // The line that was promised has been printed.
    let ended = served.map(|()| Outcome::new(Value::Null, "")).map_err(|error| failure(&error));
    undertone_app::run::finish(ended, json)
}

/// Runs one admin command.
pub(crate) fn admin(args: &AdminArgs) -> Result<Outcome, Failure> {
    let data = &args.data;
    let done = match &args.action {
        AdminAction::Status => admin::status(data).map(|it| shown(&it)),
        AdminAction::Holds => admin::holds(data).map(|it| shown(&it)),
        AdminAction::Backup { dest } => admin::backup(data, dest).map(|it| shown(&it)),
        AdminAction::RotateKey => admin::rotate_key(data).map(|it| shown(&it)),
        AdminAction::Invite { count } => admin::invite(*count).map(|()| nothing()),
        AdminAction::Revoke { what } => {
            admin::revoke(what.as_deref().unwrap_or_default()).map(|()| nothing())
        }
        AdminAction::Check => return check(admin::check(data)),
    };
    done.map_err(|error| failure(&error))
}

fn check(checked: Result<admin::Checked, ServeError>) -> Result<Outcome, Failure> {
    let checked = checked.map_err(|error| failure(&error))?;
    let outcome = shown(&checked);
    if checked.sound {
        return Ok(outcome);
    }
    let failed = Failure::new(
        Exit::Profile,
        "damaged",
        outcome.human,
        "nothing was changed; compare with a backup",
    );
    Err(failed.with("report", outcome.json))
}

fn shown<T: Serialize + Display>(it: &T) -> Outcome {
    Outcome::new(serde_json::to_value(it).unwrap_or_default(), it.to_string())
}

fn nothing() -> Outcome {
    Outcome::new(json!({}), "")
}

fn failure(error: &ServeError) -> Failure {
    let (exit, hint) = match error.kind() {
        ErrorKind::Internal => (Exit::Bug, "please report it, with what you did"),
        ErrorKind::Usage => (Exit::Usage, "see `undertone serve --help` and server.example.toml"),
        ErrorKind::NotFound => (Exit::NotFound, "name the server's folder with --data"),
        ErrorKind::Network => (Exit::Unreachable, "choose another address with --listen"),
        ErrorKind::Storage => (Exit::Storage, "make room, or end the process that has the folder"),
        ErrorKind::Damaged => (Exit::Profile, "nothing was changed; put a backup in its place"),
    };
    Failure::new(exit, error.code(), error.to_string(), hint)
}
