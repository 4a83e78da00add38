//! A server's folder whose files were damaged, some of them so that their checksums hold again.
//!
//! The server opens it or says what is wrong; what it opens it serves. Checking and counting it
//! never fail for what the bytes say.

use crate::{
    edit::edit,
    engine::{open, open_keeping, put},
    input::Input,
};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;
use undertone_server_core::{MemFiles, Ticket, check, holds};
use undertone_wire::{Answer, CELL_LEN, DigestForm, Request};

const HOUR_MS: u64 = 3_600_000;
const START_MS: u64 = 480_000 * HOUR_MS;
const RETENTION_MS: u64 = 30 * 24 * HOUR_MS;

/// Three hours with a few ticks each, and an expired one before them.
fn sound() -> &'static MemFiles {
    static FILES: OnceLock<MemFiles> = OnceLock::new();
    FILES.get_or_init(|| {
        let files = MemFiles::default();
        let server = open(files.clone(), START_MS).expect("an empty folder");
        for n in 0..8_u8 {
            for cell in 0..=n % 2 {
                server.submit(Ticket(u64::from(cell)), put(n * 2 + cell, n)).expect("room");
            }
            server.seal(START_MS + u64::from(n / 2) * HOUR_MS + u64::from(n % 2) * 25_000);
        }
        drop(server);
        // Before anything is old: so no tick has to say that it is.
        let server = open_keeping(files.copy(), 0, START_MS).expect("what was written opens");
        server.expire(START_MS + HOUR_MS).expect("a disk in memory");
        server.store().files().copy()
    })
}

/// Damage as the input says.
pub(crate) fn folder(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let files = sound().copy();
    for _ in 0..=input.u8() % 3 {
        damage(&files, &mut input);
    }
    let report = check(&files).expect("a disk in memory does not fail");
    let _ = holds(&files);
    let Ok(server) = open(files.copy(), START_MS + 5 * HOUR_MS) else { return };
    for number in 0..16 {
        let tag = put(number, 0).tag;
        let _ = (server.get(&tag, 0), server.get(&tag, 7), server.get_at_hand(&tag, 3));
    }
    for n in 0..12 {
        let read = server.digest(n, DigestForm::TicksOrSegment);
        if let Answer::Segment(segment) = read {
            let _ = segment.verify(server.keys());
        }
        server.proof(n, u64::MAX);
    }
    server.submit(Ticket(1), put(200, 1)).expect("room");
    server.seal(START_MS + 6 * HOUR_MS);
    let _ = server.expire(START_MS + 4 * HOUR_MS + RETENTION_MS);
    server.answer(&Request::Info);
    if report.is_sound() {
        open(server.store().files().copy(), START_MS).expect("what was written opens");
    }
}

fn damage(files: &MemFiles, input: &mut Input<'_>) {
    let names = undertone_server_core::Files::list(files).expect("a disk in memory");
    if names.is_empty() {
        return;
    }
    let name = &names[usize::from(input.u8()) % names.len()];
    let (kind, mend) = (input.u8() % 8, input.u8() % 2 == 1);
    if kind == 0 {
        undertone_server_core::Files::remove(files, name).expect("a name of its own");
        return;
    }
    files.tamper(name, |bytes| {
        if bytes.len() > 65_536 {
            return;
        }
        edit(bytes, input);
        match name.rsplit_once('.') {
            Some((_, "seg")) if mend => mend_segment(bytes),
            Some((_, "idx")) if mend => mend_end(bytes),
            Some((_, "spine")) if mend => mend_spine(bytes),
            _ => {}
        }
    });
}

/// A checksum over all before it.
fn mend_end(bytes: &mut [u8]) {
    if let Some((body, sum)) = bytes.split_last_chunk_mut::<32>() {
        *sum = Sha256::digest(body).into();
    }
}

const HEADER_LEN: usize = 160;
const PRELUDE_LEN: usize = 40;

/// The header's checksum, then those of the first record.
fn mend_segment(bytes: &mut [u8]) {
    let Some((header, records)) = bytes.split_at_mut_checked(HEADER_LEN) else { return };
    mend_end(header);
    let salt: [u8; 32] = header[96..128].try_into().expect("thirty-two bytes");
    let mut rest = records;
    while let Some(length) = mend_record(&salt, rest) {
        rest = &mut rest[length..];
    }
}

/// The two checksums of a record; its length, if it is whole.
fn mend_record(salt: &[u8; 32], bytes: &mut [u8]) -> Option<usize> {
    let number = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?) as usize);
    let (meta, cells) = (number(4)?, number(8)?);
    let front = PRELUDE_LEN.checked_add(meta)?.checked_add(cells.checked_mul(64)?)?;
    if bytes.len() < front.checked_add(32)? {
        return None;
    }
    let sum = Sha256::new().chain_update(salt).chain_update(&bytes[..24]).finalize();
    bytes[24..PRELUDE_LEN].copy_from_slice(&sum[..16]);
    let sum = Sha256::new().chain_update(salt).chain_update(&bytes[..front]).finalize();
    bytes[front..front + 32].copy_from_slice(&sum);
    let end = front.checked_add(32)?.checked_add(cells.checked_mul(CELL_LEN)?)?;
    (end < bytes.len()).then_some(end)
}

fn mend_spine(bytes: &mut [u8]) {
    let Some((_, mut rest)) = bytes.split_at_mut_checked(24) else { return };
    while let Some(length) = rest.first_chunk().map(|length| u32::from_be_bytes(*length)) {
        let end = (length as usize).saturating_add(4 + 32);
        let Some((record, after)) = rest.split_at_mut_checked(end) else { return };
        mend_end(record);
        rest = after;
    }
}
