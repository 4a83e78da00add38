//! The independent verifier agrees with us about sound folders and about damaged ones.

use super::check;
use crate::{CellStore, Config, Engine, Files, MemFiles, Segments, testkit::*};
use ed25519_dalek::SigningKey;
use std::{fs, path::Path, process::Command};

/// Writes a folder to disk and runs `tools/verify_store.py` on it.
fn verify(files: &MemFiles) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    for name in files.list().unwrap() {
        fs::write(folder.path().join(&name), files.contents(&name).unwrap()).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/verify_store.py");
    let run = Command::new("python3").arg(script).arg(folder.path()).output();
    let run = run.expect("this test needs python3 on the path: install it");
    let said = [run.stdout, run.stderr].concat();
    (run.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Hours, some expired, a day's end and a succession of keys.
fn rich_folder() -> MemFiles {
    let files = folder_of(26);
    let next = keys().succeed(SigningKey::from_bytes(&[8; 32]), 79);
    let store = Segments::open(files.clone(), &next, [1; 32]).unwrap();
    let engine = Engine::open(store, Config::new(next), START + 26 * HOUR).unwrap();
    seal(&engine, START + 26 * HOUR + 5, [put(10_000, 1), put(10_001, 2)]);
    files
}

/// A restored log whose first tick of the new life falls into an hour that holds older ones, and one
/// where it begins an hour; restored twice.
fn restored_folder() -> MemFiles {
    let files = folder_of(4);
    for (at, hours) in [(1, 3), (2, 5)] {
        let store = Segments::open(files.clone(), &keys(), [at; 32]).unwrap();
        let survived = store.ticks().map(|ticks| *ticks.end());
        let config = Config { recovered_after: survived, ..Config::new(keys()) };
        let now_ms = START + hours * HOUR + 60_000;
        let engine = Engine::open(store, config, now_ms).unwrap();
        seal(&engine, now_ms + 1, [put(20_000 + u64::from(at), at)]);
        seal(&engine, now_ms + HOUR / 2, [put(30_000 + u64::from(at), at)]);
    }
    files
}

#[test]
fn a_tick_too_many_is_no_recovery() {
    let files = restored_folder();
    assert_eq!(check(&files).unwrap().findings, []);
    files.remove("0000480003.seg").unwrap();
    files.remove("0000480003.idx").unwrap();
    assert!(!check(&files).unwrap().is_sound());
    assert!(!verify(&files).0);
}

#[test]
fn a_sound_folder_is_sound_to_the_independent_verifier() {
    for files in [rich_folder(), restored_folder(), folder_of(4), MemFiles::default()] {
        if files.list().unwrap().is_empty() {
            open(&files);
        }
        assert_eq!(check(&files).unwrap().findings, []);
        let (sound, said) = verify(&files);
        assert!(sound, "{said}");
    }
    let (_, said) = verify(&rich_folder());
    assert!(said.contains("80 ticks to date"), "{said}");
}

#[test]
fn a_damaged_folder_is_not() {
    let sound = folder_of(4);
    let segment = "0000480001.seg";
    let length = sound.contents(segment).unwrap().len();
    for at in [0, 17, 50, 100, 130, 165, 190, 300, 420, length / 2, length - 1] {
        let files = sound.copy();
        files.tamper(segment, |bytes| bytes[at] ^= 4);
        let (sound, said) = verify(&files);
        assert!(!sound && said.contains(segment), "byte {at}: {said}");
    }
    for (name, at) in [("log.keys", 30), ("log.spine", 40), ("log.spine", 80)] {
        let files = sound.copy();
        files.tamper(name, |bytes| bytes[at] ^= 4);
        assert!(!verify(&files).0, "{name} {at}");
    }
    let without_ticks = folder_of(2);
    without_ticks.remove("0000480001.seg").unwrap();
    assert!(!verify(&without_ticks).0);
}
