//! Writes the first inputs of the corpus: those of this crate, and the vectors of `testdata`. Run by
//! hand when a format changes: `cargo run --manifest-path fuzz/Cargo.toml --example corpus`.

use rcgen::KeyPair;
use std::{fs, path::Path};
use undertone_hostile::seeds;

fn keep(target: &str, name: &str, bytes: &[u8]) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    fs::create_dir_all(&corpus).expect("a folder");
    fs::write(corpus.join(name), bytes).expect("a file");
}

fn main() {
    for (number, (target, bytes)) in seeds().into_iter().enumerate() {
        keep(target, &format!("seed-{number:02}"), &bytes);
    }
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/wire");
    for file in fs::read_dir(vectors).expect("the vectors") {
        vector(&file.expect("a file").path());
    }
    let key = KeyPair::generate().expect("a key");
    let signing = ed25519_dalek::SigningKey::from_bytes(&[42; 32]);
    let server = undertone_server_core::Keys::first(signing);
    let binding = undertone_puppet::binding(&server, &key);
    keep("certificate", "seed-bound", &undertone_puppet::certificate(&key, vec![binding]));
    keep("certificate", "seed-bare", &undertone_puppet::certificate(&key, vec![]));
}

/// A vector, for the targets that read its structure.
fn vector(path: &Path) {
    let text = fs::read_to_string(path).expect("text");
    let vector: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let bytes = hex::decode(vector["hex"].as_str().expect("hexadecimal")).expect("hexadecimal");
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    match vector["structure"].as_str() {
        Some("Frame") => {
            keep("frame", &name, &bytes);
            // Behind the kind and the id, then behind the answer's kind.
            keep("parts", &name, &bytes[5.min(bytes.len())..]);
            keep("proofs", &name, &bytes[6.min(bytes.len())..]);
            let length = u16::try_from(bytes.len()).expect("a short one").to_be_bytes();
            keep("server_engine", &name, &[&[9], &length[..], &bytes].concat());
        }
        _ => keep("parts", &name, &bytes),
    }
}
