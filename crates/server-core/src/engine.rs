//! The server as functions: submit cells, seal a tick, read with proofs.
//!
//! All methods take `&self`. One caller seals (a second one waits for the first); any number may
//! submit and read meanwhile. A submitted cell is judged when its tick is sealed, after every
//! earlier tick is durable: so an answer about another cell (`TAKEN`, or the same success for
//! equal bytes) is never given before that cell is durable either.
//!
//! Sealing makes the tick durable *before* readers see it. The head of a tick whose append failed
//! never leaves this process, so a restart may sign another one in its place.

mod closing;
mod config;
mod expire;
mod read;
mod refuse;
mod seal;
mod tree;

#[cfg(test)]
mod tests;

use crate::{CellStore, Log, LogError, StoreError};
use closing::OpenSegments;
use sha2::{Digest, Sha256};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};
use tree::{Rebuilt, Recent};
use undertone_wire::{
    Answer, BadKeys, Cell, CellLeaf, DigestPage, Head, KeyRing, Refusal, RefusalKind, SignedHead,
    Tag, Token, WriteKey, merkle,
};

pub use config::{Config, Keys};
use refuse::refusal;

/// The caller's name for a PUT; the answer bears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A cell to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// Where.
    pub tag: Tag,
    /// The tag's preimage.
    pub write: WriteKey,
    /// What.
    pub cell: Cell,
    /// Payment; empty under the policy `open`.
    pub token: Token,
}

/// What sealing a tick gave.
#[derive(Debug, Default)]
pub struct Sealed {
    /// One answer per submitted cell that was dealt with.
    pub answers: Vec<(Ticket, Answer)>,
    /// What all listeners are sent; `None` when no tick was sealed.
    pub page: Option<Arc<DigestPage>>,
    /// Why nothing could be stored: for the operator's log. The answers say it to the clients.
    pub failure: Option<StoreError>,
}

