//! From an address to a TCP stream, directly or through a proxy.

use crate::error::{ConnectError, Step};
use futures_util::future::select_ok;
use std::{fmt, future::Future, str::FromStr, time::Duration};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{sleep, timeout},
};
use tokio_socks::tcp::Socks5Stream;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;
/// The head start that one address has over the next (RFC 8305 section 8).
const STAGGER: Duration = Duration::from_millis(250);

/// How long each step may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Lookup, proxy and TCP together.
    pub connect: Duration,
    /// The TLS handshake.
    pub handshake: Duration,
    /// Upgrade and first answer; or the answer of a [`post`](crate::post()).
    pub answer: Duration,
    /// Longest silence of the server on an open connection, noticed before twice that time. The
    /// server breaks it every 30 s.
    pub silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            handshake: Duration::from_secs(15),
            answer: Duration::from_secs(15),
            silence: Duration::from_secs(75),
        }
    }
}

impl Limits {
    /// Limits for a way with long detours, such as Tor.
    pub fn patient() -> Self {
        Self {
            connect: Duration::from_secs(60),
            handshake: Duration::from_secs(30),
            answer: Duration::from_secs(30),
            ..Self::default()
        }
    }
}

/// A SOCKS5 proxy that also resolves names (`socks5h`), such as Tor's.
#[derive(Clone, PartialEq, Eq)]
pub struct Socks5 {
    host: String,
    port: u16,
    credentials: Option<(String, String)>,
}

/// The text is not `socks5h://[USER:PASSWORD@]HOST:PORT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a proxy is written socks5h://[USER:PASSWORD@]HOST:PORT")]
pub struct BadProxy;

impl FromStr for Socks5 {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        let rest = text.strip_prefix("socks5h://").ok_or(BadProxy)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (Some(parse_credentials(credentials)?), rest),
            None => (None, rest),
        };
        let (host, port) = rest.rsplit_once(':').ok_or(BadProxy)?;
        let port = port.parse().ok().filter(|&port| port != 0).ok_or(BadProxy)?;
        Ok(Self { host: parse_host(host)?, port, credentials })
    }
}

fn parse_credentials(text: &str) -> Result<(String, String), BadProxy> {
    let (user, password) = text.split_once(':').ok_or(BadProxy)?;
    let fits = |part: &str| (1..=255).contains(&part.len());
    if !fits(user) || !fits(password) {
        return Err(BadProxy);
    }
    Ok((user.to_owned(), password.to_owned()))
}

fn parse_host(text: &str) -> Result<String, BadProxy> {
    let bare = match text.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']').ok_or(BadProxy)?,
        None if text.contains(':') => return Err(BadProxy),
        None => text,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if bare.is_empty() || !bare.chars().all(plain) {
        return Err(BadProxy);
    }
    Ok(bare.to_owned())
}

impl fmt::Debug for Socks5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socks5(…)")
    }
}

/// The text that [`FromStr`] reads, credentials included: for the profile, not for a log.
impl fmt::Display for Socks5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("socks5h://")?;
        if let Some((user, password)) = &self.credentials {
            write!(f, "{user}:{password}@")?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Opens a TCP stream to `host`; with a proxy nothing but the proxy's own name is looked up here.
pub(crate) async fn dial(
    host: &str,
    port: u16,
    proxy: Option<&Socks5>,
    limit: Duration,
) -> Result<TcpStream, ConnectError> {
    let stream = match proxy {
        Some(proxy) => within(limit, Step::Proxy, through(proxy, host, port)).await?,
        None => within(limit, Step::Connect, direct(host, port, Step::Connect)).await?,
    };
    stream.set_nodelay(true).map_err(ConnectError::unreachable(Step::Connect))?;
    Ok(stream)
}

/// `future`, or [`ConnectError::TimedOut`] at `step`.
pub(crate) async fn within<T>(
    limit: Duration,
    step: Step,
    future: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    timeout(limit, future).await.unwrap_or(Err(ConnectError::TimedOut(step)))
}

/// The first address that answers, each with a head start over the next.
async fn direct(host: &str, port: u16, step: Step) -> Result<TcpStream, ConnectError> {
    let found =
        lookup_host((host, port)).await.map_err(ConnectError::unreachable(Step::Resolve))?;
    let attempts: Vec<_> = (0..)
        .zip(found.take(ADDRESSES_MAX))
        .map(|(place, address)| {
            Box::pin(async move {
                sleep(STAGGER * place).await;
                TcpStream::connect(address).await
            })
        })
        .collect();
    if attempts.is_empty() {
        let nothing = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(ConnectError::unreachable(Step::Resolve)(nothing));
    }
    let (stream, _) = select_ok(attempts).await.map_err(ConnectError::unreachable(step))?;
    Ok(stream)
}

async fn through(proxy: &Socks5, host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let socket = direct(&proxy.host, proxy.port, Step::Proxy).await?;
    let target = (host, port);
    let connected = match &proxy.credentials {
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(socket, target, user, password).await
        }
        None => Socks5Stream::connect_with_socket(socket, target).await,
    };
    Ok(connected.map_err(ConnectError::Proxy)?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_and_written() {
        for text in [
            "socks5h://127.0.0.1:9050",
            "socks5h://[::1]:9050",
            "socks5h://proxy.example:1080",
            "socks5h://ada:se:cret@proxy.example:1080",
        ] {
            let proxy: Socks5 = text.parse().unwrap();
            assert_eq!(proxy.to_string(), text);
            assert_eq!(format!("{proxy:?}"), "Socks5(…)");
        }
    }

    #[test]
    fn other_texts_are_no_proxies() {
        let long = format!("socks5h://{}:x@h:1", "a".repeat(256));
        for text in [
            "",
            "socks5://127.0.0.1:9050",
            "http://127.0.0.1:9050",
            "socks5h://127.0.0.1",
            "socks5h://127.0.0.1:0",
            "socks5h://127.0.0.1:65536",
            "socks5h://::1:9050",
            "socks5h://[::1:9050",
            "socks5h://:9050",
            "socks5h://ada@h:1",
            "socks5h://:x@h:1",
            "socks5h://h\n:1",
            long.as_str(),
        ] {
            assert_eq!(text.parse::<Socks5>(), Err(BadProxy), "{text:?}");
        }
    }
}
