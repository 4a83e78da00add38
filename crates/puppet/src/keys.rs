//! Keys by number, and what a server with them says of itself.

use ed25519_dalek::SigningKey;
use std::{fs, path::Path};
use undertone_server_core::Keys;
use undertone_wire::{Info, PROTOCOL_HIGHEST, PROTOCOL_LOWEST, ServerKey};

/// The secret key of this number.
pub fn signing(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// The public key of this number.
pub fn public(number: u8) -> ServerKey {
    ServerKey(signing(number).verifying_key().to_bytes())
}

/// The keys of a server that has had only this one.
pub fn first(number: u8) -> Keys {
    Keys::first(signing(number))
}

/// The keys of a real server that has had only one, out of its folder. A file of keys ends with the
/// newest key's secret.
pub fn stolen(folder: &Path) -> Keys {
    let file = fs::read(folder.join("server.keys")).unwrap();
    Keys::first(SigningKey::from_bytes(file.last_chunk().unwrap()))
}

/// What a server with these keys says of itself.
pub fn info(keys: &Keys) -> Info {
    Info {
        server: keys.first.server_id(),
        version_lowest: PROTOCOL_LOWEST,
        version_highest: PROTOCOL_HIGHEST,
        first_key: keys.first,
        succession: keys.succession.clone(),
        policy: b"open".to_vec().into(),
        tick_ms_min: 20,
        retention_s: 1,
        puts_in_flight_max: 1,
        oldest_tick: 1,
        contact: Vec::new().into(),
        notice: Vec::new().into(),
    }
}
