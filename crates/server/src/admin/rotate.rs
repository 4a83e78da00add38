//! A new signing key, by the old one's word: the only way to change a server's key. The TLS key
//! goes with it, or whoever has a copy of the folder could go on reading and posing with that.

use crate::{error::ServeError, files::StdFiles, folder::Folder, keys, serve::random_seed};
use serde::Serialize;
use std::{fmt, path::Path};
use undertone_server_core::{CellStore, Segments};

/// A key has been named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rotation {
    /// The server's id, which stays.
    pub server: String,
    /// The first tick that the new key signs; the next start seals it.
    pub from_tick: u64,
    /// Keys that have followed the first.
    pub successions: usize,
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "A new key signs from tick {} on; the old one is erased.", self.from_tick)?;
        writeln!(f, "The next start makes a new TLS key too.")?;
        writeln!(f, "Make a new backup then: clients refuse the keys of older ones.")?;
        write!(f, "The server's id and its address stay as they are.")
    }
}

/// Names a new signing key and erases the old one; the server must not run.
///
/// # Errors
/// [`ServeError`]; the old key is in force then.
pub fn rotate_key(data: &Path) -> Result<Rotation, ServeError> {
    let folder = Folder::open(data)?;
    let old = keys::load(folder.root())?.ok_or_else(|| ServeError::NoServer(data.to_owned()))?;
    folder.require_log()?;
    let store = Segments::open(StdFiles::open(&folder.log())?, &old, random_seed()?)?;
    let from_tick = store.ticks().map_or(0, |ticks| *ticks.end()) + 1;
    let new = keys::rotate(old, &random_seed()?, from_tick)?;
    // In this order: after a crash in between, the old signing key vouches for a new TLS key.
    folder.forget_tls_key()?;
    keys::store(folder.root(), &new)?;
    Ok(Rotation {
        server: new.first.server_id().to_string(),
        from_tick,
        successions: new.succession.len(),
    })
}
