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
    /// changed something; it may ask the engine, but must not change anything itself. A link that is
    /// down tries again at once, and what an attempt finds that had begun before is no answer.
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
        let begun = self.begun_before();
        loop {
            // Before the check, so that nothing that happens meanwhile is missed.
            steps.mark_unchanged();
            let state = link.borrow().clone();
            if let Some(found) = check(self.clone()).await? {
                return Ok(found);
            }
            hopeless(&state, begun, patience)?;
            tokio::select! {
                changed = steps.changed() => if changed.is_err() {
                    return Err(self.why_stopped().await.into());
                },
                () = until(end) => return Err(in_vain(&link.borrow(), begun)),
            }
        }
    }

    /// The newest attempt that does not count for whoever asks now. A link that is down is asked for
    /// another.
    fn begun_before(&self) -> u64 {
        match (&*self.link().borrow(), self.hurry()) {
            (LinkState::Down { .. }, hurry) => hurry.now(),
            // The first is as old as the link, and its end is not known: whoever has just opened a
            // profile waits for this one.
            (LinkState::Connecting, hurry) if hurry.begun() == 1 => 0,
            (_, hurry) => hurry.begun(),
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

/// Ends the waiting that nothing can come of; attempts up to `begun` are older than it.
fn hopeless(state: &LinkState, begun: u64, patience: Patience) -> Result<(), Unfinished> {
    let LinkState::Down { blame, text, failures, attempt } = state else { return Ok(()) };
    if *attempt <= begun {
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

fn in_vain(state: &LinkState, begun: u64) -> Unfinished {
    match state {
        LinkState::Up => Unfinished::TimedOut,
        LinkState::Down { text, attempt, .. } if *attempt > begun => {
            Unfinished::Unreachable(text.clone())
        }
        LinkState::Down { .. } | LinkState::Connecting => {
            Unfinished::Unreachable("it has not answered yet".to_owned())
        }
        LinkState::Offline => Unfinished::Unreachable("no connection was wanted".to_owned()),
    }
}
