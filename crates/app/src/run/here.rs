//! A verb in the process that has the profile.

use super::{desk::Desk, printer::Printer, progress};
use crate::{Failure, Outcome, Verb, context::Context, outcome, verbs::watch};
use serde_json::Value;
use std::{path::Path, pin::pin, time::Duration};
use tokio::{sync::mpsc, time::sleep};
use undertone_client::{Reach, Running};
use undertone_store::DatabaseKey;

/// Lines that may wait for a slow terminal.
const QUEUE: usize = 64;

/// A verb that takes longer opens its desk: shorter ones are waited for by other processes.
const SHORT: Duration = Duration::from_secs(1);

pub(super) async fn run(
    running: Running,
    folder: &Path,
    key: DatabaseKey,
    verb: &Verb,
    json: bool,
) -> Result<Outcome, Failure> {
    let (lines, waiting) = mpsc::channel(QUEUE);
    let printer = Printer::start(waiting, move |line| print_line(line, json))?;
    let context = Context::new(running.session.clone(), lines, verb.timeout());
    let (result, desk) = attended(&context, folder, key, verb).await;
    drop(context);
    if let Some(desk) = desk {
        desk.close().await;
    }
    running.close().await;
    // Whoever reads slowly gets the rest when the profile is free again.
    printer.finish().await;
    result
}

/// The verb's result, and the desk if one was opened: other commands are not locked out by a verb
/// that waits.
async fn attended(
    context: &Context,
    folder: &Path,
    key: DatabaseKey,
    verb: &Verb,
) -> (Result<Outcome, Failure>, Option<Desk>) {
    let stays = matches!(verb, Verb::Watch(_));
    let mut desk = None;
    if stays {
        match Desk::open(folder, key.clone(), &context.session) {
            Ok(opened) => desk = opened,
            Err(failure) => return (Err(failure), None),
        }
    }
    let mut work = pin!(progress::shown(progress::waiting_for(verb), verb.run(context)));
    tokio::select! {
        biased;
        done = &mut work => return (done, desk),
        () = sleep(SHORT), if !stays && verb.reach() == Reach::Online => {
            // Without a desk the verb itself goes on all the same.
            desk = Desk::open(folder, key, &context.session).unwrap_or_else(|failure| {
                tracing::warn!("{}", crate::show::text(&failure.message));
                None
            });
        }
    }
    (work.await, desk)
}

/// Prints one line of a verb that has many.
pub(super) fn print_line(line: &Value, json: bool) -> std::io::Result<()> {
    match json {
        true => outcome::print_json(line),
        false => outcome::print_line(&watch::to_human(line)),
    }
}
