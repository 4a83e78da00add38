fn serialise<T: serde::Serialize>(_: &T) {}

fn main() {
    serialise(&undertone_crypto::Identity::from_bytes(&[0; 32]));
}
