//! The puppet and its visitors.

use crate::{binding, certificate, info, server_config};
use futures_util::{SinkExt, StreamExt};
use rcgen::KeyPair;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};
use undertone_server_core::Keys;
use undertone_wire::{Answer, Frame, Info, Request, ServerAddress, decode, encode};

/// A server with nothing behind its WebSocket.
pub struct Puppet {
    /// What it says of itself.
    pub info: Info,
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

/// One client of a [`Puppet`].
pub struct Visitor(pub WebSocketStream<TlsStream<TcpStream>>);

impl Puppet {
    /// A server with these keys, on a port that the system picks.
    pub async fn new(keys: &Keys) -> Self {
        Self::on("127.0.0.1:0", keys).await
    }

    /// A server with these keys in the place of another (`HOST:PORT`), which must have ended.
    pub async fn on(place: &str, keys: &Keys) -> Self {
        let listener = TcpListener::bind(place).await.unwrap();
        Self { info: info(keys), listener, acceptor: acceptor(keys) }
    }

    /// Goes on with other keys, as after a restart.
    pub fn take_keys(&mut self, keys: &Keys) {
        (self.info, self.acceptor) = (info(keys), acceptor(keys));
    }

    /// Where it is, and who.
    pub fn address(&self) -> ServerAddress {
        let port = self.listener.local_addr().unwrap().port();
        ServerAddress::new("127.0.0.1", port, self.info.server).unwrap()
    }

    /// The next client, up to the open WebSocket.
    pub async fn accept(&self) -> Visitor {
        self.meet().await.expect("a client that opens a connection")
    }

    /// The next client, told who the server is.
    pub async fn welcome(&self) -> Visitor {
        let mut visitor = self.accept().await;
        let Frame::Request { id, request: Request::Info } = visitor.next().await else {
            panic!("a client asks first who the server is")
        };
        visitor.send(&Frame::Answer { id, answer: Answer::Info(self.info.clone()) }).await;
        visitor
    }

    /// Tells clients who the server is, one after the other, and nothing else; never ends.
    pub async fn introduce_itself(&self) {
        loop {
            // Whoever turns away is the next one's predecessor.
            let Some(mut visitor) = self.meet().await else { continue };
            while let Some(Ok(Message::Binary(bytes))) = visitor.0.next().await {
                if let Ok(Frame::Request { id, request: Request::Info }) = decode(&bytes) {
                    visitor
                        .send(&Frame::Answer { id, answer: Answer::Info(self.info.clone()) })
                        .await;
                }
            }
        }
    }

    /// The next client; none if it goes before the WebSocket is open.
    async fn meet(&self) -> Option<Visitor> {
        let (socket, _) = self.listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let stream = self.acceptor.accept(socket).await.ok()?;
        accept_async(stream).await.ok().map(Visitor)
    }
}

impl Visitor {
    /// Sends it a frame.
    pub async fn send(&mut self, frame: &Frame) {
        self.0.send(Message::Binary(encode(frame).into())).await.unwrap();
    }

    /// What it sends next.
    pub async fn next(&mut self) -> Frame {
        match self.0.next().await.unwrap().unwrap() {
            Message::Binary(bytes) => decode(&bytes).unwrap(),
            other => panic!("not a frame: {other:?}"),
        }
    }
}

fn acceptor(keys: &Keys) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = certificate(&key, vec![binding(keys, &key)]);
    TlsAcceptor::from(Arc::new(server_config(&key, certificate)))
}
