//! From an accepted socket to the door that its client knocks at.

use crate::{
    farewell::farewell,
    http::{self, Door, HEAD_LEN_MAX, Head, TurnedAway},
    serve::closed,
    service::Service,
    session::{LONG, REQUEST_LEN_MAX, Session, refused, request_id},
};
use std::{io, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use undertone_server_core::Put;
use undertone_wire::{Answer, Frame, RefusalKind, Request, decode, encode};

/// Serves one client from the TLS handshake to the end of its connection.
pub(crate) async fn serve_client(
    service: Arc<Service>,
    acceptor: TlsAcceptor,
    socket: TcpStream,
    mut closing: watch::Receiver<bool>,
) {
    // A future is as large as its largest part, for ever: what is done once is boxed, so that an
    // idle session costs its own state and no more.
    match Box::pin(admit(service, acceptor, socket)).await {
        Ok(Some(Admitted::WebSocket(session))) => {
            let end = session.run(&mut closing).await;
            tracing::trace!(?end, "a connection ended");
        }
        Ok(Some(Admitted::Posts(posts, head))) => {
            let end = Box::pin(posts.run(head, closing)).await;
            tracing::trace!(broken = end.is_err(), "a connection at the second door ended");
        }
        // The error is the client's or the network's, and may say where it comes from.
        Ok(None) | Err(_) => tracing::trace!("a client did not find the door"),
    }
}

/// Who has come in, and by which door.
enum Admitted<S> {
    WebSocket(Box<Session<S>>),
    Posts(Box<Posts<S>>, Head),
}

async fn admit(
    service: Arc<Service>,
    acceptor: TlsAcceptor,
    socket: TcpStream,
) -> io::Result<Option<Admitted<TlsStream<TcpStream>>>> {
    socket.set_nodelay(true)?;
    let limit = service.config.limits.handshake();
    within(limit, async { open(service, acceptor.accept(socket).await?).await }).await
}

/// Opens the door that is knocked at.
async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    service: Arc<Service>,
    mut stream: S,
) -> io::Result<Option<Admitted<S>>> {
    let mut buffer = Vec::new();
    let Some(head) = read_head(&mut stream, &mut buffer).await? else { return Ok(None) };
    let Door::WebSocket(accept) = &head.door else {
        return Ok(Some(Admitted::Posts(Box::new(Posts { service, stream, buffer }), head)));
    };
    stream.write_all(http::switching(accept).as_bytes()).await?;
    stream.flush().await?;
    let early = buffer.split_off(head.len);
    let session = Session::new(service, stream, early).await;
    Ok(Some(Admitted::WebSocket(Box::new(session))))
}

/// As [`serve_client`], over a stream that is no socket.
#[cfg(feature = "fuzzing")]
pub(crate) async fn serve_stream<S: AsyncRead + AsyncWrite + Unpin>(
    service: Arc<Service>,
    stream: S,
    mut closing: watch::Receiver<bool>,
) {
    match open(service, stream).await {
        Ok(Some(Admitted::WebSocket(session))) => {
            session.run(&mut closing).await;
        }
        Ok(Some(Admitted::Posts(posts, head))) => {
            // How it ends is the client's business.
            posts.run(head, closing).await.ok();
        }
        Ok(None) | Err(_) => {}
    }
}

/// Reads up to the end of one head; turns away what is none and returns `None` then, or when the
/// client has left.
async fn read_head<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Head>> {
    loop {
        match http::parse_head(buffer, REQUEST_LEN_MAX) {
            Ok(Some(head)) => return Ok(Some(head)),
            Ok(None) if read_more(stream, buffer, HEAD_LEN_MAX).await? => {}
            Ok(None) => return Ok(None),
            Err(why) => {
                turn_away(stream, why).await?;
                return Ok(None);
            }
        }
    }
}

async fn turn_away<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    why: TurnedAway,
) -> io::Result<()> {
    stream.write_all(why.response().as_bytes()).await?;
    farewell(stream).await;
    Ok(())
}

