//! The store's files on a real disk.
//!
//! One flat directory. Some handles stay open, because nearly all reads go to a few segment files;
//! their number is bounded, because connections need descriptors too.

use crate::{
    error::ServeError,
    folder::{private, private_dir},
};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use undertone_server_core::Files;

/// Handles that stay open; above it all are closed and opened again as they are needed.
pub(crate) const HANDLES_MAX: usize = 64;

/// [`Files`] in one directory.
#[derive(Debug)]
pub struct StdFiles {
    root: PathBuf,
    open: RwLock<HashMap<String, Arc<File>>>,
}

impl StdFiles {
    /// The files in `root`, which is made when it is not there.
    ///
    /// # Errors
    /// [`ServeError::Disk`].
    pub fn open(root: &Path) -> Result<Self, ServeError> {
        private_dir(root)?;
        Ok(Self { root: root.to_owned(), open: RwLock::default() })
    }

    /// The files in `root`, which must be there: for looking only.
    ///
    /// # Errors
    /// [`ServeError::Damaged`] when it is missing.
    pub(crate) fn existing(root: &Path) -> Result<Self, ServeError> {
        match root.is_dir() {
            true => Ok(Self { root: root.to_owned(), open: RwLock::default() }),
            false => Err(ServeError::Damaged(format!("{} is missing", root.display()))),
        }
    }

    fn handle(&self, name: &str) -> io::Result<Arc<File>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        match open {
            Some(file) => Ok(file),
            None => self.keep(name, OpenOptions::new().read(true).append(true)),
        }
    }

    fn keep(&self, name: &str, options: &OpenOptions) -> io::Result<Arc<File>> {
        let file = Arc::new(options.open(self.path(name)?)?);
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= HANDLES_MAX {
            open.clear();
        }
        open.insert(name.to_owned(), Arc::clone(&file));
        Ok(file)
    }

    /// Names are the store's own; anything else would leave the directory.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        match !name.starts_with('.') && !name.is_empty() && name.bytes().all(plain) {
            true => Ok(self.root.join(name)),
            false => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

impl Files for StdFiles {
    fn list(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.root)?.map(|entry| {
            let name = entry?.file_name().into_string();
            name.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
        });
        names.collect()
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path(name)?)?.len())
    }

    fn create(&self, name: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        private(options.write(true).create(true).truncate(true)).open(self.path(name)?)?;
        self.keep(name, OpenOptions::new().read(true).append(true)).map(drop)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (&*self.handle(name)?).write_all(bytes)
    }

    fn overwrite(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        // The kept handle appends, whatever the offset.
        let mut file = OpenOptions::new().write(true).open(self.path(name)?)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        read_exact_at(&*self.handle(name)?, offset, buffer)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.handle(name)?.sync_data()
    }

    fn sync_dir(&self) -> io::Result<()> {
        if cfg!(unix) {
            File::open(&self.root)?.sync_all()?;
        }
        Ok(())
    }

    #[cfg(unix)]
    fn free(&self) -> io::Result<Option<u64>> {
        let system = rustix::fs::statvfs(&self.root)?;
        Ok(Some(system.f_bavail.saturating_mul(system.f_frsize)))
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.path(name)?)?.set_len(length)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.path(name)?;
        self.open.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        fs::remove_file(path)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> (tempfile::TempDir, StdFiles) {
        let dir = tempfile::tempdir().unwrap();
        let files = StdFiles::open(dir.path()).unwrap();
        (dir, files)
    }

    #[test]
    fn what_is_appended_is_read_back() {
        let (_dir, files) = files();
        files.create("a.seg").unwrap();
        files.append("a.seg", b"one").unwrap();
        files.append("a.seg", b"two").unwrap();
        files.sync("a.seg").unwrap();
        files.sync_dir().unwrap();
        let mut buffer = [0; 4];
        files.read_at("a.seg", 2, &mut buffer).unwrap();
        assert_eq!((&buffer, files.len("a.seg").unwrap()), (b"etwo", 6));
        let cut = files.read_at("a.seg", 3, &mut buffer).unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn files_are_cut_replaced_and_removed() {
        let (_dir, files) = files();
        files.create("a").unwrap();
        files.append("a", b"onetwo").unwrap();
        files.truncate("a", 3).unwrap();
        files.append("a", b"!").unwrap();
        assert_eq!(files.len("a").unwrap(), 4);
        files.create("a").unwrap();
        assert_eq!(files.len("a").unwrap(), 0);
        files.remove("a").unwrap();
        assert_eq!(files.list().unwrap(), Vec::<String>::new());
        for error in [files.len("a").map(drop), files.append("a", b"x"), files.remove("a")] {
            assert_eq!(error.unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }

    #[test]
    fn bytes_are_written_over_in_place() {
        let (_dir, files) = files();
        files.create("a").unwrap();
        files.append("a", b"onetwo").unwrap();
        files.overwrite("a", 1, b"NE").unwrap();
        files.append("a", b"!").unwrap();
        let mut buffer = [0; 7];
        files.read_at("a", 0, &mut buffer).unwrap();
        assert_eq!((&buffer, files.len("a").unwrap()), (b"oNEtwo!", 7));
    }

    #[test]
    fn handles_are_bounded_and_come_back() {
        let (_dir, files) = files();
        for n in 0..3 * HANDLES_MAX {
            files.create(&format!("{n}.seg")).unwrap();
            files.append(&format!("{n}.seg"), &n.to_be_bytes()).unwrap();
            assert!(files.open.read().unwrap().len() <= HANDLES_MAX);
        }
        for n in 0..3 * HANDLES_MAX {
            let mut buffer = [0; 8];
            files.read_at(&format!("{n}.seg"), 0, &mut buffer).unwrap();
            assert_eq!(buffer, n.to_be_bytes());
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_system_tells_how_much_is_free() {
        let (_dir, files) = files();
        assert!(files.free().unwrap().is_some_and(|free| free > 0));
    }

    #[test]
    fn no_name_leaves_the_directory() {
        let (_dir, files) = files();
        for name in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden"] {
            assert!(files.create(name).is_err(), "{name:?}");
        }
    }
}
