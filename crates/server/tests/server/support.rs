//! A real server on a port of its own, and clients that speak to it as programs do.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use undertone_server::{Config, Server, StdFiles};
use undertone_server_core::Files;
use undertone_transport::{
    Connection, FrameReceiver, FrameSender, Limits, Lost, client_config, post,
};
use undertone_wire::{
    Answer, CELL_LEN, Cell, DigestPage, Frame, Info, KeyRing, Receipt, RefusalKind, Request,
    ServerAddress, Tag, WriteKey,
};

/// Nothing that works takes this long; what does not work ends here instead of hanging the run.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Settings for tests: any port, short ticks.
pub(crate) fn settings() -> Config {
    let mut config = Config::default();
    config.listen.address = "127.0.0.1:0".parse().unwrap();
    config.tick.min_ms = 2;
    config
}

/// A server with a folder of its own.
pub(crate) struct Host {
    pub(crate) dir: TempDir,
    data: PathBuf,
    config: Config,
    server: Option<Server>,
    broken: Arc<AtomicBool>,
}

impl Host {
    pub(crate) async fn start(config: Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        Self::start_at(dir, data, config).await
    }

    /// A server on a folder that is there already.
    pub(crate) async fn start_in(data: PathBuf, config: Config) -> Self {
        Self::start_at(tempfile::tempdir().unwrap(), data, config).await
    }

    async fn start_at(dir: TempDir, data: PathBuf, config: Config) -> Self {
        let mut host = Self { dir, data, config, server: None, broken: Arc::default() };
        host.revive().await;
        host
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.data.clone()
    }

    pub(crate) fn address(&self) -> ServerAddress {
        self.server.as_ref().unwrap().address().clone()
    }

    pub(crate) async fn stop(&mut self) {
        timeout(PATIENCE, self.server.take().unwrap().stop()).await.unwrap().unwrap();
    }

    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.revive().await;
    }

    /// Starts again what was stopped.
    pub(crate) async fn revive(&mut self) {
        let broken = Arc::clone(&self.broken);
        let wrap = |inner| Arc::new(BreakableFiles { inner, broken }) as Arc<dyn Files>;
        let server = Server::start_on(&self.data(), self.config.clone(), wrap).await.unwrap();
        self.server = Some(server);
    }

    /// From now on, or no longer, the disk is full.
    pub(crate) fn break_disk(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.address()).await
    }
}

/// Files on a disk that can become full.
struct BreakableFiles {
    inner: StdFiles,
    broken: Arc<AtomicBool>,
}

impl BreakableFiles {
    fn works(&self) -> io::Result<()> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }
}

impl Files for BreakableFiles {
    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        self.inner.len(name)
    }

    fn create(&self, name: &str) -> io::Result<()> {
        self.works()?;
        self.inner.create(name)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        // A full disk takes what still fits.
        if let Err(full) = self.works() {
            self.inner.append(name, &bytes[..bytes.len() / 2])?;
            return Err(full);
        }
        self.inner.append(name, bytes)
    }

    fn overwrite(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.inner.overwrite(name, offset, bytes)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.inner.read_at(name, offset, buffer)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.works()?;
        self.inner.sync(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.works()?;
        self.inner.sync_dir()
    }

    fn free(&self) -> io::Result<Option<u64>> {
        self.inner.free()
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.inner.truncate(name, length)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }
}

/// One person's connection.
pub(crate) struct Client {
    pub(crate) info: Info,
    pub(crate) keys: KeyRing,
    sender: FrameSender,
    receiver: FrameReceiver,
    pushes: VecDeque<DigestPage>,
    answers: Vec<(u32, Answer)>,
    next_id: u32,
}

impl Client {
    pub(crate) async fn connect(address: &ServerAddress) -> Self {
        let Connection { info, sender, receiver, .. } =
            Connection::open(address, None, &Limits::default()).await.unwrap();
        let keys = KeyRing::from_info(&address.server(), &info).unwrap();
        Self {
            info,
            keys,
            sender,
            receiver,
            pushes: VecDeque::new(),
            answers: Vec::new(),
            next_id: 1,
        }
    }

