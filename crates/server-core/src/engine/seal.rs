//! Sealing: judge what waits, make one tick durable, answer.

use super::{
    Engine, OpenSegments, Queued, Sealed, Sealer, Ticket,
    refuse::{Refused, answer, refused},
    tree::{CellTree, TickTree},
};
use crate::{CellStore, NewTick, StoreError, StoredTick, store::CELLS_PER_TICK_MAX};
use std::{collections::BTreeMap, sync::Arc};
use undertone_wire::{
    Answer, Cell, CellHash, CellLeaf, DigestPage, Hash, Head, Receipt, RefusalKind, SignedHead,
    TagHash, TickDigest, first_tick_after_recovery, merkle::Frontier,
};

/// Trees of older ticks that are built again for the PUTs of one tick. Whoever puts cells that have
/// long been there makes the sealing caller read and hash whole ticks; beyond this they are told
/// to ask again, so that they cannot keep everybody else waiting.
const REBUILDS_PER_TICK_MAX: usize = 8;

/// What waits, sorted by what will be answered.
#[derive(Default)]
struct Judged {
    /// New cells by tag hash.
    new: BTreeMap<TagHash, (CellHash, Cell)>,
    /// PUTs whose answer is about a cell of this tick.
    about_new: Vec<(Ticket, CellLeaf)>,
    /// PUTs that could be answered already.
    answers: Vec<(Ticket, Answer)>,
}

/// A tick that is signed and not yet durable.
struct Draft {
    stored: StoredTick,
    cells: CellTree,
    path: Vec<Hash>,
}

impl<S: CellStore> Engine<S> {
    /// Seals what waits into one tick at `now_ms` (or the newest head's time if that is later).
    /// Without a new cell among it there are answers, but no tick.
    ///
    /// When the store fails, the cells concerned are refused and nothing of them is visible.
    pub fn seal(&self, now_ms: u64) -> Sealed {
        let mut sealer = self.sealer();
        let waiting = self.take_waiting();
        let judged = self.judge(waiting);
        if judged.new.is_empty() {
            return Sealed { answers: judged.answers, page: None, failure: None };
        }
        let (leaves, cells) = split_new(judged.new);
        match self.seal_cells(&mut sealer, now_ms, leaves, &cells) {
            Ok((tick, path)) => {
                let about_new = judged.about_new.into_iter();
                let answers = about_new.map(|(ticket, leaf)| (ticket, tick.answer(&leaf, &path)));
                Sealed {
                    answers: judged.answers.into_iter().chain(answers).collect(),
                    page: Some(Arc::new(tick.page())),
                    failure: None,
                }
            }
            Err(failure) => {
                let about_new = judged.about_new.into_iter();
                let answers = about_new.map(|(ticket, _)| (ticket, refused(RefusalKind::Storage)));
                Sealed {
                    answers: judged.answers.into_iter().chain(answers).collect(),
                    page: None,
                    failure: Some(failure),
                }
            }
        }
    }

    /// Seals a tick without cells: under a new key, or so that the hour before it can expire.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be made durable.
    pub(super) fn seal_empty(&self, now_ms: u64) -> Result<Arc<DigestPage>, StoreError> {
        let mut sealer = self.sealer();
        let (tick, _) = self.seal_cells(&mut sealer, now_ms, Vec::new(), &[])?;
        Ok(Arc::new(tick.page()))
    }

    /// The newest head signed again with the time: what idle listeners are sent.
    pub fn heartbeat(&self, now_ms: u64) -> DigestPage {
        let mut sealer = self.sealer();
        sealer.time_ms = sealer.time_ms.max(now_ms);
        let newest = self.newest().head;
        let head = Head { time_ms: sealer.time_ms, ..newest };
        DigestPage { ticks: Vec::new(), head: head.sign(&self.config.keys.signing) }
    }

    fn take_waiting(&self) -> Vec<Queued> {
        let mut queue = self.queue();
        let count = queue.len().min(self.config.cells_per_tick_max).min(CELLS_PER_TICK_MAX);
        queue.drain(..count).collect()
    }

    fn judge(&self, waiting: Vec<Queued>) -> Judged {
        let mut judged = Judged::default();
        let mut rebuilds = 0;
        for queued in waiting {
            let Queued { ticket, leaf, cell } = queued;
            match self.store.find(&leaf.tag) {
                Err(error) => judged.answers.push((ticket, answer(Err(error.into())))),
                Ok(Some((place, there))) => {
                    let rebuild = usize::from(!self.has_tree(place.tick));
                    let given = match rebuilds + rebuild > REBUILDS_PER_TICK_MAX {
                        true => Err(RefusalKind::Busy.into()),
                        false => self.receipt(place).map(|given| about(&leaf, &there, given)),
                    };
                    rebuilds = REBUILDS_PER_TICK_MAX.min(rebuilds + rebuild);
                    judged.answers.push((ticket, answer(given)));
                }
                Ok(None) => {
                    judged.new.entry(leaf.tag).or_insert((leaf.cell, cell));
                    judged.about_new.push((ticket, leaf));
                }
            }
        }
        judged
    }

    fn receipt(&self, place: crate::Place) -> Result<Receipt, Refused> {
        let tick = self.tick_tree(place.tick)?.ok_or(RefusalKind::Expired)?;
        let size = tick.stored.head.head.size;
        let path = self.view().log.inclusion(tick.stored.leaf_index(), size, &self.store)?;
        Ok(tick.receipt(place.index, path))
    }

