//! A verb in another process, which has the profile.

use super::{here, progress};
use crate::{Exit, Failure, Outcome, Verb};
use serde_json::Value;
use std::path::Path;
use undertone_client::control::{Caller, ControlError};
use undertone_store::DatabaseKey;

/// What came of the verb there; `None` when the process that has the profile takes no commands.
pub(super) async fn run(
    folder: &Path,
    key: &DatabaseKey,
    verb: &Verb,
    json: bool,
) -> Result<Option<Outcome>, Failure> {
    let caller = match Caller::connect(folder, key).await {
        Ok(caller) => caller,
        Err(ControlError::NobodyListens | ControlError::Unsupported) => return Ok(None),
        // It may have ended between the look at the lock and now.
        Err(ControlError::Broken(_)) => return Ok(None),
        Err(error @ ControlError::Stranger) => return Err(unusable(&error)),
    };
    let request = serde_json::to_value(verb)
        .map_err(|error| Failure::bug(&format!("a verb does not serialise: {error}")))?;
    let line = |line: Value| {
        // A closed stdout is noticed at the end; the verb's effect does not depend on it.
        let _ = here::print_line(&line, json);
    };
    let called = progress::shown(progress::waiting_for(verb), async {
        caller.call(request, line).await.map_err(|error| unusable(&error))
    });
    let answer = called.await?;
    let result: Result<Outcome, Failure> =
        serde_json::from_value(answer).map_err(|_| unusable(&ControlError::Stranger))?;
    result.map(Some)
}

fn unusable(error: &ControlError) -> Failure {
    Failure::new(Exit::Storage, "in_use", error.to_string())
        .hint("what was queued stays queued; end the other process, or try again")
}
