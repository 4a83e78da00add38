//! Trouble that others can repeat as often as they like: they must not fill the disk with log lines.

use crate::clock;
use std::time::{Duration, Instant};

/// The shortest time between two lines.
const QUIET: Duration = Duration::from_secs(60);

/// What goes wrong at one place, told once a minute at most.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    said: Option<Instant>,
    unsaid: u64,
}

impl Trouble {
    /// Notes one more time, and logs it with how often it came since the last line.
    pub(crate) fn log(&mut self, what: &str) {
        if let Some(times) = self.count(clock::now()) {
            tracing::warn!(times, "{what}");
        }
    }

    /// How often it came, when it is time to say so.
    pub(crate) fn count(&mut self, now: Instant) -> Option<u64> {
        self.unsaid += 1;
        if self.said.is_some_and(|said| now < said + QUIET) {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_times_in_a_minute_are_two_lines() {
        let (mut trouble, start) = (Trouble::default(), clock::now());
        assert_eq!(trouble.count(start), Some(1));
        for _ in 0..9_998 {
            assert_eq!(trouble.count(start + QUIET / 2), None);
        }
        assert_eq!(trouble.count(start + QUIET), Some(9_999));
    }
}
