//! Thirty-two secret bytes, and what may be done with them.
//!
//! A [`Secret`] is erased when dropped, compares in constant time, prints nothing of itself and has
//! no serde or codec implementation: whoever wants its bytes must write `dangerous_bytes`, which a
//! reviewer can search for.

use rand::CryptoRng;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Thirty-two secret bytes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Thirty-two fresh bytes of `rng`.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut secret = Self([0; 32]);
        rng.fill_bytes(&mut secret.0);
        secret
    }

    /// Takes bytes that are secret already.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes. Whoever calls this is answerable for where they go.
    pub fn dangerous_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::from_bytes([0xab; 32])), "Secret(…)");
    }

    #[test]
    fn equality_looks_at_every_byte() {
        let secret = Secret::from_bytes([7; 32]);
        assert_eq!(secret, secret.clone());
        for at in 0..32 {
            let mut bytes = [7; 32];
            bytes[at] ^= 1;
            assert_ne!(secret, Secret::from_bytes(bytes));
        }
    }
}