/// Why the server cannot start on this folder.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The keys do not form a succession.
    #[error("the server's keys: {0}")]
    Keys(#[from] BadKeys),
    /// The signing key is not the newest of the succession.
    #[error("the signing key is not the newest key of the succession")]
    NotNewest,
    /// The folder belongs to another server.
    #[error("this folder holds the log of another server")]
    OtherServer,
    /// The newest head is not signed by the key in force.
    #[error("the newest head in the folder is not signed by this server's key")]
    Signature,
    /// The log and the newest head disagree.
    #[error("the log does not lead to the newest head in the folder")]
    Root,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be rebuilt.
    #[error("the log cannot be rebuilt: {0}")]
    Log(#[from] LogError),
}

/// The server over one store.
#[derive(Debug)]
pub struct Engine<S> {
    store: S,
    config: Config,
    ring: KeyRing,
    queue: Mutex<VecDeque<Queued>>,
    sealer: Mutex<Sealer>,
    view: RwLock<View>,
    rebuilt: Mutex<Rebuilt>,
    closing: AtomicBool,
}

/// A PUT whose key is right, waiting for its tick.
#[derive(Debug)]
struct Queued {
    ticket: Ticket,
    leaf: CellLeaf,
    cell: Cell,
}

/// What only the sealing caller touches.
#[derive(Debug)]
struct Sealer {
    time_ms: u64,
    open: OpenSegments,
}

/// What readers see: always a state that is durable.
#[derive(Debug)]
struct View {
    log: Log,
    newest: SignedHead,
    recent: Recent,
}

impl<S: CellStore> Engine<S> {
    /// Takes up the log where the store has it. With an empty store, after a change of keys, or
    /// after a recovery that no head declares yet, the first thing done is to sign: the empty log's
    /// head, or an empty tick. Clients that are ahead of a restored backup look at the newest head
    /// before they write anything, so the declaration cannot wait for the first cell.
    ///
    /// # Errors
    /// [`OpenError`] when keys, log and store do not belong together, or the store fails.
    pub fn open(store: S, config: Config, now_ms: u64) -> Result<Self, OpenError> {
        let ring = config.keys.ring()?;
        let log = Log::open(&store)?;
        let newest = newest_head(&store, &config, &ring, &log)?;
        let time_ms = now_ms.max(newest.head.time_ms);
        let open = OpenSegments::of(&store, newest.head.recovered_after);
        let signs_now = ring.key_at(newest.head.tick) == ring.newest();
        let recovered = config.recovered_after;
        let declares = recovered.is_none() || newest.head.recovered_after == recovered;
        let engine = Self {
            store,
            config,
            ring,
            queue: Mutex::default(),
            sealer: Mutex::new(Sealer { time_ms, open }),
            view: RwLock::new(View { log, newest, recent: Recent::default() }),
            rebuilt: Mutex::default(),
            closing: AtomicBool::new(false),
        };
        if !(signs_now && declares) {
            engine.seal_empty(now_ms)?;
        }
        Ok(engine)
    }

    /// Queues a cell for the next tick. The hashing is done here, on the caller's thread.
    ///
    /// # Errors
    /// A [`Refusal`] at once: wrong key, token where none is taken, queue full, closing.
    pub fn submit(&self, ticket: Ticket, put: Put) -> Result<(), Refusal> {
        if self.closing.load(Ordering::Acquire) {
            return Err(refusal(RefusalKind::Closing));
        }
        if !put.token.as_slice().is_empty() {
            return Err(refusal(RefusalKind::Token));
        }
        if Tag::derive(&self.ring.server(), &put.write) != put.tag {
            return Err(refusal(RefusalKind::WrongKey));
        }
        let leaf = CellLeaf::new(put.tag.hash(), put.cell.hash());
        let mut queue = self.queue();
        if queue.len() >= self.config.queue_max {
            return Err(refusal(RefusalKind::Busy));
        }
        queue.push_back(Queued { ticket, leaf, cell: put.cell });
        Ok(())
    }

    /// Cells that wait for a tick.
    pub fn pending(&self) -> usize {
        self.queue().len()
    }

    /// From now on no cell is taken; what waits can still be sealed.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// The newest tick's head.
    pub fn newest(&self) -> SignedHead {
        self.view().newest.clone()
    }

    /// The server's keys as clients see them.
    pub fn keys(&self) -> &KeyRing {
        &self.ring
    }

    /// The store beneath.
    pub fn store(&self) -> &S {
        &self.store
    }

    // A panic while one of these locks is held leaves whole values behind (each is replaced by
    // single assignments, and of what is derived the worst is a wrong count), so a poisoned lock is taken as it is.

    fn queue(&self) -> MutexGuard<'_, VecDeque<Queued>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sealer(&self) -> MutexGuard<'_, Sealer> {
        self.sealer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rebuilt(&self) -> MutexGuard<'_, Rebuilt> {
        self.rebuilt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn view_mut(&self) -> RwLockWriteGuard<'_, View> {
        self.view.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head that the store ends with, checked against the log; the empty log's when it is empty.
fn newest_head(
    store: &dyn CellStore,
    config: &Config,
    ring: &KeyRing,
    log: &Log,
) -> Result<SignedHead, OpenError> {
    let stored = match store.ticks() {
        Some(ticks) => store.tick(*ticks.end())?,
        None => None,
    };
    let Some(stored) = stored else {
        return Ok(config.empty_head(ring.server()).sign(&config.keys.signing));
    };
    if stored.head.head.server != ring.server() {
        return Err(OpenError::OtherServer);
    }
    let head = ring.verify(&stored.head).ok_or(OpenError::Signature)?;
    if (head.size, head.root) != (log.size(), log.root()) {
        return Err(OpenError::Root);
    }
    Ok(stored.head)
}

impl Config {
    fn empty_head(&self, server: undertone_wire::ServerId) -> Head {
        Head {
            server,
            tick: 0,
            time_ms: 0,
            size: 0,
            root: merkle::empty_root(),
            token_keys: Vec::new(),
            policy: self.policy_hash(),
            recovered_after: self.recovered_after,
        }
    }

    fn policy_hash(&self) -> merkle::Hash {
        Sha256::digest(&self.policy).into()
    }
}
