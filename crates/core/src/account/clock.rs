//! The device's clock, which may be set at any time.
//!
//! What is waited for is waited for as long as was meant, also when the clock is set back meanwhile:
//! the engine's own time goes on from where it was. What people see, and what was agreed in days and
//! hours, goes by what the clock shows.

/// What the device's clock shows, and the engine's own time beside it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    wall_ms: u64,
    /// By how much the clock was set back since the start, all in all.
    ahead_ms: u64,
}

impl Clock {
    /// The clock shows `wall_ms`, Unix milliseconds.
    pub(super) fn show(&mut self, wall_ms: u64) {
        let before = self.now_ms();
        self.wall_ms = wall_ms;
        self.ahead_ms = self.ahead_ms.saturating_add(before.saturating_sub(self.now_ms()));
    }

    /// The engine's own time, milliseconds: never goes back.
    pub(super) fn now_ms(&self) -> u64 {
        self.wall_ms.saturating_add(self.ahead_ms)
    }

    /// What the clock shows, Unix milliseconds.
    pub(super) fn wall_ms(&self) -> u64 {
        self.wall_ms
    }

    /// What the clock will show at the engine's own time `at_ms`.
    pub(super) fn wall_at(&self, at_ms: u64) -> u64 {
        at_ms.saturating_sub(self.ahead_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_back_the_clock_goes_on_from_where_it_was() {
        let mut clock = Clock::default();
        clock.show(1_000);
        clock.show(400);
        assert_eq!((clock.now_ms(), clock.wall_ms()), (1_000, 400));
        clock.show(500);
        assert_eq!((clock.now_ms(), clock.wall_at(1_200)), (1_100, 600));
        clock.show(5_000);
        clock.show(100);
        assert_eq!((clock.now_ms(), clock.wall_at(5_601)), (5_600, 101));
    }
}