/// Reads once, up to `len_max` bytes in all; `false` at the end of the stream.
async fn read_more<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    len_max: usize,
) -> io::Result<bool> {
    let room = len_max.saturating_sub(buffer.len()).min(1024) as u64;
    Ok(stream.take(room).read_buf(buffer).await? > 0)
}

async fn within<T>(
    limit: std::time::Duration,
    future: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout(limit, future).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// A client at the second door: one frame in, one frame out, as often as it likes.
struct Posts<S> {
    service: Arc<Service>,
    stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Posts<S> {
    async fn run(
        mut self: Box<Self>,
        mut head: Head,
        mut closing: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let limits = self.service.config.limits.clone();
        while let Door::Post { body_len, keep_alive } = head.door {
            self.buffer.drain(..head.len);
            within(limits.handshake(), self.read_body(body_len)).await?;
            let body: Vec<u8> = self.buffer.drain(..body_len).collect();
            let Some(answer) = answer_frame(&self.service, &body).await else {
                return turn_away(&mut self.stream, TurnedAway::BadRequest).await;
            };
            let keep_alive = keep_alive && !*closing.borrow();
            let answer = encode(&answer);
            let service = Arc::clone(&self.service);
            let held = (answer.len() > LONG).then(|| service.try_hold_long());
            if held.as_ref().is_some_and(Option::is_none) {
                return turn_away(&mut self.stream, TurnedAway::Busy).await;
            }
            self.respond(limits.write(), &answer, keep_alive).await?;
            drop(held);
            if !keep_alive {
                farewell(&mut self.stream).await;
                return Ok(());
            }
            match self.next_head(limits.idle(), &mut closing).await? {
                Some(next) => head = next,
                None => return Ok(()),
            }
        }
        turn_away(&mut self.stream, TurnedAway::BadRequest).await
    }

    async fn next_head(
        &mut self,
        idle: std::time::Duration,
        closing: &mut watch::Receiver<bool>,
    ) -> io::Result<Option<Head>> {
        let Self { stream, buffer, .. } = self;
        tokio::select! {
            head = within(idle, read_head(stream, buffer)) => head,
            () = closed(closing) => Ok(None),
        }
    }

    async fn read_body(&mut self, body_len: usize) -> io::Result<()> {
        while self.buffer.len() < body_len {
            if !read_more(&mut self.stream, &mut self.buffer, body_len).await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// Each piece has the time of one write, so that a slow client gets a long answer too.
    async fn respond(
        &mut self,
        limit: std::time::Duration,
        body: &[u8],
        keep_alive: bool,
    ) -> io::Result<()> {
        let head = http::answer_head(body.len(), keep_alive);
        let (first, rest) = body.split_at(body.len().min(LONG));
        let first = [head.as_bytes(), first].concat();
        for piece in std::iter::once(&first[..]).chain(rest.chunks(LONG)) {
            let written = async {
                self.stream.write_all(piece).await?;
                self.stream.flush().await
            };
            within(limit, written).await?;
        }
        Ok(())
    }
}

/// The answer to one posted frame; `None` when it is no request at all.
async fn answer_frame(service: &Arc<Service>, body: &[u8]) -> Option<Frame> {
    let (id, answer) = match decode(body) {
        Ok(Frame::Request { id, request }) => (id, answer(service, request).await),
        Ok(_) => return None,
        Err(_) => (request_id(body)?, refused(RefusalKind::Malformed)),
    };
    Some(Frame::Answer { id, answer })
}

async fn answer(service: &Arc<Service>, request: Request) -> Answer {
    match request {
        Request::Put { tag, write, cell, token } => {
            service.put_and_wait(Put { tag, write, cell, token }).await
        }
        // There is nowhere to push to.
        Request::Stream { .. } => refused(RefusalKind::Malformed),
        read => match service.read(&read) {
            Some(answer) => answer,
            None => service.read_heavy(read).await,
        },
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn future_len<A, B, C, D, F: Future>(_: fn(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_costs_no_more_than_its_state() {
        let session = size_of::<Session<TlsStream<TcpStream>>>();
        assert!(future_len(serve_client) + session < 4 << 10);
    }
}
