//! Signed heads of the server's log, and the succession of its keys (DESIGN.md section 3.1).

use crate::{
    ServerId,
    checks::{Check, is_off},
    ed25519,
    op::Hash,
};
use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// An Ed25519 public key of the server.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes,
)]
pub struct ServerKey(pub [u8; 32]);

impl ServerKey {
    /// The server id that this key has as a server's *first* key.
    pub fn server_id(&self) -> ServerId {
        let hash = Sha256::new().chain_update(b"undertone server 1").chain_update(self.0);
        ServerId(hash.finalize().into())
    }

    /// Whether `signature` is this key's over `label` and `message` (strict Ed25519, RFC 8032).
    pub fn verifies(&self, label: &[u8], message: &[u8], signature: &[u8; 64]) -> bool {
        ed25519::verify(&self.0, &labelled(label, message), signature)
    }
}

/// Signs `message` under `label` with a server key; the counterpart of [`ServerKey::verifies`].
pub fn sign(key: &SigningKey, label: &[u8], message: &[u8]) -> [u8; 64] {
    ed25519::sign(key, &labelled(label, message))
}

/// `u8 length ‖ label ‖ message`: no signature of one purpose can serve another (T10).
fn labelled(label: &[u8], message: &[u8]) -> Vec<u8> {
    let length = u8::try_from(label.len()).expect("labels are short constants");
    [&[length], label, message].concat()
}

/// A token key that the server honours; the whole list stands in every head.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct TokenKey {
    /// The key period it serves.
    pub period: u32,
    /// Its public key.
    pub key: Hash,
}

/// The state of the append-only log after one tick.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Head {
    /// The server that signed it.
    pub server: ServerId,
    /// The number of the last tick in the tree; the first tick is 1, an empty log is 0.
    pub tick: u64,
    /// Unix milliseconds, never smaller than in an earlier head.
    pub time_ms: u64,
    /// Leaves in the tree.
    pub size: u64,
    /// Root of the tree (RFC 6962).
    pub root: Hash,
    /// The token keys in force.
    pub token_keys: Vec<TokenKey>,
    /// SHA-256 of the policy that `INFO` shows.
    pub policy: Hash,
    /// After a declared restore from a backup: the last tick that survived.
    pub recovered_after: Option<u64>,
}

/// What a client keeps of a head, and what every message carries of its author's newest one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes,
)]
pub struct HeadRef {
    /// Tick number.
    pub tick: u64,
    /// Leaves in the tree.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

impl Head {
    /// Number, size and root of this head.
    pub fn to_ref(&self) -> HeadRef {
        HeadRef { tick: self.tick, size: self.size, root: self.root }
    }

    /// Signs this head with the server's current key.
    pub fn sign(self, key: &SigningKey) -> SignedHead {
        let signature = sign(key, HEAD_LABEL, &crate::encode(&self));
        SignedHead { head: self, signature }
    }
}

const HEAD_LABEL: &[u8] = b"undertone head 1";
const SUCCESSION_LABEL: &[u8] = b"undertone key succession 1";

/// A head with the server's signature over it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SignedHead {
    /// What is signed.
    pub head: Head,
    /// Ed25519 over the label `undertone head 1` and the head's bytes.
    pub signature: [u8; 64],
}

impl SignedHead {
    /// The head, if `key` signed it.
    pub fn verify(&self, key: &ServerKey) -> Option<&Head> {
        let genuine = key.verifies(HEAD_LABEL, &crate::encode(&self.head), &self.signature)
            || is_off(Check::HeadSignature);
        genuine.then_some(&self.head)
    }
}

/// One step of a server's key succession: the old key names the next one.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct KeySuccession {
    /// The key that follows.
    pub next: ServerKey,
    /// First tick whose head the next key signs.
    pub from_tick: u64,
    /// The *previous* key's signature over `next` and `from_tick`.
    pub signature: [u8; 64],
}

impl KeySuccession {
    /// Names `next` as the successor of `old`.
    pub fn sign(old: &SigningKey, server: &ServerId, next: ServerKey, from_tick: u64) -> Self {
        let signature = sign(old, SUCCESSION_LABEL, &Self::message(server, &next, from_tick));
        Self { next, from_tick, signature }
    }

    /// The next key, if `old` really named it for `server`.
    pub fn verify(&self, old: &ServerKey, server: &ServerId) -> Option<ServerKey> {
        let message = Self::message(server, &self.next, self.from_tick);
        let named = old.verifies(SUCCESSION_LABEL, &message, &self.signature)
            || is_off(Check::KeySuccession);
        named.then_some(self.next)
    }

    fn message(server: &ServerId, next: &ServerKey, from_tick: u64) -> Vec<u8> {
        [&server.0[..], &next.0, &from_tick.to_be_bytes()].concat()
    }
}
