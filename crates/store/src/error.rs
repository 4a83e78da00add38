//! Errors of the store, by what a person can do about them.

use std::path::PathBuf;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no profile in this folder.
    #[error("there is no profile in {}", .0.display())]
    NotFound(PathBuf),
    /// There is one already, or something else that must not be overwritten.
    #[error("{} already holds a profile or other files", .0.display())]
    Exists(PathBuf),
    /// Another process has the profile open.
    #[error("the profile is in use by another process")]
    InUse,
    /// The passphrase does not open the profile.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// What is on disk is not what was written.
    #[error("the profile is damaged: {0}")]
    Damaged(String),
    /// Written by a newer program.
    #[error("the profile has format {found}; this program reads up to {known}")]
    Newer {
        /// The profile's format.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The disk, or the folder, cannot be written to.
    #[error("the profile cannot be written: {0}")]
    ReadOnly(String),
    /// The disk failed in another way.
    #[error("the disk failed: {0}")]
    Disk(String),
}

/// Whose turn it is to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The user named a wrong folder.
    Missing,
    /// The user must give the right passphrase.
    Passphrase,
    /// The disk, or another process that has it.
    Storage,
    /// The profile itself: damaged, or of a foreign version.
    Profile,
}

impl StoreError {
    /// Whose turn it is to act.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            Self::NotFound(_) | Self::Exists(_) => StoreErrorKind::Missing,
            Self::WrongPassphrase => StoreErrorKind::Passphrase,
            Self::InUse | Self::Full | Self::ReadOnly(_) | Self::Disk(_) => StoreErrorKind::Storage,
            Self::Damaged(_) | Self::Newer { .. } => StoreErrorKind::Profile,
        }
    }

    /// Sorts a failed file operation; `doing` says which.
    pub(crate) fn from_io(doing: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                Self::ReadOnly(format!("{doing}: {error}"))
            }
            _ => Self::Disk(format!("{doing}: {error}")),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode, ffi::SQLITE_IOERR_SHMSIZE};
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            // The index of the write-ahead log gets its room when the database is opened; SQLite
            // calls it a mere I/O error that there is none.
            Some(_) if has_code(&error, SQLITE_IOERR_SHMSIZE) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::ReadOnly(error.to_string())
            }
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged(format!("profile.db: {error}"))
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            Some(_) => Self::Disk(error.to_string()),
            // No code of SQLite: a row does not have the shape that this program writes.
            None => Self::Damaged(format!("profile.db: {error}")),
        }
    }
}

fn has_code(error: &rusqlite::Error, extended: i32) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == extended)
}
