use super::*;
use crate::{vectors::rng, xwing::PUBLIC_LEN};
use proptest::prelude::*;

#[test]
fn what_is_sealed_opens_for_the_key_and_the_context() {
    let (secret, public) = generate(&mut rng(1)).expect("a key");
    let (other, _) = generate(&mut rng(2)).expect("a key");
    let envelope = seal(&public, b"info", b"aad", b"a letter", &mut rng(9)).expect("sealing");
    assert_eq!(envelope.len(), ENVELOPE_OVERHEAD + b"a letter".len());
    assert_eq!(open(&secret, b"info", b"aad", &envelope), Ok(b"a letter".to_vec()));
    assert_eq!(open(&other, b"info", b"aad", &envelope), Err(NotOurs));
    assert_eq!(open(&secret, b"Info", b"aad", &envelope), Err(NotOurs));
    assert_eq!(open(&secret, b"info", b"Aad", &envelope), Err(NotOurs));
    assert_eq!(
        seal(&public, b"info", b"aad", b"a letter", &mut rng(9)).ok(),
        Some(envelope.clone())
    );
    assert_ne!(seal(&public, b"info", b"aad", b"a letter", &mut rng(8)).ok(), Some(envelope));
}

#[test]
fn a_key_comes_from_its_seed_and_survives_its_stored_form() {
    let (secret, public) = generate(&mut rng(1)).expect("a key");
    let (again, same) = generate(&mut rng(1)).expect("a key");
    assert_eq!((public.0.len(), &public), (PUBLIC_LEN, &same));
    assert_eq!(secret.dangerous_bytes(), again.dangerous_bytes());
    let restored = EnvelopeSecret::from_bytes(secret.dangerous_bytes().to_vec());
    let envelope = seal(&public, b"", b"", b"a letter", &mut rng(9)).expect("sealing");
    assert_eq!(open(&restored, b"", b"", &envelope), Ok(b"a letter".to_vec()));
}

#[test]
fn what_is_no_key_is_refused() {
    for length in [0, 1, PUBLIC_LEN - 1, PUBLIC_LEN + 1] {
        let sealed = seal(&EnvelopePublic(vec![7; length]), b"", b"", b"", &mut rng(9));
        assert_eq!(sealed, Err(EnvelopeFault::PublicKey), "{length} bytes");
    }
    // Coefficients of an ML-KEM key are below 3,329; all ones are above.
    let sealed = seal(&EnvelopePublic(vec![0xff; PUBLIC_LEN]), b"", b"", b"", &mut rng(9));
    assert_eq!(sealed, Err(EnvelopeFault::PublicKey));
    for length in [0, 1, 31, 33] {
        let secret = EnvelopeSecret::from_bytes(vec![7; length]);
        assert_eq!(open(&secret, b"", b"", &[7; 2000]), Err(NotOurs), "{length} bytes");
    }
}

#[test]
fn debug_shows_no_key() {
    let (secret, public) = generate(&mut rng(1)).expect("a key");
    assert_eq!(format!("{secret:?} {public:?}"), "EnvelopeSecret(…) EnvelopePublic(…)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit_is_refused(at in 0usize..2000, bit in 0u8..8, cut in 0usize..2000) {
        let (secret, public) = generate(&mut rng(1)).expect("a key");
        let envelope = seal(&public, b"info", b"aad", b"a letter", &mut rng(9)).expect("sealing");
        let mut changed = envelope.clone();
        changed[at % envelope.len()] ^= 1 << bit;
        prop_assert_eq!(open(&secret, b"info", b"aad", &changed), Err(NotOurs));
        let cut = &envelope[..cut % envelope.len()];
        prop_assert_eq!(open(&secret, b"info", b"aad", cut), Err(NotOurs));
    }
}

/// Too short for the cipher's own tag: an error, and no arithmetic below zero.
#[test]
fn an_envelope_cut_anywhere_is_refused() {
    let (secret, public) = generate(&mut rng(1)).expect("a key");
    let envelope = seal(&public, b"", b"", b"a letter", &mut rng(9)).expect("sealing");
    for length in (0..KEM_OUTPUT_LEN).step_by(97).chain(KEM_OUTPUT_LEN..envelope.len()) {
        assert_eq!(open(&secret, b"", b"", &envelope[..length]), Err(NotOurs), "{length} bytes");
    }
}
