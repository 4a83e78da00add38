fn show(phrase: &undertone_crypto::Phrase) -> String {
    phrase.to_string()
}

fn main() {
    let phrase = undertone_crypto::Phrase::parse("");
    phrase.map(|phrase| show(&phrase)).ok();
}
