//! From a parsed command line to an exit code.
//!
//! A profile is open in one process at a time. This process opens it, or, when another one has it,
//! hands the verb to that one; a process that has it only for a moment is waited for, and so is
//! the end of one that leaves a verb half done.

mod desk;
mod here;
mod printer;
mod progress;
mod there;

use crate::{Exit, Failure, Global, Outcome, Verb, passphrase, print_failure, print_outcome};
use std::{path::Path, process::ExitCode, time::Duration};
use there::Called;
use tokio::time::{Instant, sleep};
use undertone_client::OpenError;
use undertone_store::{DatabaseKey, Profile, StoreError};

/// How long another process may have the profile without taking commands, when no time was given.
const IN_USE_MAX: Duration = Duration::from_secs(15);

/// How often it is looked whether that process has ended.
const LOOK: Duration = Duration::from_millis(40);

/// Runs one command of a person, prints what comes of it, and says how it went.
pub async fn run(global: &Global, verb: Verb) -> ExitCode {
    let json = global.json || verb.wants_json();
    finish(execute(global, verb).await, json)
}

/// Prints what came of a command; the exit code.
pub fn finish(result: Result<Outcome, Failure>, json: bool) -> ExitCode {
    let (printed, code) = match &result {
        Ok(outcome) => (print_outcome(outcome, json), ExitCode::SUCCESS),
        Err(failure) => (print_failure(failure, json), ExitCode::from(failure.exit as u8)),
    };
    // Whoever closed stdout early does not want the rest; that is no failure of the command.
    match printed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            ExitCode::from(Exit::Storage as u8)
        }
        _ => code,
    }
}

async fn execute(global: &Global, mut verb: Verb) -> Result<Outcome, Failure> {
    verb.prepare()?;
    if let Verb::Init(args) = &verb {
        return progress::shown("reaching the server", args.run(global)).await;
    }
    let folder = global.folder()?;
    Profile::exists(&folder)?;
    // Proved here, whichever process has the profile.
    let passphrase = passphrase::ask(global)?;
    let key = Profile::unlock(&folder, &passphrase)?;
    verb.hold(passphrase);
    on_profile(&folder, &key, &mut verb, global.json).await.map_err(|failure| verb.told(failure))
}

/// Runs the verb here or where the profile is open.
async fn on_profile(
    folder: &Path,
    key: &DatabaseKey,
    verb: &mut Verb,
    json: bool,
) -> Result<Outcome, Failure> {
    let patience = verb.timeout().unwrap_or(IN_USE_MAX);
    let mut gives_up = Instant::now() + patience;
    loop {
        match undertone_client::open(folder, key.clone(), verb.reach()) {
            Ok(running) => return here::run(running, folder, key.clone(), verb, json).await,
            Err(OpenError::Store(StoreError::InUse)) => {}
            Err(error) => return Err(error.into()),
        }
        match there::run(folder, key, verb, json).await? {
            Called::Done(outcome) => return Ok(outcome),
            Called::Cut => gives_up = Instant::now() + patience,
            Called::Nobody if Instant::now() >= gives_up => return Err(StoreError::InUse.into()),
            Called::Nobody => {}
        }
        sleep(LOOK).await;
    }
}
