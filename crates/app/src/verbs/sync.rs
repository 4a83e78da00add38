//! `sync`: one full catch-up.

use crate::{
    Exit, Failure, Outcome,
    context::{Context, Timeout},
    resolve,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use undertone_client::{EventBody, Patience};

/// Own messages that the server takes go out within this time.
const DRAIN: Duration = Duration::from_secs(10);

/// Events read at a time.
const PAGE: usize = 1000;

/// Catch up once with all that has happened, and send what is queued.
#[derive(clap::Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[command(after_help = "Example:\n  undertone sync --timeout 60")]
pub struct Args {
    /// How long to wait for the server.
    #[command(flatten)]
    pub timeout: Timeout,
}

impl Args {
    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let since = *context.session.newest_event().borrow();
        let patience = self.timeout.patience();
        context.caught_up(patience).await?;
        context.read_out(self.timeout.bounded()).await?;
        let queued = drained(context, patience).await?;
        let Counted { received, gaps } = count(context, since).await?;
        let human = match (gaps, queued) {
            (0, 0) => format!("{received} received"),
            _ => format!("{received} received, {gaps} gaps, {queued} still queued"),
        };
        Ok(Outcome::new(json!({ "received": received, "gaps": gaps, "queued": queued }), human))
    }
}

/// How many own messages are still queued after some time for all to go out.
async fn drained(context: &Context, patience: Patience) -> Result<usize, Failure> {
    let patience = match patience {
        Patience::For(time) => Patience::For(time.min(DRAIN)),
        _ => Patience::For(DRAIN),
    };
    match context.settled(patience).await {
        Ok(()) => Ok(0),
        Err(failure) if failure.exit == Exit::Refused => Err(failure),
        // They stay queued, and the answer says how many.
        Err(_) => Ok(context.health().await?.queued),
    }
}

struct Counted {
    received: u64,
    gaps: u64,
}

/// Messages of others, and gaps, among the events after `since`.
async fn count(context: &Context, mut since: u64) -> Result<Counted, Failure> {
    let mut counted = Counted { received: 0, gaps: 0 };
    loop {
        let page = context.session.events(since, PAGE).await?;
        let Some(last) = page.last() else { return Ok(counted) };
        since = last.seq;
        for event in &page {
            match serde_json::from_str(&event.event.body) {
                Ok(EventBody::Message { message, .. }) if is_foreign(context, &message).await? => {
                    counted.received += 1;
                }
                Ok(EventBody::Gap { .. }) => counted.gaps += 1,
                _ => {}
            }
        }
    }
}

/// Whether a message is somebody else's; one that is gone by now is not counted.
async fn is_foreign(context: &Context, id: &str) -> Result<bool, Failure> {
    let found = context.session.message(resolve::message(id)?).await?;
    Ok(found.iter().any(|listed| !listed.row.own))
}
