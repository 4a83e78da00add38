//! `log.keys`: the public keys, so that whoever holds a folder can verify it by itself.
//!
//! The keys only ever grow, by one succession at a time, so the file is appended to. What an
//! interrupted append left is written again from the configuration, which is where the server
//! has its keys from.

use super::{
    Files, StoreError, damaged, disk,
    format::{VERSION, array, check_front},
    read_bytes,
};
use crate::engine::Keys;
use undertone_wire::{KeyRing, KeySuccession, ServerKey, decode, encode};

pub(super) const NAME: &str = "log.keys";
const MAGIC: &[u8; 16] = b"undertone keys 1";
const FRONT_LEN: usize = 24;
const FIRST_END: usize = FRONT_LEN + 32;
const STEP_LEN: usize = 104;

/// Brings the file up to the server's keys.
pub(super) fn write<F: Files>(files: &F, keys: &Keys) -> Result<(), StoreError> {
    let wanted = encode_keys(keys);
    let present = contents(files)?;
    match &present {
        Some(bytes) if *bytes == wanted => return Ok(()),
        Some(bytes) if bytes.len() >= FIRST_END && !wanted.starts_with(&bytes[..FIRST_END]) => {
            check_front(NAME, bytes, MAGIC)?;
            return Err(damaged(NAME, FRONT_LEN as u64, "this folder belongs to another server"));
        }
        // Fewer keys than the folder knows: an older key file than the folder's.
        Some(bytes) if bytes.len() >= wanted.len() + STEP_LEN => {
            return Err(damaged(NAME, 0, "the folder knows a later key of this server"));
        }
        Some(bytes) => rest(files, bytes, &wanted),
        None => {
            files.create(NAME).map_err(disk)?;
            rest(files, &[], &wanted)
        }
    }?;
    files.sync(NAME).map_err(disk)?;
    files.sync_dir().map_err(disk)
}

fn rest<F: Files>(files: &F, present: &[u8], wanted: &[u8]) -> Result<(), StoreError> {
    let same = present.iter().zip(wanted).take_while(|(have, want)| have == want).count();
    files.truncate(NAME, same as u64).map_err(disk)?;
    files.append(NAME, &wanted[same..]).map_err(disk)
}

fn encode_keys(keys: &Keys) -> Vec<u8> {
    let steps = keys.succession.iter().flat_map(encode);
    let front = [&MAGIC[..], &VERSION.to_be_bytes(), &[0; 6], &keys.first.0].concat();
    front.into_iter().chain(steps).collect()
}

fn contents<F: Files + ?Sized>(files: &F) -> Result<Option<Vec<u8>>, StoreError> {
    let names = files.list().map_err(disk)?;
    if !names.iter().any(|name| name == NAME) {
        return Ok(None);
    }
    let length = files.len(NAME).map_err(disk)?;
    let max = FIRST_END + (KeyRing::SUCCESSIONS_MAX + 1) * STEP_LEN;
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(max);
    read_bytes(files, NAME, 0, length).map(Some)
}

/// The keys that a folder names, checked against each other.
///
/// # Errors
/// [`StoreError::Damaged`] when they do not form a succession.
pub(crate) fn read<F: Files + ?Sized>(files: &F) -> Result<KeyRing, StoreError> {
    let missing = || damaged(NAME, 0, "the server's public keys are missing");
    let bytes = contents(files)?.ok_or_else(missing)?;
    check_front(NAME, &bytes, MAGIC)?;
    if bytes.len() < FIRST_END {
        return Err(missing());
    }
    let first = ServerKey(array(&bytes, FRONT_LEN));
    let (steps, rest) = bytes[FIRST_END..].as_chunks::<STEP_LEN>();
    let steps: Result<Vec<KeySuccession>, _> = steps.iter().map(|step| decode(step)).collect();
    let wrong = |what: String| damaged(NAME, FIRST_END as u64, what);
    if !rest.is_empty() {
        return Err(wrong("the last key is cut short".into()));
    }
    let steps = steps.map_err(|error| wrong(error.to_string()))?;
    KeyRing::new(&first.server_id(), first, &steps).map_err(|error| wrong(error.to_string()))
}
