//! A client that does as little as possible, so that the server is what is measured.

use crate::Outcome;
use futures_util::{FutureExt, SinkExt, StreamExt};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use undertone_transport::client_config;
use undertone_wire::{
    CELL_LEN, Cell, DigestPage, Frame, Prefix, Request, ServerAddress, Tag, WriteKey, decode,
    encode,
};

/// Large enough that reading and writing cost the generator little beside the server.
const BUFFER: usize = 16 << 10;

/// One connection.
pub(crate) struct Client(WebSocketStream<TlsStream<TcpStream>>);

/// Opens connections to one server.
#[derive(Clone)]
pub(crate) struct Dialer {
    address: ServerAddress,
    tls: Arc<rustls::ClientConfig>,
}

impl Dialer {
    pub(crate) fn new(address: &ServerAddress) -> Self {
        Self { address: address.clone(), tls: client_config(address.server()) }
    }

    pub(crate) async fn connect(&self) -> Outcome<Client> {
        let socket = TcpStream::connect((self.address.host(), self.address.port())).await?;
        socket.set_nodelay(true)?;
        let name = self.address.host().to_owned().try_into()?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, socket).await?;
        let config = WebSocketConfig::default().read_buffer_size(BUFFER).write_buffer_size(BUFFER);
        let uri = format!("ws://{}/undertone/1", self.address.authority());
        let (socket, _) = client_async_with_config(uri, stream, Some(config)).await?;
        Ok(Client(socket))
    }

    /// A connection that streams from the next tick on.
    pub(crate) async fn streaming(&self) -> Outcome<Client> {
        let mut client = self.connect().await?;
        client.send(&Frame::Request { id: 0, request: Request::Info }).await?;
        client.next().await?;
        let proof = Request::Proof { from_size: 0, to_tick: u64::MAX };
        client.send(&Frame::Request { id: 1, request: proof }).await?;
        let Frame::Answer { answer: undertone_wire::Answer::Proof(proof), .. } =
            client.next().await?
        else {
            return Err("no head".into());
        };
        let from = proof.head.head.tick + 1;
        client.send(&Frame::Request { id: 2, request: Request::Stream { from } }).await?;
        client.next().await?;
        Ok(client)
    }

    /// Cell number `n` of pair `pair`.
    pub(crate) fn cell(&self, pair: u64, n: u64) -> (Request, Tag, Prefix) {
        let mut write = [0; 32];
        write[..8].copy_from_slice(&pair.to_be_bytes());
        write[8..16].copy_from_slice(&n.to_be_bytes());
        let write = WriteKey(write);
        let tag = Tag::derive(&self.address.server(), &write);
        let mut cell = [0x5a; CELL_LEN];
        cell[..32].copy_from_slice(&tag.0);
        let cell = Cell::from_array(cell);
        (Request::Put { tag, write, cell, token: Vec::new().into() }, tag, tag.prefix())
    }
}

impl Client {
    pub(crate) async fn feed(&mut self, id: u32, request: Request) -> Outcome<()> {
        let bytes = encode(&Frame::Request { id, request });
        Ok(self.0.feed(Message::Binary(bytes.into())).await?)
    }

    pub(crate) async fn flush(&mut self) -> Outcome<()> {
        Ok(self.0.flush().await?)
    }

    async fn send(&mut self, frame: &Frame) -> Outcome<()> {
        Ok(self.0.send(Message::Binary(encode(frame).into())).await?)
    }

    /// The next frame; nothing in it is verified.
    pub(crate) async fn next(&mut self) -> Outcome<Frame> {
        loop {
            match self.0.next().await.ok_or("the server hung up")?? {
                Message::Binary(bytes) => return Ok(decode(&bytes)?),
                Message::Close(_) => return Err("the server said goodbye".into()),
                _ => {}
            }
        }
    }

    /// A frame that can be had without waiting.
    pub(crate) fn ready(&mut self) -> Outcome<Option<Frame>> {
        self.next().now_or_never().transpose()
    }

    /// Reads and drops everything, for ever.
    pub(crate) async fn idle(mut self) {
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

/// Whether a page lists this prefix.
pub(crate) fn lists(page: &DigestPage, prefix: Prefix) -> bool {
    page.ticks.iter().any(|tick| tick.prefixes.binary_search(&prefix).is_ok())
}
