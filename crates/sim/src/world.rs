//! The world: everybody, the server, and what is going to happen.

use crate::act::Step;
use crate::disk::Disk;
use crate::line::Line;
use crate::observe::Observed;
use crate::outcome::{Coverage, Outcome, Violation, Wrong};
use crate::person::{Asked, Person};
use crate::plan::Plan;
use crate::play::{HEALTH, WHOAMI};
use crate::presence::Presence;
use crate::server::Server;
use crate::told::Told;
use crate::watch::Watch;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;
use undertone_core::io::{Command, Input, Reply};
use undertone_core::{Account, Creation, Name};
use undertone_crypto::Phrase;
use undertone_wire::Request;

/// Unix milliseconds at which every world begins.
const BEGINNING_MS: u64 = 1_790_000_000_000;

/// Happenings after which a world that does not come to rest is called restless.
const HAPPENINGS_MAX: u64 = 2_000_000;

const NAMES: [&str; 12] =
    ["Ada", "Ben", "Chloe", "Dov", "Esi", "Farid", "Gwen", "Hana", "Ivo", "Jun", "Kofi", "Lena"];

/// What is going to happen.
pub(crate) enum Happening {
    /// The next step of the script.
    Step(usize),
    /// A request reaches the server.
    Arrive { line: u64, id: u32, request: Box<Request> },
    /// Something reaches a client.
    Deliver { line: u64, input: Box<Input> },
    /// The server seals a tick.
    Seal,
    /// The server sends a client what it has not been sent.
    Push { line: u64 },
    /// The server sends its newest head to whoever listens; the silence so far.
    Heartbeat { silence_ms: u64, sealed_ms: u64 },
    /// A client tries to connect.
    Dial { who: usize },
    /// A client notices that its connection is gone.
    Notice { who: usize, line: u64 },
    /// A client's deadline may have come.
    Wake { who: usize, life: u32, at_ms: u64 },
    /// A client starts again.
    Start { who: usize, life: u32 },
    /// The server starts again.
    StartServer,
    /// Somebody gives a command.
    Order { who: usize, asked: Box<Asked> },
}

/// A message that somebody wrote.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub author: usize,
    pub group: [u8; 32],
    /// The author's epoch when it was written.
    pub epoch: u64,
    /// When it was written.
    pub written_ms: u64,
    pub text: String,
    /// Who was shown as reading it when it was written; `None` before the engine took it.
    pub audience: Option<std::collections::BTreeSet<undertone_crypto::IdentityKey>>,
    /// The engine said that it has it.
    pub accepted: bool,
    /// Its author released it after people had joined.
    pub released: bool,
}

/// See the module's head.
pub(crate) struct World {
    pub steps: Vec<Step>,
    pub now_ms: u64,
    pub rng: ChaCha20Rng,
    pub people: Vec<Person>,
    pub server: Server,
    pub lines: BTreeMap<u64, Line>,
    pub next_line: u64,
    pub agenda: BTreeMap<(u64, u64), Happening>,
    pub next_happening: u64,
    pub watch: Watch,
    pub texts: Vec<Text>,
    /// Groups by their number in the script; those that were begun anew stand behind each other.
    pub groups: BTreeMap<usize, Vec<[u8; 32]>>,
    pub coverage: Coverage,
    pub violations: Vec<Violation>,
    /// What others see, where it is asked for.
    pub seen: Option<Observed>,
    tell: bool,
    transcript: Vec<String>,
}

impl World {
    pub(crate) fn new(plan: &Plan, tell: bool) -> Self {
        let mut world = Self {
            steps: plan.played().cloned().collect(),
            now_ms: BEGINNING_MS,
            rng: ChaCha20Rng::seed_from_u64(plan.seed),
            people: Vec::new(),
            server: Server::new(BEGINNING_MS),
            lines: BTreeMap::new(),
            next_line: 0,
            agenda: BTreeMap::new(),
            next_happening: 0,
            watch: Watch::default(),
            texts: Vec::new(),
            groups: BTreeMap::new(),
            coverage: Coverage::default(),
            violations: Vec::new(),
            seen: None,
            tell,
            transcript: Vec::new(),
        };
        for who in 0..plan.people {
            world.arrive(who);
        }
        world
    }

    fn arrive(&mut self, who: usize) {
        let name = NAMES.get(who).map_or_else(|| format!("P{who}"), |name| (*name).to_owned());
        let creation = Creation {
            name: Name::parse(&name).expect("a plain name"),
            phrase: Phrase::generate(&mut self.rng),
            server: self.server.address(),
            seed: self.seed(),
            now_ms: self.now_ms,
        };
        let account = Account::create(creation).expect("a generator that is seeded");
        self.people.push(Person {
            name,
            identity: undertone_crypto::IdentityKey([0; 32]),
            device: [0; 16],
            account: Some(account),
            disk: Disk::default(),
            copy: None,
            restored_ms: None,
            collided: Vec::new(),
            presence: Presence::default(),
            life: 0,
            line: None,
            walked: None,
            newest: 0,
            shown: 0,
            seen: 0,
            glimpse_ms: None,
            away_until_ms: 0,
            skew_ms: 0,
            deadline_ms: None,
            dies: None,
            disk_full_until_ms: 0,
            slow: (0, 0),
            holds_until_ms: 0,
            twice: 0,
            asked: BTreeMap::new(),
            next_ticket: 0,
            standings: BTreeMap::new(),
            receipts: std::collections::BTreeSet::new(),
            wishes: Vec::new(),
            lineage: BTreeMap::new(),
            entered: std::collections::BTreeSet::new(),
            left: Vec::new(),
            told: Told::default(),
            health: None,
        });
        self.perform(who);
        self.introduce(who);
        self.soon(Happening::Dial { who });
    }

