//! wip
use crate::{error::ServeError, folder::Folder, keys, serve::random_seed};
use std::path::Path;

/// Names a new signing key.
///
/// # Errors
/// wip
pub fn rotate_key(data: &Path, newest: u64) -> Result<(), ServeError> {
    let folder = Folder::open(data)?;
    let keys = keys::load(folder.root())?.ok_or_else(|| ServeError::NoServer(data.to_owned()))?;
    let keys = keys::rotate(keys, &random_seed()?, newest + 1)?;
    keys::store(folder.root(), &keys)
}
