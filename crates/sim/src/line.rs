//! One connection: two directions, each in order, each with its own delay.

/// A connection as both sides see it; they need not agree.
#[derive(Debug)]
pub(crate) struct Line {
    /// Whose.
    pub who: usize,
    /// Of which start of that device.
    pub life: u32,
    /// Until when the server reads it; `u64::MAX` while it stands.
    pub served_until_ms: u64,
    /// Next tick to push, once it streams.
    pub follows: Option<u64>,
    /// The request that it streams for.
    pub stream_id: u32,
    /// Whether a push is under way already.
    pub pushing: bool,
    up_ms: u64,
    down_ms: u64,
}

impl Line {
    pub(crate) fn new(who: usize, life: u32) -> Self {
        let served_until_ms = u64::MAX;
        Self {
            who,
            life,
            served_until_ms,
            follows: None,
            stream_id: 0,
            pushing: false,
            up_ms: 0,
            down_ms: 0,
        }
    }

    /// When something that leaves the client for `delay_ms` arrives: never before what left earlier.
    pub(crate) fn up_at(&mut self, now_ms: u64, delay_ms: u64) -> u64 {
        self.up_ms = self.up_ms.max(now_ms + delay_ms);
        self.up_ms
    }

    /// The same from the server.
    pub(crate) fn down_at(&mut self, now_ms: u64, delay_ms: u64) -> u64 {
        self.down_ms = self.down_ms.max(now_ms + delay_ms);
        self.down_ms
    }
}
