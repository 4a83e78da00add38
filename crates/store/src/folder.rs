//! The profile's folder: names, permissions, the lock.

use crate::StoreError;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    path::{Path, PathBuf},
};

pub(crate) const HEADER_FILE: &str = "profile.json";
pub(crate) const DATABASE_FILE: &str = "profile.db";
const LOCK_FILE: &str = "lock";

/// The control socket's name in the folder.
pub const CONTROL_FILE: &str = "control";

/// The right to have a profile open; ends with the value, or with the process.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    /// Takes the lock of the profile in `folder`.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process, or another value here, has it.
    pub fn take(folder: &Path) -> Result<Self, StoreError> {
        let file = private().create(true).truncate(false).open(folder.join(LOCK_FILE));
        let file = file.map_err(|error| StoreError::from_io("opening the lock", &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(error)) => Err(StoreError::from_io("locking", &error)),
        }
    }
}

/// Makes a folder that only its owner may enter.
pub(crate) fn make_private(folder: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| StoreError::from_io("making the folder", &error))
}

/// Writes a file that only its owner may read, and syncs it.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let write = || {
        let mut file = private().create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| StoreError::from_io("writing the header", &error))
}

/// Makes an empty file that only its owner may read; SQLite keeps the mode for its own files.
pub(crate) fn create_private(path: &Path) -> Result<(), StoreError> {
    write_private(path, b"")
}

/// Makes names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    // Windows has no such operation; its file system journals names by itself.
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| StoreError::from_io("syncing the folder", &error))?;
    }
    Ok(())
}

/// Whether a new profile may be put at `folder`: nothing is there, or an empty folder.
pub(crate) fn is_free(folder: &Path) -> Result<bool, StoreError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(StoreError::from_io("reading the folder", &error)),
    }
}

/// Where a profile is put together before it gets its name.
pub(crate) fn staging_of(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.new"))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
