fn serialise<T: serde::Serialize>(_: &T) {}

fn main() {
    serialise(&undertone_crypto::Slot::from_parts(0, [0; 32]));
}
