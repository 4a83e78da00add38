//! `undertone://HOST:PORT/#SERVER_ID`: where a server is, and who it is. The part behind `#` is
//! the fingerprint that clients pin, so whoever copies an address copies the trust with it.

use crate::ServerId;
use std::{fmt, net::Ipv6Addr, str::FromStr};

/// Where a server is reached and which server it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    host: String,
    port: u16,
    server: ServerId,
}

/// Why a text is not a server's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Another scheme, or none.
    #[error("a server address begins with undertone://")]
    Scheme,
    /// No `/#` and what follows.
    #[error("the address is cut short: /# and the server's 64-digit fingerprint are missing")]
    NoFingerprint,
    /// The fingerprint has another length or other characters.
    #[error("the fingerprint behind # must be 64 lowercase hexadecimal digits")]
    Fingerprint,
    /// No host, or characters that no host name has.
    #[error("the host is neither a name, an IPv4 address nor an IPv6 address in brackets")]
    Host,
    /// No port, or not one from 1 to 65535.
    #[error("the address needs a port from 1 to 65535 behind the host")]
    Port,
}

const SCHEME: &str = "undertone://";

impl ServerAddress {
    /// An address; `host` is a name, an IPv4 address, or an IPv6 address without brackets.
    ///
    /// # Errors
    /// [`BadAddress::Host`] or [`BadAddress::Port`].
    pub fn new(host: &str, port: u16, server: ServerId) -> Result<Self, BadAddress> {
        let is_ipv6 = host.parse::<Ipv6Addr>().is_ok();
        if !is_ipv6 && !is_name(host) {
            return Err(BadAddress::Host);
        }
        if port == 0 {
            return Err(BadAddress::Port);
        }
        Ok(Self { host: host.to_owned(), port, server })
    }

    /// The host, IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's pinned id.
    pub fn server(&self) -> ServerId {
        self.server
    }

    /// `HOST:PORT` as it stands in a request's `Host` line and in messages for people.
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// Letters, digits, hyphens and dots with no empty label, at most 253 bytes (RFC 1123).
fn is_name(host: &str) -> bool {
    let labels_ok = host.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    host.len() <= 253 && labels_ok
}

impl FromStr for ServerAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let rest = text.strip_prefix(SCHEME).ok_or(BadAddress::Scheme)?;
        let (authority, fingerprint) = rest.split_once("/#").ok_or(BadAddress::NoFingerprint)?;
        let server = parse_server_id(fingerprint)?;
        let (host, port) = split_authority(authority)?;
        if port.starts_with('+') {
            return Err(BadAddress::Port);
        }
        Self::new(host, port.parse().map_err(|_| BadAddress::Port)?, server)
    }
}

fn split_authority(authority: &str) -> Result<(&str, &str), BadAddress> {
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or(BadAddress::Host)?;
        host.parse::<Ipv6Addr>().map_err(|_| BadAddress::Host)?;
        return Ok((host, rest.strip_prefix(':').ok_or(BadAddress::Port)?));
    }
    let (host, port) = authority.rsplit_once(':').ok_or(BadAddress::Port)?;
    if host.contains(':') { Err(BadAddress::Host) } else { Ok((host, port)) }
}

/// Exactly 64 lowercase hexadecimal digits.
fn parse_server_id(text: &str) -> Result<ServerId, BadAddress> {
    let mut id = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != id.len() || !rest.is_empty() {
        return Err(BadAddress::Fingerprint);
    }
    for (byte, [high, low]) in id.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(ServerId(id))
}

fn digit(character: u8) -> Result<u8, BadAddress> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(BadAddress::Fingerprint),
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/#{}", self.authority(), self.server)
    }
}
