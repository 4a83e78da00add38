//! `undertone:` URIs. Never an https page: its host could swap it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};
use undertone_crypto::IdentityKey;
use undertone_wire::{ServerId, decode, encode};

const SCHEME: &str = "undertone:";
const VERSION: u8 = 1;
const CHECK_LEN: usize = 4;

/// For how many people a link is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    TlsSize,
    TlsSerialize,
    TlsDeserializeBytes,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(u8)]
pub(crate) enum LinkKind {
    /// One person, once.
    OneTime = 1,
    /// Anybody who holds it, until it ends; each waits as a request.
    Reusable = 2,
}

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct LinkUri {
    /// For how many.
    pub kind: LinkKind,
    /// `HOST:PORT` at which the server was reached when the link was made, UTF-8.
    pub address: VLBytes,
    /// The server that both sides must use.
    pub server: ServerId,
    /// Addresses and keys of the letters come from this.
    pub secret: [u8; 32],
    /// The identity of whoever made the link.
    pub identity: IdentityKey,
    /// When it ends, Unix milliseconds by the server's heads.
    pub expires_ms: u64,
    /// An admission code for the server, if it asks for one.
    pub admission: VLBytes,
}

/// Why a text is not a link that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkFault {
    /// Something else altogether.
    #[error("this is not a contact link: those begin with 'undertone:'")]
    NotALink,
    /// The address of a server.
    #[error("this is the address of a server, not a contact link")]
    ServerAddress,
    /// Letters are missing or changed.
    #[error("the link is incomplete or was changed on its way")]
    Damaged,
    /// Made by another version.
    #[error("the link has format version {0}, this program knows {VERSION}")]
    OtherVersion(u8),
}

/// Whether a link is for many people, each of whom waits as a request.
///
/// # Errors
/// Says what is wrong with the text.
pub fn is_reusable(text: &str) -> Result<bool, LinkFault> {
    Ok(LinkUri::parse(text)?.kind == LinkKind::Reusable)
}

impl LinkUri {
    /// The URI.
    pub(crate) fn to_text(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(encode(self));
        let check = checksum(&bytes);
        bytes.extend(check);
        format!("{SCHEME}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads what somebody pasted; space around it does not matter.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, LinkFault> {
        let text = text.trim();
        if text.starts_with("undertone://") {
            return Err(LinkFault::ServerAddress);
        }
        let coded = text.strip_prefix(SCHEME).ok_or(LinkFault::NotALink)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(coded).map_err(|_| LinkFault::Damaged)?;
        let (body, check) = bytes.split_last_chunk::<CHECK_LEN>().ok_or(LinkFault::Damaged)?;
        if checksum(body) != *check {
            return Err(LinkFault::Damaged);
        }
        match body.split_first() {
            Some((&VERSION, rest)) => decode(rest).map_err(|_| LinkFault::Damaged),
            Some((&other, _)) => Err(LinkFault::OtherVersion(other)),
            None => Err(LinkFault::Damaged),
        }
    }
}

/// Against letters lost in copying; whoever makes a link can make its checksum too.
fn checksum(bytes: &[u8]) -> [u8; CHECK_LEN] {
    let hash = Sha256::digest(bytes);
    hash[..CHECK_LEN].try_into().expect("four of thirty-two bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> LinkUri {
        LinkUri {
            kind: LinkKind::OneTime,
            address: b"127.0.0.1:7443".to_vec().into(),
            server: ServerId([1; 32]),
            secret: [2; 32],
            identity: IdentityKey([3; 32]),
            expires_ms: 1_800_000_000_000,
            admission: Vec::new().into(),
        }
    }

    #[test]
    fn a_link_survives_being_pasted() {
        let text = format!("  {}\n", link().to_text());
        assert_eq!(LinkUri::parse(&text), Ok(link()));
    }

    #[test]
    fn a_link_cut_at_any_letter_is_damaged() {
        let text = link().to_text();
        for end in SCHEME.len()..text.len() {
            assert_eq!(LinkUri::parse(&text[..end]), Err(LinkFault::Damaged), "cut at {end}");
        }
    }

    #[test]
    fn other_things_are_told_apart() {
        assert_eq!(LinkUri::parse("https://example.org/x"), Err(LinkFault::NotALink));
        assert_eq!(LinkUri::parse("undertone://host:1/#00"), Err(LinkFault::ServerAddress));
        let mut bytes = vec![9];
        bytes.extend(encode(&link()));
        bytes.extend(checksum(&bytes.clone()));
        let text = format!("{SCHEME}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(LinkUri::parse(&text), Err(LinkFault::OtherVersion(9)));
    }
}
