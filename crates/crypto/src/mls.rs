//! MLS (RFC 9420) as Undertone uses it, over OpenMLS.
//!
//! [`Mls`] holds the state of all groups and key packages of one account; a [`Group`] is a handle that
//! works on it. All calls are synchronous, change memory only, and either happen whole or leave no
//! trace; [`Mls::take_changes`] hands out what must be persisted before anything is released.
//! Suite 0x004D only, handshakes always encrypted, proposals always inline, one extension (the
//! policy), no wall clock in any decision. One generator, which can be seeded: see [`Mls::reseed`].

mod commit;
mod crypto;
mod group;
mod key_package;
mod message;
mod profile;
mod refused;
mod store;

pub use commit::{CommitSpec, PendingCommit, Staged};
pub use group::Group;
pub use key_package::{KeyPackageBytes, KeyPackageInfo, inspect_key_package};
pub use message::Plain;
pub use profile::{LEAVES_MAX, Member};
pub use refused::{Blame, Refused};
pub use store::{Change, StoreFault};

use crypto::Crypto;
use openmls::prelude::OpenMlsProvider;
use rand::CryptoRng;
use std::fmt;
use store::Store;

/// The state of all groups and key packages of one account.
pub struct Mls {
    store: Store,
    crypto: Crypto,
}

impl Mls {
    /// Takes all records that [`Mls::take_changes`] ever handed out and that were not deleted since;
    /// none for a new account.
    ///
    /// # Errors
    /// [`Refused::Store`] when a record is from a newer program or damaged; [`Refused::Internal`]
    /// when the operating system gives no randomness.
    pub fn load(records: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<Self, Refused> {
        let crypto = Crypto::new().map_err(Refused::internal)?;
        Ok(Self { store: Store::load(records)?, crypto })
    }

    /// Seeds the generator from `rng`. It is seeded from the operating system by [`Mls::load`]; a
    /// simulation that must run the same way twice seeds it after that, and every key, ciphertext
    /// and nonce is the same then.
    pub fn reseed(&mut self, rng: &mut dyn CryptoRng) {
        self.crypto.reseed(rng);
    }

    /// What changed since the last call, sorted by key: a record's bytes, or `None` where it is
    /// gone. Persist all of it in one transaction, before anything that depends on it is released.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.store.take_changes()
    }

    /// Drops what changed since the last [`Mls::take_changes`]. Handles of groups that changed are
    /// ahead then: load them again.
    pub fn rollback(&mut self) {
        self.store.rollback();
    }

    fn backend(&self) -> Backend<'_> {
        Backend { store: &self.store, crypto: &self.crypto }
    }

    /// Runs `step`; when it fails, whatever it wrote is gone.
    fn attempt<T>(
        &mut self,
        step: impl FnOnce(&Backend<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let savepoint = self.store.savepoint();
        let outcome = step(&self.backend());
        if outcome.is_err() {
            self.store.restore(savepoint);
        }
        outcome
    }
}

impl fmt::Debug for Mls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mls(…)")
    }
}

/// What OpenMLS is given: a store, which may be a copy, and the cryptography.
struct Backend<'a> {
    store: &'a Store,
    crypto: &'a Crypto,
}

impl OpenMlsProvider for Backend<'_> {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = Store;

    fn storage(&self) -> &Store {
        self.store
    }

    fn crypto(&self) -> &Crypto {
        self.crypto
    }

    fn rand(&self) -> &Crypto {
        self.crypto
    }
}
