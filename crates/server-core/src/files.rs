//! The few things that the store asks of a file system.
//!
//! # The contract
//! One flat directory. What [`Files::append`], [`Files::overwrite`], [`Files::create`] or
//! [`Files::truncate`] wrote is visible to [`Files::read_at`] at once, and survives a power cut only once [`Files::sync`] of
//! that file has returned; a new or removed name survives only once [`Files::sync_dir`] has.
//! Until then any part of it may be there or not, in any order between files. An error says
//! nothing about how much was done. A failed sync is never retried by the store: the system may
//! have forgotten that the bytes are not on the disk, and only writing them again reminds it.

mod memory;

use std::io;

pub use memory::{Crash, MemFiles};

/// One directory of files. Names are plain ASCII without separators.
pub trait Files: Send + Sync {
    /// All names, in any order.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Length in bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no such file.
    fn len(&self, name: &str) -> io::Result<u64>;

    /// Makes an empty file, in the place of an older one of that name.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn create(&self, name: &str) -> io::Result<()>;

    /// Writes at the end of an existing file.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] when the disk is full; a part may have been written.
    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Writes over bytes that are there already; the length stays.
    ///
    /// # Errors
    /// Whatever the file system reports; a part may have been written.
    fn overwrite(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] when the file ends before `buffer` is full.
    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Makes a file's content and length durable.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Makes the names durable.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn sync_dir(&self) -> io::Result<()>;

    /// Cuts a file to `length`.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn truncate(&self, name: &str, length: u64) -> io::Result<()>;

    /// Bytes that may still be written, where the system tells.
    ///
    /// # Errors
    /// Whatever the file system reports.
    fn free(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no such file.
    fn remove(&self, name: &str) -> io::Result<()>;
}

impl<F: Files + ?Sized> Files for std::sync::Arc<F> {
    fn list(&self) -> io::Result<Vec<String>> {
        (**self).list()
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        (**self).len(name)
    }

    fn create(&self, name: &str) -> io::Result<()> {
        (**self).create(name)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).append(name, bytes)
    }

    fn overwrite(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        (**self).overwrite(name, offset, bytes)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        (**self).read_at(name, offset, buffer)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        (**self).sync(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        (**self).sync_dir()
    }

    fn free(&self) -> io::Result<Option<u64>> {
        (**self).free()
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        (**self).truncate(name, length)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        (**self).remove(name)
    }
}
