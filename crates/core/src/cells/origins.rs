//! Which tick of a cell counts: the one place that decides it (ADR 0010).
//!
//! Only the first listing of a tag ever counts. What a restored server has undone lists nothing any
//! more; where evidence stands when the tag is listed again, the tick that it proves is the first
//! one. Evidence that comes later than the cell is ignored, and so is what proves nothing: the same
//! for every reader, whatever they saw of the undone time.
//!
//! Kept in memory only: after a restart the evidence is fetched again.

use super::{Cells, Owner, evidence::Evidence};
use crate::log::{Breach, Hole, LogFollower};
use std::collections::BTreeMap;
use undertone_crypto::{SlotKeys, evidence_keys};
use undertone_wire::{Cell, CellHash, Receipt, Tag};

/// Tags of which this is remembered at most; beyond it everything is looked up anew.
const ORIGINS_MAX: usize = 16_384;

/// A listing of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    /// The tick in which the server lists it now.
    pub(crate) stands: u64,
    /// The tick that counts.
    pub(crate) counts: Counts,
}

/// The tick of a cell, for every rule that compares ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// This one.
    At(u64),
    /// Evidence is on its way; not before this one.
    NotBefore(u64),
}

impl Listing {
    /// A listing to which nothing has happened.
    pub(crate) fn plain(tick: u64) -> Self {
        Self { stands: tick, counts: Counts::At(tick) }
    }

    /// The tick before which it does not count, while that is all that is known.
    pub(crate) fn not_before(&self) -> Option<u64> {
        match self.counts {
            Counts::At(_) => None,
            Counts::NotBefore(tick) => Some(tick),
        }
    }

    /// The tick that counts, once it is known.
    pub(crate) fn tick(&self) -> Option<u64> {
        match self.counts {
            Counts::At(tick) => Some(tick),
            Counts::NotBefore(_) => None,
        }
    }
}

/// What is known of one tag.
enum Origin {
    /// Its evidence is being fetched.
    Asking { keys: SlotKeys, stands: u64 },
    /// The tick that counts, of the listing in `stands`; and what proves it, where that is another.
    Settled { stands: u64, counts: u64, proof: Option<Box<Evidence>> },
}

#[derive(Default)]
pub(super) struct Origins(BTreeMap<Tag, Origin>);

impl Origins {
    fn settled(&self, tag: &Tag, listed: u64) -> Option<u64> {
        match self.0.get(tag)? {
            Origin::Settled { stands, counts, .. } if *stands == listed => Some(*counts),
            _ => None,
        }
    }

    /// The receipt of an earlier life that proves where this very cell was first listed.
    pub(super) fn first_receipt(&self, tag: &Tag, cell: CellHash) -> Option<&Receipt> {
        match self.0.get(tag)? {
            Origin::Settled { proof: Some(proof), .. } if proof.cell == cell => {
                Some(&proof.receipt)
            }
            _ => None,
        }
    }

    fn note(&mut self, tag: Tag, origin: Origin) {
        if self.0.len() >= ORIGINS_MAX {
            self.0.clear();
        }
        self.0.insert(tag, origin);
    }
}

impl Cells {
    /// The first listing of a slot's tag above `after`.
    pub(crate) fn listed(
        &mut self,
        keys: &SlotKeys,
        after: u64,
        log: &LogFollower,
    ) -> Option<Listing> {
        let stands = log.listed_in(keys.prefix, after)?;
        let between = |hole: &&Hole| after < hole.until && hole.until <= stands;
        let Some(hole) = log.holes().iter().find(between) else {
            return Some(Listing::plain(stands));
        };
        let counts = match self.origin(keys, stands, after, log) {
            Some(tick) => Counts::At(tick),
            None => Counts::NotBefore(hole.after.max(after).saturating_add(1)),
        };
        Some(Listing { stands, counts })
    }

    /// The tick that counts; `None` while its evidence is fetched.
    fn origin(
        &mut self,
        keys: &SlotKeys,
        stands: u64,
        after: u64,
        log: &LogFollower,
    ) -> Option<u64> {
        // One's own receipt needs no fetching.
        if let Some(tick) = self.archive.undone_tick(&keys.tag, log).filter(|tick| *tick > after) {
            return Some(tick);
        }
        if let Some(tick) = self.origins.settled(&keys.tag, stands) {
            return Some(if tick > after { tick } else { stands });
        }
        let evidence = evidence_keys(&keys.write, &log.server());
        let listed = log.listed_in(evidence.prefix, after).filter(|tick| *tick <= stands);
        let Some(listed) = listed else { return Some(stands) };
        let owner = Owner::Evidence { of: keys.tag.0 };
        if self.get(evidence.tag, Some(listed), owner) {
            self.origins.note(keys.tag, Origin::Asking { keys: evidence, stands });
        }
        None
    }

    /// Evidence has arrived.
    ///
    /// # Errors
    /// [`Breach`] when it shows a head that contradicts one that was verified here.
    pub(crate) fn take_evidence(
        &mut self,
        of: Tag,
        cell: &Cell,
        log: &mut LogFollower,
    ) -> Result<(), Breach> {
        let Some(Origin::Asking { keys, stands }) = self.origins.0.get(&of) else {
            return Ok(());
        };
        let stands = *stands;
        let evidence = Evidence::open(keys, cell);
        let proved = match &evidence {
            Some(Evidence { cell, receipt }) => log.origin(receipt, &of, *cell, stands)?,
            None => None,
        };
        let counts = proved.unwrap_or(stands);
        let proof = proved.and(evidence).map(Box::new);
        self.origins.note(of, Origin::Settled { stands, counts, proof });
        Ok(())
    }

    /// There is no evidence: the listing was another tag's, or it is gone.
    pub(crate) fn no_evidence(&mut self, of: Tag) {
        if let Some(Origin::Asking { stands, .. }) = self.origins.0.get(&of) {
            let stands = *stands;
            let settled = Origin::Settled { stands, counts: stands, proof: None };
            self.origins.note(of, settled);
        }
    }
}
