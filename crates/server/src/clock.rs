//! The server's only clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Unix milliseconds; the log makes them monotone where that matters.
#[allow(clippy::disallowed_methods, reason = "the one place where the server reads the time")]
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A point of monotone time, for pacing.
#[allow(clippy::disallowed_methods, reason = "the one place where the server reads the time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
