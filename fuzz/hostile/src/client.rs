//! A device whose server lies: it has the true key and signs whatever it likes.
//!
//! The server knows the whole log of a later scene. It answers truly, or with the answer to
//! something else, or with changed bytes, some of them under fresh signatures, some in a tree that
//! follows from what the device has verified: a fork that no check of one answer can see. And it may
//! be restored from a backup.

use crate::{
    edit::edit,
    engine::{Server, open, put, restored, server_key, sign_head},
    input::Input,
    world::{BEN, Disk, START_MS, load, outputs, pages, persist, scenes},
};
use std::{collections::VecDeque, sync::OnceLock};
use undertone_core::{
    Account, Name,
    io::{Command, Input as Happens, Output},
};
use undertone_server_core::Ticket;
use undertone_wire::{
    Answer, DigestPage, Frame, Head, Refusal, RefusalKind, Request, decode, encode,
    merkle::Frontier,
};

/// Steps after which what is under way is left.
const STEPS_MAX: usize = 400;

struct Victim<'a> {
    server: &'static Server,
    account: Account,
    disk: Disk,
    now_ms: u64,
    asked: VecDeque<(u32, Request)>,
    /// True answers that were given or withheld: for other requests.
    known: Vec<Answer>,
    deadline: Option<u64>,
    input: Input<'a>,
}

/// Answers and pushes by a lying server; Ben's device starts again from its disk.
pub(crate) fn server(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let scenes = scenes();
    let scene = &scenes[usize::from(input.u8()) % scenes.len()];
    let account = load(&scene.disks[BEN], 7).expect("what was persisted loads");
    let mut victim = Victim {
        server: truth(),
        account,
        disk: scene.disks[BEN].clone(),
        now_ms: START_MS + 8_000_000,
        asked: VecDeque::new(),
        known: Vec::new(),
        deadline: None,
        input,
    };
    victim.run();
    load(&victim.disk, 9).expect("no server can spoil a disk");
}

/// The server of the last scene. Nobody writes to it.
fn truth() -> &'static Server {
    static TRUTH: OnceLock<Server> = OnceLock::new();
    TRUTH.get_or_init(|| {
        let last = scenes().last().expect("there are scenes");
        open(last.files.copy(), last.now_ms).expect("a folder of this server")
    })
}

/// The server of the third scene, restored from its backup an hour after the last one: with the hour
/// that the others lived through undone, and a tick of its own.
fn recovery() -> &'static Server {
    static RECOVERY: OnceLock<Server> = OnceLock::new();
    RECOVERY.get_or_init(|| {
        let (backup, last) = (&scenes()[2], scenes().last().expect("there are scenes"));
        let now_ms = last.now_ms + 3_600_000;
        let server = restored(backup.files.copy(), now_ms).expect("a folder of this server");
        server.submit(Ticket(0), put(1, 1)).expect("room");
        server.seal(now_ms + 20);
        server
    })
}

