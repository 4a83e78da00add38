//! The server without its doors, asked anything in any order, and opened again in between.
//!
//! Whatever it answers holds: a receipt proves what was stored, a page extends the log, and at the
//! end the whole folder is sound.

use crate::input::Input;
use ed25519_dalek::SigningKey;
use std::sync::Arc;
use undertone_server_core::{
    CellStore, Config, Engine, Keys, MemFiles, OpenError, Put, Segments, Ticket, check, holds,
};
use undertone_wire::{
    Answer, CELL_LEN, Cell, DigestForm, Frame, Request, SignedHead, Tag, WriteKey, decode,
};

/// The real engine over files in memory.
pub type Server = Engine<Segments<MemFiles>>;

const HOUR_MS: u64 = 3_600_000;
const STEPS_MAX: usize = 200;

/// The key of the server of every world.
pub fn server_key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

/// Signs a head again after something in it was changed.
pub fn sign_head(head: &mut SignedHead) {
    *head = head.head.clone().sign(&server_key());
}

/// The server on these files.
///
/// # Errors
/// When they are damaged or another server's.
pub fn open(files: MemFiles, now_ms: u64) -> Result<Server, OpenError> {
    open_after(files, None, now_ms)
}

/// The same server, which keeps cells so long.
pub(crate) fn open_keeping(
    files: MemFiles,
    retention_ms: u64,
    now_ms: u64,
) -> Result<Server, OpenError> {
    let config = Config { retention_ms, ..Config::new(Keys::first(server_key())) };
    let store = Segments::open(files, &config.keys, [1; 32])?;
    Engine::open(store, config, now_ms)
}

/// The server on the files of a backup, which says so in each head.
///
/// # Errors
/// As [`open`].
pub(crate) fn restored(backup: MemFiles, now_ms: u64) -> Result<Server, OpenError> {
    let survived = newest_tick(&open(backup.copy(), now_ms)?);
    open_after(backup, survived, now_ms)
}

fn open_after(
    files: MemFiles,
    recovered_after: Option<u64>,
    now_ms: u64,
) -> Result<Server, OpenError> {
    let keys = Keys::first(server_key());
    let store = Segments::open(files, &keys, [1; 32])?;
    Engine::open(store, Config { recovered_after, ..Config::new(keys) }, now_ms)
}

fn newest_tick(server: &Server) -> Option<u64> {
    server.store().ticks().map(|ticks| *ticks.end())
}

/// A PUT with a key that fits.
pub(crate) fn put(number: u8, fill: u8) -> Put {
    let write = WriteKey([number; 32]);
    let server = Keys::first(server_key()).first.server_id();
    let cell = Cell::from_array([fill; CELL_LEN]);
    Put { tag: Tag::derive(&server, &write), write, cell, token: Vec::new().into() }
}

struct Run {
    server: Server,
    now_ms: u64,
    /// What the next answers are about.
    waiting: Vec<Put>,
    /// The folder at an earlier moment, and the last tick in it.
    backup: (MemFiles, Option<u64>),
    /// The recovery that every head declares.
    recovered: Option<u64>,
}

/// Requests, ticks, restarts, expiry and backups, as the input says.
pub(crate) fn engine(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let now_ms = 480_000 * HOUR_MS;
    let server = open(MemFiles::default(), now_ms).expect("an empty folder");
    let backup = (MemFiles::default(), None);
    let mut run = Run { server, now_ms, waiting: Vec::new(), backup, recovered: None };
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        run.step(&mut input);
    }
    run.seal();
    let files = run.server.store().files();
    let report = check(files).expect("a disk in memory does not fail");
    assert!(report.is_sound(), "{:?}", report.findings);
    holds(files).expect("a sound folder");
    drop(run.server.info());
}

