//! What others see of a world: whoever controls the running server, whoever seizes its disk, and
//! whoever keeps a record of who is connected when (T15).
//!
//! The truth stands beside it, so that a guess at who talks with whom can be scored.

use crate::plan::Plan;
use crate::world::World;
use std::collections::BTreeSet;
use undertone_wire::{Request, Tag};

/// A world as it was seen.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// What the running server is asked, by whom: at the level `direct` a person is a network address.
    pub asked: Vec<Asked>,
    /// When people connect and disconnect.
    pub presence: Vec<Presence>,
    /// What lies on the server's disk of each tick: when it was sealed, and how many cells it has.
    pub ticks: Vec<(u64, usize)>,
    /// Who talks with whom, both by number, the lower first.
    pub truth: BTreeSet<(usize, usize)>,
    /// How many people there are.
    pub people: usize,
}

/// One request for one cell.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// By whom.
    pub who: usize,
    /// To store it, or to have it.
    pub stores: bool,
    /// Which.
    pub tag: Tag,
}

/// Somebody comes or goes.
#[derive(Clone, Copy, Debug)]
pub struct Presence {
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// Who.
    pub who: usize,
    /// Whether they are connected from now on.
    pub comes: bool,
}

/// Plays a plan to its quiet end and tells what was seen of it; `Err` says what went wrong.
///
/// # Errors
/// When the run itself is wrong: nothing is concluded from a broken world.
pub fn observe(plan: &Plan) -> Result<Observed, String> {
    let mut world = World::new(plan, false);
    world.seen = Some(Observed { people: plan.people, ..Observed::default() });
    let mut seen = Observed::default();
    let outcome = world.run_and(|world| {
        seen = world.seen.take().unwrap_or_default();
        seen.ticks = world.server.ticks();
        seen.truth = world.pairs();
    });
    match outcome.violations.first() {
        Some(violation) => Err(violation.to_string()),
        None => Ok(seen),
    }
}

impl World {
    /// The server was asked.
    pub(crate) fn see_request(&mut self, who: usize, request: &Request) {
        let Some(seen) = &mut self.seen else { return };
        let (stores, tag) = match request {
            Request::Put { tag, .. } => (true, *tag),
            Request::Get { tag, .. } => (false, *tag),
            _ => return,
        };
        seen.asked.push(Asked { who, stores, tag });
    }

    /// Somebody's connection begins or ends.
    pub(crate) fn see_presence(&mut self, who: usize, comes: bool) {
        let at_ms = self.now_ms;
        if let Some(seen) = &mut self.seen {
            seen.presence.push(Presence { at_ms, who, comes });
        }
    }

    /// Who shares a conversation with whom.
    fn pairs(&self) -> BTreeSet<(usize, usize)> {
        let number = |identity| self.people.iter().position(|it| it.identity == identity);
        let mut pairs = BTreeSet::new();
        for (who, person) in self.people.iter().enumerate() {
            for standing in person.standings.values() {
                let seats = standing.epoch.iter().flat_map(|epoch| &epoch.seats);
                let others = seats.filter_map(|seat| number(seat.identity));
                pairs.extend(others.filter(|other| *other > who).map(|other| (who, other)));
            }
        }
        pairs
    }
}
