//! One WebSocket to the pinned server.

use crate::{
    dial::{Limits, Socks5, dial, within},
    error::{ConnectError, Lost, Step},
    heard::{Heard, Hearing},
    pin::Pin,
    tls,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use std::{ops::RangeInclusive, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Error as WsError, Message, protocol::WebSocketConfig},
};
use undertone_wire::{
    Answer, Frame, Info, KeyRing, PROTOCOL_HIGHEST, PROTOCOL_LOWEST, Request, ServerAddress,
    decode, encode,
};

/// Bytes in one silence, or with one ping, that are no part of a message that is coming.
const LEAST_BYTES: u64 = 512;

/// The longest message that a client takes. The longest that a server sends is a closed segment of
/// 262,144 entries: four megabytes and its proof.
pub const MESSAGE_LEN_MAX: usize = 5 << 20;

/// Frames gathered before they are written: one flush carries many small requests.
const WRITE_BUFFER: usize = 16 << 10;
/// Above this a sender waits for the network.
const WRITE_BUFFER_MAX: usize = 1 << 20;

type Socket = WebSocketStream<Hearing<TlsStream<TcpStream>>>;

/// An open connection to the pinned server, whose protocol version fits.
#[derive(Debug)]
pub struct Connection {
    /// What the server says of itself.
    pub info: Info,
    /// The keys that it names there; they continue what was known.
    pub keys: KeyRing,
    /// The way there.
    pub sender: FrameSender,
    /// The way back.
    pub receiver: FrameReceiver,
}

impl Connection {
    /// Dials a server that was never met before, checks that it is the one of this address, and
    /// asks it who it is.
    ///
    /// # Errors
    /// [`ConnectError`]; nothing stays open then.
    pub async fn open(
        address: &ServerAddress,
        proxy: Option<&Socks5>,
        limits: &Limits,
    ) -> Result<Self, ConnectError> {
        Self::open_pinned(address, &address.server().into(), proxy, limits).await
    }

    /// As [`open`](Self::open), for somebody who may know keys of the server already.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`ConnectError::WrongServer`] also when the server's keys do not
    /// continue the known ones.
    pub async fn open_pinned(
        address: &ServerAddress,
        pin: &Pin,
        proxy: Option<&Socks5>,
        limits: &Limits,
    ) -> Result<Self, ConnectError> {
        let stream = secure_stream(address, pin, proxy, limits).await?;
        let opening = async {
            let (stream, heard) = Hearing::new(stream);
            let (sink, stream) = upgrade(address, stream).await?.split();
            let mut sender = FrameSender { sink };
            let mut receiver =
                FrameReceiver { stream, heard, silence: limits.silence, lively: Instant::now() };
            let info = introduce(&mut sender, &mut receiver).await?;
            let keys = check_info(&info, pin)?;
            Ok(Self { info, keys, sender, receiver })
        };
        within(limits.answer, Step::Open, opening).await
    }
}

/// TCP and TLS up to the pinned server.
pub(crate) async fn secure_stream(
    address: &ServerAddress,
    pin: &Pin,
    proxy: Option<&Socks5>,
    limits: &Limits,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let stream = dial(address.host(), address.port(), proxy, limits.connect).await?;
    let handshake = tls::handshake(stream, pin, address.host());
    within(limits.handshake, Step::Tls, handshake).await
}

async fn upgrade(
    address: &ServerAddress,
    stream: Hearing<TlsStream<TcpStream>>,
) -> Result<Socket, ConnectError> {
    let uri = format!("ws://{}/undertone/1", address.authority());
    let config = WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER_MAX)
        .max_message_size(Some(MESSAGE_LEN_MAX))
        .max_frame_size(Some(MESSAGE_LEN_MAX));
    let opened = client_async_with_config(uri, stream, Some(config)).await;
    opened.map(|(socket, _)| socket).map_err(|error| match error {
        WsError::Http(response) => ConnectError::TurnedAway(response.status().as_u16()),
        WsError::Io(source) => ConnectError::Unreachable { step: Step::Open, source },
        _ => ConnectError::Protocol("it does not open a WebSocket"),
    })
}

/// Asks for `Info`, the first request of every connection.
async fn introduce(
    sender: &mut FrameSender,
    receiver: &mut FrameReceiver,
) -> Result<Info, ConnectError> {
    sender.send(&Frame::Request { id: 0, request: Request::Info }).await.map_err(lost_early)?;
    match receiver.next().await.map_err(lost_early)? {
        Frame::Answer { id: 0, answer: Answer::Info(info) } => Ok(info),
        Frame::Answer { id: 0, answer: Answer::Refused(refusal) } => {
            Err(ConnectError::Refused(refusal.kind))
        }
        _ => Err(ConnectError::Protocol("it did not say who it is")),
    }
}

