//! Texts that people paste or a profile holds.

use undertone_core::{Name, fuzzing};
use undertone_crypto::{IdentityKey, Phrase};
use undertone_wire::ServerAddress;

/// Every text that is read, as every kind of text; what is read is written as it is read.
pub(crate) fn texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(address) = text.parse::<ServerAddress>() {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
    if let Ok(phrase) = Phrase::parse(&text) {
        assert_eq!(Phrase::parse(&phrase.dangerous_words()), Ok(phrase));
    }
    if let Ok(name) = Name::parse(&text) {
        assert_eq!(Name::tamed(name.as_str()), name, "what may be typed needs no taming");
    }
    let tame = Name::tamed(&text);
    assert_eq!(Name::parse(tame.as_str()), Ok(tame.clone()), "what is tamed may be typed");
    let _ = text.parse::<IdentityKey>();
    fuzzing::link(&text);
}
