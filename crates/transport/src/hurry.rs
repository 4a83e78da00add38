//! Asking a link for an attempt now, and knowing which attempts came after that.

use std::sync::Arc;
use tokio::sync::watch;

/// Cuts the waiting time of a [`Link`](crate::Link) short; clones are equal.
///
/// Attempts to open a connection are numbered from 1. Whoever asks is told which had begun by then:
/// what those find is no answer to them.
#[derive(Clone, Debug, Default)]
pub struct Hurry(Arc<watch::Sender<Attempts>>);

#[derive(Debug, Default)]
struct Attempts {
    /// The newest.
    begun: u64,
    /// Somebody has asked since it began.
    asked: bool,
}

impl Hurry {
    /// The next attempt is made at once, because the network has changed or somebody is waiting; the
    /// waiting times after it grow as before. Asked during an attempt, there is another one at once if
    /// that fails. An open connection stays as it is, and what was asked meanwhile ends with it.
    ///
    /// Returns the newest attempt that had begun.
    pub fn now(&self) -> u64 {
        // Both under one lock: an attempt that is due anyway is either told or begins afterwards.
        let mut begun = 0;
        self.0.send_modify(|attempts| {
            attempts.asked = true;
            begun = attempts.begun;
        });
        begun
    }

    /// The newest attempt that has begun; 0 before the first.
    pub fn begun(&self) -> u64 {
        self.0.borrow().begun
    }

    /// The link's side, as the two below: an attempt begins, which answers everybody who has asked. Its
    /// number.
    pub fn begin(&self) -> u64 {
        let mut begun = 0;
        self.0.send_modify(|attempts| {
            begun = attempts.begun + 1;
            *attempts = Attempts { begun, asked: false };
        });
        begun
    }

    /// Nobody has asked.
    pub fn forget(&self) {
        self.0.send_modify(|attempts| attempts.asked = false);
    }

    /// Ends when somebody has asked since the newest attempt began.
    pub async fn asked(&self) {
        let asked = self.0.subscribe().wait_for(|attempts| attempts.asked).await.is_ok();
        debug_assert!(asked, "the sender is held here");
    }
}
