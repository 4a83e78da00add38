//! A server restored from a backup says so (DESIGN.md section 3.3).
//!
//! Every backup holds the file `backup`. A server that starts on such a folder declares in every
//! head that it was recovered after the last tick that it found, so that clients put their later
//! cells again instead of raising an alarm about a rollback; the number is kept in `recovered`.

use crate::{
    error::ServeError,
    folder::{read_small, sync_dir, write_whole},
};
use std::{fs, path::Path};

const NUMBER_LEN_MAX: u64 = 32;

/// Marks the folder `root` as a backup.
pub(crate) fn mark(root: &Path) -> Result<(), ServeError> {
    write_whole(&root.join("backup"), b"undertone backup 1\n")
}

/// The last tick that survived, if this folder was ever restored; `newest` is what it ends with.
pub(crate) fn recovered_after(root: &Path, newest: u64) -> Result<Option<u64>, ServeError> {
    let (marker, kept) = (root.join("backup"), root.join("recovered"));
    if marker.exists() {
        tracing::warn!(newest, "restored from a backup: declared in every head from now on");
        // In this order: a crash in between only declares once more.
        write_whole(&kept, newest.to_string().as_bytes())?;
        fs::remove_file(&marker).map_err(ServeError::disk(&marker))?;
        sync_dir(root)?;
    }
    let Some(bytes) = read_small(&kept, NUMBER_LEN_MAX)? else { return Ok(None) };
    let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok());
    match number {
        Some(tick) => Ok(Some(tick)),
        None => Err(ServeError::Damaged("recovered: it holds no tick number".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_declares_itself_once() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(recovered_after(dir.path(), 7).unwrap(), None);
        mark(dir.path()).unwrap();
        assert_eq!(recovered_after(dir.path(), 7).unwrap(), Some(7));
        assert_eq!(recovered_after(dir.path(), 9).unwrap(), Some(7));
        mark(dir.path()).unwrap();
        assert_eq!(recovered_after(dir.path(), 9).unwrap(), Some(9));
        fs::write(dir.path().join("recovered"), b"x").unwrap();
        assert!(matches!(recovered_after(dir.path(), 9), Err(ServeError::Damaged(_))));
    }
}
