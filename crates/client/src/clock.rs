//! The one place where the client reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix milliseconds; 0 on a clock before 1970.
#[expect(clippy::disallowed_methods, reason = "this is the driver's clock module")]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
