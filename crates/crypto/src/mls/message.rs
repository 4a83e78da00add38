//! Application messages.

use super::{Group, Mls, Refused};
use crate::LeafKey;
use openmls::prelude::{
    ContentType, LeafNodeIndex, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, ProcessedMessage,
    ProcessedMessageContent, ProtocolMessage, Sender,
};
use std::fmt;
use tls_codec::{DeserializeBytes as _, Serialize as _};
use undertone_wire::checks::{Check, is_off};

/// What an application message says.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain {
    /// The author's leaf in the message's epoch.
    pub leaf: u32,
    /// The message's epoch.
    pub epoch: u64,
    /// The authenticated data.
    pub aad: Vec<u8>,
    /// The content.
    pub payload: Vec<u8>,
}

impl Group {
    /// Encrypts `payload` to the members of the current epoch, with `aad` authenticated but readable
    /// by whoever opens the outer layer. It uses up one generation: call it once per message and
    /// keep the bytes; they cannot be decrypted here.
    ///
    /// # Errors
    /// [`Refused::Inactive`] once this device was removed.
    pub fn encrypt(
        &mut self,
        mls: &mut Mls,
        key: &LeafKey,
        aad: &[u8],
        payload: &[u8],
    ) -> Result<Vec<u8>, Refused> {
        if !self.is_active() {
            return Err(Refused::Inactive);
        }
        self.attempt(mls, |inner, backend| {
            inner.set_aad(aad.to_vec());
            let message = inner.create_message(backend, key, payload).map_err(Refused::internal)?;
            to_bytes(&message)
        })
    }

    /// Decrypts an application message of the current epoch or of a past one that was not forgotten.
    /// It works while a commit is pending.
    ///
    /// # Errors
    /// Says why not; nothing has changed then, so the true message of that generation still opens.
    pub fn decrypt(&mut self, mls: &mut Mls, bytes: &[u8]) -> Result<Plain, Refused> {
        self.decrypt_if(mls, bytes, |_| Ok(()))
    }

    /// As [`Group::decrypt`], for a message that must be of this epoch and by this leaf; another one
    /// leaves no trace either, so that its true place still opens.
    ///
    /// # Errors
    /// [`Refused::WrongEpoch`] and [`Refused::WrongSender`] besides those of `decrypt`.
    pub fn decrypt_from(
        &mut self,
        mls: &mut Mls,
        bytes: &[u8],
        epoch: u64,
        leaf: u32,
    ) -> Result<Plain, Refused> {
        self.decrypt_if(mls, bytes, |plain| {
            if plain.epoch != epoch {
                return Err(Refused::WrongEpoch);
            }
            if plain.leaf == leaf || is_off(Check::LaneSender) {
                Ok(())
            } else {
                Err(Refused::WrongSender)
            }
        })
    }

    fn decrypt_if(
        &mut self,
        mls: &mut Mls,
        bytes: &[u8],
        fits: impl FnOnce(&Plain) -> Result<(), Refused>,
    ) -> Result<Plain, Refused> {
        let message = private_message(bytes)?;
        if message.content_type() != ContentType::Application {
            return Err(Refused::NotApplication);
        }
        if message.epoch() > self.inner.epoch() {
            return Err(Refused::WrongEpoch);
        }
        self.attempt(mls, |inner, backend| {
            let processed = inner.process_message(backend, message)?;
            let (leaf, epoch) = (sender_leaf(&processed)?.u32(), processed.epoch().as_u64());
            let aad = processed.aad().to_vec();
            match processed.into_content() {
                ProcessedMessageContent::ApplicationMessage(content) => {
                    let plain = Plain { leaf, epoch, aad, payload: content.into_bytes() };
                    fits(&plain).map(|()| plain)
                }
                ProcessedMessageContent::OwnPrivateMessage => Err(Refused::OwnMessage),
                _ => Err(Refused::NotApplication),
            }
        })
    }
}

/// A `PrivateMessage`, the only kind that travels inside a group.
pub(super) fn private_message(bytes: &[u8]) -> Result<ProtocolMessage, Refused> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes);
    match message.map_err(|_| Refused::Malformed)?.extract() {
        MlsMessageBodyIn::PrivateMessage(message) => Ok(message.into()),
        MlsMessageBodyIn::PublicMessage(_) => Err(Refused::NotPrivate),
        _ => Err(Refused::Malformed),
    }
}

pub(super) fn sender_leaf(processed: &ProcessedMessage) -> Result<LeafNodeIndex, Refused> {
    match processed.sender() {
        Sender::Member(leaf) => Ok(*leaf),
        _ => Err(Refused::NotPrivate),
    }
}

pub(super) fn to_bytes(message: &MlsMessageOut) -> Result<Vec<u8>, Refused> {
    message.tls_serialize_detached().map_err(Refused::internal)
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plain(leaf {}, epoch {}, …)", self.leaf, self.epoch)
    }
}