    /// Learns who a device says it is.
    fn introduce(&mut self, who: usize) {
        self.feed(who, Input::Command { ticket: WHOAMI, command: Command::Whoami });
    }

    /// Asks every device how it is.
    pub(crate) fn look_at_health(&mut self) {
        for who in 0..self.people.len() {
            self.feed(who, Input::Command { ticket: HEALTH, command: Command::Health });
        }
    }

    /// The answer to [`Self::introduce`] and [`Self::look_at_health`].
    pub(crate) fn on_answered(&mut self, who: usize, reply: Reply) {
        match reply {
            Reply::Whoami { identity, device, .. } => {
                self.people[who].identity = identity;
                self.people[who].device = device;
            }
            Reply::Health(health) => self.people[who].health = Some(health),
            _ => {}
        }
    }

    pub(crate) fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        seed
    }

    pub(crate) fn at(&mut self, at_ms: u64, happening: Happening) {
        let order = self.next_happening;
        self.next_happening += 1;
        self.agenda.insert((at_ms.max(self.now_ms), order), happening);
    }

    pub(crate) fn soon(&mut self, happening: Happening) {
        let at_ms = self.now_ms + self.rng.random_range(1..50);
        self.at(at_ms, happening);
    }

    /// Notes a line of the transcript.
    pub(crate) fn note(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.tell {
            let since = self.now_ms - BEGINNING_MS;
            let text = line(self);
            self.transcript.push(format!("{:>12.3} s  {text}", since as f64 / 1_000.0));
        }
    }

    pub(crate) fn wrong(&mut self, wrong: Wrong, text: String) {
        self.note(|_| format!("WRONG {wrong:?}: {text}"));
        self.violations.push(Violation { wrong, text });
    }

    /// A roster in words.
    pub(crate) fn names_of(&self, seats: &[undertone_core::Seat]) -> Vec<&str> {
        let of = |seat: &undertone_core::Seat| {
            self.people.iter().find(|person| person.identity == seat.identity)
        };
        seats.iter().map(|seat| of(seat).map_or("?", |person| person.name.as_str())).collect()
    }

    pub(crate) fn name(&self, who: usize) -> &str {
        &self.people[who].name
    }

    /// Plays the script, lets the world come to rest, and judges.
    pub(crate) fn run(self) -> Outcome {
        self.run_and(|_| {})
    }

    /// As [`Self::run`], with a look at the world as it is at the end.
    pub(crate) fn run_and(mut self, look: impl FnOnce(&mut Self)) -> Outcome {
        // Everybody has been connected once.
        self.at(self.now_ms + 5_000, Happening::Step(0));
        let last = self.steps.len();
        self.live_until(|world| world.calm_from(last));
        if self.violations.is_empty() {
            self.come_to_rest();
        }
        if self.violations.is_empty() {
            self.judge();
        }
        look(&mut self);
        Outcome {
            violations: self.violations,
            coverage: self.coverage,
            simulated_ms: self.now_ms - BEGINNING_MS,
            digest: self.watch.digest(),
            transcript: self.transcript,
        }
    }

    /// Whether the script has been played.
    fn calm_from(&self, last: usize) -> bool {
        self.watch.played >= last
    }

    /// Lets happen what is on the agenda until `done`, the first wrong, or nothing is left.
    fn live_until(&mut self, done: impl Fn(&Self) -> bool) {
        while self.violations.is_empty() && !done(self) {
            let Some(((at_ms, _), happening)) = self.agenda.pop_first() else { return };
            self.now_ms = self.now_ms.max(at_ms);
            if self.server.expire(self.now_ms) {
                self.show_tick();
            }
            self.happen(happening);
            self.watch.happened += 1;
            if self.watch.happened > HAPPENINGS_MAX {
                self.wrong(Wrong::Restless, "the world does not come to rest".to_owned());
            }
        }
    }

    /// Everything works again; time passes until nothing is undecided.
    fn come_to_rest(&mut self) {
        const MINUTE_MS: u64 = 60_000;
        self.calm_down();
        for minutes in [2, 3, 5, 10, 20, 60, 360] {
            self.pass(minutes * MINUTE_MS);
            self.release_waiting();
            if !self.violations.is_empty() || self.is_settled() {
                break;
            }
        }
        // Whoever was told last gets to read it; and devices refresh their keys now and then, which is
        // not to be judged half done.
        self.pass(2 * MINUTE_MS);
        for _ in 0..30 {
            if self.is_settled() && !self.is_moving() {
                break;
            }
            self.pass(MINUTE_MS / 6);
        }
    }

    fn pass(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        self.live_until(|world| world.agenda.keys().next().is_none_or(|(at, _)| *at > end_ms));
        self.now_ms = self.now_ms.max(end_ms);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Step(index) => self.step(index),
            Happening::Arrive { line, id, request } => self.serve(line, id, *request),
            Happening::Deliver { line, input } => self.deliver(line, *input),
            Happening::Seal => self.seal(),
            Happening::Push { line } => self.push(line),
            Happening::Heartbeat { silence_ms, sealed_ms } => self.heartbeat(silence_ms, sealed_ms),
            Happening::Dial { who } => self.dial(who),
            Happening::Notice { who, line } => self.notice(who, line),
            Happening::Wake { who, life, at_ms } => self.wake(who, life, at_ms),
            Happening::Start { who, life } => self.start(who, life),
            Happening::StartServer => self.start_server(),
            Happening::Order { who, asked } => self.order(who, *asked),
        }
    }
}
