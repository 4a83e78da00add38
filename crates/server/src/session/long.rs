//! What may be long: digests, segments, proofs.
//!
//! A long message leaves in pieces (RFC 6455 section 5.4), each flushed before the next: so the
//! time that a write may take is that of a piece, and a connection's buffer, which never shrinks,
//! never grows beyond one.
//!
//! A long answer stays in memory until its client has taken it, and clients may be slow on
//! purpose. So there is a number of long answers that all connections together may hold; above it
//! a request is refused as `Busy`, and a stream's next page waits without being in memory.

use super::{End, Session, encode_answer, refused};
use crate::hub::Push;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::frame::{
        Frame as Piece,
        coding::{Data, OpCode},
    },
};
use undertone_wire::{Answer, Refusal, RefusalKind, Request};

/// A longer message leaves in pieces of this length, and is held only by leave of [`Service::hold_long`](crate::service::Service).
pub(crate) const LONG: usize = 64 << 10;

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Answers a request that reads much.
    pub(super) async fn answer_heavy(&mut self, id: u32, read: Request) -> Result<(), End> {
        let answer = encode_answer(id, self.service.read_heavy(read).await);
        if answer.len() <= LONG {
            return self.send(Message::Binary(answer)).await;
        }
        let service = Arc::clone(&self.service);
        match service.try_hold_long() {
            Some(_held) => self.send_now(answer).await,
            None => {
                let busy = encode_answer(id, refused(RefusalKind::Busy));
                self.send(Message::Binary(busy)).await
            }
        }
    }

    /// Sends one page of what a streaming client missed; nothing when it has caught up.
    pub(super) async fn page(&mut self, from: u64) -> Result<(), End> {
        let Some(push) = self.read_page(from).await? else { return Ok(()) };
        if push.bytes.len() <= LONG {
            return self.send_page(push).await;
        }
        let service = Arc::clone(&self.service);
        if let Some(_held) = service.try_hold_long() {
            return self.send_page(push).await;
        }
        // Nothing is held while one waits.
        drop(push);
        let _held = service.hold_long().await;
        match self.read_page(from).await? {
            Some(push) => self.send_page(push).await,
            None => Ok(()),
        }
    }

    async fn read_page(&mut self, from: u64) -> Result<Option<Push>, End> {
        match self.service.page(from).await {
            Ok(page) if page.ticks.is_empty() => {
                self.paged(from - 1);
                Ok(None)
            }
            Ok(page) => Ok(Some(Push::new(page))),
            Err(refusal) if refusal.kind == RefusalKind::Closing => Err(End::Closing),
            Err(refusal) => self.end_stream(refusal).await.map(|()| None),
        }
    }

    /// A stream that cannot go on ends with a second answer to its request; the connection stays.
    async fn end_stream(&mut self, refusal: Refusal) -> Result<(), End> {
        self.follower = None;
        let answer = encode_answer(self.stream_id, Answer::Refused(refusal));
        self.send(Message::Binary(answer)).await
    }

    async fn send_page(&mut self, push: Push) -> Result<(), End> {
        self.paged(push.last);
        self.send_now(push.bytes).await
    }

    fn paged(&mut self, last: u64) {
        if let Some(follower) = &mut self.follower {
            follower.paged(last);
        }
    }

    /// Sends a long message piece by piece.
    pub(super) async fn send_in_pieces(&mut self, mut rest: Bytes) -> Result<(), End> {
        let mut kind = Data::Binary;
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(LONG));
            let piece = Piece::message(piece, OpCode::Data(kind), rest.is_empty());
            self.feed(Message::Frame(piece)).await?;
            self.flush().await?;
            kind = Data::Continue;
        }
        Ok(())
    }

    /// Sends and flushes: what is held for it can be let go.
    async fn send_now(&mut self, bytes: Bytes) -> Result<(), End> {
        self.send(Message::Binary(bytes)).await?;
        self.flush().await
    }
}
