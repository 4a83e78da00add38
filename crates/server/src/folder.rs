//! The data folder: who may use it, and how small files get onto it whole.
//!
//! ```text
//! DATA/
//!   lock         held while a server or a writing admin command runs
//!   server.keys  the signing keys (0600)
//!   tls.key      the TLS key (0600)
//!   begun        once the log holds a tick: an empty log is then a lost one
//!   backup       only in a backup that has not been served from yet
//!   recovered    only after a restore: the last tick that survived
//!   log/         the store (docs/store-format.md)
//! ```

use crate::error::ServeError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The names under which this crate's files are written before they get their own. Whatever else
/// lies in the folder is not ours to remove.
const SWEPT: [&str; 5] = ["server.new", "tls.new", "begun.new", "backup.new", "recovered.new"];

/// A data folder that nobody else uses while this value lives.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if need be and locks it.
    pub(crate) fn create(root: &Path) -> Result<Self, ServeError> {
        private_dir(root)?;
        let folder = Self::lock(root)?;
        folder.sweep()?;
        private_dir(&folder.log())?;
        sync_dir(root)?;
        Ok(folder)
    }

    /// Locks an existing server's folder.
    pub(crate) fn open(root: &Path) -> Result<Self, ServeError> {
        require_server(root)?;
        Self::lock(root)
    }

    fn lock(root: &Path) -> Result<Self, ServeError> {
        let path = root.join("lock");
        let mut options = OpenOptions::new();
        private(options.write(true).create(true).truncate(false));
        let lock = options.open(&path).map_err(ServeError::disk(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: root.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(ServeError::InUse),
            Err(TryLockError::Error(source)) => Err(ServeError::Disk { path, source }),
        }
    }

    /// Removes what a crash in the middle of [`write_whole`] has left, which may be half a secret.
    fn sweep(&self) -> Result<(), ServeError> {
        for entry in fs::read_dir(&self.root).map_err(ServeError::disk(&self.root))? {
            let path = entry.map_err(ServeError::disk(&self.root))?.path();
            if path.file_name().is_some_and(|name| SWEPT.iter().any(|swept| name == *swept)) {
                fs::remove_file(&path).map_err(ServeError::disk(&path))?;
            }
        }
        Ok(())
    }

    /// Whether a log has begun.
    pub(crate) fn has_log(&self) -> Result<bool, ServeError> {
        let log = self.log();
        Ok(fs::read_dir(&log).map_err(ServeError::disk(&log))?.next().is_some())
    }

    /// Refuses a folder whose log has begun and is not there, such as one whose volume is not
    /// mounted: another log under the same keys would be a fork to every client.
    pub(crate) fn require_log(&self) -> Result<(), ServeError> {
        let log = self.log();
        if !self.has_begun() || holds_ticks(&log).map_err(ServeError::disk(&log))? {
            return Ok(());
        }
        let why = "this server's log has begun, but log/ does not hold it; is its volume mounted?";
        Err(ServeError::Damaged(why.into()))
    }

    /// Whether the log is known to have begun.
    pub(crate) fn has_begun(&self) -> bool {
        self.root.join("begun").exists()
    }

    /// Remembers, durably, that the log has begun.
    pub(crate) fn mark_begun(&self) -> Result<(), ServeError> {
        write_whole(&self.root.join("begun"), b"undertone begun 1\n")
    }

    /// Removes the TLS key, durably; the next start makes another.
    pub(crate) fn forget_tls_key(&self) -> Result<(), ServeError> {
        let path = self.root.join("tls.key");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ServeError::Disk { path, source: error })
            }
            _ => sync_dir(&self.root),
        }
    }

    /// Where the store lies.
    pub(crate) fn log(&self) -> PathBuf {
        log_of(&self.root)
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

/// Whether a server, or an admin command that writes, uses the folder now.
pub(crate) fn is_used(root: &Path) -> Result<bool, ServeError> {
    let path = root.join("lock");
    let lock = match File::open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(ServeError::Disk { path, source }),
    };
    // Shared, so that those who only look do not take each other for a server.
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(ServeError::Disk { path, source }),
    }
}

