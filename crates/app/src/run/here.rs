//! A verb in the process that has the profile.

use super::{printer::Printer, progress};
use crate::{Failure, Outcome, Verb, context::Context, outcome, verbs::watch};
use serde_json::Value;
use std::{path::Path, sync::Arc};
use tokio::sync::mpsc;
use undertone_client::{
    Running, Session,
    control::{ControlError, Holder, Lines, Serve},
};
use undertone_store::DatabaseKey;

/// Lines that may wait for a slow terminal.
const QUEUE: usize = 64;

pub(super) async fn run(
    running: Running,
    folder: &Path,
    key: DatabaseKey,
    verb: Verb,
    json: bool,
) -> Result<Outcome, Failure> {
    let (lines, waiting) = mpsc::channel(QUEUE);
    let printer = Printer::start(waiting, move |line| print_line(line, json))?;
    let context = Context { session: running.session.clone(), lines };
    let holder = hold(&verb, folder, key, &context)?;
    let waits = progress::waiting_for(&verb);
    let work = async {
        let result = verb.run(&context).await;
        drop(context);
        result
    };
    let result = progress::shown(waits, work).await;
    drop(holder);
    running.close().await;
    // Whoever reads slowly gets the rest when the profile is free again.
    printer.finish().await;
    result
}

/// A verb that stays takes the commands of other processes meanwhile.
fn hold(
    verb: &Verb,
    folder: &Path,
    key: DatabaseKey,
    context: &Context,
) -> Result<Option<Holder>, Failure> {
    if !matches!(verb, Verb::Watch(_)) {
        return Ok(None);
    }
    match Holder::listen(folder, key, serve(context.session.clone())) {
        Ok(holder) => Ok(Some(holder)),
        Err(error @ ControlError::Unsupported) => {
            tracing::warn!("{error}");
            Ok(None)
        }
        Err(error) => Err(Failure::new(crate::Exit::Storage, "control", error.to_string())
            .hint("other commands could not reach this process")),
    }
}

/// Runs the verbs of other processes.
fn serve(session: Session) -> Serve {
    Arc::new(move |request: Value, lines: Lines| {
        let context = Context { session: session.clone(), lines };
        Box::pin(async move {
            let result = match serde_json::from_value::<Verb>(request) {
                Ok(verb) => verb.run(&context).await,
                Err(error) => Err(Failure::usage(format!("the request is not a verb: {error}"))),
            };
            serde_json::to_value(result).unwrap_or_default()
        })
    })
}

/// Prints one line of a verb that has many.
pub(super) fn print_line(line: &Value, json: bool) -> std::io::Result<()> {
    match json {
        true => outcome::print_json(line),
        false => outcome::print_line(&watch::to_human(line)),
    }
}
