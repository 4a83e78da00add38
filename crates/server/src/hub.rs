//! Pushes of digests to everybody who streams.
//!
//! Ticks follow the disk; pushes follow the number of listeners, because each push costs one write
//! per listener: 5,000 idle clients at one push per 20 ms take a whole core, at one per 440 ms a
//! fifth of it (STORE.md). A push is encoded once and its bytes are shared, so that everybody gets
//! the same. The channel to the listeners is a ring: whoever falls behind it loses nothing but
//! speed, and reads what it missed from the log ([`crate::follower`]).

use crate::service::Service;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, watch},
    time::{sleep, timeout},
};
use tokio_tungstenite::tungstenite::Bytes;
use undertone_wire::{DigestPage, Frame, encode};

/// Pushes that a listener may be behind before it has to page.
const RING: usize = 64;
/// Connections that get every tick.
const CONNECTIONS_UNPACED: u64 = 1_000;
/// What each further connection adds to the interval.
const PACE_PER_CONNECTION: Duration = Duration::from_micros(110);
/// The longest interval.
const PACE_MAX: Duration = Duration::from_secs(1);

/// One push, as its bytes go out.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    /// The first tick in it, or the next one to come when it is a heartbeat.
    pub(crate) first: u64,
    /// The last tick in it; `first - 1` in a heartbeat.
    pub(crate) last: u64,
    /// An encoded [`Frame::Push`].
    pub(crate) bytes: Bytes,
}

impl Push {
    /// Encodes a page for everybody.
    pub(crate) fn new(page: DigestPage) -> Self {
        let last = page.head.head.tick;
        let first = page.ticks.first().map_or(last + 1, |tick| tick.tick);
        Self { first, last, bytes: encode(&Frame::Push(page)).into() }
    }
}

/// The sending end, held by the service.
pub(crate) fn ring() -> broadcast::Sender<Push> {
    broadcast::Sender::new(RING)
}

/// The time between two pushes.
pub(crate) fn interval(connections: u64, tick: Duration) -> Duration {
    let paced = u32::try_from(connections.saturating_sub(CONNECTIONS_UNPACED)).unwrap_or(u32::MAX);
    PACE_PER_CONNECTION.saturating_mul(paced).max(tick).min(PACE_MAX)
}

/// Pushes what is sealed until the sealing thread ends.
pub(crate) async fn pace(service: Arc<Service>, mut newest: watch::Receiver<u64>) {
    let ring = &service.ring;
    let mut pushed = *newest.borrow_and_update();
    loop {
        match timeout(service.config.tick.heartbeat(), newest.changed()).await {
            Ok(Ok(())) => {
                let until = *newest.borrow_and_update();
                push_until(&service, ring, &mut pushed, until).await;
                let tick = service.config.tick.min();
                let pace = interval(service.connections(), tick);
                // Ticks keep their own distance; waiting once more would only delay the next.
                if pace > tick {
                    sleep(pace).await;
                }
            }
            Ok(Err(_)) => return,
            Err(_) => heartbeat(&service, ring).await,
        }
    }
}

async fn push_until(
    service: &Arc<Service>,
    ring: &broadcast::Sender<Push>,
    pushed: &mut u64,
    until: u64,
) {
    while *pushed < until {
        if ring.receiver_count() == 0 {
            *pushed = until;
            return;
        }
        match service.page(*pushed + 1).await {
            Ok(page) if !page.ticks.is_empty() => {
                let push = Push::new(page);
                *pushed = push.last;
                // No listener is no error: it has just left.
                ring.send(push).ok();
            }
            Ok(_) => return,
            Err(refusal) => {
                tracing::error!(kind = ?refusal.kind, "a digest cannot be read");
                return;
            }
        }
    }
}

async fn heartbeat(service: &Arc<Service>, ring: &broadcast::Sender<Push>) {
    if ring.receiver_count() == 0 {
        return;
    }
    if let Ok(page) = service.heartbeat().await {
        ring.send(Push::new(page)).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_slow_down_with_the_number_of_listeners() {
        let tick = Duration::from_millis(20);
        assert_eq!(interval(0, tick), tick);
        assert_eq!(interval(1_000, tick), tick);
        assert_eq!(interval(1_100, tick), tick);
        assert_eq!(interval(5_000, tick), Duration::from_millis(440));
        assert_eq!(interval(10_000, tick), Duration::from_millis(990));
        assert_eq!(interval(1_000_000, tick), PACE_MAX);
        assert_eq!(interval(u64::MAX, tick), PACE_MAX);
    }
}
