//! A copy of the folder, taken while the server runs.
//!
//! Closed segments never change, so they are hard links where the file system allows it; of the
//! open one the bytes that are there are copied, and an unfinished tick at their end is cut when
//! the backup is opened. The small files come first: an hour that expires in between is then at
//! worst listed as expired and still there, never missing. The backup appears under its name only
//! when it is whole and durable.

use crate::{
    error::ServeError,
    folder::{log_of, new_private_dir, private, private_dir, require_server, sync_dir},
    recovery,
    serve::random_seed,
};
use serde::Serialize;
use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Hours may expire under a backup; so often it begins anew.
const ATTEMPTS: usize = 3;

/// A backup has been made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// Files in it.
    pub files: usize,
    /// Bytes in it, shared ones included.
    pub bytes: u64,
    /// Bytes that it shares with the folder by hard links.
    pub shared_bytes: u64,
}

impl fmt::Display for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Backup in {}", self.path.display())?;
        writeln!(
            f,
            "{} files, {} bytes, {} of them shared",
            self.files, self.bytes, self.shared_bytes
        )?;
        write!(f, "It holds the server's keys: keep it as safe as the server.")
    }
}

/// Copies the folder `data` to `dest`, which must not exist; the server may run.
///
/// # Errors
/// [`ServeError`]; nothing is left at `dest` then.
pub fn backup(data: &Path, dest: &Path) -> Result<Backup, ServeError> {
    require_server(data)?;
    if dest.exists() {
        return Err(ServeError::Config(format!("{} exists already", dest.display())));
    }
    for _ in 1..ATTEMPTS {
        match attempt(data, dest) {
            // Something expired while it was being copied.
            Err(ServeError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            done => return done,
        }
    }
    attempt(data, dest)
}

fn attempt(data: &Path, dest: &Path) -> Result<Backup, ServeError> {
    let partial = stage(dest)?;
    let made = fill(data, &partial).and_then(|mut made| {
        fs::rename(&partial, dest).map_err(ServeError::disk(dest))?;
        sync_dir(parent_of(dest))?;
        made.path = dest.to_owned();
        Ok(made)
    });
    if made.is_err() {
        clear(&partial)?;
    }
    made
}

/// Makes a folder beside `dest` under a name that nobody else has: what is cleared after a failure
/// is then this attempt's own.
fn stage(dest: &Path) -> Result<PathBuf, ServeError> {
    private_dir(parent_of(dest))?;
    let mut name = dest.file_name().unwrap_or_default().to_owned();
    let [a, b, c, d, ..] = random_seed()?;
    name.push(format!(".{:08x}.partial", u32::from_be_bytes([a, b, c, d])));
    let partial = parent_of(dest).join(name);
    new_private_dir(&partial)?;
    Ok(partial)
}

fn parent_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn clear(partial: &Path) -> Result<(), ServeError> {
    match fs::remove_dir_all(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ServeError::Disk { path: partial.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

fn fill(data: &Path, partial: &Path) -> Result<Backup, ServeError> {
    let (from, to) = (log_of(data), log_of(partial));
    private_dir(&to)?;
    let mut made = Backup { path: partial.to_owned(), files: 0, bytes: 0, shared_bytes: 0 };
    for name in ["server.keys", "tls.key", "begun", "recovered"] {
        if data.join(name).exists() {
            made.copy(&data.join(name), &partial.join(name))?;
        }
    }
    let mut names = names(&from)?;
    let is_segment = |name: &String| name.ends_with(".seg");
    let open = names.iter().filter(|name| is_segment(name)).max().cloned();
    // False sorts before true: what is no segment comes first.
    names.sort_by_key(|name| is_segment(name));
    for name in names {
        let closed = is_segment(&name) && open.as_ref() != Some(&name);
        let (from, to) = (from.join(&name), to.join(&name));
        if !closed || !made.link(&from, &to)? {
            made.copy(&from, &to)?;
        }
    }
    recovery::mark(partial)?;
    sync_dir(&to)?;
    sync_dir(partial)?;
    Ok(made)
}

/// The store's files; sidecars are derived, so they are left out.
fn names(log: &Path) -> Result<Vec<String>, ServeError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(log).map_err(ServeError::disk(log))? {
        let name = entry.map_err(ServeError::disk(log))?.file_name();
        let name = name
            .into_string()
            .map_err(|_| ServeError::Damaged(format!("{} holds a foreign file", log.display())))?;
        if !name.ends_with(".idx") {
            names.push(name);
        }
    }
    Ok(names)
}

impl Backup {
    /// `false` when the file system does not link; then it has to be copied.
    fn link(&mut self, from: &Path, to: &Path) -> Result<bool, ServeError> {
        match fs::hard_link(from, to) {
            Ok(()) => {
                let bytes = fs::metadata(to).map_err(ServeError::disk(to))?.len();
                self.files += 1;
                self.bytes += bytes;
                self.shared_bytes += bytes;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(ServeError::Disk { path: from.to_owned(), source: error })
            }
            Err(_) => Ok(false),
        }
    }

    /// Copies what is there now, durably.
    fn copy(&mut self, from: &Path, to: &Path) -> Result<(), ServeError> {
        let file = File::open(from).map_err(ServeError::disk(from))?;
        let length = file.metadata().map_err(ServeError::disk(from))?.len();
        let mut options = OpenOptions::new();
        private(options.write(true).create_new(true));
        let mut copy = options.open(to).map_err(ServeError::disk(to))?;
        io::copy(&mut file.take(length), &mut copy).map_err(ServeError::disk(to))?;
        copy.sync_all().map_err(ServeError::disk(to))?;
        self.files += 1;
        self.bytes += length;
        Ok(())
    }
}
