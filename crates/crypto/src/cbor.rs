//! CBOR (RFC 8949) for what is stored: it describes itself, so that a field that is added later does
//! not make old records unreadable.

use cbor4ii::core::enc::Write;
use cbor4ii::serde::{Serializer, from_slice};
use serde::{Serialize, de::DeserializeOwned};
use std::convert::Infallible;

/// These bytes say something else, or a value cannot be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the record that was written")]
pub struct NotCbor;

/// Writes `value` behind `bytes`.
///
/// # Errors
/// [`NotCbor`] for a value that CBOR cannot say.
pub fn encode_onto<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), NotCbor> {
    value.serialize(&mut Serializer::new(Onto(bytes))).map_err(|_| NotCbor)
}

/// Reads a value; what follows it is left alone.
///
/// # Errors
/// [`NotCbor`] when there is none of this kind.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NotCbor> {
    from_slice(bytes).map_err(|_| NotCbor)
}

/// Appends. Byte strings of most types are handed over byte by byte, each as one or two bytes.
struct Onto<'a>(&'a mut Vec<u8>);

impl Write for Onto<'_> {
    type Error = Infallible;

    #[inline]
    fn push(&mut self, input: &[u8]) -> Result<(), Self::Error> {
        match *input {
            [byte] => self.0.push(byte),
            [head, byte] => self.0.extend([head, byte]),
            _ => self.0.extend_from_slice(input),
        }
        Ok(())
    }
}