    /// Sends a request without waiting; returns its id.
    pub(crate) async fn send(&mut self, request: Request) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        self.sender.send(&Frame::Request { id, request }).await.unwrap();
        id
    }

    /// The answer to request `id`.
    pub(crate) async fn answer(&mut self, id: u32) -> Answer {
        loop {
            if let Some(place) = self.answers.iter().position(|(known, _)| *known == id) {
                return self.answers.swap_remove(place).1;
            }
            self.receive().await.unwrap();
        }
    }

    pub(crate) async fn ask(&mut self, request: Request) -> Answer {
        let id = self.send(request).await;
        self.answer(id).await
    }

    /// The next push.
    pub(crate) async fn push(&mut self) -> DigestPage {
        loop {
            if let Some(page) = self.pushes.pop_front() {
                return page;
            }
            self.receive().await.unwrap();
        }
    }

    /// How the connection ends, whatever comes before.
    pub(crate) async fn end(&mut self) -> Lost {
        loop {
            if let Err(lost) = self.receive().await {
                return lost;
            }
        }
    }

    async fn receive(&mut self) -> Result<(), Lost> {
        match timeout(PATIENCE, self.receiver.next()).await.expect("the server says something")? {
            Frame::Answer { id, answer } => self.answers.push((id, answer)),
            Frame::Push(page) => self.pushes.push_back(page),
            Frame::Request { .. } => panic!("a server does not ask"),
        }
        Ok(())
    }

    /// Stores item `n` of `who` and checks the receipt.
    pub(crate) async fn store(&mut self, item: &Item) -> Receipt {
        match self.ask(item.put()).await {
            Answer::Stored(receipt) => {
                receipt.verify(&self.keys, &item.tag, &item.cell).unwrap();
                receipt
            }
            other => panic!("not stored: {other:?}"),
        }
    }
}

/// Something to store.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) tag: Tag,
    pub(crate) write: WriteKey,
    pub(crate) cell: Cell,
}

/// Item number `n` of somebody, for this server.
pub(crate) fn item(address: &ServerAddress, who: &str, n: u64) -> Item {
    let mut write = [0; 32];
    write[..who.len()].copy_from_slice(who.as_bytes());
    write[24..].copy_from_slice(&n.to_be_bytes());
    let write = WriteKey(write);
    let mut cell = [0; CELL_LEN];
    for (place, byte) in cell.iter_mut().enumerate() {
        *byte = (place as u64).wrapping_mul(n.wrapping_add(7)).to_le_bytes()[1];
    }
    Item { tag: Tag::derive(&address.server(), &write), write, cell: Cell::from_array(cell) }
}

impl Item {
    pub(crate) fn put(&self) -> Request {
        Request::Put {
            tag: self.tag,
            write: self.write,
            cell: self.cell.clone(),
            token: Vec::new().into(),
        }
    }

    pub(crate) fn get(&self) -> Request {
        Request::Get { tag: self.tag, size: 0 }
    }
}

/// The kind of a refusal.
pub(crate) fn refusal(answer: &Answer) -> RefusalKind {
    match answer {
        Answer::Refused(refusal) => refusal.kind,
        other => panic!("not refused: {other:?}"),
    }
}

/// The answer at the second door.
pub(crate) async fn post_request(address: &ServerAddress, request: Request) -> Answer {
    let frame = Frame::Request { id: 77, request };
    match post(address, None, &Limits::default(), &frame).await.unwrap() {
        Frame::Answer { id: 77, answer } => answer,
        other => panic!("not an answer: {other:?}"),
    }
}

/// A TLS stream to the server, for those who do not follow the rules.
pub(crate) async fn raw(address: &ServerAddress) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect((address.host(), address.port())).await.unwrap();
    let name = address.host().to_owned().try_into().unwrap();
    TlsConnector::from(client_config(address.server())).connect(name, socket).await.unwrap()
}

/// Sends raw bytes and returns all that comes back until the server closes.
pub(crate) async fn raw_exchange(address: &ServerAddress, bytes: &[u8]) -> Vec<u8> {
    use tokio::io::AsyncReadExt;
    let mut stream = raw(address).await;
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().ok();
    answer
}

/// The head that opens the WebSocket.
pub(crate) const UPGRADE: &[u8] = b"GET /undertone/1 HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\n\
    connection: upgrade\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A masked WebSocket frame (RFC 6455 section 5.2) with this opcode.
pub(crate) fn ws_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// The server still serves.
pub(crate) async fn well(host: &Host) {
    host.client().await.store(&item(&host.address(), "well", 1)).await;
}

/// Every file below a folder, with its bytes.
pub(crate) fn files(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    found
}
