//! The corpus, and every input that once broke something, through the functions that are fuzzed.
//!
//! `corpus` is what the fuzzers begin with and found worth keeping; `kept` is what broke a target
//! before it was mended. A new finding is copied there first, and this test fails until it is
//! mended: `cargo test --manifest-path fuzz/Cargo.toml -p undertone-hostile`.

use std::{
    fs,
    path::{Path, PathBuf},
};
use undertone_hostile::{TARGETS, Target};

fn inputs(folder: &str, target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder above");
    let Ok(files) = fs::read_dir(fuzz.join(folder).join(target.name)) else { return Vec::new() };
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("its bytes"))).collect()
}

/// Runs an input and says which one it was, should it break.
fn replay(target: &Target, path: &Path, bytes: &[u8]) {
    let ran = std::panic::catch_unwind(|| (target.run)(bytes));
    assert!(ran.is_ok(), "{} breaks at {}", target.name, path.display());
}

#[test]
fn every_input_of_the_corpus_is_stood() {
    for target in TARGETS {
        let corpus = inputs("corpus", target);
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        corpus.iter().for_each(|(path, bytes)| replay(target, path, bytes));
    }
}

#[test]
fn what_once_broke_is_stood() {
    for target in TARGETS {
        inputs("kept", target).iter().for_each(|(path, bytes)| replay(target, path, bytes));
    }
}

#[test]
fn an_empty_input_and_a_plain_one_are_stood() {
    for target in TARGETS {
        for bytes in [&[][..], &[0; 64], &[0xff; 64]] {
            replay(target, Path::new("a plain input"), bytes);
        }
    }
}

#[test]
fn the_corpus_is_small() {
    let length = |target| inputs("corpus", target).iter().map(|(_, b)| b.len()).sum::<usize>();
    let total: usize = TARGETS.iter().map(length).sum();
    assert!(total < 200_000, "{total} bytes: minimise it (docs/fuzzing.md)");
}

#[test]
fn every_target_has_its_program() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
    let manifest = manifest.expect("the manifest");
    for Target { name, .. } in TARGETS {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}
