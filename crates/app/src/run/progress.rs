//! A word on stderr about what takes more than a second.

use crate::Verb;
use std::{
    io::{self, Write},
    time::Duration,
};
use tokio::time::sleep;

/// What takes longer is told.
const QUIET: Duration = Duration::from_secs(1);

/// Runs `work`; says `what` it waits for if it takes long. `watch` is silent: it never ends.
pub(super) async fn shown<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = sleep(QUIET), if !what.is_empty() => {}
    }
    if !what.is_empty() {
        // A closed stderr is nobody's loss.
        let _ = writeln!(io::stderr().lock(), "undertone: {what} …");
    }
    work.await
}

/// What a verb waits for, in a few words.
pub(super) fn waiting_for(verb: &Verb) -> &'static str {
    match verb {
        Verb::Watch(_) => "",
        Verb::Accept(_) => {
            "waiting for the other side, whose name appears when they are online (Ctrl-C is harmless: \
             it goes on by itself)"
        }
        Verb::Send(_) => "waiting for the server (the message is queued)",
        Verb::Sync(_) => "catching up",
        Verb::Link(_) => "storing what stands behind the link",
        Verb::Doctor(_) => "examining",
        _ => "waiting for the server",
    }
}