impl Run {
    fn step(&mut self, input: &mut Input<'_>) {
        match input.u8() % 12 {
            0 | 1 => self.put(put(input.u8() % 16, input.u8())),
            2 => self.ask(&Request::Get { tag: put(input.u8() % 16, 0).tag, size: input.number() }),
            3 => {
                let form = [DigestForm::Ticks, DigestForm::TicksOrSegment];
                let form = form[usize::from(input.u8() % 2)];
                self.ask(&Request::Digest { from: input.number(), form });
            }
            4 => self.ask(&Request::Proof { from_size: input.number(), to_tick: input.number() }),
            5 => self.seal(),
            6 => self.now_ms += [1, 20, 10_000, HOUR_MS][usize::from(input.u8() % 4)],
            7 => self.restart(),
            8 => self.expire(input),
            10 => self.backup = (self.server.store().files().copy(), newest_tick(&self.server)),
            11 => self.restore(),
            _ => self.frame(input.bytes()),
        }
    }

    fn put(&mut self, put: Put) {
        let ticket = Ticket(self.waiting.len() as u64);
        if self.server.submit(ticket, put.clone()).is_ok() {
            self.waiting.push(put);
        }
    }

    fn frame(&mut self, bytes: &[u8]) {
        match decode(bytes) {
            Ok(Frame::Request { request: Request::Put { tag, write, cell, token }, .. }) => {
                self.put(Put { tag, write, cell, token });
            }
            Ok(Frame::Request { request, .. }) => self.ask(&request),
            _ => {}
        }
    }

    fn ask(&self, request: &Request) {
        let keys = self.server.keys();
        match (self.server.answer(request), request) {
            (Answer::Found { cell, proof }, Request::Get { tag, .. }) => {
                let Answer::Proof(log) = self.server.proof(proof.size, u64::MAX) else { return };
                if log.head.head.size == proof.size {
                    assert_eq!(proof.verify_cell(&log.head.head.root, tag, &cell), Ok(()));
                }
            }
            (Answer::Segment(segment), _) => assert!(segment.verify(keys).is_ok()),
            (Answer::Page(page), _) => assert!(keys.verify(&page.head).is_some()),
            _ => {}
        }
    }

    fn seal(&mut self) {
        let sealed = self.server.seal(self.now_ms);
        assert!(sealed.failure.is_none(), "a disk in memory does not fail");
        let mut waiting: Vec<_> = std::mem::take(&mut self.waiting).into_iter().map(Some).collect();
        for (Ticket(ticket), answer) in sealed.answers {
            let put = waiting[ticket as usize].take().expect("one answer to a PUT");
            let keys = self.server.keys();
            match answer {
                Answer::Stored(receipt) => {
                    assert!(receipt.verify(keys, &put.tag, &put.cell).is_ok());
                }
                Answer::Taken { cell, receipt } => {
                    assert_ne!(cell, put.cell.hash());
                    assert!(receipt.verify_hash(keys, &put.tag, cell).is_ok());
                }
                other => panic!("to a PUT: {other:?}"),
            }
        }
        assert!(waiting.iter().all(Option::is_none), "every PUT is answered");
        if let Some(page) = sealed.page {
            let page = Arc::unwrap_or_clone(page);
            assert!(self.server.keys().verify(&page.head).is_some());
        }
    }

    fn restart(&mut self) {
        self.waiting.clear();
        let files = self.server.store().files().clone();
        self.open(files);
    }

    fn restore(&mut self) {
        self.waiting.clear();
        let (files, survived) = (self.backup.0.copy(), self.backup.1);
        self.recovered = survived;
        self.open(files);
    }

    fn open(&mut self, files: MemFiles) {
        let opened = open_after(files, self.recovered, self.now_ms);
        self.server = opened.expect("what was written opens");
    }

    fn expire(&mut self, input: &mut Input<'_>) {
        self.now_ms += u64::from(input.u8()) * 12 * HOUR_MS;
        self.server.expire(self.now_ms).expect("a disk in memory does not fail");
    }
}
