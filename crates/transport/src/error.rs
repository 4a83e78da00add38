//! What can go wrong on the way to a server, by blame.
//!
//! No variant holds a host, an address or a credential: all of them may stand in a log line.

use std::{io, ops::RangeInclusive};
use undertone_wire::RefusalKind;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Somebody answers at the address, but it is not the pinned server.
    #[error("the server at this address is not the one that was pinned")]
    WrongServer,
    /// The server, or the way to it, is down.
    #[error("the server could not be reached ({step})")]
    Unreachable {
        /// How far it got.
        step: Step,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A step took longer than [`Limits`](crate::Limits) allows.
    #[error("the server did not answer in time ({0})")]
    TimedOut(Step),
    /// The proxy is there but would not connect.
    #[error("the proxy did not connect: {0}")]
    Proxy(#[source] tokio_socks::Error),
    /// The server speaks another range of protocol versions.
    #[error(
        "the server speaks protocol versions {} to {}, this program {} to {}",
        server.start(), server.end(), client.start(), client.end()
    )]
    VersionUnsupported {
        /// What the server speaks.
        server: RangeInclusive<u16>,
        /// What this program speaks.
        client: RangeInclusive<u16>,
    },
    /// What answers does not follow the protocol.
    #[error("what answers is not an Undertone server: {0}")]
    Protocol(&'static str),
    /// The server answered with this HTTP status instead of opening the connection; 503 means that
    /// it has as many connections as it takes.
    #[error("the server turned the connection away (status {0})")]
    TurnedAway(u16),
    /// The server refused the first request.
    #[error("the server refused the connection ({0:?})")]
    Refused(RefusalKind),
}

/// How far an attempt had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Looking up the name.
    Resolve,
    /// Reaching the proxy.
    Proxy,
    /// Opening the TCP connection.
    Connect,
    /// Agreeing on keys.
    Tls,
    /// Opening the WebSocket, or asking who the server is.
    Open,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Resolve => "looking up its name",
            Self::Proxy => "reaching the proxy",
            Self::Connect => "connecting",
            Self::Tls => "agreeing on keys",
            Self::Open => "opening the connection",
        })
    }
}

/// Whom an error is to be laid at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The network or a server that is away: trying again helps.
    Network,
    /// Somebody else poses as the server: trying again does not help and people must know.
    Impostor,
    /// Two versions that do not understand each other: an update helps.
    Version,
    /// The server, which misbehaves or will not.
    Server,
}

impl ConnectError {
    /// Whom this is to be laid at.
    pub fn blame(&self) -> Blame {
        match self {
            Self::WrongServer => Blame::Impostor,
            Self::Unreachable { .. } | Self::TimedOut(_) | Self::Proxy(_) => Blame::Network,
            Self::VersionUnsupported { .. } => Blame::Version,
            Self::Protocol(_) | Self::TurnedAway(_) | Self::Refused(_) => Blame::Server,
        }
    }

    pub(crate) fn unreachable(step: Step) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unreachable { step, source }
    }
}

/// Why an open connection ended.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The server closed it.
    #[error("the server closed the connection")]
    Closed,
    /// Nothing was heard for longer than [`Limits`](crate::Limits) allows.
    #[error("nothing was heard from the server for too long")]
    Silent,
    /// The network failed.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    /// The server sent something outside the grammar.
    #[error("the server broke the protocol: {0}")]
    Protocol(&'static str),
}
