//! Toys in the place of cryptography, for simulations of honest worlds at volume.
//!
//! They keep apart what is different and fit together where the real ones do; they keep nothing
//! secret and anybody can forge them. Only the simulator turns them on, and the binary refuses to be
//! built with them: see [`crate::STAND_IN`].

/// Odd constants that spread a word over its lane (from the digits of the golden ratio and of pi).
const SPREAD: [u64; 4] =
    [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0x2545_f491_4f6c_dd1d];

/// A digest of these parts: no two lists of parts are mixed alike by accident.
pub fn mix(parts: &[&[u8]]) -> [u8; 32] {
    let mut lanes = SPREAD;
    for part in parts {
        absorb(&mut lanes, &(part.len() as u64).to_le_bytes());
        absorb(&mut lanes, part);
    }
    for _ in 0..3 {
        stir(&mut lanes);
    }
    let mut digest = [0; 32];
    for (bytes, lane) in digest.chunks_exact_mut(8).zip(lanes) {
        bytes.copy_from_slice(&lane.to_le_bytes());
    }
    digest
}

/// The lanes go side by side through whole blocks, and are stirred together behind them.
fn absorb(lanes: &mut [u64; 4], bytes: &[u8]) {
    let (blocks, rest) = bytes.as_chunks::<32>();
    blocks.iter().for_each(|block| take_in(lanes, block));
    if !rest.is_empty() {
        let mut last = [0; 32];
        last[..rest.len()].copy_from_slice(rest);
        take_in(lanes, &last);
    }
    stir(lanes);
}

/// Written out, since this is where a simulation spends its time.
#[inline]
fn take_in(lanes: &mut [u64; 4], block: &[u8; 32]) {
    let (words, _) = block.as_chunks::<8>();
    let [a, b, c, d] = *lanes;
    let taken = |lane: u64, at: usize| {
        let product = (lane ^ u64::from_le_bytes(words[at])).wrapping_mul(SPREAD[at]);
        product ^ (product >> 29)
    };
    *lanes = [taken(a, 0), taken(b, 1), taken(c, 2), taken(d, 3)];
}

#[inline]
fn stir(lanes: &mut [u64; 4]) {
    let [a, b, c, d] = *lanes;
    let spread = |lane: u64, by: u64, other: u64| {
        let product = (lane ^ other.rotate_left(23)).wrapping_mul(by);
        product ^ (product >> 31)
    };
    let a = spread(a, SPREAD[0], d);
    let b = spread(b, SPREAD[1], a);
    let c = spread(c, SPREAD[2], b);
    let d = spread(d, SPREAD[3], c);
    *lanes = [a ^ c, b ^ d, c, d];
}

/// What stands in for a signature; it needs only the public key.
pub fn sign(public: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let half = mix(&[b"signature", public, message]);
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&half);
    signature[32..].copy_from_slice(public);
    signature
}

/// Hides `bytes` from a casual look, and shows them again.
pub fn mask(key: &[u8], nonce: &[u8], bytes: &mut [u8]) {
    let seed = mix(&[b"stream", key, nonce]);
    let mut word = seed.first_chunk().map_or(1, |first| u64::from_le_bytes(*first));
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_le_bytes(*bytes) ^ next(&mut word)).to_le_bytes();
    }
    let stream = next(&mut word).to_le_bytes();
    rest.iter_mut().zip(stream).for_each(|(byte, with)| *byte ^= with);
}

fn next(word: &mut u64) -> u64 {
    *word = word.wrapping_mul(SPREAD[1]).wrapping_add(SPREAD[0]);
    *word ^ (*word >> 29)
}

/// What tells that masked bytes are of this key, nonce and additional data.
pub fn check(key: &[u8], nonce: &[u8], aad: &[u8], masked: &[u8]) -> [u8; 16] {
    let digest = mix(&[b"check", key, nonce, aad, masked]);
    std::array::from_fn(|at| digest[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart() {
        assert_ne!(mix(&[b"ab", b"c"]), mix(&[b"a", b"bc"]));
        assert_ne!(mix(&[b"a"]), mix(&[b"a", b""]));
        assert_ne!(mix(&[&[0; 32]]), mix(&[&[0; 33]]));
    }

    #[test]
    fn what_was_masked_is_shown_again() {
        let mut bytes = *b"hello, Ben";
        mask(b"key", b"nonce", &mut bytes);
        assert_ne!(&bytes, b"hello, Ben");
        mask(b"key", b"nonce", &mut bytes);
        assert_eq!(&bytes, b"hello, Ben");
    }
}
