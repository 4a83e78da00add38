//! `testdata/wire/NAME.json`: the bytes of one structure each, in hexadecimal, with what they
//! are. Other implementations read them too; they change only with the protocol's version.

use super::samples::*;
use crate::*;
use std::{fs, path::PathBuf};

fn vectors() -> Vec<(String, &'static str, Vec<u8>)> {
    let frames = frames().into_iter();
    let frames = frames.map(|(name, frame)| (format!("frame_{name}"), "Frame", encode(&frame)));
    let others = [
        ("signed_head", "SignedHead", encode(&signed_head())),
        ("leaf_tick", "Leaf", encode(&Leaf::Tick(tick_leaf()))),
        ("leaf_segment", "Leaf", encode(&Leaf::Segment(segment_leaf()))),
        ("tls_binding", "TlsBinding", encode(&binding())),
        ("tag", "Tag", encode(&stored_tag())),
        ("tag_hash", "TagHash", encode(&stored_tag().hash())),
        ("server_id", "ServerId", encode(&server_key(1).server_id())),
    ];
    let others = others.map(|(name, what, bytes)| (name.to_owned(), what, bytes));
    frames.chain(others).collect()
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../testdata/wire/{name}.json"))
}

/// With `UNDERTONE_BLESS=1` the files are written instead; the diff shows what a change does.
#[test]
fn the_bytes_are_those_of_the_published_vectors() {
    for (name, what, bytes) in vectors() {
        let vector =
            serde_json::json!({ "structure": what, "version": 1, "hex": hex::encode(&bytes) });
        if std::env::var_os("UNDERTONE_BLESS").is_some() {
            let text = serde_json::to_string_pretty(&vector).unwrap();
            fs::write(file(&name), text + "\n").unwrap();
        }
        let text =
            fs::read_to_string(file(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let published: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(published, vector, "{name}");
    }
}

#[test]
fn no_vector_is_without_its_test() {
    let known: Vec<_> = vectors().into_iter().map(|(name, ..)| file(&name)).collect();
    for entry in fs::read_dir(file("x").parent().unwrap()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(known.iter().any(|path| path.file_name() == Some(&name)), "{name:?}");
    }
}
