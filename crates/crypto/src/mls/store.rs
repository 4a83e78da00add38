//! Where OpenMLS keeps its state: an ordered map in memory that remembers what was written to it.
//!
//! OpenMLS wants synchronous storage; the driver wants one atomic value per step. So every write lands
//! in a layer of changes above the records that are known to be on disk, and the caller takes that
//! layer with [`Mls::take_changes`](super::Mls::take_changes) or drops it with `rollback`. A copy of
//! the store is cheap (the committed records are shared), which is how a commit is judged on a copy
//! that is thrown away.
//!
//! A record's key is `label ‖ 0 ‖ CBOR(OpenMLS's key)`; its value is a version byte and CBOR, which
//! describes itself: a field that OpenMLS adds later does not make old records unreadable.

use crate::cbor;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

mod provider;

/// Version of every record written here.
const VERSION: u8 = 1;

/// A record: its key, and its bytes unless it was deleted.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

type Bytes = Arc<Zeroizing<Vec<u8>>>;

/// What lies above the committed records.
type Layer = BTreeMap<Vec<u8>, Option<Bytes>>;

/// A state to go back to.
pub(super) struct Savepoint {
    changes: Layer,
    writes: u64,
}

/// Why a stored record cannot be used, or one cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// Written by a newer program.
    #[error("the conversation keys were written by a newer version (record version {0})")]
    Newer(u8),
    /// Not what was written; why.
    #[error("the conversation keys are damaged: {0}")]
    Damaged(String),
    /// OpenMLS handed over something that CBOR cannot say: a bug.
    #[error("a record could not be encoded: {0}")]
    Encode(String),
}

#[derive(Default)]
pub(super) struct Store {
    layers: Mutex<Layers>,
}

#[derive(Clone, Default)]
struct Layers {
    committed: Arc<BTreeMap<Vec<u8>, Bytes>>,
    changes: Layer,
    /// Writes and deletions so far: tells whether a step that failed wrote anything.
    writes: u64,
}

impl Store {
    pub(super) fn load(
        records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, StoreFault> {
        let mut committed = BTreeMap::new();
        for (key, value) in records {
            let value = Zeroizing::new(value);
            body(&value)?;
            committed.insert(key, Arc::new(value));
        }
        let layers = Layers { committed: Arc::new(committed), ..Layers::default() };
        Ok(Self { layers: Mutex::new(layers) })
    }

    /// A store that reads the same and whose writes reach nobody.
    pub(super) fn scratch(&self) -> Self {
        Self { layers: Mutex::new(self.layers().clone()) }
    }

    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        let mut layers = self.layers();
        let changes = mem::take(&mut layers.changes);
        let committed = Arc::make_mut(&mut layers.committed);
        for (key, value) in &changes {
            match value {
                Some(value) => committed.insert(key.clone(), Arc::clone(value)),
                None => committed.remove(key),
            };
        }
        let plain = |value: Bytes| value.to_vec();
        changes.into_iter().map(|(key, value)| (key, value.map(plain))).collect()
    }

    pub(super) fn savepoint(&self) -> Savepoint {
        let layers = self.layers();
        Savepoint { changes: layers.changes.clone(), writes: layers.writes }
    }

    /// Goes back; says whether anything was written since.
    pub(super) fn restore(&self, savepoint: Savepoint) -> bool {
        let mut layers = self.layers();
        let written = layers.writes != savepoint.writes;
        layers.changes = savepoint.changes;
        written
    }

    pub(super) fn rollback(&mut self) {
        self.layers().changes.clear();
    }

    /// No code panics while it holds the lock, so a poisoned one still guards whole layers.
    fn layers(&self) -> MutexGuard<'_, Layers> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<K: Serialize, V: Serialize + ?Sized>(
        &self,
        label: &str,
        key: &K,
        value: &V,
    ) -> Result<(), StoreFault> {
        let mut bytes = Zeroizing::new(vec![VERSION]);
        encode_onto(value, &mut bytes)?;
        let key = record_key(label, key)?;
        let mut layers = self.layers();
        layers.writes += 1;
        layers.changes.insert(key, Some(Arc::new(bytes)));
        Ok(())
    }

    fn read<K: Serialize, V: DeserializeOwned>(
        &self,
        label: &str,
        key: &K,
    ) -> Result<Option<V>, StoreFault> {
        let found = self.bytes(&record_key(label, key)?);
        found.map(|bytes| decode(body(&bytes)?)).transpose()
    }

    /// A deletion of what is nowhere below needs no record.
    fn delete<K: Serialize>(&self, label: &str, key: &K) -> Result<(), StoreFault> {
        let key = record_key(label, key)?;
        let mut layers = self.layers();
        layers.writes += 1;
        if layers.committed.contains_key(&key) {
            layers.changes.insert(key, None);
        } else {
            layers.changes.remove(&key);
        }
        Ok(())
    }

    fn bytes(&self, key: &[u8]) -> Option<Bytes> {
        let layers = self.layers();
        match layers.changes.get(key) {
            Some(change) => change.clone(),
            None => layers.committed.get(key).cloned(),
        }
    }
}

/// The CBOR of a record, if its version is known.
fn body(record: &[u8]) -> Result<&[u8], StoreFault> {
    match record.split_first() {
        Some((&VERSION, body)) => Ok(body),
        Some((&version, _)) if version > VERSION => Err(StoreFault::Newer(version)),
        Some((version, _)) => Err(StoreFault::Damaged(format!("record version {version}"))),
        None => Err(StoreFault::Damaged("an empty record".to_owned())),
    }
}

fn record_key<K: Serialize>(label: &str, key: &K) -> Result<Vec<u8>, StoreFault> {
    let mut bytes = [label.as_bytes(), &[0]].concat();
    encode_onto(key, &mut bytes)?;
    Ok(bytes)
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, StoreFault> {
    let mut bytes = Vec::new();
    encode_onto(value, &mut bytes)?;
    Ok(bytes)
}

fn encode_onto<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), StoreFault> {
    cbor::encode_onto(value, bytes).map_err(|error| StoreFault::Encode(error.to_string()))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreFault> {
    cbor::decode(bytes).map_err(|error| StoreFault::Damaged(error.to_string()))
}
