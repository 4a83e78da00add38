//! When to try again.

use rand::{Rng, SeedableRng, rngs::StdRng};
use std::time::Duration;

/// Exponential waiting times with jitter, so that a restarted server does not meet all of its
/// clients in one instant.
#[derive(Clone, Debug)]
pub struct Backoff {
    shortest: Duration,
    longest: Duration,
    failures: u32,
    rng: StdRng,
}

impl Backoff {
    /// Waiting times between half of `shortest` and `longest`, doubling with every failure.
    pub fn new(shortest: Duration, longest: Duration, seed: u64) -> Self {
        Self { shortest, longest, failures: 0, rng: StdRng::seed_from_u64(seed) }
    }

    /// The time to wait after one more failure: uniformly between half of the nominal time and all
    /// of it.
    pub fn next_delay(&mut self) -> Duration {
        let doublings = self.failures.min(31);
        self.failures = self.failures.saturating_add(1);
        let nominal = self.shortest.saturating_mul(1 << doublings).min(self.longest);
        nominal.mul_f64(self.rng.random_range(0.5..=1.0))
    }

    /// A connection has proved itself: the next failure begins with the shortest time again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Trying again soon will not help: the next delay is the longest.
    pub fn give_time(&mut self) {
        self.failures = 31;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada(seed: u64) -> Backoff {
        Backoff::new(Duration::from_millis(250), Duration::from_secs(60), seed)
    }

    #[test]
    fn grows_to_the_longest_and_stays_there() {
        let mut backoff = ada(7);
        for failures in 0..40_u32 {
            let nominal = Duration::from_millis(250)
                .saturating_mul(1 << failures.min(31))
                .min(Duration::from_secs(60));
            let delay = backoff.next_delay();
            assert!(delay >= nominal.mul_f64(0.49) && delay <= nominal, "{failures}: {delay:?}");
        }
    }

    #[test]
    fn starts_again_after_a_success() {
        let mut backoff = ada(7);
        for _ in 0..10 {
            backoff.next_delay();
        }
        backoff.reset();
        assert!(backoff.next_delay() <= Duration::from_millis(250));
    }

    #[test]
    fn clients_with_other_seeds_come_at_other_times() {
        assert_ne!(ada(1).next_delay(), ada(2).next_delay());
        assert_eq!(ada(1).next_delay(), ada(1).next_delay());
    }

    #[test]
    fn what_will_not_help_soon_waits_longest() {
        let mut backoff = ada(3);
        backoff.give_time();
        assert!(backoff.next_delay() >= Duration::from_secs(29));
    }
}
