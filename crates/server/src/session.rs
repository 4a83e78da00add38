//! One WebSocket connection: requests in, answers and pushes out.
//!
//! A session is one task without inner queues. Reads are answered where they are met; a PUT goes
//! to the sealing thread and comes back as a [`Reply`] when its tick is durable. Whatever is ready
//! together leaves with one flush.
//!
//! What is bounded here, and what happens at the bound:
//! * the length of a message: the connection ends;
//! * PUTs in flight: `Busy`;
//! * the time of one write, of at most 64 KiB: a client that does not read is dropped, one that
//!   reads slowly is not;
//! * long answers that clients have not taken yet: `Busy`, or for a stream the next page waits;
//! * silence: the client is pinged, then dropped;
//! * the backlog of digests: a number, see [`crate::follower`].

mod long;
#[cfg(test)]
mod tests;

use crate::{
    farewell::farewell,
    follower::{Follower, Step},
    hub::Push,
    serve::closed,
    service::{Reply, Service, Writer},
};
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, watch},
    time::{Interval, MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Bytes, Error as WsError, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use undertone_server_core::Put;
use undertone_wire::{Answer, CELL_LEN, Frame, Refusal, RefusalKind, Request, decode, encode};

pub(crate) use long::LONG;

/// The longest token that any policy takes.
const TOKEN_LEN_MAX: usize = 512;
/// The longest request: a PUT with a token, its vector length, the frame's and request's heads.
pub(crate) const REQUEST_LEN_MAX: usize = CELL_LEN + 32 + 32 + TOKEN_LEN_MAX + 16;
/// A small buffer, because every idle connection has its own.
const READ_BUFFER: usize = 4 << 10;
/// What gathers before it is written: as much as one TLS record holds. It grows with what is sent,
/// so that an idle connection has none of it.
const WRITE_BUFFER: usize = 16 << 10;
/// Room for one piece of a long message and what short ones are still in front of it.
const WRITE_BUFFER_MAX: usize = 256 << 10;
/// Messages handled before a flush.
const BATCH: usize = 64;
/// How long a session's end may take: the answers of its last tick, and a goodbye.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client left.
    Left,
    /// The server is shutting down.
    Closing,
    /// The client did not read for too long.
    Slow,
    /// The client was silent for too long.
    Silent,
    /// The client broke the rules.
    Broke(CloseCode),
}

/// A session over any byte stream.
pub(crate) struct Session<S> {
    service: Arc<Service>,
    socket: WebSocketStream<S>,
    writer: Writer,
    replies: mpsc::Receiver<Reply>,
    in_flight: usize,
    follower: Option<Follower>,
    /// The request that the follower follows.
    stream_id: u32,
    alarm: Pin<Box<Interval>>,
    heard: bool,
    pinged: bool,
}