/// Where the store of a data folder lies.
pub(crate) fn log_of(root: &Path) -> PathBuf {
    root.join("log")
}

/// Whether a log holds ticks, or what is kept of expired ones.
fn holds_ticks(log: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(log)? {
        let name = entry?.file_name();
        let is_segment = Path::new(&name).extension().is_some_and(|kind| kind == "seg");
        if is_segment || name == "log.spine" {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A folder without keys is no server's: an admin command must not make a new one by a misspelling.
pub(crate) fn require_server(root: &Path) -> Result<(), ServeError> {
    match root.join("server.keys").is_file() {
        true => Ok(()),
        false => Err(ServeError::NoServer(root.to_owned())),
    }
}

/// Reads a small file; `None` when there is none.
pub(crate) fn read_small(path: &Path, max: u64) -> Result<Option<Vec<u8>>, ServeError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ServeError::Disk { path: path.to_owned(), source }),
    };
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, max + 1), &mut bytes)
        .map_err(ServeError::disk(path))?;
    match bytes.len() as u64 > max {
        true => Err(ServeError::Damaged(format!("{} is too long", path.display()))),
        false => Ok(Some(bytes)),
    }
}

/// Replaces a file as a whole: after a crash the old or the new one is there, never half of one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ServeError> {
    let parent = path.parent().expect("files of the folder have a parent");
    let new = path.with_extension("new");
    let written = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        private(options.write(true).create(true).truncate(true));
        let mut file = options.open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    written().map_err(ServeError::disk(path))?;
    sync_dir(parent)
}

/// Makes entries of a directory durable; systems that cannot sync directories do it by themselves.
pub(crate) fn sync_dir(path: &Path) -> Result<(), ServeError> {
    if cfg!(unix) {
        File::open(path).and_then(|dir| dir.sync_all()).map_err(ServeError::disk(path))?;
    }
    Ok(())
}

/// Makes a directory that its owner alone may enter, unless it is there.
pub(crate) fn private_dir(path: &Path) -> Result<(), ServeError> {
    make_dir(path, true)
}

/// As [`private_dir`]; one that is there already is an error.
pub(crate) fn new_private_dir(path: &Path) -> Result<(), ServeError> {
    make_dir(path, false)
}

fn make_dir(path: &Path, may_exist: bool) -> Result<(), ServeError> {
    let mut builder = DirBuilder::new();
    builder.recursive(may_exist);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(ServeError::disk(path))
}

/// Files that their owner alone may read.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_per_folder() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("data");
        let ada = Folder::create(&root).unwrap();
        assert!(matches!(Folder::create(&root), Err(ServeError::InUse)));
        drop(ada);
        Folder::create(&root).unwrap();
    }

    #[test]
    fn looking_takes_nothing_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_used(dir.path()).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let server = Folder::create(dir.path()).unwrap();
        assert!(is_used(dir.path()).unwrap());
        drop(server);
        let other = File::open(dir.path().join("lock")).unwrap();
        other.try_lock_shared().unwrap();
        assert!(!is_used(dir.path()).unwrap(), "somebody else who looks is no server");
    }

    #[test]
    fn what_a_crash_left_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("server.new"), b"half a secret").unwrap();
        fs::write(dir.path().join("letter.new"), b"somebody's").unwrap();
        fs::create_dir(dir.path().join("folder.new")).unwrap();
        let folder = Folder::create(dir.path()).unwrap();
        assert!(!dir.path().join("server.new").exists());
        assert!(dir.path().join("letter.new").exists());
        assert!(dir.path().join("folder.new").exists());
        assert!(!folder.has_log().unwrap());
    }

    #[test]
    fn an_empty_folder_is_no_server() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(ServeError::NoServer(_))));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.key");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn small_files_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        assert!(read_small(&path, 3).unwrap().is_none());
        fs::write(&path, b"abc").unwrap();
        assert_eq!(read_small(&path, 3).unwrap().unwrap(), b"abc");
        fs::write(&path, b"abcd").unwrap();
        assert!(matches!(read_small(&path, 3), Err(ServeError::Damaged(_))));
    }
}
