//! What the operator decides.

use ed25519_dalek::SigningKey;
use std::fmt;
use undertone_wire::{BadKeys, KeyRing, KeySuccession, ServerKey};

use super::OpenError;

/// A server's signing key and how it came to be the one.
#[derive(Clone)]
pub struct Keys {
    /// The newest key's secret.
    pub signing: SigningKey,
    /// The first key; its fingerprint is the server's id.
    pub first: ServerKey,
    /// The keys after the first, each named by the one before it.
    pub succession: Vec<KeySuccession>,
}

impl Keys {
    /// The keys of a server that has had only one.
    pub fn first(signing: SigningKey) -> Self {
        let first = ServerKey(signing.verifying_key().to_bytes());
        Self { signing, first, succession: Vec::new() }
    }

    /// Names `next` as the key that signs from tick `from_tick` on.
    pub fn succeed(self, next: SigningKey, from_tick: u64) -> Self {
        let server = self.first.server_id();
        let public = ServerKey(next.verifying_key().to_bytes());
        let step = KeySuccession::sign(&self.signing, &server, public, from_tick);
        let succession = self.succession.into_iter().chain([step]).collect();
        Self { signing: next, first: self.first, succession }
    }

    /// The public side, checked.
    ///
    /// # Errors
    /// [`OpenError::Keys`] when the succession does not hold, [`OpenError::NotNewest`] when it
    /// does not end with the signing key.
    pub fn ring(&self) -> Result<KeyRing, OpenError> {
        let ring = self.public_ring()?;
        let signing = ServerKey(self.signing.verifying_key().to_bytes());
        (ring.newest() == signing).then_some(ring).ok_or(OpenError::NotNewest)
    }

    fn public_ring(&self) -> Result<KeyRing, BadKeys> {
        KeyRing::new(&self.first.server_id(), self.first, &self.succession)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({} successions, secret …)", self.succession.len())
    }
}

/// Policy and limits.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's keys.
    pub keys: Keys,
    /// `open`, `invite` or `closed`, as `INFO` shows it and every head commits to it.
    pub policy: Vec<u8>,
    /// The shortest tick in milliseconds; for `INFO`, the caller paces the ticks.
    pub tick_ms_min: u32,
    /// For how long cells are kept, in milliseconds.
    pub retention_ms: u64,
    /// PUTs that one connection may have unanswered; for `INFO`, the caller counts them.
    pub puts_in_flight_max: u16,
    /// Cells that may wait for a tick; beyond it they are refused as busy.
    pub queue_max: usize,
    /// Cells that one tick takes; the rest waits for the next. At most 16,384.
    pub cells_per_tick_max: usize,
    /// How to reach the operator.
    pub contact: String,
    /// What the operator wants users to know.
    pub notice: String,
    /// After a restore from a backup that lost ticks: the last tick that survived.
    pub recovered_after: Option<u64>,
}

impl Config {
    /// The defaults of an open server: 30 days, ticks of 20 ms.
    pub fn new(keys: Keys) -> Self {
        Self {
            keys,
            policy: b"open".to_vec(),
            tick_ms_min: 20,
            retention_ms: 30 * 24 * 3_600_000,
            puts_in_flight_max: 64,
            queue_max: 16_384,
            cells_per_tick_max: 4_096,
            contact: String::new(),
            notice: String::new(),
            recovered_after: None,
        }
    }
}
