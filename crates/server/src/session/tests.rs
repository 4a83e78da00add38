//! Sessions over a pipe, with a real engine and real files.

use super::*;
use crate::{config::Config, files::StdFiles, keys, sealer, service::ServerEngine};
use std::{fs, path::Path};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split},
    time::sleep,
};
use undertone_server_core::{Segments, Ticket};
use undertone_wire::{Cell, DigestForm, Tag, WriteKey};

/// A server whose log holds this many cells, 4,096 to a tick.
fn service(cells: u32) -> (TempDir, Arc<Service>) {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(dir.path());
    for n in 0..cells {
        let mut write = [0; 32];
        write[..4].copy_from_slice(&n.to_be_bytes());
        let write = WriteKey(write);
        let tag = Tag::derive(&engine.keys().server(), &write);
        let cell = Cell::from_array([0; CELL_LEN]);
        let put = Put { tag, write, cell, token: Vec::new().into() };
        engine.submit(Ticket(n.into()), put).unwrap();
        if n % 4_096 == 4_095 || n + 1 == cells {
            engine.seal(1_000 + u64::from(n));
        }
    }
    (dir, serving(engine))
}

fn engine(dir: &Path) -> ServerEngine {
    let config = Config::default().engine(keys::first(&[1; 32]));
    let files = StdFiles::open(dir).unwrap();
    let store = Segments::open(Arc::new(files) as _, &config.keys, [2; 32]).unwrap();
    ServerEngine::open(store, config, 1_000).unwrap()
}

fn serving(engine: ServerEngine) -> Arc<Service> {
    let (bell, _ear) = sealer::bell();
    Arc::new(Service::new(Config::default(), Arc::new(engine), bell))
}

/// A client's end of a running session.
struct Client(WebSocketStream<DuplexStream>);

impl Client {
    async fn of(service: &Arc<Service>) -> Self {
        Self::over(service, duplex(16 << 10)).await
    }

    /// A client whose network brings it 16 KiB in three seconds.
    async fn slow(service: &Arc<Service>) -> Self {
        let ((near, middle), (before, far)) = (duplex(16 << 10), duplex(16 << 10));
        let (mut from_client, mut to_client) = split(middle);
        let (mut from_server, mut to_server) = split(before);
        tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        tokio::spawn(async move {
            let mut buffer = vec![0; 16 << 10];
            loop {
                sleep(Duration::from_secs(3)).await;
                let read = from_server.read(&mut buffer).await?;
                to_client.write_all(&buffer[..read]).await?;
                if read == 0 {
                    return to_client.shutdown().await;
                }
            }
        });
        Self::over(service, (near, far)).await
    }

    async fn over(service: &Arc<Service>, (near, far): (DuplexStream, DuplexStream)) -> Self {
        let session = Box::new(Session::new(Arc::clone(service), far, Vec::new()).await);
        tokio::spawn(async move {
            // The sender lives as long as the session: nobody closes this server.
            let (_open, mut closing) = watch::channel(false);
            session.run(&mut closing).await
        });
        Self(WebSocketStream::from_raw_socket(near, Role::Client, None).await)
    }

    async fn ask(&mut self, request: Request) {
        let frame = encode(&Frame::Request { id: 1, request });
        self.0.send(Message::Binary(frame.into())).await.unwrap();
    }

    async fn next(&mut self) -> Frame {
        match self.0.next().await.unwrap().unwrap() {
            Message::Binary(bytes) => decode(&bytes).unwrap(),
            other => panic!("not a frame: {other:?}"),
        }
    }

    async fn answer(&mut self) -> Answer {
        match self.next().await {
            Frame::Answer { id: 1, answer } => answer,
            other => panic!("not an answer: {other:?}"),
        }
    }
}

const FROM_THE_START: Request = Request::Digest { from: 1, form: DigestForm::Ticks };

#[tokio::test]
async fn long_pages_arrive_whole() {
    let (_dir, service) = service(40_000);
    let mut ada = Client::of(&service).await;
    ada.ask(FROM_THE_START).await;
    let Answer::Page(page) = ada.answer().await else { panic!("not a page") };
    assert_eq!(page.ticks.iter().map(|tick| tick.prefixes.len()).sum::<usize>(), 40_000);
    ada.ask(Request::Stream { from: 1 }).await;
    assert!(matches!(ada.answer().await, Answer::Streaming));
    let Frame::Push(pushed) = ada.next().await else { panic!("not a push") };
    assert_eq!(pushed, page);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_slowly_and_steadily_gets_it_all() {
    let (_dir, service) = service(40_000);
    let mut ben = Client::slow(&service).await;
    ben.ask(FROM_THE_START).await;
    // A third of a megabyte: a minute, and one write may take twenty seconds.
    let Answer::Page(page) = ben.answer().await else { panic!("not a page") };
    assert_eq!(page.ticks.len(), 10);
    ben.ask(Request::Info).await;
    assert!(matches!(ben.answer().await, Answer::Info(_)));
}

#[tokio::test]
async fn too_many_long_answers_are_busy_and_streams_wait() {
    let (_dir, service) = service(40_000);
    let mut held = Vec::new();
    while let Some(leave) = service.try_hold_long() {
        held.push(leave);
    }
    let mut ada = Client::of(&service).await;
    ada.ask(FROM_THE_START).await;
    match ada.answer().await {
        Answer::Refused(refusal) => assert_eq!(refusal.kind, RefusalKind::Busy),
        Answer::Page(page) => panic!("a page of {} ticks", page.ticks.len()),
        other => panic!("{other:?}"),
    }
    // Short answers are not concerned.
    ada.ask(Request::Info).await;
    assert!(matches!(ada.answer().await, Answer::Info(_)));
    ada.ask(Request::Stream { from: 1 }).await;
    assert!(matches!(ada.answer().await, Answer::Streaming));
    held.clear();
    assert!(matches!(ada.next().await, Frame::Push(page) if page.ticks.len() == 10));
}

#[tokio::test]
async fn a_stream_that_cannot_be_read_says_so_and_the_connection_stays() {
    let (dir, filled) = service(3);
    drop(filled);
    // A server that has just started reads its pages from the disk, which has forgotten a byte.
    let service = serving(engine(dir.path()));
    let segment = dir.path().join("0000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[300] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let mut ada = Client::of(&service).await;
    for _ in 0..2 {
        ada.ask(Request::Stream { from: 1 }).await;
        assert!(matches!(ada.answer().await, Answer::Streaming));
        let Answer::Refused(refusal) = ada.answer().await else { panic!("not refused") };
        assert_eq!(refusal.kind, RefusalKind::Storage);
        ada.ask(Request::Info).await;
        assert!(matches!(ada.answer().await, Answer::Info(_)));
        // Whoever mends the disk can be streamed to.
        ada.ask(Request::Stream { from: 2 }).await;
        assert!(matches!(ada.answer().await, Answer::Streaming));
    }
}
