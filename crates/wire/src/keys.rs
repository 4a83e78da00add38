//! Which of a server's keys signs what: the succession of keys that starts with the pinned
//! fingerprint, and the binding of a TLS certificate to the newest of them.

use crate::checks::{Check, is_off};
use crate::{Head, Info, KeySuccession, ServerId, ServerKey, SignedHead, sign};
use ed25519_dalek::SigningKey;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// Why a list of keys is not this server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// The first key has another fingerprint than the pinned one.
    #[error("this is another server: its first key has a different fingerprint")]
    OtherServer,
    /// A key was not named by the key before it, or out of order.
    #[error("key number {0} of this server was not named by the key before it")]
    Succession(usize),
    /// More successions than [`KeyRing::SUCCESSIONS_MAX`].
    #[error("this server names more keys than anybody rotates")]
    TooMany,
}

/// All signing keys of one server, each with the first tick that it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    server: ServerId,
    first: ServerKey,
    later: Vec<(u64, ServerKey)>,
}

impl KeyRing {
    /// Successions that are looked at: one a week for nineteen years.
    pub const SUCCESSIONS_MAX: usize = 1_000;

    /// The keys of the server whose id was pinned.
    ///
    /// # Errors
    /// [`BadKeys`] unless `first` has the pinned fingerprint and each later key was named by the
    /// one before it, for a later tick.
    pub fn new(
        server: &ServerId,
        first: ServerKey,
        succession: &[KeySuccession],
    ) -> Result<Self, BadKeys> {
        if first.server_id() != *server && !is_off(Check::ServerPin) {
            return Err(BadKeys::OtherServer);
        }
        if succession.len() > Self::SUCCESSIONS_MAX {
            return Err(BadKeys::TooMany);
        }
        let mut ring = Self { server: *server, first, later: Vec::new() };
        for (number, step) in succession.iter().enumerate() {
            ring.extend(step).ok_or(BadKeys::Succession(number + 1))?;
        }
        Ok(ring)
    }

    /// The keys that `INFO` shows, judged by the pinned id.
    ///
    /// # Errors
    /// As [`KeyRing::new`].
    pub fn from_info(server: &ServerId, info: &Info) -> Result<Self, BadKeys> {
        if info.server != *server {
            return Err(BadKeys::OtherServer);
        }
        Self::new(server, info.first_key, &info.succession)
    }

    fn extend(&mut self, step: &KeySuccession) -> Option<()> {
        let before = self.later.last().map_or(0, |(from, _)| *from);
        let next = step.verify(&self.newest(), &self.server)?;
        (step.from_tick > before).then(|| self.later.push((step.from_tick, next)))
    }

    /// The server whose keys these are.
    pub fn server(&self) -> ServerId {
        self.server
    }

    /// The key that signs the heads of tick `tick`.
    pub fn key_at(&self, tick: u64) -> ServerKey {
        let in_force = self.later.iter().rev().find(|(from, _)| *from <= tick);
        in_force.map_or(self.first, |(_, key)| *key)
    }

    /// The key that was named last.
    pub fn newest(&self) -> ServerKey {
        self.later.last().map_or(self.first, |(_, key)| *key)
    }

    /// How many keys follow the first.
    pub fn successions(&self) -> usize {
        self.later.len()
    }

    /// Whether these keys are those of `known`, or begin with them. A thief of an older key can show
    /// what was before the newest one, or name another successor, and neither continues it.
    pub fn continues(&self, known: &Self) -> bool {
        self.first == known.first && self.later.starts_with(&known.later)
    }

    /// The head, if it is this server's and signed by the key in force at its tick.
    pub fn verify<'a>(&self, signed: &'a SignedHead) -> Option<&'a Head> {
        let head = signed.verify(&self.key_at(signed.head.tick))?;
        (head.server == self.server).then_some(head)
    }
}

/// The arcs of the X.509 extension that holds a [`TlsBinding`]: 2.25 (identifiers that need no
/// registration) and a random number.
pub const TLS_BINDING_OID: [u64; 3] = [2, 25, 6_912_470_381_562_994_073];

const TLS_LABEL: &[u8] = b"undertone tls 1";

/// Binds a TLS certificate to a server's signing key. It stands in the certificate itself, as the
/// extension [`TLS_BINDING_OID`], so that a client that pinned the server knows within the
/// handshake whom it talks to, whatever the certificate says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct TlsBinding {
    /// The server's first signing key.
    pub first_key: ServerKey,
    /// The keys that followed.
    pub succession: Vec<KeySuccession>,
    /// The newest key's signature over the label `undertone tls 1`, the server's id and the
    /// certificate's SubjectPublicKeyInfo (DER).
    pub signature: [u8; 64],
}

impl TlsBinding {
    /// Binds the certificate with this SubjectPublicKeyInfo (DER) to the server; `key` is the
    /// newest of its signing keys.
    pub fn sign(
        key: &SigningKey,
        first_key: ServerKey,
        succession: Vec<KeySuccession>,
        spki: &[u8],
    ) -> Self {
        let signature = sign(key, TLS_LABEL, &Self::message(&first_key.server_id(), spki));
        Self { first_key, succession, signature }
    }

    /// The server's keys, if this binding is by `server` and for the certificate with this
    /// SubjectPublicKeyInfo.
    pub fn verify(&self, server: &ServerId, spki: &[u8]) -> Option<KeyRing> {
        let keys = KeyRing::new(server, self.first_key, &self.succession).ok()?;
        let message = Self::message(server, spki);
        keys.newest().verifies(TLS_LABEL, &message, &self.signature).then_some(keys)
    }

    fn message(server: &ServerId, spki: &[u8]) -> Vec<u8> {
        [&server.0[..], spki].concat()
    }
}
