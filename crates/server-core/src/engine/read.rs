//! Reading: everything here is served from durable state and never waits for a sync.

use super::{
    Engine,
    refuse::{Refused, answer, refused},
    seal::digest_of,
    tree::{CellTree, TickTree},
};
use crate::{CellStore, Place, Slot};
use std::sync::Arc;
use undertone_wire::{
    Answer, CellLeaf, DigestForm, DigestPage, Info, ListedProof, LogProof, PROTOCOL_HIGHEST,
    PROTOCOL_LOWEST, Refusal, RefusalKind, Request, SegmentAnswer, SegmentEntry, SegmentLeaf,
    SegmentLevel, Tag, TagHash, TickDigest,
};

/// Ticks in one page at most.
const PAGE_TICKS_MAX: u64 = 1_024;
/// Prefixes in one page, beyond those of its first tick, at most: half a megabyte.
const PAGE_PREFIXES_MAX: usize = 65_536;
/// Entries of a segment that is answered whole: four megabytes. Larger ones are read in parts.
const SEGMENT_ENTRIES_MAX: u64 = 262_144;
/// Cells with one prefix that a `NONE` answer shows.
const COLLIDING_MAX: usize = 16;

impl<S: CellStore> Engine<S> {
    /// Answers any request that only reads. `PUT` and `STREAM` need a caller that waits and
    /// pushes; here they are refused as malformed.
    pub fn answer(&self, request: &Request) -> Answer {
        match request {
            Request::Get { tag, size } => self.get(tag, *size),
            Request::Digest { from, form } => self.digest(*from, *form),
            Request::Proof { from_size, to_tick } => self.proof(*from_size, *to_tick),
            Request::Info => Answer::Info(self.info()),
            Request::Put { .. } | Request::Stream { .. } => refused(RefusalKind::Malformed),
        }
    }

    /// The cell under `tag`, proved against the tree of `size` leaves: what that tree does not hold
    /// is not there, so that whoever asks later gets the same answer. With `size` 0 everything is,
    /// and each proof is against the tick's own tree.
    pub fn get(&self, tag: &Tag, size: u64) -> Answer {
        let hash = tag.hash();
        answer(self.find(&hash, &self.store.bearing(hash.prefix()), size))
    }