/// What a session waits for.
enum Event {
    Message(Option<Result<Message, WsError>>),
    Reply(Reply),
    Stream(Option<Step>),
    Alarm,
    Closing,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// A session on a stream whose upgrade has been answered; `early` was read with the head.
    pub(crate) async fn new(service: Arc<Service>, stream: S, early: Vec<u8>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(WRITE_BUFFER_MAX)
            .max_message_size(Some(REQUEST_LEN_MAX))
            .max_frame_size(Some(REQUEST_LEN_MAX));
        let socket =
            WebSocketStream::from_partially_read(stream, early, Role::Server, Some(config)).await;
        let (writer, replies) = service.writer(service.config.limits.puts_in_flight);
        let idle = service.config.limits.idle().max(Duration::from_millis(1));
        let mut alarm = Box::pin(interval(idle));
        alarm.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            service,
            socket,
            writer,
            replies,
            in_flight: 0,
            follower: None,
            stream_id: 0,
            alarm,
            heard: true,
            pinged: false,
        }
    }

    /// Serves the client until the end.
    pub(crate) async fn run(mut self: Box<Self>, closing: &mut watch::Receiver<bool>) -> End {
        let end = loop {
            let event = self.next_event(closing).await;
            if let Err(end) = self.handle_ready(event).await {
                break end;
            }
        };
        // Boxed, as all that is rare: a future is as large as its largest part, for ever.
        Box::pin(self.finish(end)).await;
        end
    }

    async fn next_event(&mut self, closing: &mut watch::Receiver<bool>) -> Event {
        tokio::select! {
            message = self.socket.next() => Event::Message(message),
            Some(reply) = self.replies.recv() => Event::Reply(reply),
            step = next_step(&mut self.follower) => Event::Stream(step),
            _ = self.alarm.tick() => Event::Alarm,
            () = closed(closing) => Event::Closing,
        }
    }

    /// Handles an event and what else is ready, then flushes once.
    async fn handle_ready(&mut self, first: Event) -> Result<(), End> {
        let (mut next, mut handled) = (Some(first), 0);
        while let Some(event) = next {
            self.handle(event).await?;
            handled += 1;
            next = if handled < BATCH { self.ready_event() } else { None };
        }
        self.flush().await
    }

    fn ready_event(&mut self) -> Option<Event> {
        if let Ok(reply) = self.replies.try_recv() {
            return Some(Event::Reply(reply));
        }
        self.socket.next().now_or_never().map(Event::Message)
    }

    async fn handle(&mut self, event: Event) -> Result<(), End> {
        let bytes = match event {
            Event::Message(message) => self.on_message(message).await?,
            Event::Reply(Reply { id, answer }) => {
                self.in_flight -= 1;
                Some(encode_answer(id, *answer))
            }
            Event::Stream(Some(Step::Send(Push { bytes, .. }))) => Some(bytes),
            Event::Stream(Some(Step::Page(from))) => return Box::pin(self.page(from)).await,
            Event::Stream(None) | Event::Closing => return Err(End::Closing),
            Event::Alarm => return self.on_alarm().await,
        };
        match bytes {
            Some(bytes) => self.send(Message::Binary(bytes)).await,
            None => Ok(()),
        }
    }

    /// What is to be sent at once to a client that says this.
    async fn on_message(
        &mut self,
        message: Option<Result<Message, WsError>>,
    ) -> Result<Option<Bytes>, End> {
        self.heard = true;
        match message {
            None => Err(End::Left),
            Some(Err(error)) => Err(end_of(&error)),
            Some(Ok(Message::Binary(bytes))) => self.on_frame(&bytes).await,
            Some(Ok(Message::Text(_))) => Err(End::Broke(CloseCode::Unsupported)),
            Some(Ok(Message::Close(_))) => Err(End::Left),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
        }
    }

    async fn on_frame(&mut self, bytes: &[u8]) -> Result<Option<Bytes>, End> {
        let (id, answer) = match decode(bytes) {
            Ok(Frame::Request { id, request }) => (id, self.on_request(id, request).await?),
            Ok(_) => return Err(End::Broke(CloseCode::Policy)),
            // A later version's request has an id where ours have it.
            Err(_) => match request_id(bytes) {
                Some(id) => (id, Some(refused(RefusalKind::Malformed))),
                None => return Err(End::Broke(CloseCode::Invalid)),
            },
        };
        Ok(answer.map(|answer| encode_answer(id, answer)))
    }

    /// The answer, unless it comes later.
    async fn on_request(&mut self, id: u32, request: Request) -> Result<Option<Answer>, End> {
        let answer = match request {
            Request::Put { tag, write, cell, token } => {
                self.on_put(id, Put { tag, write, cell, token })
            }
            Request::Stream { from } => Some(self.on_stream(id, from)),
            read => {
                let answer = self.service.read(&read);
                if answer.is_none() {
                    // It answers by itself, because a long answer does not wait for its flush.
                    Box::pin(self.answer_heavy(id, read)).await?;
                }
                answer
            }
        };
        Ok(answer)
    }

    fn on_put(&mut self, id: u32, put: Put) -> Option<Answer> {
        if self.in_flight >= usize::from(self.service.config.limits.puts_in_flight) {
            return Some(refused(RefusalKind::Busy));
        }
        match self.writer.put(id, put) {
            Ok(()) => {
                self.in_flight += 1;
                None
            }
            Err(refusal) => Some(Answer::Refused(refusal)),
        }
    }

    fn on_stream(&mut self, id: u32, from: u64) -> Answer {
        match self.service.may_stream(from) {
            Ok(()) => {
                self.stream_id = id;
                self.follower = Some(Follower::new(from, self.service.ring.subscribe()));
                Answer::Streaming
            }
            Err(kind) => refused(kind),
        }
    }

    async fn on_alarm(&mut self) -> Result<(), End> {
        if std::mem::take(&mut self.heard) {
            self.pinged = false;
            return Ok(());
        }
        if std::mem::replace(&mut self.pinged, true) {
            return Err(End::Silent);
        }
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn flush(&mut self) -> Result<(), End> {
        let limit = self.service.config.limits.write();
        let flushed = timeout(limit, self.socket.flush()).await.map_err(|_| End::Slow)?;
        flushed.map_err(|error| end_of(&error))
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Binary(bytes) if bytes.len() > LONG => {
                Box::pin(self.send_in_pieces(bytes)).await
            }
            short => self.feed(short).await,
        }
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        let limit = self.service.config.limits.write();
        let fed = timeout(limit, self.socket.feed(message)).await.map_err(|_| End::Slow)?;
        fed.map_err(|error| end_of(&error))
    }

    /// Answers what a last tick stores, then says goodbye; none of it can take long.
    async fn finish(mut self: Box<Self>, end: End) {
        if matches!(end, End::Slow | End::Silent) {
            return;
        }
        let goodbye = async {
            match end {
                End::Left | End::Slow | End::Silent => {}
                End::Closing => {
                    self.answer_last_tick().await?;
                    self.say_goodbye(CloseCode::Away).await?;
                }
                End::Broke(code) => self.say_goodbye(code).await?,
            }
            self.socket.flush().await.map_err(|error| end_of(&error))
        };
        if !matches!(timeout(FAREWELL, goodbye).await, Ok(Ok(()))) {
            tracing::trace!("a client did not wait for its goodbye");
        }
        farewell(self.socket.get_mut()).await;
    }

    async fn answer_last_tick(&mut self) -> Result<(), End> {
        while self.in_flight > 0 {
            let Some(reply) = self.replies.recv().await else { break };
            self.handle(Event::Reply(reply)).await?;
        }
        Ok(())
    }

    async fn say_goodbye(&mut self, code: CloseCode) -> Result<(), End> {
        self.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await
    }
}

