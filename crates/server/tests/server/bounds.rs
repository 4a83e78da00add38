//! Bad input, and too much of it.

use crate::support::{
    Client, Host, PATIENCE, UPGRADE, item, raw, raw_exchange, refusal, settings, well, ws_frame,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use undertone_transport::{Connection, Limits, Lost};
use undertone_wire::{Answer, Cell, Frame, RefusalKind, Request, ServerAddress, encode};

/// What follows the upgrade when these bytes do.
async fn after_upgrade(address: &ServerAddress, bytes: &[u8]) -> Vec<u8> {
    let answer = raw_exchange(address, &[UPGRADE, bytes].concat()).await;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    answer[end..].to_vec()
}

/// The close code in a server's close frame.
fn close_code(frame: &[u8]) -> u16 {
    assert_eq!((frame[0], frame[1]), (0x88, 2), "{frame:?}");
    u16::from_be_bytes([frame[2], frame[3]])
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_longer_than_any_request_end_the_connection() {
    let host = Host::start(settings()).await;
    let frame = ws_frame(2, &vec![1; 4096]);
    assert_eq!(close_code(&after_upgrade(&host.address(), &frame).await), 1009);
    // A length alone allocates nothing.
    let mut endless = vec![0x82, 0x80 | 127];
    endless.extend(u64::MAX.to_be_bytes());
    endless.extend([0; 4]);
    after_upgrade(&host.address(), &endless).await;
    well(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_request_passes() {
    let host = Host::start(settings()).await;
    let mut ada = host.client().await;
    let item = item(&host.address(), "Ada", 1);
    let token = vec![7; 512].into();
    let put = Request::Put { tag: item.tag, write: item.write, cell: item.cell, token };
    assert_eq!(refusal(&ada.ask(put).await), RefusalKind::Token);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_ends_its_own_connection_only() {
    let host = Host::start(settings()).await;
    let address = host.address();
    let text = ws_frame(1, b"hello");
    assert_eq!(close_code(&after_upgrade(&address, &text).await), 1003);
    for payload in [&b""[..], b"\x00", b"\x01\x00", b"\xff\xff\xff\xff\xff\xff"] {
        let code = close_code(&after_upgrade(&address, &ws_frame(2, payload)).await);
        assert_eq!(code, 1007, "{payload:?}");
    }
    let answer = encode(&Frame::Answer { id: 1, answer: Answer::Streaming });
    assert_eq!(close_code(&after_upgrade(&address, &ws_frame(2, &answer)).await), 1008);
    // Frames that are not masked, and bytes that are no frame.
    for bytes in [&b"\x82\x01\x00"[..], &[0xff; 64]] {
        assert_eq!(close_code(&after_upgrade(&address, bytes).await), 1002, "{bytes:?}");
    }
    well(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_a_later_version_is_refused_by_its_id() {
    let host = Host::start(settings()).await;
    let later = ws_frame(2, &[1, 0, 0, 0, 9, 200, 1, 2, 3]);
    let both = [later, ws_frame(8, &[])].concat();
    let answer = after_upgrade(&host.address(), &both).await;
    assert_eq!(answer[0], 0x82);
    let frame = undertone_wire::decode(&answer[2..2 + usize::from(answer[1])]).unwrap();
    let Frame::Answer { id: 9, answer } = frame else { panic!("{frame:?}") };
    assert_eq!(refusal(&answer), RefusalKind::Malformed);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_in_flight_are_all_answered_or_busy() {
    let mut config = settings();
    config.limits.puts_in_flight = 8;
    config.tick.min_ms = 50;
    let host = Host::start(config).await;
    let address = host.address();
    let mut ada = host.client().await;
    let mut ids = Vec::new();
    for n in 0..200 {
        ids.push((n, ada.send(item(&address, "Ada", n).put()).await));
    }
    let mut stored = 0;
    for (n, id) in ids {
        match ada.answer(id).await {
            Answer::Stored(_) => stored += 1,
            other => {
                assert_eq!(refusal(&other), RefusalKind::Busy);
                let get = ada.ask(item(&address, "Ada", n).get()).await;
                assert!(matches!(get, Answer::None { .. }), "busy means not stored");
            }
        }
    }
    assert!((8..200).contains(&stored), "{stored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_are_dropped() {
    let mut config = settings();
    config.limits.handshake_ms = 100;
    config.limits.connections = 4;
    let host = Host::start(config).await;
    let address = host.address();
    let mut waiting = Vec::new();
    for bytes in [&b""[..], b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut socket = TcpStream::connect((address.host(), address.port())).await.unwrap();
        socket.write_all(bytes).await.unwrap();
        waiting.push(socket);
    }
    for mut socket in waiting {
        let end = timeout(PATIENCE, socket.read(&mut [0; 512])).await.expect("it is dropped");
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    }
    // The same inside TLS: a head that never ends.
    let mut stream = raw(&address).await;
    stream.write_all(b"GET /undertone/1 HT").await.unwrap();
    let end = timeout(PATIENCE, stream.read(&mut [0; 512])).await.expect("it is dropped");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    well(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_above_the_limit_are_dropped_and_room_comes_back() {
    let mut config = settings();
    config.limits.connections = 2;
    let host = Host::start(config).await;
    let address = host.address();
    let (ada, ben) = (host.client().await, host.client().await);
    Connection::open(&address, None, &Limits::default()).await.unwrap_err();
    drop((ada, ben));
    let again = async {
        // The server notices a closed connection when its socket does.
        while Connection::open(&address, None, &Limits::default()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, again).await.expect("there is room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_clients_are_asked_then_dropped() {
    let mut config = settings();
    config.limits.idle_ms = 50;
    let host = Host::start(config).await;
    // Ada's program answers pings while it listens.
    let mut ada = host.client().await;
    let mut silent = raw(&host.address()).await;
    silent.write_all(UPGRADE).await.unwrap();
    let mut heard = Vec::new();
    let drained = silent.read_to_end(&mut heard);
    let listening = async {
        tokio::select! {
            lost = ada.end() => panic!("Ada was dropped: {lost:?}"),
            ended = timeout(PATIENCE, drained) => ended.expect("the silent one is dropped"),
        }
    };
    listening.await.ok();
    assert!(heard.ends_with(&[0x89, 0]), "it was asked first");
    ada.ask(Request::Info).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_is_dropped() {
    let mut config = settings();
    config.limits.write_ms = 200;
    let host = Host::start(config).await;
    let address = host.address();
    let stored = item(&address, "Ada", 1);
    host.client().await.store(&stored).await;
    let mut slow = raw(&address).await;
    slow.write_all(UPGRADE).await.unwrap();
    let get = ws_frame(2, &encode(&Frame::Request { id: 1, request: stored.get() }));
    // Asks for far more than any buffer holds and reads nothing: writing must fail in the end.
    let asking =
        async { while slow.write_all(&get).await.is_ok() && slow.flush().await.is_ok() {} };
    timeout(PATIENCE, asking).await.expect("the connection ends");
    well(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_at_once_lose_nothing() {
    let host = Host::start(settings()).await;
    let address = host.address();
    let people: Vec<_> = (0..20)
        .map(|person| {
            let address = address.clone();
            tokio::spawn(async move {
                let mut client = Client::connect(&address).await;
                let who = format!("p{person}");
                for n in 0..20 {
                    client.store(&item(&address, &who, n)).await;
                }
            })
        })
        .collect();
    for person in people {
        timeout(PATIENCE, person).await.unwrap().unwrap();
    }
    let mut reader = host.client().await;
    for person in 0..20 {
        for n in 0..20 {
            let wanted = item(&address, &format!("p{person}"), n);
            match reader.ask(wanted.get()).await {
                Answer::Found { cell, .. } => assert!(cell == wanted.cell),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_of_one_slot_agree_on_who_was_first() {
    let host = Host::start(settings()).await;
    let address = host.address();
    let (mut ada, mut ben) = (host.client().await, host.client().await);
    for n in 0..20 {
        let hers = item(&address, "slot", n);
        let mut his = hers.clone();
        his.cell = Cell::from_array([n as u8; undertone_wire::CELL_LEN]);
        let (a, b) = tokio::join!(ada.ask(hers.put()), ben.ask(his.put()));
        match (a, b) {
            (Answer::Stored(first), Answer::Taken { cell, receipt }) => {
                assert!(cell == hers.cell.hash() && receipt == first);
            }
            (Answer::Taken { cell, receipt }, Answer::Stored(first)) => {
                assert!(cell == his.cell.hash() && receipt == first);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_in_the_middle_harms_nobody() {
    let mut config = settings();
    config.tick.min_ms = 30;
    let host = Host::start(config).await;
    let address = host.address();
    for n in 0..10 {
        let mut ada = host.client().await;
        for k in 0..5 {
            ada.send(item(&address, "gone", n * 5 + k).put()).await;
        }
    }
    well(&host).await;
    let mut ben = host.client().await;
    ben.ask(Request::Stream { from: 1 }).await;
    let end = timeout(Duration::from_millis(1), ben.end()).await;
    assert!(!matches!(end, Ok(Lost::Closed)));
}

/// Requests of every kind, some of them wrong.
fn requests(address: &ServerAddress) -> Vec<Vec<u8>> {
    let item = item(address, "Ada", 1);
    let form = undertone_wire::DigestForm::TicksOrSegment;
    [
        item.put(),
        item.get(),
        Request::Digest { from: u64::MAX, form },
        Request::Digest { from: 0, form },
        Request::Stream { from: 0 },
        Request::Stream { from: u64::MAX },
        Request::Proof { from_size: u64::MAX, to_tick: 0 },
        Request::Get { tag: item.tag, size: u64::MAX },
        Request::Info,
    ]
    .into_iter()
    .map(|request| encode(&Frame::Request { id: 1, request }))
    .collect()
}

/// One of the requests, changed, cut or lengthened, in one or several frames.
fn mutation(rng: &mut StdRng, requests: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = requests[rng.random_range(0..requests.len())].clone();
    for _ in 0..rng.random_range(0..4) {
        let place = rng.random_range(0..bytes.len().min(80));
        bytes[place] = rng.random();
    }
    match rng.random_range(0..4) {
        0 => bytes.truncate(rng.random_range(0..=bytes.len())),
        1 => bytes.extend_from_within(..bytes.len().min(7)),
        _ => {}
    }
    let mut frame = ws_frame(rng.random_range(0..=11), &bytes);
    if rng.random_bool(0.2) {
        frame[0] = rng.random();
    }
    frame
}

#[tokio::test(flavor = "multi_thread")]
async fn mutated_requests_get_an_answer_or_an_end_and_harm_nobody() {
    let mut config = settings();
    config.limits.idle_ms = 200;
    let host = Host::start(config).await;
    let address = host.address();
    let requests = requests(&address);
    let seed = 0x5eed;
    let mut rng = StdRng::seed_from_u64(seed);
    for round in 0..60 {
        let frames: Vec<u8> = (0..8).flat_map(|_| mutation(&mut rng, &requests)).collect();
        // The last frame says goodbye; a mutation may have swallowed it, then silence ends it.
        let bytes = [frames, ws_frame(8, &[])].concat();
        let answer = after_upgrade(&address, &bytes);
        timeout(PATIENCE, answer).await.unwrap_or_else(|_| panic!("seed {seed} round {round}"));
    }
    well(&host).await;
    assert!(undertone_server::admin::check(&host.data()).unwrap().sound);
}
