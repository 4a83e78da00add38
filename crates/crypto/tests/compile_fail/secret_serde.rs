fn serialise<T: serde::Serialize>(_: &T) {}

fn main() {
    serialise(&undertone_crypto::Secret::from_bytes([0; 32]));
}
