//! A simulated disk: it loses what was not synced, tears writes at any byte, keeps or loses
//! unsynced files in any order, runs full, and fails when told to. After a failed sync it behaves
//! as Linux does: the bytes can still be read, a later sync reports success, and they are not on
//! the disk unless they were written again.

use super::Files;
use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A directory in memory. Clones are handles to the same directory.
#[derive(Clone, Debug, Default)]
pub struct MemFiles(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    now: BTreeMap<String, File>,
    /// The names that a power cut leaves, as of the last sync of the directory.
    durable_names: BTreeMap<String, File>,
    capacity: Option<u64>,
    operations_left: Option<u64>,
    free: Option<u64>,
}

/// A file's bytes; clones are the same file under a durable and a current name.
#[derive(Clone, Debug, Default)]
struct File(Arc<Mutex<Bytes>>);

#[derive(Debug, Default)]
struct Bytes {
    now: Vec<u8>,
    synced: Vec<u8>,
    /// What a failed sync dropped: no sync writes these bytes until they are written again.
    dropped: Range<usize>,
}

/// What a power cut does, decided by a seed.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    /// The same seed gives the same outcome.
    pub seed: u64,
}

impl MemFiles {
    /// From now on the disk holds no more than so many bytes.
    pub fn limit_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// From now on the disk says that it has so much room.
    pub fn say_free(&self, bytes: Option<u64>) {
        self.state().free = bytes;
    }

    /// After so many more changes (writes, syncs, removals) every change fails.
    pub fn fail_after(&self, operations: Option<u64>) {
        self.state().operations_left = operations;
    }

    /// The directory as it is found after a power cut: a new one, without limits or failures.
    pub fn after(&self, crash: Crash) -> Self {
        let mut dice = Dice(crash.seed);
        let state = self.state();
        let mut survived = BTreeMap::new();
        let names = state.durable_names.keys().chain(state.now.keys());
        let names: std::collections::BTreeSet<_> = names.collect();
        for name in names {
            let durable = state.durable_names.get(name);
            let now = state.now.get(name);
            let file = if dice.below(2) == 0 { durable } else { now };
            if let Some(file) = file {
                survived.insert(name.clone(), File::durable(dice.torn(&file.bytes())));
            }
        }
        let state = State { now: survived.clone(), durable_names: survived, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// An independent copy of the directory, all of it durable.
    pub fn copy(&self) -> Self {
        let here = self.state();
        let files = here.now.iter().map(|(name, file)| {
            let bytes = file.bytes().now.clone();
            (name.clone(), File::durable(bytes))
        });
        let names: BTreeMap<_, _> = files.collect();
        let state = State { now: names.clone(), durable_names: names, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Changes a file's bytes behind everybody's back; nothing happens without such a file.
    pub fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(file) = self.state().now.get(name) {
            let mut bytes = file.bytes();
            change(&mut bytes.now);
            bytes.synced = bytes.now.clone();
        }
    }

    /// A file's bytes; `None` without such a file.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        self.state().now.get(name).map(|file| file.bytes().now.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, name: &str) -> io::Result<File> {
        let file = self.state().now.get(name).cloned();
        file.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, name.to_owned()))
    }
}

impl State {
    fn count_operation(&mut self) -> io::Result<()> {
        match &mut self.operations_left {
            None => Ok(()),
            Some(0) => Err(io::Error::other("simulated failure")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn room(&self) -> usize {
        let used: u64 = self.now.values().map(|file| file.bytes().now.len() as u64).sum();
        let room = self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(used));
        usize::try_from(room).unwrap_or(usize::MAX)
    }
}

impl File {
    fn durable(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Bytes { synced: bytes.clone(), now: bytes, dropped: 0..0 })))
    }

    fn bytes(&self) -> MutexGuard<'_, Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for MemFiles {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().now.keys().cloned().collect())
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        Ok(self.file(name)?.bytes().now.len() as u64)
    }

    fn create(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.count_operation()?;
        state.now.insert(name.to_owned(), File::default());
        Ok(())
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let file = self.file(name)?;
        let mut state = self.state();
        state.count_operation()?;
        let fits = state.room().min(bytes.len());
        file.bytes().now.extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "simulated full disk"));
        }
        Ok(())
    }

    fn overwrite(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.file(name)?;
        self.state().count_operation()?;
        let mut there = file.bytes();
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(bytes.len());
        let part = there.now.get_mut(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        part.copy_from_slice(bytes);
        if start <= there.dropped.start {
            there.dropped.start = end.max(there.dropped.start).min(there.dropped.end);
        }
        Ok(())
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let file = self.file(name)?;
        let bytes = file.bytes();
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = bytes.now.get(start..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let file = self.file(name)?;
        let counted = self.state().count_operation();
        let mut bytes = file.bytes();
        let Bytes { now, synced, dropped } = &mut *bytes;
        let same = now.iter().zip(synced.iter()).take_while(|(now, synced)| now == synced).count();
        if let Err(failed) = counted {
            *dropped = same..now.len();
            return Err(failed);
        }
        synced.truncate(same);
        synced.extend_from_slice(&now[same..]);
        let end = dropped.end.min(synced.len());
        if let Some(hole) = synced.get_mut(dropped.start..end) {
            hole.fill(0);
        }
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        state.count_operation()?;
        state.durable_names = state.now.clone();
        Ok(())
    }

    fn free(&self) -> io::Result<Option<u64>> {
        Ok(self.state().free)
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        let file = self.file(name)?;
        self.state().count_operation()?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut bytes = file.bytes();
        bytes.now.truncate(length);
        // Whatever comes behind is written anew.
        let dropped = &mut bytes.dropped;
        *dropped = dropped.start.min(length)..dropped.end.min(length);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.file(name)?;
        let mut state = self.state();
        state.count_operation()?;
        state.now.remove(name);
        Ok(())
    }
}

/// SplitMix64: enough to choose among outcomes.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    /// Synced bytes as they are; of the rest a prefix of any length, and behind it perhaps a
    /// stretch of zeros (the length was written, the data was not).
    fn torn(&mut self, bytes: &Bytes) -> Vec<u8> {
        let Bytes { now, synced, .. } = bytes;
        if now.len() < synced.len() {
            return if self.below(2) == 0 { now.clone() } else { synced.clone() };
        }
        let unsynced = (now.len() - synced.len()) as u64;
        let kept = self.below(unsynced + 1);
        let zeros = if self.below(3) == 0 { self.below(unsynced - kept + 1) } else { 0 };
        let mut torn = now[..synced.len() + kept as usize].to_vec();
        torn.resize(torn.len() + zeros as usize, 0);
        torn
    }
}
