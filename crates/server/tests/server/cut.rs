//! Requests that end in the middle: a connection that breaks after every byte of every kind.

use crate::support::{Host, PATIENCE, UPGRADE, item, raw, settings, well, ws_frame};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinSet,
    time::timeout,
};
use undertone_wire::{Answer, DigestForm, Frame, Request, ServerAddress, encode};

/// Connections at a time.
const AT_ONCE: usize = 32;

/// Opens the WebSocket, says these bytes, and is gone without a word.
async fn say_and_go(address: Arc<ServerAddress>, bytes: Vec<u8>) {
    let mut stream = raw(&address).await;
    stream.write_all(UPGRADE).await.unwrap();
    let mut head = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    stream.write_all(&bytes).await.unwrap();
    stream.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_cut_after_any_byte_are_as_if_never_sent() {
    let host = Host::start(settings()).await;
    let address = Arc::new(host.address());
    let half = item(&address, "Ada", 1);
    let requests = [
        half.put(),
        half.get(),
        Request::Stream { from: 1 },
        Request::Digest { from: 1, form: DigestForm::Ticks },
        Request::Proof { from_size: 0, to_tick: 1 },
        Request::Info,
    ];
    let mut under_way = JoinSet::new();
    for request in requests {
        let frame = ws_frame(2, &encode(&Frame::Request { id: 1, request }));
        for cut in 0..frame.len() {
            if under_way.len() == AT_ONCE {
                under_way.join_next().await.unwrap().unwrap();
            }
            under_way.spawn(say_and_go(Arc::clone(&address), frame[..cut].to_vec()));
        }
    }
    while let Some(done) = under_way.join_next().await {
        done.unwrap();
    }
    let found = host.client().await.ask(half.get()).await;
    assert!(matches!(found, Answer::None { .. }), "{found:?}");
    well(&host).await;
}
