//! Who the server is.
//!
//! The id of a server is the fingerprint of its *first* key; later keys follow by signed succession.
//! Whoever stole a key that has been replaced can still show the succession up to it, or name
//! another successor. Somebody who knows nothing but the id cannot tell; somebody who has met the
//! newer keys can, and refuses both.

use undertone_wire::{KeyRing, ServerId};

/// What is known of a server: its id, and the keys that it had when it was met last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    server: ServerId,
    known: Option<KeyRing>,
}

impl Pin {
    /// The server's id.
    pub fn server(&self) -> ServerId {
        self.server
    }

    /// Whether a server that shows these keys is the one.
    pub fn admits(&self, shown: &KeyRing) -> bool {
        let continues = self.known.as_ref().is_none_or(|known| shown.continues(known));
        shown.server() == self.server && continues
    }
}

/// A server of which nothing but the id is known.
impl From<ServerId> for Pin {
    fn from(server: ServerId) -> Self {
        Self { server, known: None }
    }
}

/// A server that had these keys when it was met last.
impl From<KeyRing> for Pin {
    fn from(keys: KeyRing) -> Self {
        Self { server: keys.server(), known: Some(keys) }
    }
}

impl From<&KeyRing> for Pin {
    fn from(keys: &KeyRing) -> Self {
        keys.clone().into()
    }
}
