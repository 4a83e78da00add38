//! CBOR (RFC 8949) for what is stored: it describes itself, so that a field that is added later does
//! not make old records unreadable.

use cbor4ii::core::enc::Write;
use cbor4ii::serde::{DecodeError, EncodeError, Serializer, from_slice};
use serde::{Serialize, de::DeserializeOwned};
use std::convert::Infallible;
use std::fmt;

/// These bytes say something else, or a value cannot be said; why, without a word of what they say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the record that was written ({0})")]
pub struct NotCbor(String);

impl NotCbor {
    /// What the codec says names types alone.
    fn codec(error: impl fmt::Debug) -> Self {
        Self(format!("{error:?}"))
    }

    /// What a type says of its fields may quote what it was given, behind a colon or in quotes: only a
    /// field that is missing is named, since it has no value.
    fn custom(text: &str) -> Self {
        let told = if text.starts_with("missing field") {
            text
        } else {
            text.split([':', '`', '"']).next().unwrap_or_default().trim_end()
        };
        Self(told.to_owned())
    }
}

/// Writes `value` behind `bytes`.
///
/// # Errors
/// [`NotCbor`] for a value that CBOR cannot say.
pub fn encode_onto<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), NotCbor> {
    value.serialize(&mut Serializer::new(Onto(bytes))).map_err(|error| match error {
        EncodeError::Core(error) => NotCbor::codec(error),
        EncodeError::Custom(text) => NotCbor::custom(&text),
    })
}

/// Reads a value; what follows it is left alone.
///
/// # Errors
/// [`NotCbor`] when there is none of this kind.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NotCbor> {
    from_slice(bytes).map_err(|error| match error {
        DecodeError::Core(error) => NotCbor::codec(error),
        DecodeError::Custom(text) => NotCbor::custom(&text),
    })
}

/// Appends. Byte strings of most types are handed over byte by byte, each as one or two bytes.
struct Onto<'a>(&'a mut Vec<u8>);

impl Write for Onto<'_> {
    type Error = Infallible;

    #[inline]
    fn push(&mut self, input: &[u8]) -> Result<(), Self::Error> {
        match *input {
            [byte] => self.0.push(byte),
            [head, byte] => {
                self.0.push(head);
                self.0.push(byte);
            }
            _ => self.0.extend_from_slice(input),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Serialize)]
    struct Older {
        name: &'static str,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Newer {
        name: String,
        number: u64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Numbered {
        name: u64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Colour {
        Red,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Coloured {
        name: Colour,
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_onto(&Older { name: "Ada" }, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_cannot_be_read_is_said_why() {
        let missing = decode::<Newer>(&written()).unwrap_err();
        assert!(missing.to_string().contains("missing field `number`"), "{missing}");
        let cut = decode::<Newer>(&written()[..4]).unwrap_err();
        assert!(cut.to_string().contains("Eof"), "{cut}");
    }

    #[test]
    fn the_reason_holds_nothing_of_what_was_written() {
        let other_type = decode::<Numbered>(&written()).unwrap_err();
        let other_variant = decode::<Coloured>(&written()).unwrap_err();
        for reason in [other_type, other_variant] {
            assert!(!reason.to_string().contains("Ada"), "{reason}");
        }
        assert_eq!(NotCbor::custom("invalid type: string \"Ada\", expected u64").0, "invalid type");
        assert_eq!(NotCbor::custom("unknown variant `Ada`, expected `Red`").0, "unknown variant");
    }
}
