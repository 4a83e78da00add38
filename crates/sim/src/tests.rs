//! The simulator's own tests, and CI's share of seeds.

use crate::{Plan, Shape, run, run_on_lying_disk};

/// Seeds that every run of the tests plays.
const SHARE: u64 = 200;

/// Threads that play them.
const THREADS: u64 = 2;

#[test]
fn a_seed_replays_byte_for_byte() {
    let plan = Plan::of_seed(3);
    let (first, again) = (run(&plan, false), run(&plan, false));
    assert_eq!(first.digest, again.digest);
    assert_eq!(first.simulated_ms, again.simulated_ms);
}

#[test]
fn the_share_of_seeds_that_ci_plays_is_clean() {
    let play = |first: u64| {
        for seed in (first..SHARE).step_by(THREADS as usize) {
            let violations = run(&Plan::of_seed(seed), false).violations;
            assert!(violations.is_empty(), "cargo xtask sim --seed {seed}: {}", violations[0]);
        }
    };
    std::thread::scope(|scope| {
        (0..THREADS).for_each(|first| drop(scope.spawn(move || play(first))))
    });
}

#[test]
fn the_steps_that_are_kept_can_be_named() {
    let plan = Plan::of_seed(1);
    let all = plan.steps.len();
    let short = plan.keep("0-2,5,9999").expect("a list of steps");
    assert_eq!((short.kept.clone(), short.kept_words()), (vec![0, 1, 2, 5], "0-2,5".to_owned()));
    assert!(all > 5);
    assert_eq!(short.keep("zero"), None);
}

/// Worlds of this shape are clean, and `word` happens in them.
fn is_clean_with(shape: Shape, word: &str) {
    let mut happened = 0;
    for seed in 0..4 {
        let outcome = run(&Plan::of_shape(seed, shape), false);
        assert!(outcome.violations.is_empty(), "{word}, {seed}: {}", outcome.violations[0]);
        happened += outcome.coverage.done.get(word).copied().unwrap_or_default();
    }
    assert!(happened > 0, "{word}");
}

#[test]
fn a_group_that_is_begun_anew_goes_on() {
    is_clean_with(Shape { restart: true, ..Shape::STANDARD }, "restart");
}

#[test]
fn a_server_that_is_put_back_gets_again_what_it_lost() {
    is_clean_with(Shape { recovery: true, faults: 60, ..Shape::STANDARD }, "recovery");
}

#[test]
fn a_disk_that_lies_about_its_syncs_is_found() {
    let found = (0..10).any(|seed| !run_on_lying_disk(&Plan::of_seed(seed)).violations.is_empty());
    assert!(found);
}

#[test]
fn a_panic_is_a_wrong_like_others() {
    let outcome = crate::Outcome::of(|| panic!("out of reach"));
    let violation = &outcome.violations[0];
    assert_eq!(
        (violation.wrong, violation.text.as_str()),
        (crate::Wrong::Panicked, "out of reach")
    );
}
