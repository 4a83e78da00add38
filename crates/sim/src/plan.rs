//! A seed's script.
//!
//! The standard world has four people, three conversations and sixty acts; other shapes are mixed in.
//! Every step stands for itself, so that a shorter script is a script too: the seed, and which steps
//! are kept, name a run.

use crate::act::{Act, DiskFault, Fault, Place, Step, What};
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use undertone_core::io::Role;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A script and what its world is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Randomness of the world itself, keys and latencies included.
    pub seed: u64,
    /// How many people.
    pub people: usize,
    /// The whole script.
    pub steps: Vec<Step>,
    /// The steps that are played, in order.
    pub kept: Vec<usize>,
}

/// How large a world is and how much goes wrong in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// People.
    pub people: usize,
    /// Groups.
    pub groups: usize,
    /// Acts after everybody has met.
    pub acts: usize,
    /// Faults in a hundred acts.
    pub faults: u32,
    /// Whether somebody is away for longer than cells live.
    pub long: bool,
    /// Whether profiles are put back to earlier copies.
    pub rollback: bool,
    /// Whether the server is put back from a backup, and says so.
    pub recovery: bool,
    /// Whether groups are begun anew.
    pub restart: bool,
}

impl Shape {
    /// Four people, three conversations (one of two people, two groups), sixty acts.
    pub const STANDARD: Self = Self {
        people: 4,
        groups: 2,
        acts: 60,
        faults: 30,
        long: false,
        rollback: false,
        recovery: false,
        restart: false,
    };

    fn of(rng: &mut ChaCha8Rng) -> Self {
        let faults = [0, 10, 30, 30, 80].choose(rng).copied().unwrap_or(30);
        let standard = Self { faults, ..Self::STANDARD };
        match rng.random_range(0..100) {
            0..62 => standard,
            62..66 => Self { recovery: true, ..standard },
            66..70 => Self { restart: true, ..standard },
            70..78 => Self { people: 2, groups: 1, ..standard },
            78..88 => Self { people: rng.random_range(3..=12), groups: 3, ..standard },
            88..94 => Self { long: true, ..standard },
            94..99 => Self { rollback: true, ..standard },
            _ => Self { people: 30, groups: 1, acts: 25, ..standard },
        }
    }
}

impl Plan {
    /// The script of a seed.
    pub fn of_seed(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shape = Shape::of(&mut rng);
        Self::of_shape(seed, shape)
    }

    /// A script of this shape.
    pub fn of_shape(seed: u64, shape: Shape) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
        let mut writer = Writer { rng, shape, met: Vec::new(), steps: Vec::new(), groups: 0 };
        writer.meet_all();
        writer.found_groups();
        for act in 0..shape.acts {
            writer.act();
            if shape.long && act == shape.acts / 2 {
                writer.glimpse();
            }
            if writer.rng.random_range(0..100) < shape.faults {
                writer.fault();
            }
        }
        let kept = (0..writer.steps.len()).collect();
        Self { seed, people: shape.people, steps: writer.steps, kept }
    }

    /// The steps that are played.
    pub fn played(&self) -> impl Iterator<Item = &Step> {
        self.kept.iter().filter_map(|index| self.steps.get(*index))
    }

    /// The kept steps as a command line takes them: `0-4,9,12-13`.
    pub fn kept_words(&self) -> String {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for &index in &self.kept {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == index => *last = index,
                _ => runs.push((index, index)),
            }
        }
        let word = |(first, last): &(usize, usize)| {
            if first == last { format!("{first}") } else { format!("{first}-{last}") }
        };
        runs.iter().map(word).collect::<Vec<_>>().join(",")
    }

    /// Keeps the steps that [`Self::kept_words`] named; `None` when the words are no such list.
    pub fn keep(mut self, words: &str) -> Option<Self> {
        self.kept.clear();
        for run in words.split(',').filter(|run| !run.is_empty()) {
            let (first, last) = run.split_once('-').unwrap_or((run, run));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            self.kept.extend((first..=last).filter(|index| *index < self.steps.len()));
        }
        Some(self)
    }
}

