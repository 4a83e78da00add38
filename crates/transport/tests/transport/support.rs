//! The pinned server of these tests.

use rcgen::KeyPair;
use undertone_puppet::{Keys, Puppet, binding, first, info};
use undertone_wire::{Info, ServerId};

/// Ada's keys: the one that is pinned.
pub(crate) fn keys() -> Keys {
    first(1)
}

/// Her server's id.
pub(crate) fn ada() -> ServerId {
    keys().first.server_id()
}

/// What her server says of itself.
pub(crate) fn ada_info() -> Info {
    info(&keys())
}

/// Her server, played.
pub(crate) async fn puppet() -> Puppet {
    Puppet::new(&keys()).await
}

/// What binds `key` to the server whose first key has this number.
pub(crate) fn bound(key: &KeyPair, number: u8) -> Vec<u8> {
    binding(&first(number), key)
}