/// The follower's next step; for ever nothing when there is no follower.
async fn next_step(follower: &mut Option<Follower>) -> Option<Step> {
    match follower {
        Some(follower) => follower.step().await,
        None => std::future::pending().await,
    }
}

fn encode_answer(id: u32, answer: Answer) -> Bytes {
    encode(&Frame::Answer { id, answer }).into()
}

/// The id of a frame that at least begins like a request.
pub(crate) fn request_id(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [1, a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

/// A refusal with the words for people that belong to its kind.
pub(crate) fn refused(kind: RefusalKind) -> Answer {
    let message = match kind {
        RefusalKind::Malformed => "this request is not understood",
        RefusalKind::WrongKey => "the write key does not fit the tag",
        RefusalKind::Busy => "too much at once; ask again later",
        RefusalKind::Storage => "the server cannot store now; nothing acknowledged was lost",
        RefusalKind::Expired => "this is older than the server keeps",
        RefusalKind::Future => "this does not exist yet",
        RefusalKind::Token => "a token is needed",
        RefusalKind::Closing => "the server is shutting down",
    };
    Answer::Refused(Refusal { kind, message: message.as_bytes().to_vec().into() })
}

fn end_of(error: &WsError) -> End {
    match error {
        WsError::Capacity(_) => End::Broke(CloseCode::Size),
        WsError::Protocol(_) => End::Broke(CloseCode::Protocol),
        WsError::Utf8(_) => End::Broke(CloseCode::Invalid),
        _ => End::Left,
    }
}
