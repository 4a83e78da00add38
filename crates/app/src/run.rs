//! From a parsed command line to an exit code.
//!
//! A profile is open in one process at a time. This process opens it, or, when another one has it,
//! hands the verb to that one; a process that has it only for a moment is waited for.

mod here;
mod printer;
mod progress;
mod there;

use crate::{Exit, Failure, Global, Outcome, Verb, passphrase, print_failure, print_outcome};
use std::{path::Path, process::ExitCode, time::Duration};
use tokio::time::{Instant, sleep};
use undertone_client::OpenError;
use undertone_store::{DatabaseKey, Profile, StoreError};

/// How long another process may have the profile without taking commands.
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
    let key = unlock(global, &folder)?;
    let gives_up = Instant::now() + IN_USE_MAX;
    loop {
        match undertone_client::open(&folder, key.clone(), verb.reach()) {
            Ok(running) => return here::run(running, &folder, key, verb, global.json).await,
            Err(OpenError::Store(StoreError::InUse)) => {}
            Err(error) => return Err(error.into()),
        }
        match there::run(&folder, &key, &verb, global.json).await? {
            Some(outcome) => return Ok(outcome),
            None if Instant::now() >= gives_up => return Err(StoreError::InUse.into()),
            None => sleep(LOOK).await,
        }
    }
}

/// The passphrase is proved here, whichever process has the profile.
fn unlock(global: &Global, folder: &Path) -> Result<DatabaseKey, Failure> {
    Profile::exists(folder)?;
    Ok(Profile::unlock(folder, &passphrase::ask(global)?)?)
}
