//! What the tests of several modules share: a server's keys, cells by number, a filled folder.

use crate::{Config, Engine, Keys, MemFiles, Put, Segments, Ticket};
use ed25519_dalek::SigningKey;
use undertone_wire::{Answer, CELL_LEN, Cell, ServerId, Tag, WriteKey};

pub(crate) const HOUR: u64 = 3_600_000;
/// A whole day since 1970.
pub(crate) const START: u64 = 480_000 * HOUR;

pub(crate) fn keys() -> Keys {
    Keys::first(SigningKey::from_bytes(&[7; 32]))
}

pub(crate) fn server() -> ServerId {
    keys().first.server_id()
}

fn write_key(number: u64) -> WriteKey {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    WriteKey(key)
}

pub(crate) fn tag(number: u64) -> Tag {
    Tag::derive(&server(), &write_key(number))
}

pub(crate) fn cell(fill: u8) -> Cell {
    Cell::from_array([fill; CELL_LEN])
}

pub(crate) fn put(number: u64, fill: u8) -> Put {
    Put { tag: tag(number), write: write_key(number), cell: cell(fill), token: Vec::new().into() }
}

/// Seals one tick with these cells and gives the answers in the order of the cells.
pub(crate) fn seal<S: crate::CellStore>(
    engine: &Engine<S>,
    now_ms: u64,
    puts: impl IntoIterator<Item = Put>,
) -> Vec<Answer> {
    for (ticket, put) in puts.into_iter().enumerate() {
        engine.submit(Ticket(ticket as u64), put).unwrap();
    }
    let mut answers = engine.seal(now_ms).answers;
    answers.sort_by_key(|(ticket, _)| *ticket);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// A server that keeps an hour until it is over, so that what expires is not yet old.
pub(crate) fn open(files: &MemFiles) -> Engine<Segments<MemFiles>> {
    let store = Segments::open(files.clone(), &keys(), [1; 32]).unwrap();
    Engine::open(store, Config { retention_ms: 0, ..Config::new(keys()) }, START).unwrap()
}

/// A folder of thirty hours, the first of them expired, with three ticks of one to three cells
/// in each.
pub(crate) fn folder() -> MemFiles {
    folder_of(30)
}

/// As [`folder`], of so many hours.
pub(crate) fn folder_of(hours: u64) -> MemFiles {
    let files = MemFiles::default();
    let engine = open(&files);
    for n in 0..hours * 3 {
        let cells = (0..=n % 3).map(|cell| put(n * 4 + cell, n as u8));
        seal(&engine, START + n / 3 * HOUR + n % 3 * 25_000, cells);
    }
    engine.expire(START + HOUR).unwrap();
    files
}