    /// Ticks from `from` on, or a closed segment that begins there.
    pub fn digest(&self, from: u64, form: DigestForm) -> Answer {
        if form == DigestForm::TicksOrSegment {
            match self.segment_from(from) {
                Ok(Some(segment)) => return Answer::Segment(segment),
                Ok(None) => {}
                Err(refused) => return Answer::Refused(refused.0),
            }
        }
        match self.page(from) {
            Ok(page) => Answer::Page(page),
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    /// Consistency of the tree of `from_size` leaves with the head of tick `to_tick`
    /// (`u64::MAX`: the newest).
    pub fn proof(&self, from_size: u64, to_tick: u64) -> Answer {
        answer(self.log_proof(from_size, to_tick).map(Answer::Proof))
    }

    /// Who this server is and what it allows.
    pub fn info(&self) -> Info {
        let config = &self.config;
        let oldest = self.store.ticks().map_or(1, |ticks| *ticks.start());
        Info {
            server: self.ring.server(),
            version_lowest: PROTOCOL_LOWEST,
            version_highest: PROTOCOL_HIGHEST,
            first_key: config.keys.first,
            succession: config.keys.succession.clone(),
            policy: config.policy.clone().into(),
            tick_ms_min: config.tick_ms_min,
            retention_s: u32::try_from(config.retention_ms / 1_000).unwrap_or(u32::MAX),
            puts_in_flight_max: config.puts_in_flight_max,
            oldest_tick: oldest,
            contact: config.contact.clone().into_bytes().into(),
            notice: config.notice.clone().into_bytes().into(),
        }
    }

    /// One page of ticks from `from` on; empty when `from` is the tick to come. Where `from` is a
    /// number that a recovery has passed over, the page begins with the recovery's first tick.
    ///
    /// # Errors
    /// A [`Refusal`]: expired, not there yet, or the store failed.
    pub fn page(&self, from: u64) -> Result<DigestPage, Refusal> {
        self.read_page(from).map_err(|refused| refused.0)
    }

    fn read_page(&self, from: u64) -> Result<DigestPage, Refused> {
        let newest = self.newest();
        if from == newest.head.tick + 1 {
            return Ok(DigestPage { ticks: Vec::new(), head: newest });
        }
        let (mut ticks, mut head, mut prefixes) = (Vec::new(), newest, 0);
        let newest = self.check_tick(from)?;
        let from = self.store.tick_from(from).ok_or(RefusalKind::Expired)?;
        let last = newest.min(from.saturating_add(PAGE_TICKS_MAX - 1));
        for tick in from..=last {
            if self.store.slot(tick).is_none() {
                // The log goes on in another life: that is the next page, under its own head.
                break;
            }
            let (digest, its_head) = self.read_digest(tick)?;
            prefixes += digest.prefixes.len();
            if !ticks.is_empty() && prefixes > PAGE_PREFIXES_MAX {
                break;
            }
            ticks.push(digest);
            head = its_head;
        }
        Ok(DigestPage { ticks, head })
    }

    /// The newest tick, if `tick` is retained.
    fn check_tick(&self, tick: u64) -> Result<u64, Refused> {
        let newest = self.view().newest.head.tick;
        if tick > newest {
            return Err(RefusalKind::Future.into());
        }
        match self.store.ticks() {
            Some(ticks) if *ticks.start() <= tick => Ok(newest),
            _ => Err(RefusalKind::Expired.into()),
        }
    }

    fn read_digest(&self, tick: u64) -> Result<(TickDigest, undertone_wire::SignedHead), Refused> {
        if let Some(recent) = self.view().recent.tick(tick) {
            return Ok((recent.digest(), recent.stored.head.clone()));
        }
        let whole = self.store.tick_and_leaves(tick)?;
        let (stored, leaves) = whole.ok_or(RefusalKind::Expired)?;
        Ok((digest_of(&stored, &leaves), stored.head))
    }

    /// The cell of `tag`, which is at one of `places` if it is there at all.
    fn find(&self, tag: &TagHash, places: &[Place], size: u64) -> Result<Answer, Refused> {
        let newest = {
            let view = self.view();
            if size > view.log.size() {
                return Err(RefusalKind::Future.into());
            }
            view.newest.head.tick
        };
        let mut colliding = Vec::new();
        // What is stored but not yet shown is not there, nor what the asked tree does not hold.
        let holds = |slot: Slot| size == 0 || slot.size <= size;
        let shown =
            |place: &Place| place.tick <= newest && self.store.slot(place.tick).is_some_and(holds);
        for place in places.iter().copied().filter(shown) {
            let Some(listed) = self.leaf_at(place)? else { continue };
            if listed.tag == *tag {
                return self.found(place, listed, size);
            }
            if colliding.len() < COLLIDING_MAX {
                colliding.push(self.listed_proof(place, listed, size)?);
            }
        }
        Ok(Answer::None { colliding })
    }

    fn found(&self, place: Place, listed: CellLeaf, size: u64) -> Result<Answer, Refused> {
        let cell = self.store.cell(place, &listed.cell)?.ok_or(RefusalKind::Expired)?;
        Ok(Answer::Found { cell, proof: self.listed_proof(place, listed, size)? })
    }

    /// The leaf of the cell at `place`; read only where the tick's tree is not in memory.
    fn leaf_at(&self, place: Place) -> Result<Option<CellLeaf>, Refused> {
        match self.tree_at_hand(place.tick) {
            Some(tick) => Ok(tick.cells.leaves.get(place.index as usize).copied()),
            None => Ok(self.store.cell_leaf(place)?),
        }
    }

    fn listed_proof(
        &self,
        place: Place,
        listed: CellLeaf,
        size: u64,
    ) -> Result<ListedProof, Refused> {
        let tick = self.tick_tree(place.tick)?.ok_or(RefusalKind::Expired)?;
        if tick.cells.leaves.get(place.index as usize) != Some(&listed) {
            // The store gave one leaf by itself and another in its tick: it is damaged.
            return Err(RefusalKind::Storage.into());
        }
        let leaf_index = tick.stored.leaf_index();
        let size = if size == 0 { leaf_index + 1 } else { size };
        let path = self.view().log.inclusion(leaf_index, size, &self.store)?;
        let cell = tick.cells.part(place.index);
        Ok(ListedProof { listed, cell, leaf: tick.stored.leaf.clone(), leaf_index, path, size })
    }

    /// As [`Engine::get`] when that reads no more than cells; `None` when it would read and hash
    /// whole ticks, which the caller may want to do where it holds up nobody.
    pub fn get_at_hand(&self, tag: &Tag, size: u64) -> Option<Answer> {
        let hash = tag.hash();
        let places = self.store.bearing(hash.prefix());
        let at_hand = places.iter().all(|place| self.has_tree(place.tick));
        at_hand.then(|| answer(self.find(&hash, &places, size)))
    }

    /// Whether a tick's tree is in memory.
    pub(super) fn has_tree(&self, tick: u64) -> bool {
        self.view().recent.tick(tick).is_some() || self.rebuilt().has(tick)
    }

    /// A tick's tree, from memory or the store.
    pub(super) fn tick_tree(&self, tick: u64) -> Result<Option<Arc<TickTree>>, Refused> {
        if let Some(tree) = self.tree_at_hand(tick) {
            return Ok(Some(tree));
        }
        let Some((stored, leaves)) = self.store.tick_and_leaves(tick)? else { return Ok(None) };
        let tree = Arc::new(TickTree { stored, cells: CellTree::new(leaves) });
        let mut rebuilt = self.rebuilt();
        // What has expired meanwhile is not kept; what expires from here on is removed.
        if self.store.slot(tick).is_some() {
            rebuilt.push(Arc::clone(&tree));
        }
        drop(rebuilt);
        Ok(Some(tree))
    }

    /// A tick's tree, if it is in memory.
    fn tree_at_hand(&self, tick: u64) -> Option<Arc<TickTree>> {
        let recent = self.view().recent.tick(tick);
        recent.or_else(|| self.rebuilt().take_up(tick))
    }

    fn log_proof(&self, from_size: u64, to_tick: u64) -> Result<LogProof, Refused> {
        let newest = self.newest();
        let head = if to_tick == u64::MAX || to_tick == newest.head.tick {
            newest
        } else {
            self.check_tick(to_tick)?;
            self.store.tick(to_tick)?.ok_or(RefusalKind::Expired)?.head
        };
        let size = head.head.size;
        let view = self.view();
        let path = view.log.consistency(from_size, size, &self.store)?;
        let frontier = view.log.frontier_at(size, &self.store)?.parts().1.to_vec();
        Ok(LogProof { head, path, frontier })
    }

    /// The longest closed segment that begins with tick `from`, holds more than one tick, and is
    /// not too large to be answered whole.
    fn segment_from(&self, from: u64) -> Result<Option<SegmentAnswer>, Refused> {
        if from > self.newest().head.tick {
            return Ok(None);
        }
        self.check_tick(from)?;
        for level in SegmentLevel::ALL.into_iter().rev() {
            if let Some((leaf, leaf_index)) = self.closed_segment(from, level)? {
                return self.segment(leaf, leaf_index).map(Some);
            }
        }
        Ok(None)
    }

    fn closed_segment(
        &self,
        from: u64,
        level: SegmentLevel,
    ) -> Result<Option<(SegmentLeaf, u64)>, Refused> {
        let Some(slot) = self.store.slot(from) else { return Ok(None) };
        let end_ms = (slot.time_ms / level.length_ms() + 1) * level.length_ms();
        let Some(closer) = self.store.first_tick_from(end_ms) else { return Ok(None) };
        if closer > self.newest().head.tick || closer - from < 2 || self.too_large(from, closer) {
            return Ok(None);
        }
        let Some(stored) = self.store.tick(closer)? else { return Ok(None) };
        let first_index = stored.leaf_index().saturating_sub(stored.closed.len() as u64);
        let mut closed = (first_index..).zip(stored.closed);
        let found = closed.find(|(_, leaf)| leaf.level == level && leaf.first_tick == from);
        Ok(found.map(|(index, leaf)| (leaf, index)))
    }

    fn too_large(&self, from: u64, end: u64) -> bool {
        self.store.cells_in(from..=end - 1) > SEGMENT_ENTRIES_MAX
    }

    fn segment(&self, leaf: SegmentLeaf, leaf_index: u64) -> Result<SegmentAnswer, Refused> {
        let entries = self.store.entries(leaf.first_tick..=leaf.last_tick)?;
        let entries = entries.into_iter().map(|(prefix, tick)| SegmentEntry { prefix, tick });
        let view = self.view();
        let head = view.newest.clone();
        let path = view.log.inclusion(leaf_index, head.head.size, &self.store)?;
        Ok(SegmentAnswer { leaf, leaf_index, path, head, entries: entries.collect() })
    }
}