    /// The step that everything hangs on: sign, make durable, and only then show.
    fn seal_cells(
        &self,
        sealer: &mut Sealer,
        now_ms: u64,
        leaves: Vec<CellLeaf>,
        cells: &[Cell],
    ) -> Result<(Arc<TickTree>, Vec<Hash>), StoreError> {
        let time_ms = sealer.time_ms.max(now_ms);
        let draft = self.draft(sealer, time_ms, leaves)?;
        let Draft { stored, cells: tree, path } = draft;
        self.store.append(&NewTick { stored: &stored, leaves: &tree.leaves, cells })?;

        sealer.time_ms = time_ms;
        if stored.head.head.resumes_after(self.newest().head.tick) {
            sealer.open = OpenSegments::default();
        }
        sealer.open.advance(stored.leaf.tick, time_ms);
        let tick = Arc::new(TickTree { stored, cells: tree });
        let mut view = self.view_mut();
        tick.stored.leaf_hashes().into_iter().for_each(|leaf| view.log.append(leaf));
        view.newest = tick.stored.head.clone();
        view.recent.push(Arc::clone(&tick));
        Ok((tick, path))
    }

    fn draft(
        &self,
        sealer: &Sealer,
        time_ms: u64,
        leaves: Vec<CellLeaf>,
    ) -> Result<Draft, StoreError> {
        let (before, mut frontier) = {
            let view = self.view();
            (view.newest.head.tick, view.log.frontier().clone())
        };
        let (tick, closed) = if self.config.recovered_after == Some(before) {
            // The segments of the old life stay open for ever: none spans a recovery.
            (first_tick_after_recovery(before, time_ms), Vec::new())
        } else {
            (before + 1, sealer.open.closed_by(time_ms, &self.store)?)
        };
        let cells = CellTree::new(leaves);
        let digest = TickDigest {
            closed,
            tick,
            time_ms,
            cells_root: cells.root(),
            prefixes: cells.leaves.iter().map(|leaf| leaf.tag.prefix()).collect(),
        };
        let path = grow(&mut frontier, &digest);
        let head = self.sign_head(&digest, &frontier);
        let stored = StoredTick { leaf: digest.leaf(), closed: digest.closed, head };
        Ok(Draft { stored, cells, path })
    }

    fn sign_head(&self, digest: &TickDigest, frontier: &Frontier) -> SignedHead {
        let head = Head {
            tick: digest.tick,
            time_ms: digest.time_ms,
            size: frontier.size(),
            root: frontier.root(),
            ..self.config.empty_head(self.ring.server())
        };
        head.sign(&self.config.keys.signing)
    }
}

/// Appends the digest's leaves; the audit path of the tick's own leaf, which is the last.
fn grow(frontier: &mut Frontier, digest: &TickDigest) -> Vec<Hash> {
    let mut path = Vec::new();
    for leaf in digest.leaf_hashes() {
        path = frontier.path_of_next();
        frontier.append(leaf);
    }
    path
}

fn split_new(new: BTreeMap<TagHash, (CellHash, Cell)>) -> (Vec<CellLeaf>, Vec<Cell>) {
    new.into_iter().map(|(tag, (hash, cell))| (CellLeaf::new(tag, hash), cell)).unzip()
}

/// The answer to a PUT of `put` where `there` is stored.
fn about(put: &CellLeaf, there: &CellLeaf, receipt: Receipt) -> Answer {
    if put.cell == there.cell {
        Answer::Stored(receipt)
    } else {
        Answer::Taken { cell: there.cell, receipt }
    }
}

impl TickTree {
    fn receipt(&self, index: u32, path: Vec<Hash>) -> Receipt {
        Receipt {
            cell: self.cells.part(index),
            leaf: self.stored.leaf.clone(),
            path,
            head: self.stored.head.clone(),
        }
    }

    /// The answer to a PUT whose tag this tick has filled.
    fn answer(&self, put: &CellLeaf, path: &[Hash]) -> Answer {
        let found = self.cells.leaves.binary_search_by_key(&put.tag, |leaf| leaf.tag);
        match found.map(|index| (index, u32::try_from(index))) {
            Ok((at, Ok(index))) => {
                about(put, &self.cells.leaves[at], self.receipt(index, path.to_vec()))
            }
            // Every such PUT's tag is among the leaves, and a tick holds fewer than 2^32 cells.
            _ => refused(RefusalKind::Storage),
        }
    }

    /// This tick as a digest lists it.
    pub(super) fn digest(&self) -> TickDigest {
        digest_of(&self.stored, &self.cells.leaves)
    }

    fn page(&self) -> DigestPage {
        DigestPage { ticks: vec![self.digest()], head: self.stored.head.clone() }
    }
}

/// A stored tick as a digest lists it.
pub(super) fn digest_of(stored: &StoredTick, leaves: &[CellLeaf]) -> TickDigest {
    TickDigest {
        closed: stored.closed.clone(),
        tick: stored.leaf.tick,
        time_ms: stored.leaf.time_ms,
        cells_root: stored.leaf.cells_root,
        prefixes: leaves.iter().map(|leaf| leaf.tag.prefix()).collect(),
    }
}
