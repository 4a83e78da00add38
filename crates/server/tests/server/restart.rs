//! What survives the end of a server.

use crate::support::{Client, Host, PATIENCE, item, refusal, settings};
use tokio::time::timeout;
use undertone_server::{ServeError, Server, admin};
use undertone_transport::{ConnectError, Connection, Limits, Lost};
use undertone_wire::{Answer, RefusalKind, Request};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_id_cells_and_log() {
    let mut host = Host::start(settings()).await;
    let before = host.address();
    let first = item(&before, "Ada", 1);
    let receipt = host.client().await.store(&first).await;
    host.restart().await;
    assert_eq!(host.address().server(), before.server());
    let mut ben = host.client().await;
    assert!(matches!(ben.ask(first.get()).await, Answer::Found { .. }));
    assert_eq!(ben.store(&first).await, receipt);
    let second = ben.store(&item(&before, "Ben", 2)).await;
    assert_eq!(second.head.head.tick, receipt.head.head.tick + 1);
    let from_size = receipt.head.head.size;
    match ben.ask(Request::Proof { from_size, to_tick: u64::MAX }).await {
        Answer::Proof(proof) => proof.verify(&ben.keys, &receipt.head.head.to_ref()).unwrap(),
        other => panic!("{other:?}"),
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_answers_what_was_asked_and_says_goodbye() {
    let mut config = settings();
    config.tick.min_ms = 200;
    let mut host = Host::start(config).await;
    let address = host.address();
    let mut ada = host.client().await;
    // The first seals at once; the others wait for a tick that the end cuts short.
    ada.store(&item(&address, "Ada", 0)).await;
    let mut ids = Vec::new();
    for n in 1..20 {
        ids.push(ada.send(item(&address, "Ada", n).put()).await);
    }
    // Behind the PUTs in the same connection: when it is answered, they have been taken.
    ada.ask(Request::Info).await;
    host.stop().await;
    for id in ids {
        let answer = ada.answer(id).await;
        assert!(matches!(answer, Answer::Stored(_)), "{answer:?}");
    }
    assert!(matches!(ada.end().await, Lost::Closed));
    let gone = Connection::open(&address, None, &Limits::default()).await.unwrap_err();
    assert!(matches!(gone, ConnectError::Unreachable { .. }), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_goes_by_the_old_ones_word() {
    let mut host = Host::start(settings()).await;
    let address = host.address();
    let old = host.client().await.store(&item(&address, "Ada", 1)).await;
    host.stop().await;
    let tls_key = std::fs::read(host.data().join("tls.key")).unwrap();
    admin::rotate_key(&host.data()).unwrap();
    host.revive().await;
    // Whoever had copied the folder has neither of the keys that count now.
    assert_ne!(std::fs::read(host.data().join("tls.key")).unwrap(), tls_key);
    // Known by the same id, over TLS as in the log.
    let mut ben = Client::connect(&host.address()).await;
    assert_eq!(host.address().server(), address.server());
    assert_eq!(ben.info.succession.len(), 1);
    let new = ben.store(&item(&address, "Ben", 2)).await;
    assert_eq!(ben.keys.key_at(old.head.head.tick), ben.info.first_key);
    assert_ne!(ben.keys.key_at(new.head.head.tick), ben.info.first_key);
    let mut streaming = host.client().await;
    streaming.ask(Request::Stream { from: 1 }).await;
    let page = streaming.push().await;
    assert!(streaming.keys.verify(&page.head).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_stops_writing_and_nothing_else() {
    let mut host = Host::start(settings()).await;
    let address = host.address();
    let mut ada = host.client().await;
    let first = item(&address, "Ada", 1);
    ada.store(&first).await;
    host.break_disk(true);
    let second = item(&address, "Ada", 2);
    assert_eq!(refusal(&ada.ask(second.put()).await), RefusalKind::Storage);
    // Reading goes on; what was acknowledged is there, what was not is not.
    assert!(matches!(ada.ask(first.get()).await, Answer::Found { .. }));
    assert!(matches!(ada.ask(second.get()).await, Answer::None { .. }));
    // Room alone does not help: a failed write is only trusted again after a restart.
    host.break_disk(false);
    assert_eq!(refusal(&ada.ask(second.put()).await), RefusalKind::Storage);
    host.restart().await;
    let mut ben = host.client().await;
    assert!(matches!(ben.ask(first.get()).await, Answer::Found { .. }));
    ben.store(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_server_ends_and_gives_its_folder_back() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data, settings()).await.unwrap();
    let address = server.address().clone();
    let mut ada = Client::connect(&address).await;
    ada.store(&item(&address, "Ada", 1)).await;
    drop(server);
    assert!(matches!(ada.end().await, Lost::Closed | Lost::Broken(_)));
    // The thread that writes holds the lock until it has ended.
    let again = async {
        loop {
            match Server::start(&data, settings()).await {
                Err(ServeError::InUse) => tokio::task::yield_now().await,
                started => break started.unwrap(),
            }
        }
    };
    let server = timeout(PATIENCE, again).await.expect("the folder is free again");
    let mut ben = Client::connect(server.address()).await;
    assert!(matches!(ben.ask(item(&address, "Ada", 1).get()).await, Answer::Found { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_its_keys_is_not_taken_over() {
    let mut host = Host::start(settings()).await;
    host.client().await.store(&item(&host.address(), "Ada", 1)).await;
    host.stop().await;
    let (keys, aside) = (host.data().join("server.keys"), host.dir.path().join("aside"));
    std::fs::rename(&keys, &aside).unwrap();
    let error = Server::start(&host.data(), settings()).await.unwrap_err();
    assert_eq!((error.kind().exit_code(), keys.exists()), (8, false), "{error}");
    // Nor is a folder that has lost both.
    let (log, elsewhere) = (host.data().join("log"), host.dir.path().join("elsewhere"));
    std::fs::rename(&log, &elsewhere).unwrap();
    let error = Server::start(&host.data(), settings()).await.unwrap_err();
    assert_eq!((error.kind().exit_code(), keys.exists()), (8, false), "{error}");
    std::fs::remove_dir(&log).unwrap();
    std::fs::rename(&elsewhere, &log).unwrap();
    std::fs::rename(&aside, &keys).unwrap();
    host.revive().await;
    let got = host.client().await.ask(item(&host.address(), "Ada", 1).get()).await;
    assert!(matches!(got, Answer::Found { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_without_their_log_do_not_begin_another() {
    let mut host = Host::start(settings()).await;
    // A server that nobody has written to yet has nothing to lose.
    host.restart().await;
    host.client().await.store(&item(&host.address(), "Ada", 1)).await;
    host.stop().await;
    // As when the volume of the log is not mounted.
    let (log, elsewhere) = (host.data().join("log"), host.dir.path().join("elsewhere"));
    std::fs::rename(&log, &elsewhere).unwrap();
    for _ in 0..2 {
        let error = Server::start(&host.data(), settings()).await.unwrap_err();
        assert_eq!(error.kind().exit_code(), 8, "{error}");
    }
    let error = admin::rotate_key(&host.data()).unwrap_err();
    assert_eq!(error.kind().exit_code(), 8, "{error}");
    assert_eq!(std::fs::read_dir(&log).unwrap().count(), 0, "nothing was begun");
    std::fs::remove_dir(&log).unwrap();
    std::fs::rename(&elsewhere, &log).unwrap();
    host.revive().await;
    let got = host.client().await.ask(item(&host.address(), "Ada", 1).get()).await;
    assert!(matches!(got, Answer::Found { .. }));
}
