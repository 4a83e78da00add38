fn serialise<T: serde::Serialize>(_: &T) {}

fn main() {
    serialise(&undertone_crypto::LeafKey::from_seed(&[0; 32]));
}
