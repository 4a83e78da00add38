//! SIGTERM: finish the tick, end well.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "server/support.rs"]
#[allow(dead_code)]
mod support;

use std::process::Command;
use support::{Client, PATIENCE, item};
use tokio::{sync::oneshot, time::timeout};
use undertone_server::{ServeArgs, admin, serve};
use undertone_transport::Lost;
use undertone_wire::Answer;

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_the_tick() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let config = dir.path().join("server.toml");
    std::fs::write(&config, "[tick]\nmin_ms = 5000\n").unwrap();
    let args = ServeArgs {
        data: data.clone(),
        listen: Some("127.0.0.1:0".parse().unwrap()),
        policy: None,
        config: Some(config),
    };
    let (ready, address) = oneshot::channel();
    let server =
        tokio::spawn(
            async move { serve(&args, |address| ready.send(address.clone()).unwrap()).await },
        );
    let address = timeout(PATIENCE, address).await.unwrap().unwrap();

    let mut ada = Client::connect(&address).await;
    ada.store(&item(&address, "Ada", 1)).await;
    // The next tick would not be over for five seconds.
    let waiting = ada.send(item(&address, "Ada", 2).put()).await;
    ada.ask(item(&address, "Ada", 1).get()).await;
    let pid = std::process::id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());

    assert!(matches!(ada.answer(waiting).await, Answer::Stored(_)));
    assert!(matches!(ada.end().await, Lost::Closed));
    timeout(PATIENCE, server).await.unwrap().unwrap().unwrap();
    let checked = admin::check(&data).unwrap();
    assert!(checked.sound && checked.cells == 2, "{checked}");
}