impl Victim<'_> {
    fn run(&mut self) {
        self.happens(Happens::Connected);
        for _ in 0..STEPS_MAX {
            match self.asked.pop_front() {
                Some((id, request)) => self.answer(id, &request),
                None if self.input.is_empty() => break,
                None => self.unasked(),
            }
        }
        self.happens(Happens::Disconnected);
    }

    fn happens(&mut self, input: Happens) {
        self.account.handle(self.now_ms, input);
        for output in outputs(&mut self.account) {
            match output {
                Output::Persist(changes) => persist(&mut self.disk, changes),
                Output::Transmit { id, request } => self.asked.push_back((id, request)),
                Output::Deadline(at) => self.deadline = Some(at),
                Output::Event(_) | Output::Reply { .. } => {}
            }
        }
    }

    fn told(&mut self, id: u32, answer: Answer) {
        self.happens(Happens::Answer { id, answer });
    }

    fn pushed(&mut self, page: DigestPage) {
        self.happens(Happens::Push(page));
    }

    /// What the server does with a request.
    fn answer(&mut self, id: u32, request: &Request) {
        let answer = self.true_answer(request);
        self.known.push(answer.clone());
        match self.input.u8() % 16 {
            8 => {}
            9 => self.changed(id, &answer, false),
            10 | 11 => self.changed(id, &answer, true),
            12 => self.refused(id),
            13 => self.told(id, Answer::None { colliding: Vec::new() }),
            14 => self.another(id),
            15 => self.forked(id, answer),
            _ => self.truly(id, request, answer),
        }
    }

    fn true_answer(&self, request: &Request) -> Answer {
        match request {
            Request::Put { .. } => busy(),
            Request::Stream { .. } => Answer::Streaming,
            read => self.server.answer(read),
        }
    }

    fn truly(&mut self, id: u32, request: &Request, answer: Answer) {
        self.told(id, answer);
        if let Request::Stream { from } = request {
            for page in pages(self.server, *from) {
                match self.input.u8() % 8 {
                    5 => self.pushed_changed(&page),
                    6 => {}
                    7 => {
                        self.pushed(page.clone());
                        self.pushed(page);
                    }
                    _ => self.pushed(page),
                }
            }
        }
    }

    fn changed(&mut self, id: u32, answer: &Answer, sign: bool) {
        let mut bytes = encode(answer);
        edit(&mut bytes, &mut self.input);
        if let Ok(mut answer) = decode::<Answer>(&bytes) {
            if sign {
                sign_again(&mut answer);
            }
            self.told(id, answer);
        }
    }

    fn pushed_changed(&mut self, page: &DigestPage) {
        let mut bytes = encode(page);
        edit(&mut bytes, &mut self.input);
        if let Ok(mut page) = decode::<DigestPage>(&bytes) {
            sign_head(&mut page.head);
            self.pushed(page);
        }
    }

    fn refused(&mut self, id: u32) {
        let kind = decode::<RefusalKind>(&[1 + self.input.u8() % 8]).expect("one of eight kinds");
        let message = self.input.bytes().to_vec().into();
        self.told(id, Answer::Refused(Refusal { kind, message }));
    }

    /// The answer to something else.
    fn another(&mut self, id: u32) {
        let at = usize::from(self.input.u8()) % self.known.len();
        self.told(id, self.known[at].clone());
    }

    /// A page that follows from the true log before it, and says something else.
    fn forked(&mut self, id: u32, answer: Answer) {
        let Answer::Page(page) = &answer else { return self.told(id, answer) };
        let mut bytes = encode(page);
        edit(&mut bytes, &mut self.input);
        let forked = decode(&bytes).ok().and_then(|page| self.forge(page));
        self.told(id, forked.map_or(answer, Answer::Page));
    }

    /// Gives a page the head that makes it follow from the log before its first tick.
    fn forge(&self, mut page: DigestPage) -> Option<DigestPage> {
        let before = page.ticks.first()?.tick.checked_sub(1)?;
        let mut tree = self.frontier_at(before)?;
        for tick in &mut page.ticks {
            tick.prefixes.sort_unstable();
            tick.leaf_hashes().into_iter().for_each(|leaf| tree.append(leaf));
        }
        let last = page.ticks.last()?.tick;
        let head = Head { tick: last, size: tree.size(), root: tree.root(), ..page.head.head };
        page.head = head.sign(&server_key());
        Some(page)
    }

    fn frontier_at(&self, tick: u64) -> Option<Frontier> {
        match self.server.proof(0, tick) {
            Answer::Proof(proof) => Frontier::from_parts(proof.head.head.size, proof.frontier),
            _ if tick == 0 => Frontier::from_parts(0, Vec::new()),
            _ => None,
        }
    }

    /// What happens while nothing is asked.
    fn unasked(&mut self) {
        match self.input.u8() % 9 {
            0 => self.raw_frame(),
            1 => self.reconnect(),
            2 => self.wake(),
            3 => self.restart(),
            4 => self.command(),
            5 => self.push_of(),
            7 => {
                self.server = recovery();
                self.reconnect();
            }
            6 => self.now_ms = self.now_ms.saturating_add(u64::from(self.input.u16()) * 60_000),
            _ => self.heartbeat(),
        }
    }

    fn raw_frame(&mut self) {
        match decode(self.input.bytes()) {
            Ok(Frame::Answer { id, answer }) => self.told(id, answer),
            Ok(Frame::Push(page)) => self.pushed(page),
            _ => {}
        }
    }

    fn reconnect(&mut self) {
        self.asked.clear();
        self.happens(Happens::Disconnected);
        self.happens(Happens::Connected);
    }

    fn wake(&mut self) {
        self.now_ms = self.now_ms.max(self.deadline.take().unwrap_or(0));
        self.happens(Happens::Wake);
    }

    fn restart(&mut self) {
        self.asked.clear();
        self.account = load(&self.disk, 8).expect("what was persisted loads");
        self.happens(Happens::Connected);
    }

    fn push_of(&mut self) {
        let pages = pages(self.server, self.input.number());
        if let Some(page) = pages.first() {
            self.pushed_changed(page);
        }
    }

    fn heartbeat(&mut self) {
        let mut page = self.server.heartbeat(self.input.number());
        page.head.head.tick = page.head.head.tick.wrapping_add(self.input.number());
        page.head.head.recovered_after = match self.input.u8() {
            0..=127 => None,
            _ => Some(self.input.number()),
        };
        sign_head(&mut page.head);
        self.pushed(page);
    }

    fn command(&mut self) {
        let command = match self.input.u8() % 4 {
            0 => Command::CreateLink { expires_ms: self.input.number(), reusable: true },
            1 => Command::Accept { link: self.text(), message: None },
            2 => Command::CreateGroup { name: Name::tamed(&self.text()), members: Vec::new() },
            _ => Command::Health,
        };
        self.happens(Happens::Command { ticket: 1, command });
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.input.bytes()).into_owned()
    }
}

fn busy() -> Answer {
    Answer::Refused(Refusal { kind: RefusalKind::Busy, message: Vec::new().into() })
}

fn sign_again(answer: &mut Answer) {
    match answer {
        Answer::Stored(receipt) | Answer::Taken { receipt, .. } => sign_head(&mut receipt.head),
        Answer::Page(page) => sign_head(&mut page.head),
        Answer::Segment(segment) => sign_head(&mut segment.head),
        Answer::Proof(proof) => sign_head(&mut proof.head),
        Answer::Found { .. } | Answer::None { .. } | Answer::Info(_) => {}
        Answer::Streaming | Answer::Refused(_) => {}
    }
}
