//! Making and opening profiles.

use crate::{
    Batch, DatabaseKey, KdfParams, Lock, Store, StoreError,
    folder::{self, DATABASE_FILE, HEADER_FILE},
    header::{self, HEADER_BYTES_MAX, Header},
    sqlite::Sqlite,
};
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// An open profile: the lock and the database.
#[derive(Debug)]
pub struct Profile {
    folder: PathBuf,
    key: DatabaseKey,
    store: Sqlite,
    lock: Lock,
}

impl Profile {
    /// Whether a new profile may be put at `folder`: nothing is there, or an empty folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn is_free(folder: &Path) -> Result<bool, StoreError> {
        folder::is_free(folder)
    }

    /// Makes a profile that already holds `first` and `settings`: it appears under its name
    /// complete, or not at all.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when something is there already; nothing half-made is left behind.
    pub fn create(
        folder: &Path,
        passphrase: &str,
        kdf: KdfParams,
        first: &Batch,
        settings: &[(&str, &str)],
        rng: &mut dyn rand::CryptoRng,
    ) -> Result<Self, StoreError> {
        Self::prepare(folder, passphrase, kdf, first, settings, rng)?.finish()
    }

    /// The same without the name yet: what must not be lost can be told to the person before the
    /// profile exists.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn prepare(
        folder: &Path,
        passphrase: &str,
        kdf: KdfParams,
        first: &Batch,
        settings: &[(&str, &str)],
        rng: &mut dyn rand::CryptoRng,
    ) -> Result<Prepared, StoreError> {
        let target = absolute(folder)?;
        if !folder::is_free(&target)? {
            return Err(StoreError::Exists(target));
        }
        let key = DatabaseKey::random(rng);
        let header = Header::seal(header::DATABASE, &key, passphrase, kdf, rng)?;
        let staging = Staging::make(&target)?;
        staging.fill(&key, &header, first, settings)?;
        Ok(Prepared { target, key, staging })
    }

    /// Whether there is a profile in `folder` at all, before a passphrase is asked for.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`StoreError::Damaged`] for one that has lost its header.
    pub fn exists(folder: &Path) -> Result<(), StoreError> {
        if folder.join(HEADER_FILE).exists() { Ok(()) } else { Err(Self::absent(folder)) }
    }

    /// Opens the database key with the passphrase; touches nothing else, so it works while
    /// another process has the profile.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::WrongPassphrase`], [`StoreError::Damaged`] or
    /// [`StoreError::Newer`].
    pub fn unlock(folder: &Path, passphrase: &str) -> Result<DatabaseKey, StoreError> {
        let header = match File::open(folder.join(HEADER_FILE)) {
            Ok(file) => read_header(file)?,
            Err(error) if is_absent(&error) => return Err(Self::absent(folder)),
            Err(error) => return Err(StoreError::from_io("opening profile.json", &error)),
        };
        header.open(header::DATABASE, passphrase)
    }

    /// Opens the profile.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it; otherwise as [`Self::unlock`].
    pub fn open(folder: &Path, key: DatabaseKey) -> Result<Self, StoreError> {
        let lock = Lock::take(folder)?;
        let store = Sqlite::open(&folder.join(DATABASE_FILE), &key)?;
        Ok(Self { folder: folder.to_owned(), key, store, lock })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key, for proofs towards other processes of the same person.
    pub fn key(&self) -> &DatabaseKey {
        &self.key
    }

    /// The store.
    pub fn store(&mut self) -> &mut Sqlite {
        &mut self.store
    }

    /// The store and the lock, for a driver that keeps them on a thread of its own.
    pub fn into_parts(self) -> (Sqlite, Lock) {
        (self.store, self.lock)
    }

    /// Without a header: nothing at all, or a profile that has lost it.
    fn absent(folder: &Path) -> StoreError {
        if folder.join(DATABASE_FILE).exists() {
            StoreError::Damaged("profile.json is missing".to_owned())
        } else {
            StoreError::NotFound(folder.to_owned())
        }
    }
}

/// A profile that is whole on disk and has no name yet. Dropped, nothing of it is left.
#[derive(Debug)]
#[must_use = "without `finish` there is no profile"]
pub struct Prepared {
    target: PathBuf,
    key: DatabaseKey,
    staging: Staging,
}

impl Prepared {
    /// Gives the profile its name and opens it.
    ///
    /// # Errors
    /// When somebody else has taken the name, or the disk fails.
    pub fn finish(self) -> Result<Profile, StoreError> {
        self.staging.finish(&self.target)?;
        Profile::open(&self.target, self.key)
    }
}

/// A folder that has no name yet. Dropped unfinished, it is removed.
#[derive(Debug)]
struct Staging {
    folder: PathBuf,
    lock: Option<Lock>,
}

impl Staging {
    /// What an earlier attempt left is removed, unless that attempt still runs.
    fn make(target: &Path) -> Result<Self, StoreError> {
        let folder = folder::staging_of(target);
        if folder.exists() {
            let lock = Lock::take(&folder)?;
            remove(&folder)?;
            drop(lock);
        }
        if let Some(parent) = folder.parent() {
            let made = fs::create_dir_all(parent);
            made.map_err(|error| StoreError::from_io("making the parent folder", &error))?;
        }
        folder::make_private(&folder)?;
        // From here on `Drop` cleans up.
        let mut staging = Self { folder, lock: None };
        staging.lock = Some(Lock::take(&staging.folder)?);
        Ok(staging)
    }

    fn fill(
        &self,
        key: &DatabaseKey,
        header: &Header,
        first: &Batch,
        settings: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        let mut store = Sqlite::create(&self.folder.join(DATABASE_FILE), key)?;
        for (name, value) in settings {
            store.set_setting(name, Some(value))?;
        }
        store.commit(first)?;
        store.close()?;
        folder::write_private(&self.folder.join(HEADER_FILE), &header.to_bytes())?;
        folder::sync_folder(&self.folder)
    }

    /// Gives the profile its name.
    fn finish(mut self, target: &Path) -> Result<(), StoreError> {
        self.lock = None;
        let named = || {
            match fs::remove_dir(target) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::rename(&self.folder, target)
        };
        named().map_err(|error| StoreError::from_io("naming the profile", &error))?;
        target.parent().map_or(Ok(()), folder::sync_folder)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        self.lock = None;
        // After `finish` there is nothing here; a failure leaves what `make` removes next time.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn remove(folder: &Path) -> Result<(), StoreError> {
    fs::remove_dir_all(folder).map_err(|error| StoreError::from_io("clearing a leftover", &error))
}

fn absolute(folder: &Path) -> Result<PathBuf, StoreError> {
    std::path::absolute(folder).map_err(|error| StoreError::from_io("resolving the folder", &error))
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn read_header(file: File) -> Result<Header, StoreError> {
    let mut bytes = Vec::new();
    file.take(HEADER_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|error| StoreError::from_io("reading profile.json", &error))?;
    Header::from_bytes(&bytes)
}
