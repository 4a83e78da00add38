//! Lines on stdout, printed by a thread of their own.
//!
//! A reader that pauses (a pager, a stopped pipe) blocks whoever writes. Here that is this thread:
//! a bounded number of lines waits, the verb waits for room, and the driver and the commands of
//! other processes go on.

use crate::Failure;
use serde_json::Value;
use std::io;
use tokio::sync::{mpsc, oneshot};

/// The printing thread.
#[derive(Debug)]
pub(super) struct Printer {
    done: oneshot::Receiver<()>,
}

impl Printer {
    /// Prints what comes, until there can be no more or nobody reads it; the sender of the lines
    /// notices the latter by its closed channel.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(
        mut lines: mpsc::Receiver<Value>,
        mut print: impl FnMut(&Value) -> io::Result<()> + Send + 'static,
    ) -> Result<Self, Failure> {
        let (ended, done) = oneshot::channel();
        let work = move || {
            while let Some(line) = lines.blocking_recv() {
                if print(&line).is_err() {
                    break;
                }
            }
            // Mostly somebody waits for it.
            let _ = ended.send(());
        };
        let thread = std::thread::Builder::new().name("undertone-print".to_owned()).spawn(work);
        thread.map_err(|error| Failure::system(format!("out of resources: {error}")))?;
        Ok(Self { done })
    }

    /// Waits until all lines are out, or nobody reads them.
    pub(super) async fn finish(self) {
        // A thread that is gone has nothing more to print either.
        let _ = self.done.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn a_reader_that_pauses_holds_up_its_lines_and_nothing_else() {
        let (lines, waiting) = mpsc::channel(2);
        let (read_on, paused) = std::sync::mpsc::channel::<()>();
        let printed = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&printed);
        let printer = Printer::start(waiting, move |line| {
            let resumed = paused.recv();
            seen.lock().unwrap().push(line.clone());
            resumed.map_err(io::Error::other)
        });
        let printer = printer.unwrap();
        // One is being printed, two wait. That this task comes past them is the point.
        for number in 1..=3 {
            lines.send(json!(number)).await.unwrap();
        }
        assert!(printed.lock().unwrap().is_empty());
        for _ in 1..=3 {
            read_on.send(()).unwrap();
        }
        drop(lines);
        printer.finish().await;
        assert_eq!(*printed.lock().unwrap(), [json!(1), json!(2), json!(3)]);
    }

    #[tokio::test]
    async fn a_reader_that_has_gone_closes_the_channel() {
        let (lines, waiting) = mpsc::channel(2);
        let gone = || Err(io::ErrorKind::BrokenPipe.into());
        let printer = Printer::start(waiting, move |_| gone()).unwrap();
        lines.send(json!(1)).await.unwrap();
        printer.finish().await;
        lines.closed().await;
    }
}
