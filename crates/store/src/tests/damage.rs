//! Damaged, copied in part, foreign: each is an error of its own, and never an empty profile.

use super::{PASSPHRASE, create, place, reopen};
use crate::{Profile, Store, StoreError, StoreErrorKind, conformance};
use rand::{SeedableRng, rngs::StdRng};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// Ada's profile with a few hundred messages, closed.
fn grown() -> (TempDir, PathBuf) {
    let (keep, ada) = place();
    let mut profile = create(&ada, &conformance::records([("mls", "k", Some("v"))])).unwrap();
    let chat = undertone_core::ChatId([1; 16]);
    for number in 0..200_u8 {
        let mut row = conformance::row(chat, number, &[number]);
        row.text = "a longer text, so that there are some pages ".repeat(10);
        profile.store().commit(&conformance::messages([row])).unwrap();
    }
    drop(profile);
    (keep, ada)
}

fn assert_damaged(folder: &Path, what: &str) {
    let error = reopen(folder).expect_err(what);
    assert_eq!(error.kind(), StoreErrorKind::Profile, "{what}: {error}");
    assert!(matches!(error, StoreError::Damaged(_)), "{what}: {error}");
}

#[test]
fn a_header_with_any_flipped_byte_is_never_a_wrong_passphrase() {
    let (_keep, ada) = grown();
    let path = ada.join("profile.json");
    let good = fs::read(&path).unwrap();
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 1;
        fs::write(&path, &bad).unwrap();
        match Profile::unlock(&ada, PASSPHRASE) {
            // White space may change without harm.
            Ok(_) => assert!(good[place].is_ascii_whitespace(), "byte {place}"),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Profile, "byte {place}: {error}")
            }
        }
    }
}

#[test]
fn a_header_cut_anywhere_is_damaged() {
    let (_keep, ada) = grown();
    let path = ada.join("profile.json");
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() - 1 {
        fs::write(&path, &good[..length]).unwrap();
        assert_damaged(&ada, &format!("{length} bytes"));
    }
}

#[test]
fn a_file_that_is_missing_is_damage() {
    for name in ["profile.json", "profile.db"] {
        let (_keep, ada) = grown();
        fs::remove_file(ada.join(name)).unwrap();
        assert_damaged(&ada, name);
        assert!(!ada.join(name).exists(), "{name} was made anew");
    }
}

#[test]
fn a_database_cut_at_any_page_is_damaged() {
    let (_keep, ada) = grown();
    let path = ada.join("profile.db");
    let good = fs::read(&path).unwrap();
    assert!(good.len() > 8 * 4096, "the test needs some pages");
    for length in (0..good.len()).step_by(4096).flat_map(|cut| [cut, cut + 100]) {
        fs::write(&path, &good[..length]).unwrap();
        assert_damaged(&ada, &format!("{length} of {} bytes", good.len()));
    }
    fs::write(&path, &good).unwrap();
    reopen(&ada).unwrap();
}

#[test]
fn a_flipped_byte_is_found_at_the_latest_by_the_check() {
    let (_keep, ada) = grown();
    let path = ada.join("profile.db");
    let good = fs::read(&path).unwrap();
    for page in 0..good.len() / 4096 {
        let mut bad = good.clone();
        bad[page * 4096 + 2000] ^= 1;
        fs::write(&path, &bad).unwrap();
        if let Ok(mut profile) = reopen(&ada) {
            let found = profile.store().check();
            assert!(!matches!(found, Ok(faults) if faults.is_empty()), "page {page}");
        }
    }
}

#[test]
fn a_damaged_page_is_an_error_when_it_is_read() {
    let (_keep, ada) = grown();
    let path = ada.join("profile.db");
    let mut bytes = fs::read(&path).unwrap();
    let pages = bytes.len() / 4096;
    (1..pages).for_each(|page| bytes[page * 4096 + 2000] ^= 1);
    fs::write(&path, &bytes).unwrap();
    let Ok(mut profile) = reopen(&ada) else { return };
    let error = profile.store().load_records().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Profile, "{error}");
}

#[test]
fn the_database_of_another_profile_is_damage() {
    let (_keep, ada) = grown();
    let other = crate::DatabaseKey::random(&mut StdRng::seed_from_u64(77));
    let error = Profile::open(&ada, other).unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
}

#[test]
fn newer_formats_are_told_apart() {
    let (_keep, ada) = grown();
    let header = fs::read_to_string(ada.join("profile.json")).unwrap();
    let newer = header.replace("\"format\": 1", "\"format\": 2");
    fs::write(ada.join("profile.json"), newer).unwrap();
    assert!(matches!(reopen(&ada), Err(StoreError::Newer { found: 2, known: 1 })));
    fs::write(ada.join("profile.json"), header).unwrap();

    let (store, lock) = reopen(&ada).unwrap().into_parts();
    store.dangerous_set_format(7);
    drop((store, lock));
    assert!(matches!(reopen(&ada), Err(StoreError::Newer { found: 7, known: 1 })));
}

#[test]
fn a_header_that_asks_for_all_memory_is_refused() {
    let (_keep, ada) = place();
    let greedy = crate::KdfParams { memory_kib: u32::MAX, passes: 1, lanes: 1 };
    let key = crate::DatabaseKey::random(&mut super::rng());
    let header = crate::header::Header::seal(
        crate::header::DATABASE,
        &key,
        PASSPHRASE,
        crate::KdfParams::DANGEROUS_CHEAP,
        &mut super::rng(),
    )
    .unwrap()
    .dangerous_with_kdf(greedy);
    fs::create_dir(&ada).unwrap();
    fs::write(ada.join("profile.json"), header.to_bytes()).unwrap();
    assert_damaged(&ada, "greedy");
}
