//! How far who talks with whom can be recovered at the level `direct` (T15); `cargo xtask drill graph`
//! runs it.
//!
//! People who know some of the others talk for three days and go offline now and then. Three
//! attackers then score every pair of people; the figure is the area under the ROC curve: 1.0 means
//! that every pair that talks is scored above every pair that does not, 0.5 is chance.

#![expect(clippy::print_stdout, reason = "a program that talks to people")]

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use undertone_sim::{Act, Observed, Place, Plan, Step, What, observe};

const PEOPLE: usize = 24;
/// Pairs of a hundred that are contacts.
const DENSITY: u32 = 15;
const WORLDS: u64 = 5;
/// Draws of whoever has nothing to go by.
const DRAWS: u32 = 200;
const MINUTE: u64 = 60_000;
/// Acts of one world.
const ACTS: usize = 900;

type Scores = BTreeMap<(usize, usize), f64>;
/// What an attacker comes to in one world.
type Attack = fn(&Observed) -> f64;

const ATTACKS: [(&str, Attack); 3] = [
    ("the running server, by which address stores and fetches the same cell", server),
    ("the server's disk alone", disk),
    ("the server's disk, and a network's record of who was connected when", disk_and_network),
];

fn main() -> ExitCode {
    let mut figures = vec![Vec::new(); ATTACKS.len()];
    for seed in 1..=WORLDS {
        let seen = match observe(&plan(seed)) {
            Ok(seen) => seen,
            Err(wrong) => {
                println!("world {seed} is wrong, nothing is concluded from it: {wrong}");
                return ExitCode::FAILURE;
            }
        };
        println!(
            "world {seed}: {} people, {} pairs that talk, {} requests, {} ticks",
            seen.people,
            seen.truth.len(),
            seen.asked.len(),
            seen.ticks.len()
        );
        for (figures, (_, attack)) in figures.iter_mut().zip(ATTACKS) {
            figures.push(attack(&seen));
        }
    }
    println!("\nWho talks with whom, as far as it can be told (1.00: wholly, 0.50: by chance)");
    for (figures, (name, _)) in figures.iter().zip(ATTACKS) {
        let mean = figures.iter().sum::<f64>() / figures.len() as f64;
        let (low, high) = figures
            .iter()
            .fold((1.0, 0.0), |(low, high): (f64, f64), it| (low.min(*it), high.max(*it)));
        println!("  {mean:.2} ({low:.2}–{high:.2})  {name}");
    }
    ExitCode::SUCCESS
}

/// Three days of people who know some of the others.
fn plan(seed: u64) -> Plan {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut steps = Vec::new();
    let mut push = |after_ms, act| steps.push(Step { after_ms, what: What::Act(act) });
    let mut pairs = Vec::new();
    for inviter in 0..PEOPLE {
        for guest in inviter + 1..PEOPLE {
            if rng.random_range(0..100) < DENSITY {
                pairs.push((inviter, guest));
                push(500, Act::Meet { inviter, guest });
            }
        }
    }
    push(0, Act::Wait { ms: 10 * MINUTE });
    for _ in 0..ACTS {
        let after_ms = rng.random_range(0..10 * MINUTE);
        let Some(&(a, b)) = pairs.choose(&mut rng) else { continue };
        let (who, other) = if rng.random() { (a, b) } else { (b, a) };
        let act = match rng.random_range(0..10) {
            0..7 => Act::Send { who, place: Place::Contact(other), count: 1, length: 0 },
            7 => Act::Send { who, place: Place::Contact(other), count: 4, length: 0 },
            _ => Act::Offline { who, ms: rng.random_range(MINUTE..600 * MINUTE) },
        };
        push(after_ms, act);
    }
    let kept = (0..steps.len()).collect();
    Plan { seed, people: PEOPLE, steps, kept }
}

fn pairs(people: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..people).flat_map(move |a| (a + 1..people).map(move |b| (a, b)))
}

/// How many cells one of the two stored and the other fetched.
fn server(seen: &Observed) -> f64 {
    let mut by_tag: BTreeMap<_, (BTreeSet<usize>, BTreeSet<usize>)> = BTreeMap::new();
    for asked in &seen.asked {
        let (stored, fetched) = by_tag.entry(asked.tag).or_default();
        let side = if asked.stores { stored } else { fetched };
        side.insert(asked.who);
    }
    let mut scores: Scores = pairs(seen.people).map(|pair| (pair, 0.0)).collect();
    for (stored, fetched) in by_tag.values() {
        for (a, b) in stored.iter().flat_map(|a| fetched.iter().map(move |b| (*a, *b))) {
            if let Some(score) = scores.get_mut(&(a.min(b), a.max(b))) {
                *score += 1.0;
            }
        }
    }
    auc(&scores, &seen.truth)
}

/// Nothing on the disk belongs to a person: whatever is computed from it alone is the same for every
/// pair. What is left is to draw; the mean of many draws.
fn disk(seen: &Observed) -> f64 {
    let seed = seen.ticks.iter().fold(0, |sum: u64, (at_ms, cells)| {
        sum.rotate_left(7) ^ at_ms.wrapping_mul(*cells as u64 + 1)
    });
    let mut rng = StdRng::seed_from_u64(seed);
    let mut draw =
        || auc(&pairs(seen.people).map(|pair| (pair, rng.random())).collect(), &seen.truth);
    (0..DRAWS).map(|_| draw()).sum::<f64>() / f64::from(DRAWS)
}

/// By how much more is stored while both are connected than while one of them is.
fn disk_and_network(seen: &Observed) -> f64 {
    let mut tallies: BTreeMap<(usize, usize), [Tally; 2]> =
        pairs(seen.people).map(|pair| (pair, Default::default())).collect();
    let mut here = vec![false; seen.people];
    let mut presence = seen.presence.iter().peekable();
    let mut before_ms = seen.ticks.first().map_or(0, |(at_ms, _)| *at_ms);
    for &(at_ms, cells) in &seen.ticks {
        while let Some(it) = presence.next_if(|it| it.at_ms <= at_ms) {
            here[it.who] = it.comes;
        }
        for ((a, b), [both, one]) in &mut tallies {
            match (here[*a], here[*b]) {
                (true, true) => both.add(at_ms - before_ms, cells),
                (false, false) => {}
                _ => one.add(at_ms - before_ms, cells),
            }
        }
        before_ms = at_ms;
    }
    let score = |(pair, [both, one]): (_, [Tally; 2])| (pair, both.rate() - one.rate());
    auc(&tallies.into_iter().map(score).collect(), &seen.truth)
}

#[derive(Clone, Copy, Default)]
struct Tally {
    ms: u64,
    cells: usize,
}

impl Tally {
    fn add(&mut self, ms: u64, cells: usize) {
        self.ms += ms;
        self.cells += cells;
    }

    fn rate(&self) -> f64 {
        self.cells as f64 / self.ms.max(1) as f64
    }
}

/// The area under the ROC curve: how often a pair that talks scores above one that does not.
fn auc(scores: &Scores, truth: &BTreeSet<(usize, usize)>) -> f64 {
    let (talking, silent): (Vec<_>, Vec<_>) =
        scores.iter().partition(|(pair, _)| truth.contains(pair));
    let mut won = 0.0;
    for (_, talks) in &talking {
        for (_, not) in &silent {
            won += match talks.total_cmp(not) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    won / (talking.len() * silent.len()).max(1) as f64
}
