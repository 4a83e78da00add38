//! How a server's log goes on after it was restored from an older backup (DESIGN.md section 3.3).
//!
//! The tick after the last one that survived is numbered by the time at which it is sealed. A server
//! seals fewer than one tick in a millisecond, so that number lies above every tick that was lost:
//! no tick number is ever used twice, not even when one backup is restored twice, and every tick of
//! the new life is later than every tick of the old one (ADR 0010).

use crate::Head;

/// The number of the first tick after a declared recovery, sealed at `time_ms`, Unix milliseconds.
pub fn first_tick_after_recovery(survived: u64, time_ms: u64) -> u64 {
    time_ms.max(survived.saturating_add(1))
}

impl Head {
    /// Whether the tick `tick`, sealed at `time_ms`, may follow the tick `before` in the log that
    /// this head is of: it is the next one or, where this head declares that the log was recovered
    /// after `before`, the first of the new life.
    pub fn lets_follow(&self, before: u64, tick: u64, time_ms: u64) -> bool {
        if self.resumes_after(before) {
            return tick == first_tick_after_recovery(before, time_ms);
        }
        before.checked_add(1) == Some(tick)
    }

    /// Whether this head declares that the log was recovered after the tick `before`.
    pub fn resumes_after(&self, before: u64) -> bool {
        self.recovered_after == Some(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServerId;

    fn head(recovered_after: Option<u64>) -> Head {
        Head {
            server: ServerId([1; 32]),
            tick: 0,
            time_ms: 0,
            size: 0,
            root: [0; 32],
            token_keys: Vec::new(),
            policy: [0; 32],
            recovered_after,
        }
    }

    #[test]
    fn ticks_follow_each_other_unless_a_recovery_is_declared_right_there() {
        assert!(head(None).lets_follow(7, 8, 5_000));
        assert!(!head(None).lets_follow(7, 5_000, 5_000));
        assert!(head(Some(6)).lets_follow(7, 8, 5_000));
        assert!(head(Some(7)).lets_follow(7, 5_000, 5_000));
        assert!(!head(Some(7)).lets_follow(7, 8, 5_000));
        assert!(!head(Some(7)).lets_follow(7, 5_001, 5_000));
        assert!(!head(None).lets_follow(u64::MAX, 0, 0));
    }

    #[test]
    fn a_clock_that_lags_behind_still_lets_the_log_grow() {
        assert!(head(Some(7)).lets_follow(7, 8, 3));
    }
}
