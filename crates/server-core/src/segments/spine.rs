//! `log.spine`: what is kept of expired hours for ever, appended before an hour's files go.
//!
//! A record that could not be written is tried again with the next expiry. The try begins where the
//! sound records end, so that nothing depends on what the one before it has left.

use super::{
    Files, StoreError, damaged, disk,
    format::{SUM_LEN, VERSION, check_front},
    read_bytes, settle,
};
use crate::SpineRecord;
use sha2::{Digest, Sha256};
use undertone_wire::{decode, encode};

pub(super) const NAME: &str = "log.spine";
const MAGIC: &[u8; 16] = b"undertone spine\n";
const FRONT_LEN: usize = 24;
/// A record holds at most 126 hashes.
const RECORD_MAX: usize = 8_192;

fn front() -> Vec<u8> {
    [&MAGIC[..], &VERSION.to_be_bytes(), &[0; 6]].concat()
}

fn encode_record(record: &SpineRecord) -> Vec<u8> {
    let body = encode(record);
    let length = (body.len() as u32).to_be_bytes();
    let sum = Sha256::new().chain_update(length).chain_update(&body).finalize();
    [&length[..], &body, &sum].concat()
}

/// All records, oldest first.
///
/// # Errors
/// [`StoreError::Damaged`] when anything in the file is not as it was written.
pub(crate) fn read<F: Files + ?Sized>(files: &F) -> Result<Vec<SpineRecord>, StoreError> {
    let Some(bytes) = contents(files)? else { return Ok(Vec::new()) };
    let Parsed { records, sound, .. } = parse(&bytes)?;
    if sound < bytes.len() {
        return Err(damaged(NAME, sound as u64, "this is not a whole record"));
    }
    Ok(records)
}

/// As [`read`], and cuts an unfinished last record if the hour that it was for is still there.
/// Also tells where the records end: 0 when there is no file yet.
pub(super) fn open<F: Files>(
    files: &F,
    oldest_hour: Option<u64>,
) -> Result<(Vec<SpineRecord>, u64), StoreError> {
    let Some(bytes) = contents(files)? else { return Ok((Vec::new(), 0)) };
    if bytes.len() < FRONT_LEN && oldest_hour.is_some() {
        cut(files, 0)?;
        return Ok((Vec::new(), 0));
    }
    let Parsed { records, last, sound } = parse(&bytes)?;
    if sound < bytes.len() {
        let still_there = oldest_hour > records.last().map(|record: &SpineRecord| record.hour);
        if !still_there || bytes.len() - sound > RECORD_MAX {
            return Err(damaged(NAME, sound as u64, "this is not a whole record"));
        }
        cut(files, sound)?;
    }
    if last < sound {
        // The hour's files go because of it, so it has to stay.
        settle(files, NAME, last as u64, &bytes[last..sound])?;
    }
    Ok((records, sound as u64))
}

fn cut<F: Files>(files: &F, length: usize) -> Result<(), StoreError> {
    files.truncate(NAME, length as u64).map_err(disk)?;
    files.sync(NAME).map_err(disk)
}

fn contents<F: Files + ?Sized>(files: &F) -> Result<Option<Vec<u8>>, StoreError> {
    let names = files.list().map_err(disk)?;
    if !names.iter().any(|name| name == NAME) {
        return Ok(None);
    }
    let length = usize::try_from(files.len(NAME).map_err(disk)?).unwrap_or(usize::MAX);
    if length == 0 {
        return Ok(None);
    }
    read_bytes(files, NAME, 0, length).map(Some)
}

/// The sound records, where the last of them begins, and where it ends.
struct Parsed {
    records: Vec<SpineRecord>,
    last: usize,
    sound: usize,
}

fn parse(bytes: &[u8]) -> Result<Parsed, StoreError> {
    check_front(NAME, bytes, MAGIC)?;
    let (mut records, mut last, mut sound) = (Vec::new(), FRONT_LEN, FRONT_LEN);
    while let Some((record, length)) = bytes.get(sound..).and_then(parse_one) {
        records.push(record);
        (last, sound) = (sound, sound + length);
    }
    Ok(Parsed { records, last, sound })
}

fn parse_one(bytes: &[u8]) -> Option<(SpineRecord, usize)> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let whole = bytes.get(..length.checked_add(4 + SUM_LEN)?)?;
    let (body, sum) = whole.split_at(4 + length);
    let sound = Sha256::digest(body)[..] == *sum;
    let record = decode(&body[4..]).ok().filter(|_| sound)?;
    Some((record, whole.len()))
}

/// Appends one record durably at `end`, where the sound ones end; gives its own end.
///
/// Whatever an earlier try has left behind `end` is cut and written again: after a failed sync
/// nobody knows how much of it is on the disk.
pub(super) fn append<F: Files>(files: &F, record: &SpineRecord, end: u64) -> std::io::Result<u64> {
    let is_first = end <= FRONT_LEN as u64;
    if is_first {
        files.create(NAME)?;
        files.append(NAME, &front())?;
    } else if files.len(NAME)? > end {
        files.truncate(NAME, end)?;
    }
    let bytes = encode_record(record);
    files.append(NAME, &bytes)?;
    files.sync(NAME)?;
    if is_first {
        files.sync_dir()?;
    }
    Ok(end.max(FRONT_LEN as u64) + bytes.len() as u64)
}
