//! Where the process that has the profile takes the commands of others.
//!
//! `watch` has its desk open all the time, any other verb from when it has to wait. When the desk
//! closes, commands that may be begun again are cut at once (their callers go on by themselves, see
//! `there`); the others get a moment to come to their end.

use crate::{Exit, Failure, Outcome, Verb, context::Context};
use serde_json::Value;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::watch;
use undertone_client::{
    Session,
    control::{ControlError, Holder, Lines, Serve},
};
use undertone_store::{DatabaseKey, StoreError};

/// What the closing desk gives commands that cannot be begun again.
const GRACE: Duration = Duration::from_secs(5);

/// An open desk.
#[derive(Debug)]
pub(super) struct Desk {
    holder: Holder,
    closing: watch::Sender<bool>,
}

impl Desk {
    /// Opens one; none where the system has no such thing.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub(super) fn open(
        folder: &Path,
        key: DatabaseKey,
        session: &Session,
    ) -> Result<Option<Self>, Failure> {
        let (closing, closed) = watch::channel(false);
        match Holder::listen(folder, key, serve(session.clone(), closed)) {
            Ok(holder) => Ok(Some(Self { holder, closing })),
            Err(error @ ControlError::Unsupported) => {
                tracing::warn!("{error}");
                Ok(None)
            }
            Err(error) => Err(Failure::new(
                Exit::Storage,
                "control",
                error.to_string(),
                "other commands could not reach this process",
            )),
        }
    }

    /// Closes it; see the head of this file.
    pub(super) async fn close(self) {
        self.closing.send_replace(true);
        self.holder.close(GRACE).await;
    }
}

const OTHER_RELEASE: &str = "the profile is open in another release of Undertone: end that one";

/// Runs the verbs of other processes.
fn serve(session: Session, closed: watch::Receiver<bool>) -> Serve {
    Arc::new(move |request: Value, lines: Lines| {
        let (session, closed) = (session.clone(), closed.clone());
        Box::pin(async move {
            let result = match serde_json::from_value::<Verb>(request) {
                Ok(verb) => served(&verb, session, lines, closed).await,
                Err(error) => Err(Failure::usage(
                    format!("the request is not a verb: {error}"),
                    OTHER_RELEASE,
                )),
            };
            serde_json::to_value(result).unwrap_or_default()
        })
    })
}

async fn served(
    verb: &Verb,
    session: Session,
    lines: Lines,
    mut closed: watch::Receiver<bool>,
) -> Result<Outcome, Failure> {
    let context = Context::new(session, lines, verb.timeout());
    if !verb.may_begin_again() {
        return verb.run(&context).await;
    }
    tokio::select! {
        biased;
        done = verb.run(&context) => done,
        _ = closed.wait_for(|closed| *closed) => Err(StoreError::InUse.into()),
    }
}
