//! Planted words must not stand in any file, in no form that a search would find (T02, T17).

use super::{PASSPHRASE, create, place};
use crate::{Batch, EventRow, Store, conformance};
use std::{fs, path::Path};
use undertone_core::ChatId;

const PLANTED: [&str; 4] =
    ["planted-text-osprey", "planted-record-heron", "planted-event-egret", "planted-setting-stork"];

/// Every file of the profile, write-ahead log included.
fn bytes_of(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.flatten().collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn assert_clean(folder: &Path) {
    let bytes = bytes_of(folder);
    assert!(bytes.len() > 8192, "there is something to search");
    for word in PLANTED.into_iter().chain([PASSPHRASE]) {
        for form in [word.as_bytes().to_vec(), hex::encode(word).into_bytes()] {
            assert!(!contains(&bytes, &form), "{word} stands in the profile");
        }
    }
}

fn plant() -> Batch {
    let mut row = conformance::row(ChatId([1; 16]), 1, &[1]);
    row.text = PLANTED[0].to_owned();
    let mut batch = conformance::messages([row]);
    let record = conformance::records([("mls", "secret", Some(PLANTED[1]))]);
    batch.changes.records = record.changes.records;
    batch.events.push(EventRow { chat: None, body: PLANTED[2].to_owned() }.into());
    batch
}

#[test]
fn the_search_finds_what_stands_there() {
    let (keep, _) = place();
    fs::write(keep.path().join("file"), format!("xx{}xx", PLANTED[0])).unwrap();
    assert!(contains(&bytes_of(keep.path()), PLANTED[0].as_bytes()));
}

#[test]
fn planted_words_stand_in_no_file_open_or_closed() {
    let (_keep, ada) = place();
    let mut profile = create(&ada, &plant()).unwrap();
    profile.store().set_setting("planted", Some(PLANTED[3])).unwrap();
    profile.store().commit(&plant()).unwrap();
    assert_clean(&ada);
    drop(profile);
    assert_clean(&ada);
}

#[test]
fn what_was_erased_leaves_the_write_ahead_log_when_told_and_at_the_close() {
    let (_keep, ada) = place();
    let mut profile = create(&ada, &plant()).unwrap();
    let log = ada.join("profile.db-wal");
    let length = || fs::metadata(&log).map_or(0, |metadata| metadata.len());
    profile.store().commit(&conformance::records([("mls", "secret", None)])).unwrap();
    assert!(length() > 0, "a commit goes to the log first");
    profile.store().forget_erased().unwrap();
    assert_eq!(length(), 0);
    profile.store().commit(&plant()).unwrap();
    assert!(length() > 0);
    drop(profile);
    assert_eq!(length(), 0);
}

#[test]
fn erased_bytes_are_overwritten() {
    let (_keep, ada) = place();
    let mut profile = create(&ada, &plant()).unwrap();
    assert!(profile.store().overwrites_erased());
}
