fn main() {
    let secret = undertone_crypto::Secret::from_bytes([0; 32]);
    println!("{secret}");
}
