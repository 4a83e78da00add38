//! Waiting for something to become true, with an end.

use crate::{CommandError, LinkState, Session};
use std::{future::Future, time::Duration};
use tokio::time::{Instant, sleep_until};
use undertone_transport::Blame;

/// Attempts in a row that fail before somebody without a time limit gives up: a server that
/// restarts is back by then.
const FAILURES_MAX: u32 = 3;

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As long as the server can be reached, and at most so long.
    WhileReachable(Option<Duration>),
    /// So long, whatever the network does.
    For(Duration),
    /// Without end.
    Forever,
}

/// Why waiting ended without what was waited for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unfinished {
    /// The server cannot be reached; why, without addresses.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// Whoever answers at the address is not the pinned server.
    #[error("{0}")]
    Impostor(String),
    /// The server speaks another version of the protocol.
    #[error("{0}")]
    Version(String),
    /// The time is over, and the server could be reached.
    #[error("waited in vain")]
    TimedOut,
    /// The driver or the store.
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl Session {
    /// Waits until `check` finds something. It is asked again after every step of the driver that
    /// changed something; it may ask the engine, but must not change anything itself. A link that could
    /// not be opened tries again at once: what it had found by then is no answer.
    ///
    /// # Errors
    /// [`Unfinished`]; a server that is not the pinned one, or of another version, ends every
    /// waiting but the endless one, since time does not mend it.
    pub async fn wait<T, F, C>(&self, patience: Patience, mut check: C) -> Result<T, Unfinished>
    where
        C: FnMut(Self) -> F,
        F: Future<Output = Result<Option<T>, CommandError>>,
    {
        let end = match patience {
            Patience::For(time) | Patience::WhileReachable(Some(time)) => {
                Some(Instant::now() + time)
            }
            Patience::WhileReachable(None) | Patience::Forever => None,
        };
        let (mut steps, link) = (self.steps(), self.link());
        let mut before = link.borrow().failures();
        if before > 0 {
            self.hurry();
        }
        loop {
            // Before the check, so that nothing that happens meanwhile is missed.
            steps.mark_unchanged();
            let state = link.borrow().clone();
            before = before.min(state.failures());
            if let Some(found) = check(self.clone()).await? {
                return Ok(found);
            }
            hopeless(&state, before, patience)?;
            tokio::select! {
                changed = steps.changed() => if changed.is_err() {
                    return Err(self.why_stopped().await.into());
                },
                () = until(end) => return Err(in_vain(&link.borrow())),
            }
        }
    }

    /// Waits until the log has been followed to its newest head on the present connection; its
    /// tick.
    ///
    /// # Errors
    /// As [`Self::wait`].
    pub async fn wait_caught_up(&self, patience: Patience) -> Result<u64, Unfinished> {
        self.wait(patience, |session| async move { Ok(*session.caught_up().borrow()) }).await
    }
}

/// Sleeps until then; without a time for ever.
pub(crate) async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// Ends the waiting that nothing can come of; `before` attempts had failed when it began.
fn hopeless(state: &LinkState, before: u32, patience: Patience) -> Result<(), Unfinished> {
    let LinkState::Down { blame, text, failures } = state else { return Ok(()) };
    if *failures <= before {
        return Ok(());
    }
    match (blame, patience) {
        (_, Patience::Forever) => Ok(()),
        (Some(Blame::Impostor), _) => Err(Unfinished::Impostor(text.clone())),
        (Some(Blame::Version), _) => Err(Unfinished::Version(text.clone())),
        (_, Patience::WhileReachable(_)) if *failures >= FAILURES_MAX => {
            Err(Unfinished::Unreachable(text.clone()))
        }
        _ => Ok(()),
    }
}

fn in_vain(state: &LinkState) -> Unfinished {
    match state {
        LinkState::Up => Unfinished::TimedOut,
        LinkState::Down { text, .. } => Unfinished::Unreachable(text.clone()),
        LinkState::Connecting => Unfinished::Unreachable("it has not answered yet".to_owned()),
        LinkState::Offline => Unfinished::Unreachable("no connection was wanted".to_owned()),
    }
}