struct Writer {
    rng: ChaCha8Rng,
    shape: Shape,
    met: Vec<(usize, usize)>,
    steps: Vec<Step>,
    groups: usize,
}

impl Writer {
    fn push(&mut self, after_ms: u64, what: What) {
        self.steps.push(Step { after_ms, what });
    }

    fn meet(&mut self, inviter: usize, guest: usize) {
        let after_ms = self.rng.random_range(0..2 * SECOND);
        self.met.push((inviter, guest));
        self.push(after_ms, What::Act(Act::Meet { inviter, guest }));
    }

    /// The first person knows everybody; others know each other by chance.
    fn meet_all(&mut self) {
        let people = self.shape.people;
        for guest in 1..people {
            self.meet(0, guest);
        }
        for _ in 0..people.min(12) / 2 {
            let pair = (1..people).choose_multiple(&mut self.rng, 2);
            if let [a, b] = pair[..]
                && !self.met.contains(&(a.min(b), a.max(b)))
            {
                self.meet(a.min(b), a.max(b));
            }
        }
        self.push(30 * SECOND, What::Act(Act::Wait { ms: MINUTE }));
    }

    fn found_groups(&mut self) {
        for group in 0..self.shape.groups {
            let who = if self.rng.random_bool(0.7) { 0 } else { self.person() };
            let known = self.contacts_of(who);
            let size = if self.shape.people > 12 { known.len() } else { self.up_to(known.len()) };
            let mut members = known;
            while members.len() > size {
                let gone = self.rng.random_range(0..members.len());
                members.remove(gone);
            }
            let after_ms = self.pause();
            self.push(after_ms, What::Act(Act::Group { who, group, members }));
            self.groups += 1;
        }
        self.push(10 * SECOND, What::Act(Act::Wait { ms: 30 * SECOND }));
    }

    fn up_to(&mut self, most: usize) -> usize {
        if most < 2 { most } else { self.rng.random_range(1..=most) }
    }

    fn contacts_of(&self, who: usize) -> Vec<usize> {
        let other = |&(a, b): &(usize, usize)| match who {
            _ if a == who => Some(b),
            _ if b == who => Some(a),
            _ => None,
        };
        self.met.iter().filter_map(other).collect()
    }

    fn person(&mut self) -> usize {
        self.rng.random_range(0..self.shape.people)
    }

    /// The pause before a step: mostly short, so that things overlap.
    fn pause(&mut self) -> u64 {
        match self.rng.random_range(0..100) {
            0..25 => 0,
            25..60 => self.rng.random_range(1..100),
            60..85 => self.rng.random_range(100..3 * SECOND),
            85..97 => self.rng.random_range(3 * SECOND..2 * MINUTE),
            _ => self.rng.random_range(2 * MINUTE..6 * HOUR),
        }
    }

    fn place_of(&mut self) -> (usize, Place) {
        if self.rng.random_bool(0.3)
            && let Some(&(a, b)) = self.met.choose(&mut self.rng)
        {
            return if self.rng.random() { (a, Place::Contact(b)) } else { (b, Place::Contact(a)) };
        }
        let group = self.rng.random_range(0..self.groups.max(1));
        (self.person(), Place::Group(group))
    }

    fn act(&mut self) {
        let after_ms = self.pause();
        let act = match self.rng.random_range(0..100) {
            0..52 => self.send(1),
            52..58 => {
                let count = self.rng.random_range(2..40);
                self.send(count)
            }
            58..88 => self.change(),
            88..94 => Act::Offline { who: self.person(), ms: self.absence() },
            94..96 => Act::Online { who: self.person() },
            _ => Act::Wait { ms: self.rng.random_range(SECOND..2 * HOUR) },
        };
        self.push(after_ms, What::Act(act));
    }

