//! What each request gets at either door.

use crate::support::{Host, files, item, post_request, raw_exchange, refusal, settings};
use undertone_server::{Policy, ServeError, Server};
use undertone_transport::{ConnectError, Connection, Limits};
use undertone_wire::{
    Answer, DigestForm, Frame, HeadRef, RefusalKind, Request, ServerAddress, ServerId, WriteKey,
    encode,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_ada_stores_ben_reads() {
    let host = Host::start(settings()).await;
    let (mut ada, mut ben) = (host.client().await, host.client().await);
    let item = item(&host.address(), "Ada", 1);
    let receipt = ada.store(&item).await;
    match ben.ask(item.get()).await {
        Answer::Found { cell, proof } => {
            assert!(cell == item.cell);
            proof.verify(&receipt.head.head.root).unwrap();
            assert_eq!(proof.listed.cell, item.cell.hash());
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_bytes_again_are_the_same_success_and_others_are_taken() {
    let host = Host::start(settings()).await;
    let address = host.address();
    let (mut ada, mut ben) = (host.client().await, host.client().await);
    let first = item(&address, "Ada", 1);
    let receipt = ada.store(&first).await;
    assert_eq!(ben.store(&first).await, receipt);
    let mut other = first.clone();
    other.cell = item(&address, "Ben", 2).cell;
    match ben.ask(other.put()).await {
        Answer::Taken { cell, receipt: theirs } => {
            assert!(cell == first.cell.hash());
            assert_eq!(theirs, receipt);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_stores_nothing() {
    let host = Host::start(settings()).await;
    let mut ben = host.client().await;
    let mut stolen = item(&host.address(), "Ada", 1);
    stolen.write = WriteKey([9; 32]);
    assert_eq!(refusal(&ben.ask(stolen.put()).await), RefusalKind::WrongKey);
    assert!(matches!(ben.ask(stolen.get()).await, Answer::None { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_and_proofs_lead_from_head_to_head() {
    let host = Host::start(settings()).await;
    let address = host.address();
    let mut ada = host.client().await;
    let mut heads = Vec::new();
    for n in 0..5 {
        heads.push(ada.store(&item(&address, "Ada", n)).await.head.head.to_ref());
    }
    let digest = Request::Digest { from: heads[0].tick, form: DigestForm::Ticks };
    match ada.ask(digest).await {
        Answer::Page(page) => {
            assert_eq!(page.ticks.len(), 5);
            assert_eq!(page.ticks[4].prefixes, [item(&address, "Ada", 4).tag.prefix()]);
            assert_eq!(page.head.head.to_ref(), heads[4]);
        }
        other => panic!("{other:?}"),
    }
    let proof = Request::Proof { from_size: heads[1].size, to_tick: u64::MAX };
    match ada.ask(proof).await {
        Answer::Proof(proof) => {
            proof.verify(&ada.keys, &heads[1]).unwrap();
            let forged = HeadRef { root: [7; 32], ..heads[1] };
            assert!(proof.verify(&ada.keys, &forged).is_err());
        }
        other => panic!("{other:?}"),
    }
    let future = Request::Proof { from_size: 1_000_000, to_tick: u64::MAX };
    assert_eq!(refusal(&ada.ask(future).await), RefusalKind::Future);
}

#[tokio::test(flavor = "multi_thread")]
async fn info_says_who_and_what() {
    let mut config = settings();
    config.operator.contact = "ops@example.org".into();
    config.operator.notice = "down on Sunday".into();
    let host = Host::start(config).await;
    let info = host.client().await.info;
    assert_eq!(info.server, host.address().server());
    assert_eq!((info.version_lowest, info.version_highest), (1, 1));
    assert_eq!(info.policy.as_slice(), b"open");
    assert_eq!((info.tick_ms_min, info.puts_in_flight_max), (2, 64));
    assert_eq!(info.retention_s, 30 * 86_400);
    assert_eq!(info.contact.as_slice(), b"ops@example.org");
    assert_eq!(info.notice.as_slice(), b"down on Sunday");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_door_does_the_same_but_stream() {
    let host = Host::start(settings()).await;
    let address = host.address();
    let item = item(&address, "Chloe", 1);
    let stored = post_request(&address, item.put()).await;
    assert!(matches!(stored, Answer::Stored(_)), "{stored:?}");
    assert!(matches!(post_request(&address, item.get()).await, Answer::Found { .. }));
    assert!(matches!(post_request(&address, Request::Info).await, Answer::Info(_)));
    let stream = post_request(&address, Request::Stream { from: 1 }).await;
    assert_eq!(refusal(&stream), RefusalKind::Malformed);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_other_doors() {
    let host = Host::start(settings()).await;
    let address = host.address();
    let mut paths =
        vec!["/", "/undertone/2", "/metrics", "/debug/pprof/heap", "/actuator/heapdump"];
    paths.extend(["/.env", "/admin", "/undertone/1/", "/undertone/1?debug=1", "/health"]);
    for path in paths {
        let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n");
        let answer = raw_exchange(&address, request.as_bytes()).await;
        assert!(answer.starts_with(b"HTTP/1.1 404 "), "{path}");
    }
    for request in ["GET /undertone/1 HTTP/1.1\r\nhost: h\r\n\r\n", "\r\n\r\nnonsense\r\n\r\n"] {
        let answer = raw_exchange(&address, request.as_bytes()).await;
        assert!(answer.starts_with(b"HTTP/1.1 400 "), "{request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_under_the_same_address_is_refused() {
    let host = Host::start(settings()).await;
    let real = host.address();
    let pinned = ServerAddress::new(real.host(), real.port(), ServerId([7; 32])).unwrap();
    let error = Connection::open(&pinned, None, &Limits::default()).await.unwrap_err();
    assert!(matches!(error, ConnectError::WrongServer), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ipv6_is_as_good_as_ipv4() {
    let mut config = settings();
    config.listen.address = "[::1]:0".parse().unwrap();
    let host = Host::start(config).await;
    assert!(host.address().to_string().starts_with("undertone://[::1]:"));
    let item = item(&host.address(), "Ada", 1);
    host.client().await.store(&item).await;
    assert!(matches!(post_request(&host.address(), item.get()).await, Answer::Found { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server_per_folder_and_port() {
    let host = Host::start(settings()).await;
    let again = Server::start(&host.data(), settings()).await.unwrap_err();
    assert!(matches!(again, ServeError::InUse), "{again:?}");
    let mut config = settings();
    config.listen.address.set_port(host.address().port());
    let elsewhere = host.dir.path().join("other");
    let taken = Server::start(&elsewhere, config).await.unwrap_err();
    assert!(matches!(taken, ServeError::Listen(_)), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_holds_no_address() {
    let mut host = Host::start(settings()).await;
    let item = item(&host.address(), "Ada", 1);
    host.client().await.store(&item).await;
    host.stop().await;
    let texts = [&b"127.0.0.1"[..], b"localhost", b"::1"];
    for (path, bytes) in files(&host.data()) {
        for text in texts {
            assert!(!bytes.windows(text.len()).any(|window| window == text), "{path:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_door_stays_open_for_whoever_asks_so() {
    let host = Host::start(settings()).await;
    let body = encode(&Frame::Request { id: 5, request: Request::Info });
    let request = |connection: &str| {
        let head = format!(
            "POST /undertone/1 HTTP/1.1\r\ncontent-length: {}\r\n{connection}\r\n",
            body.len()
        );
        [head.as_bytes(), &body].concat()
    };
    let two = [request(""), request("connection: close\r\n")].concat();
    let answers = raw_exchange(&host.address(), &two).await;
    let text = String::from_utf8_lossy(&answers);
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2);
    assert!(text.contains("connection: keep-alive") && text.contains("connection: close"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_door_turns_bad_bodies_away() {
    let host = Host::start(settings()).await;
    let post = async |length: usize, body: &[u8]| {
        let head = format!("POST /undertone/1 HTTP/1.1\r\ncontent-length: {length}\r\n\r\n");
        let answer = raw_exchange(&host.address(), &[head.as_bytes(), body].concat()).await;
        String::from_utf8_lossy(&answer).chars().skip(9).take(3).collect::<String>()
    };
    assert_eq!(post(3, b"abc").await, "400");
    assert_eq!(post(0, b"").await, "400");
    assert_eq!(post(1 << 20, b"").await, "413");
    let answer = encode(&Frame::Answer { id: 1, answer: Answer::Streaming });
    assert_eq!(post(answer.len(), &answer).await, "400");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_is_a_storage_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"not a folder").unwrap();
    let error = Server::start(&file, settings()).await.unwrap_err();
    assert_eq!(error.kind().exit_code(), 7, "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"not a folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_of_later_releases_are_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = settings();
    config.admission.policy = Policy::Invite;
    let error = Server::start(&dir.path().join("data"), config).await.unwrap_err();
    assert_eq!((error.kind().exit_code(), error.code()), (2, "not_in_this_release"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
