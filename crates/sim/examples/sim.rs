//! Plays seeds on all cores; `cargo xtask sim` runs it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to people")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use undertone_sim::{Coverage, Found, Outcome, Plan, Planted, minimise, run};

const USAGE: &str = "sim [--seeds N] [--from S] [--all] | --seed S [--keep STEPS] [--quiet] | --mutants [--seeds N]";

/// Seeds of a sweep, unless it says how many.
const SEEDS: u64 = 200;

/// Runs that making one failing script shorter may take.
const MINIMISE_RUNS: usize = 400;

/// The word that has the same build made again.
const FAST: &str = if cfg!(feature = "stand-in") { " --fast" } else { "" };

/// A thread has died over a bug: nothing that the others have found is told as all.
const PANICKED: &str = "every thread ends by itself";

/// What the command line says.
#[derive(Debug, Default)]
struct Wanted {
    seeds: Option<u64>,
    from: u64,
    one: Option<u64>,
    keep: Option<String>,
    quiet: bool,
    all: bool,
    mutants: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(wanted) = parse(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let well = match wanted.one {
        Some(seed) => replay(seed, &wanted),
        None if wanted.mutants => hunt(&wanted),
        None => sweep(&wanted),
    };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(words: &[String]) -> Option<Wanted> {
    let mut wanted = Wanted::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seeds" => wanted.seeds = Some(words.next()?.parse().ok()?),
            "--from" => wanted.from = words.next()?.parse().ok()?,
            "--seed" => wanted.one = Some(words.next()?.parse().ok()?),
            "--keep" => wanted.keep = Some(words.next()?.clone()),
            "--quiet" => wanted.quiet = true,
            "--all" => wanted.all = true,
            "--mutants" => wanted.mutants = true,
            _ => return None,
        }
    }
    Some(wanted)
}

/// Plays one seed, with its transcript.
fn replay(seed: u64, wanted: &Wanted) -> bool {
    let plan = Plan::of_seed(seed);
    let plan = match &wanted.keep {
        None => Some(plan),
        Some(words) => plan.keep(words),
    };
    let Some(plan) = plan else {
        eprintln!("--keep takes numbers of steps: 0-4,9");
        return false;
    };
    let outcome = run(&plan, !wanted.quiet);
    outcome.transcript.iter().for_each(|line| println!("{line}"));
    outcome.violations.iter().for_each(|violation| println!("{violation}"));
    println!("{} people, {} steps, digest {}", plan.people, plan.kept.len(), hex(&outcome.digest));
    outcome.violations.is_empty()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// What all threads add to.
struct Shared {
    next: AtomicU64,
    failed: AtomicBool,
    totals: Mutex<Totals>,
}

#[derive(Default)]
struct Totals {
    seeds: u64,
    simulated_ms: u64,
    coverage: Coverage,
    failures: Vec<(u64, String)>,
}

fn sweep(wanted: &Wanted) -> bool {
    #[expect(clippy::disallowed_methods, reason = "a figure for people; nothing is decided by it")]
    let begun = Instant::now();
    let (next, failed) = (AtomicU64::new(wanted.from), AtomicBool::new(false));
    let shared = Shared { next, failed, totals: Mutex::default() };
    std::thread::scope(|scope| {
        for _ in 0..cores() {
            scope.spawn(|| work(wanted, &shared));
        }
    });
    let totals = shared.totals.into_inner().expect(PANICKED);
    let seconds = begun.elapsed().as_secs_f64().max(0.001);
    summarise(&totals, seconds);
    totals.failures.is_empty()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn work(wanted: &Wanted, shared: &Shared) {
    while wanted.all || !shared.failed.load(Ordering::Relaxed) {
        let seed = shared.next.fetch_add(1, Ordering::Relaxed);
        if seed >= wanted.from + wanted.seeds.unwrap_or(SEEDS) {
            return;
        }
        note(seed, &run(&Plan::of_seed(seed), false), shared);
    }
}

fn note(seed: u64, outcome: &Outcome, shared: &Shared) {
    let mut totals = shared.totals.lock().expect(PANICKED);
    totals.seeds += 1;
    totals.simulated_ms += outcome.simulated_ms;
    totals.coverage.add(&outcome.coverage);
    if let Some(first) = outcome.violations.first() {
        shared.failed.store(true, Ordering::Relaxed);
        println!("seed {seed}: {first}");
        totals.failures.push((seed, first.to_string()));
    }
}

fn summarise(totals: &Totals, seconds: f64) {
    for (word, count) in &totals.coverage.done {
        println!("{count:>10}  {word}");
    }
    let days = totals.simulated_ms as f64 / 86_400_000.0;
    let rate = totals.seeds as f64 / seconds;
    println!(
        "{} seeds in {seconds:.1} s: {rate:.1} seeds/s, {days:.0} simulated days",
        totals.seeds
    );
    println!("{} failed", totals.failures.len());
    if let Some((seed, _)) = totals.failures.first() {
        explain(*seed);
    }
}

/// Says how a failing seed fails, as shortly as can be found.
fn explain(seed: u64) {
    let plan = Plan::of_seed(seed);
    let Some(first) = run(&plan, false).violations.into_iter().next() else { return };
    let short = minimise(&plan, first.wrong, MINIMISE_RUNS);
    println!("seed {seed} fails with {} of {} steps:", short.kept.len(), plan.steps.len());
    short.played().for_each(|step| println!("    {step}"));
    run(&short, false).violations.iter().for_each(|violation| println!("  {violation}"));
    println!("again: cargo xtask sim{FAST} --seed {seed} --keep {}", short.kept_words());
}

/// Looks for every planted bug; each must be found within its seeds.
fn hunt(wanted: &Wanted) -> bool {
    let bugs = Planted::all();
    let next = Mutex::new(bugs.iter().enumerate());
    let hunted = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some((index, bug)) = next.lock().expect(PANICKED).next() {
            let seeds = wanted.seeds.unwrap_or(bug.seeds());
            let found = bug.hunt(wanted.from, seeds);
            hunted.lock().expect(PANICKED).insert(index, (bug.word(), found, seeds));
        }
    };
    std::thread::scope(|scope| (0..cores()).for_each(|_| drop(scope.spawn(work))));
    let hunted = hunted.into_inner().expect(PANICKED);
    println!("{:<20} {:>5} {:>5}  sign", "bug", "seed", "seeds");
    let missed = hunted.values().filter(|(word, found, seeds)| !tell(word, found.as_ref(), *seeds));
    let missed = missed.count() + bugs.len() - hunted.len();
    println!("{missed} not found");
    missed == 0
}

fn tell(word: &str, found: Option<&Found>, seeds: u64) -> bool {
    match found {
        Some(found) => {
            println!("{word:<20} {:>5} {:>5}  {:?}", found.seed, found.seeds, found.sign.wrong);
        }
        None => println!("{word:<20} not found in {seeds} seeds"),
    }
    found.is_some()
}