    /// Somebody is away while things are said, looks in for a moment hours later, and comes back when
    /// what was said has expired, but not what was walked to.
    fn glimpse(&mut self) {
        let who = self.person();
        self.push(0, What::Act(Act::Offline { who, ms: 3 * DAY }));
        for _ in 0..6 {
            let act = self.send(1);
            self.push(100, What::Act(act));
        }
        self.push(0, What::Act(Act::Wait { ms: 150 * MINUTE }));
        let ms = 30 * DAY - self.rng.random_range(10 * MINUTE..140 * MINUTE);
        self.push(0, What::Act(Act::Glimpse { who, ms }));
        self.push(0, What::Act(Act::Wait { ms: 30 * DAY }));
    }

    fn send(&mut self, count: usize) -> Act {
        let (who, place) = self.place_of();
        let length = match self.rng.random_range(0..20) {
            0 => self.rng.random_range(2_000..20_000),
            _ => 0,
        };
        Act::Send { who, place, count, length }
    }

    /// Mostly by whoever may: the first person owns most groups.
    fn change(&mut self) -> Act {
        let group = self.rng.random_range(0..self.groups.max(1));
        let who = if self.rng.random_bool(0.6) { 0 } else { self.person() };
        let whom = self.person();
        if self.shape.restart && self.rng.random_range(0..6) == 0 {
            return Act::Restart { who, group };
        }
        match self.rng.random_range(0..30) {
            0..11 => Act::Add { who, group, whom },
            11..17 => Act::Remove { who, group, whom },
            17..19 => Act::Leave { who: whom, group },
            19..23 => Act::Rename { who, group },
            _ => {
                let role = [Role::Member, Role::Admin, Role::Admin, Role::Owner];
                let role = role.choose(&mut self.rng).copied().unwrap_or(Role::Admin);
                Act::Role { who, group, whom, role }
            }
        }
    }

    fn absence(&mut self) -> u64 {
        match self.rng.random_range(0..10) {
            0..6 => self.rng.random_range(SECOND..10 * MINUTE),
            6..8 => self.rng.random_range(10 * MINUTE..DAY),
            8 if self.shape.long => self.rng.random_range(30 * DAY - 3 * HOUR..30 * DAY + HOUR),
            9 if self.shape.long => self.rng.random_range(31 * DAY..40 * DAY),
            _ => self.rng.random_range(DAY..3 * DAY),
        }
    }

    fn fault(&mut self) {
        let who = self.person();
        let after_ms = self.pause().min(10 * SECOND);
        let down_ms = self.rng.random_range(1..20 * SECOND);
        let ms = self.rng.random_range(SECOND..2 * MINUTE);
        let fault = match self.rng.random_range(0..100) {
            0..30 => Fault::Crash { who, after: self.rng.random_range(0..25), down_ms },
            30..36 => Fault::ClientDisk { who, ms },
            36..44 => Fault::ServerCrash { down_ms },
            44..50 => Fault::ServerDisk { fault: self.disk_fault(), down_ms },
            50..65 => Fault::Cut { who, linger_ms: self.rng.random_range(0..5 * SECOND) },
            65..71 => Fault::HalfOpen { who, ms },
            71..79 => Fault::Slow { who, delay_ms: self.rng.random_range(100..8 * SECOND), ms },
            79..86 => Fault::Twice { who, count: self.rng.random_range(1..20) },
            86..93 => Fault::Hold { who, ms },
            _ if self.shape.rollback => Fault::Rollback { who },
            _ if self.shape.recovery => Fault::Recovery { down_ms },
            _ => Fault::Clock { who, skew_ms: self.skew() },
        };
        self.push(after_ms, What::Fault(fault));
    }

    fn disk_fault(&mut self) -> DiskFault {
        let all = [DiskFault::Lost, DiskFault::Unseen, DiskFault::Full];
        all.choose(&mut self.rng).copied().unwrap_or(DiskFault::Lost)
    }

    fn skew(&mut self) -> i64 {
        let most: i64 = match self.rng.random_range(0..3) {
            0 => 5_000,
            1 => 600_000,
            _ => 86_400_000,
        };
        self.rng.random_range(-most..=most)
    }
}
