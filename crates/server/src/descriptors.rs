//! File descriptors: connections must never take those that the store needs.
//!
//! A store that cannot open its next segment fails and takes nothing until it is restarted, so a
//! crowd of clients could stop a server for good. The process takes as many descriptors as it is
//! allowed, keeps some for itself, and lets in no more clients than the rest.

use crate::files::HANDLES_MAX;

/// For the store's handles and short-lived ones, the runtime, signals, standard streams.
const RESERVED: u64 = HANDLES_MAX as u64 + 192;

/// How many clients fit, of the `wanted` ones.
pub(crate) fn connections_that_fit(wanted: u32) -> u32 {
    let Some(allowed) = raise(u64::from(wanted) + RESERVED) else { return wanted };
    let fitting = fitting(wanted, allowed);
    if fitting < wanted {
        tracing::warn!(wanted, fitting, "the system allows fewer connections than the settings");
    }
    fitting
}

/// At least one, so that a server with next to nothing can still be talked to.
fn fitting(wanted: u32, allowed: u64) -> u32 {
    u32::try_from(allowed.saturating_sub(RESERVED)).map_or(wanted, |room| wanted.min(room.max(1)))
}

/// Descriptors that this process may have, after asking for `needed`; `None` without a limit.
#[cfg(unix)]
fn raise(needed: u64) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current?;
    if current >= needed {
        return Some(current);
    }
    let raised = limit.maximum.map_or(needed, |maximum| needed.min(maximum));
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }) {
        Ok(()) => Some(raised),
        Err(_) => Some(current),
    }
}

/// Windows has no such limit on sockets.
#[cfg(not(unix))]
fn raise(_needed: u64) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_keeps_its_share() {
        assert_eq!(fitting(10_000, 20_000), 10_000);
        assert_eq!(fitting(10_000, 1_024), 1_024 - 256);
        assert_eq!(fitting(10_000, 10), 1);
        assert_eq!(fitting(5, u64::MAX), 5);
    }

    #[test]
    fn a_few_connections_always_fit() {
        assert_eq!(connections_that_fit(4), 4);
    }
}
