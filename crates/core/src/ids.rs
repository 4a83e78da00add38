//! Identifiers that people see and scripts keep.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use undertone_crypto::{DeviceId, IdentityKey};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $mark:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "serde_bytes")] pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($mark)?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    };
}

id! {
    /// One conversation on this device; it has no meaning elsewhere. Shown as `#` and hexadecimal:
    /// names may not begin with that mark, so an id is never taken for a name.
    ChatId, "#"
}
id! {
    /// A message; the same on every device and after every re-sealing. Made from what it says and
    /// who says it, so that no two messages bear one.
    MessageId, "%"
}

impl MessageId {
    /// The first half of SHA-256(`undertone message 1` ‖ identity ‖ device ‖ salt ‖ u16 kind ‖
    /// content): other words, or words of somebody else, are another message.
    pub(crate) fn of(
        identity: &IdentityKey,
        device: &DeviceId,
        salt: &[u8; 16],
        kind: u16,
        content: &[u8],
    ) -> Self {
        let hash = Sha256::new()
            .chain_update(b"undertone message 1")
            .chain_update(identity.0)
            .chain_update(device.0)
            .chain_update(salt)
            .chain_update(kind.to_be_bytes())
            .chain_update(content)
            .finalize();
        Self(hash[..16].try_into().expect("sixteen of thirty-two bytes"))
    }
}

/// Longest name of a person or group, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 128;

/// A name that can be shown on one line without harm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name(String);

/// Why a name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing is left of it.
    #[error("the name is empty")]
    Empty,
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("the name is longer than {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// Begins with the mark of an id.
    #[error("a name may not begin with '#', '%' or '@': ids begin so")]
    Mark,
    /// Has a control character, a line break or a direction override.
    #[error("the name has control characters")]
    Control,
}

impl Name {
    /// Checks a name that somebody typed here.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadName::Empty);
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(BadName::TooLong);
        }
        if text.starts_with(is_mark) {
            return Err(BadName::Mark);
        }
        if text.chars().any(is_harmful) {
            return Err(BadName::Control);
        }
        Ok(Self(text.to_owned()))
    }

    /// Makes a foreign name harmless instead of refusing it: nobody can make another's client
    /// fail by the choice of a name.
    pub fn tamed(text: &str) -> Self {
        let tame: String = text.chars().filter(|c| !is_harmful(*c)).collect();
        let tame = tame.trim_start_matches(|c: char| c.is_whitespace() || is_mark(c));
        let cut = (0..=NAME_BYTES_MAX.min(tame.len())).rev().find(|at| tame.is_char_boundary(*at));
        let tame = tame[..cut.unwrap_or(0)].trim_end();
        Self(if tame.is_empty() { "(no name)".to_owned() } else { tame.to_owned() })
    }

    /// As [`tamed`](Self::tamed), for a name as it came from elsewhere: bytes that should be UTF-8.
    pub(crate) fn tamed_bytes(bytes: &[u8]) -> Self {
        Self::tamed(&String::from_utf8_lossy(bytes))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What ids begin with.
fn is_mark(c: char) -> bool {
    matches!(c, '#' | '%' | '@')
}

/// Controls, and the marks that turn the direction of text beyond the name itself.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_script_stand() {
        for name in ["Ada", "آدا", "Zoë 🦉", "陳"] {
            assert_eq!(Name::parse(name).expect("a fine name").as_str(), name);
        }
    }

    #[test]
    fn harmful_names_are_refused_here_and_tamed_from_elsewhere() {
        assert_eq!(Name::parse("  "), Err(BadName::Empty));
        assert_eq!(Name::parse("#1234"), Err(BadName::Mark));
        assert_eq!(Name::parse("a\u{1b}[2J"), Err(BadName::Control));
        assert_eq!(Name::parse(&"x".repeat(129)), Err(BadName::TooLong));
        assert_eq!(Name::tamed("#\u{1b}[2JEve\u{202e}").as_str(), "[2JEve");
        assert_eq!(Name::tamed("\u{7}").as_str(), "(no name)");
        assert_eq!(Name::tamed(&"é".repeat(200)).as_str().len(), 128);
        // Marks behind marks, or behind what a tamed name does not show.
        assert_eq!(Name::tamed("@@ \u{1} #@x").as_str(), "x");
        // What is cut off may leave a space at the end.
        let cut = Name::tamed(&format!("{} {}", "x".repeat(127), "y"));
        assert_eq!(Name::parse(cut.as_str()), Ok(cut));
    }
}
