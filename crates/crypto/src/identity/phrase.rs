//! The twenty-four words.

use crate::Secret;
use bip39::{Language, Mnemonic};
use rand::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// Words in a phrase.
pub const WORDS: usize = 24;

/// Twenty-four words that stand for 256 bits (BIP-39, English).
#[derive(Clone, PartialEq, Eq)]
pub struct Phrase(Secret);

/// Why a phrase is refused. It never repeats a word: the text may be shown or logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPhrase {
    /// Not twenty-four words.
    #[error("a recovery phrase has {WORDS} words, this has {words}")]
    Count {
        /// How many there are.
        words: usize,
    },
    /// A word that is not on the list.
    #[error("word {position} is not on the list of words; is it misspelt?")]
    UnknownWord {
        /// Which one, from 1.
        position: usize,
    },
    /// All words are on the list, yet they do not belong together.
    #[error("these words do not belong together: one of them is wrong, or two changed places")]
    Checksum,
}

impl Phrase {
    /// A fresh phrase.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(Secret::random(rng))
    }

    /// Reads what somebody typed; case and spacing do not matter.
    ///
    /// # Errors
    /// Says what is wrong with it, and with which word where that can be known.
    pub fn parse(text: &str) -> Result<Self, BadPhrase> {
        let text = Zeroizing::new(text.to_lowercase());
        let words = text.split_whitespace().count();
        if words != WORDS {
            return Err(BadPhrase::Count { words });
        }
        let unknown = |word: &str| Language::English.find_word(word).is_none();
        if let Some(at) = text.split_whitespace().position(unknown) {
            return Err(BadPhrase::UnknownWord { position: at + 1 });
        }
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &text);
        let entropy = mnemonic.map_err(|_| BadPhrase::Checksum)?.to_entropy_array();
        let (entropy, length) = (Zeroizing::new(entropy.0), entropy.1);
        let entropy = entropy[..length].try_into().map_err(|_| BadPhrase::Checksum)?;
        Ok(Self(Secret::from_bytes(entropy)))
    }

    /// The words, with single spaces: to be shown once, to the person whose they are.
    pub fn dangerous_words(&self) -> Zeroizing<String> {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, self.0.dangerous_bytes())
            .expect("32 bytes are a valid length of entropy");
        let mut text = Zeroizing::new(String::with_capacity(WORDS * 9));
        for word in mnemonic.words() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }

    pub(crate) fn entropy(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(…)")
    }
}