fn lost_early(lost: Lost) -> ConnectError {
    match lost {
        Lost::Protocol(what) => ConnectError::Protocol(what),
        Lost::Broken(source) => ConnectError::Unreachable { step: Step::Open, source },
        Lost::Silent => ConnectError::TimedOut(Step::Open),
        Lost::Closed => {
            let source = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            ConnectError::Unreachable { step: Step::Open, source }
        }
    }
}

/// The server's keys, if they are the pinned one's. The versions come last: a stranger is a stranger
/// in any version.
fn check_info(info: &Info, pin: &Pin) -> Result<KeyRing, ConnectError> {
    let keys = KeyRing::from_info(&pin.server(), info).map_err(|_| ConnectError::WrongServer)?;
    if !pin.admits(&keys) {
        return Err(ConnectError::WrongServer);
    }
    let server = info.version_lowest..=info.version_highest;
    let client = PROTOCOL_LOWEST..=PROTOCOL_HIGHEST;
    match overlap(&server, &client) {
        true => Ok(keys),
        false => Err(ConnectError::VersionUnsupported { server, client }),
    }
}

fn overlap(one: &RangeInclusive<u16>, other: &RangeInclusive<u16>) -> bool {
    one.start().max(other.start()) <= one.end().min(other.end())
}

/// Sends frames to the server.
#[derive(Debug)]
pub struct FrameSender {
    sink: SplitSink<Socket, Message>,
}

impl FrameSender {
    /// Sends one frame and flushes.
    ///
    /// # Errors
    /// [`Lost`] when the connection is gone.
    pub async fn send(&mut self, frame: &Frame) -> Result<(), Lost> {
        self.feed(frame).await?;
        self.flush().await
    }

    /// Puts one frame into the write buffer; it travels with the next [`flush`](Self::flush).
    ///
    /// # Errors
    /// [`Lost`] when the connection is gone.
    pub async fn feed(&mut self, frame: &Frame) -> Result<(), Lost> {
        self.sink.feed(Message::Binary(encode(frame).into())).await.map_err(lost)
    }

    /// Writes what was fed.
    ///
    /// # Errors
    /// [`Lost`] when the connection is gone.
    pub async fn flush(&mut self) -> Result<(), Lost> {
        self.sink.flush().await.map_err(lost)
    }

    /// Says goodbye. Errors do not matter any more.
    pub async fn close(mut self) {
        if let Err(error) = self.sink.close().await {
            tracing::trace!(%error, "closing");
        }
    }
}

/// Receives frames from the server.
#[derive(Debug)]
pub struct FrameReceiver {
    stream: SplitStream<Socket>,
    heard: Heard,
    silence: Duration,
    /// When more came last than pings.
    lively: Instant,
}

impl FrameReceiver {
    /// The next frame.
    ///
    /// # Errors
    /// [`Lost`] when the connection has ended, was silent for too long, or carries something
    /// outside the grammar. A part of a message breaks the silence, since a long one may take its
    /// time; pings do not, or a server could hold its clients for ever and say nothing.
    pub async fn next(&mut self) -> Result<Frame, Lost> {
        loop {
            let heard = self.heard.bytes();
            let next = timeout(self.silence, self.stream.next()).await;
            let frame = match next {
                Ok(message) => frame_of(message.ok_or(Lost::Closed)?.map_err(lost)?)?,
                Err(_) => None,
            };
            if frame.is_some() || self.heard.bytes().saturating_sub(heard) > LEAST_BYTES {
                self.lively = Instant::now();
            } else if self.lively.elapsed() >= self.silence {
                return Err(Lost::Silent);
            }
            if let Some(frame) = frame {
                return Ok(frame);
            }
        }
    }
}

/// The frame in a message; none in the messages by which WebSocket lives.
fn frame_of(message: Message) -> Result<Option<Frame>, Lost> {
    match message {
        Message::Binary(bytes) => match decode(&bytes) {
            Ok(frame @ (Frame::Answer { .. } | Frame::Push(_))) => Ok(Some(frame)),
            Ok(Frame::Request { .. }) => Err(Lost::Protocol("it sent a request")),
            Err(_) => Err(Lost::Protocol("it sent bytes that are not a frame")),
        },
        Message::Text(_) => Err(Lost::Protocol("it sent text")),
        Message::Close(_) => Err(Lost::Closed),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
    }
}

fn lost(error: WsError) -> Lost {
    match error {
        WsError::ConnectionClosed | WsError::AlreadyClosed => Lost::Closed,
        WsError::Io(source) => Lost::Broken(source),
        WsError::Capacity(_) => Lost::Protocol("it sent more than a client takes"),
        _ => Lost::Protocol("it broke the rules of WebSocket"),
    }
}
