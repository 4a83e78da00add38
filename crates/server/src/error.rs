//! What keeps a server from running, by blame.

use std::{io, path::PathBuf};
use undertone_server_core::{LogError, OpenError, StoreError};

/// Why the server does not run, or an admin command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The settings mean nothing.
    #[error("the settings are wrong: {0}")]
    Config(String),
    /// A part that a later release brings.
    #[error("not in this release: {0}")]
    NotInThisRelease(&'static str),
    /// Another server runs on this folder.
    #[error("another server uses this folder")]
    InUse,
    /// The folder holds no server.
    #[error("there is no server in {}", .0.display())]
    NoServer(PathBuf),
    /// The address cannot be listened on.
    #[error("cannot listen there: {0}")]
    Listen(#[source] io::Error),
    /// The disk fails, is full or read-only.
    #[error("{}: {source}", path.display())]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What lies in the folder is not what a server of this version has written.
    #[error("the folder is damaged, nothing was changed: {0}")]
    Damaged(String),
    /// Cryptography did not do its work, which is our bug.
    #[error("internal error: {0}")]
    Internal(String),
}

/// The kinds that a program tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Exit 2.
    Usage,
    /// Exit 5.
    Network,
    /// Exit 7: disk, storage, or the folder is in use.
    Storage,
    /// Exit 8.
    Damaged,
    /// Exit 3.
    NotFound,
    /// Exit 1.
    Internal,
}

impl ErrorKind {
    /// The exit code of INTERFACE.md.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Network => 5,
            Self::Storage => 7,
            Self::Damaged => 8,
        }
    }
}

impl ServeError {
    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(_) | Self::NotInThisRelease(_) => ErrorKind::Usage,
            Self::InUse | Self::Disk { .. } => ErrorKind::Storage,
            Self::NoServer(_) => ErrorKind::NotFound,
            Self::Listen(_) => ErrorKind::Network,
            Self::Store(StoreError::Damaged { .. } | StoreError::Version { .. }) => {
                ErrorKind::Damaged
            }
            Self::Store(_) => ErrorKind::Storage,
            Self::Damaged(_) => ErrorKind::Damaged,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    /// The word of it in `{"error":{"code":…}}`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "bad_settings",
            Self::NotInThisRelease(_) => "not_in_this_release",
            Self::InUse => "in_use",
            Self::NoServer(_) => "no_server",
            Self::Listen(_) => "cannot_listen",
            Self::Disk { .. } => "disk",
            Self::Store(_) => "store",
            Self::Damaged(_) => "damaged",
            Self::Internal(_) => "internal",
        }
    }

    pub(crate) fn disk(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Disk { path, source }
    }
}

impl From<OpenError> for ServeError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => Self::Store(error),
            OpenError::Log(LogError::Store(error)) => Self::Store(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}
