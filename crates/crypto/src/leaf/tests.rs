use super::*;
use crate::vectors::{array, bytes, rng, vectors};

#[test]
fn a_header_signature_is_the_known_one() {
    let known = &vectors()["header"];
    let key = LeafKey::from_seed(&array(&known["seed"]));
    let message = bytes(&known["message"]);
    assert_eq!(key.key(), array(&known["key"]));
    assert_eq!(key.sign_header(&message), array(&known["signature"]));
    assert!(verify_header(&key.key(), &message, &key.sign_header(&message)));
}

#[test]
fn a_header_signature_binds_key_message_and_purpose() {
    let (ada, ben) = (LeafKey::random(&mut rng(1)), LeafKey::random(&mut rng(2)));
    let signature = ada.sign_header(b"header");
    assert!(!verify_header(&ben.key(), b"header", &signature));
    assert!(!verify_header(&ada.key(), b"Header", &signature));
    assert!(!verify_header(&ada.key(), b"header", &ada.sign_contact(b"header")));
    assert!(!verify_contact(&ada.key(), b"header", &signature));
    assert!(verify_contact(&ada.key(), b"header", &ada.sign_contact(b"header")));
    let plain: [u8; 64] = Signer::sign(&ada, b"header").expect("signing").try_into().expect("64");
    assert!(!verify_header(&ada.key(), b"header", &plain));
}

#[test]
fn a_key_survives_its_stored_form_and_shows_nothing() {
    let ada = LeafKey::random(&mut rng(1));
    assert_eq!(LeafKey::from_seed(ada.dangerous_bytes().dangerous_bytes()).key(), ada.key());
    assert_eq!(format!("{ada:?}"), "LeafKey(…)");
}
