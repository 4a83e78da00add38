//! The engine's outputs of one step, sorted into what is committed and what is released after.

use crate::{Engine, event};
use undertone_core::io::{Changes, Event, Output, Refused, Reply};
use undertone_store::Batch;
use undertone_wire::Request;

/// An output that waits for the commit.
#[derive(Debug)]
pub(crate) enum Release {
    Transmit { id: u32, request: Request },
    Event(Event),
    Reply { ticket: u64, result: Result<Reply, Refused> },
    Deadline(u64),
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) batch: Batch,
    pub(crate) releases: Vec<Release>,
}

impl Outbox {
    /// Polls until there is nothing more. Everything to be persisted comes before everything to be
    /// released: stricter than the contract asks, and one sync for all.
    pub(crate) fn collect(engine: &mut impl Engine) -> Self {
        let mut outbox = Self::default();
        while let Some(output) = engine.poll() {
            outbox.add(output);
        }
        outbox
    }

    fn add(&mut self, output: Output) {
        match output {
            Output::Persist(changes) => merge(&mut self.batch.changes, changes),
            Output::Event(event) => {
                self.batch.events.extend(event::to_row(&event));
                self.releases.push(Release::Event(event));
            }
            Output::Transmit { id, request } => {
                self.releases.push(Release::Transmit { id, request });
            }
            Output::Reply { ticket, result } => {
                self.releases.push(Release::Reply { ticket, result });
            }
            Output::Deadline(at_ms) => self.releases.push(Release::Deadline(at_ms)),
        }
    }
}

/// Later changes of a record or a row replace earlier ones.
fn merge(into: &mut Changes, later: Changes) {
    into.records.extend(later.records);
    into.messages.extend(later.messages);
    into.moved.extend(later.moved);
}
