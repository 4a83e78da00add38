use super::*;
use crate::vectors::{array, bytes, rng, text, vectors};
use proptest::prelude::*;

#[test]
fn identities_are_the_known_ones() {
    let known = &vectors()["identities"];
    for (words, key) in [("phrase_of_zeros", "key_of_zeros"), ("phrase_of_ones", "key_of_ones")] {
        let phrase = Phrase::parse(text(&known[words])).expect("a fine phrase");
        assert_eq!(phrase.dangerous_words().as_str(), text(&known[words]));
        assert_eq!(Identity::from_phrase(&phrase).key().0, array(&known[key]));
    }
    let phrase = Phrase::parse(text(&known["phrase_of_zeros"])).expect("a fine phrase");
    let ada = Identity::from_phrase(&phrase);
    let (label, message) = (text(&known["label"]), bytes(&known["message"]));
    let signature = ada.sign(label, &message);
    assert_eq!(signature, array(&known["signature_of_zeros"]));
    assert!(ada.key().verify(label, &message, &signature));
    let ben = IdentityKey(array(&known["key_of_ones"]));
    assert_eq!(safety_number(&ada.key(), &ben), text(&known["safety_number"]));
    assert_eq!(safety_number(&ben, &ada.key()), text(&known["safety_number"]));
}

#[test]
fn a_safety_number_is_sixty_digits_in_twelve_groups() {
    let (ada, ben) = (Identity::random(&mut rng(1)).key(), Identity::random(&mut rng(2)).key());
    let number = safety_number(&ada, &ben);
    let groups: Vec<_> = number.split(' ').collect();
    assert_eq!(groups.len(), 12);
    assert!(
        groups.iter().all(|group| group.len() == 5 && group.bytes().all(|b| b.is_ascii_digit()))
    );
    assert_ne!(number, safety_number(&ada, &ada));
}

#[test]
fn a_typed_phrase_may_be_untidy() {
    let phrase = Phrase::generate(&mut rng(3));
    let words = phrase.dangerous_words();
    assert_eq!(words.split(' ').count(), WORDS);
    let untidy = format!("  {}\n", words.to_uppercase().replace(' ', " \t "));
    assert_eq!(Phrase::parse(&untidy), Ok(phrase));
}

#[test]
fn a_wrong_phrase_is_refused_with_the_reason() {
    let zeros = ["abandon"; 23].join(" ");
    assert_eq!(Phrase::parse(&zeros), Err(BadPhrase::Count { words: 23 }));
    assert_eq!(Phrase::parse(""), Err(BadPhrase::Count { words: 0 }));
    let swapped = format!("art {zeros}");
    assert_eq!(Phrase::parse(&swapped), Err(BadPhrase::Checksum));
    let misspelt = format!("{zeros} arz");
    assert_eq!(Phrase::parse(&misspelt), Err(BadPhrase::UnknownWord { position: 24 }));
    assert!(!BadPhrase::UnknownWord { position: 24 }.to_string().contains("arz"));
}

#[test]
fn a_signature_serves_one_purpose_one_message_and_one_key() {
    let (ada, ben) = (Identity::random(&mut rng(1)), Identity::random(&mut rng(2)));
    let signature = ada.sign("one", b"message");
    assert!(ada.key().verify("one", b"message", &signature));
    assert!(!ada.key().verify("on", b"emessage", &signature));
    assert!(!ada.key().verify("two", b"message", &signature));
    assert!(!ada.key().verify("one", b"Message", &signature));
    assert!(!ben.key().verify("one", b"message", &signature));
}

/// A key of small order would accept one signature for many messages.
#[test]
fn keys_of_small_order_verify_nothing() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    assert!(!IdentityKey(neutral).verify("one", b"message", &signature));
    assert!(!IdentityKey([0; 32]).verify("one", b"message", &signature));
}

#[test]
fn an_identity_survives_its_stored_form() {
    let ada = Identity::random(&mut rng(1));
    let stored = ada.dangerous_bytes();
    assert_eq!(Identity::from_bytes(stored.dangerous_bytes()).key(), ada.key());
}

#[test]
fn a_fingerprint_reads_back() {
    let key = Identity::random(&mut rng(1)).key();
    let shown = key.to_string();
    assert_eq!(shown.len(), 64);
    assert_eq!(shown.parse(), Ok(key));
    assert_eq!(shown.to_uppercase().parse(), Ok(key));
    for bad in
        ["", &shown[1..], &format!("{shown}0"), &shown.replace(&shown[..1], "g"), &"é".repeat(32)]
    {
        assert_eq!(bad.parse::<IdentityKey>(), Err(BadFingerprint), "{bad}");
    }
}

#[test]
fn debug_shows_no_secret_and_little_of_a_key() {
    let phrase = Phrase::generate(&mut rng(1));
    let ada = Identity::from_phrase(&phrase);
    assert_eq!(format!("{phrase:?} {ada:?}"), "Phrase(…) Identity(…)");
    assert_eq!(format!("{:?}", IdentityKey([0xab; 32])), "IdentityKey(abababab…)");
}

proptest! {
    #[test]
    fn no_text_makes_parsing_panic(text in ".{0,200}") {
        let _ = (Phrase::parse(&text), text.parse::<IdentityKey>());
    }
}
