//! The control socket, both sides.

#![cfg(unix)]

use crate::control::{Caller, ControlError, Holder, Serve};
use serde_json::json;
use std::{path::PathBuf, sync::Arc};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use undertone_crypto::Secret;
use undertone_store::DatabaseKey;

fn key(byte: u8) -> DatabaseKey {
    DatabaseKey::of(Secret::from_bytes([byte; 32]))
}

/// Says two lines, then the request back.
fn echo() -> Serve {
    Arc::new(|request, lines| {
        Box::pin(async move {
            for number in 1..=2 {
                lines.send(json!({ "line": number })).await.unwrap();
            }
            json!({ "echo": request })
        })
    })
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

#[tokio::test]
async fn a_request_gets_its_lines_and_its_end() {
    let (_keep, folder) = place();
    let _holder = Holder::listen(&folder, key(1), echo()).unwrap();
    let caller = Caller::connect(&folder, &key(1)).await.unwrap();
    let mut lines = Vec::new();
    let answer = caller.call(json!({ "verb": "chats" }), |line| lines.push(line)).await.unwrap();
    assert_eq!(answer, json!({ "echo": { "verb": "chats" } }));
    assert_eq!(lines, [json!({ "line": 1 }), json!({ "line": 2 })]);
}

#[tokio::test]
async fn who_has_another_key_gets_nothing() {
    let (_keep, folder) = place();
    let _holder = Holder::listen(&folder, key(1), echo()).unwrap();
    let refused = Caller::connect(&folder, &key(2)).await;
    assert!(
        matches!(refused, Err(ControlError::Stranger | ControlError::Broken(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_socket_of_somebody_else_is_not_talked_to() {
    let (_keep, folder) = place();
    let impostor = tokio::net::UnixListener::bind(folder.join("control")).unwrap();
    let pretending = tokio::spawn(async move {
        let (mut stream, _) = impostor.accept().await.unwrap();
        let hello = b"{\"undertone_control\":1,\"challenge\":\"00\"}\n{\"proof\":\"00\"}\n";
        stream.write_all(hello).await.unwrap();
        let mut got = String::new();
        stream.read_to_string(&mut got).await.unwrap();
        got
    });
    let refused = Caller::connect(&folder, &key(1)).await;
    assert!(matches!(refused, Err(ControlError::Stranger)), "{refused:?}");
    assert!(!pretending.await.unwrap().contains("request"));
}

#[tokio::test]
async fn garbage_ends_a_connection_and_not_the_holder() {
    let (_keep, folder) = place();
    let _holder = Holder::listen(&folder, key(1), echo()).unwrap();
    for garbage in [&b"\n"[..], b"{}\n", b"\xff\xff\n", b"{\"challenge\":\"\",\"proof\":\"zz\"}\n"]
    {
        let mut stream = tokio::net::UnixStream::connect(folder.join("control")).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert!(!rest.contains("proof"), "{rest}");
    }
    Caller::connect(&folder, &key(1)).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_its_work() {
    let (_keep, folder) = place();
    let (dropped, ended) = tokio::sync::oneshot::channel::<()>();
    let dropped = std::sync::Mutex::new(Some(dropped));
    let serve: Serve = Arc::new(move |_, lines| {
        let keep = dropped.lock().unwrap().take();
        Box::pin(async move {
            lines.send(json!("begun")).await.unwrap();
            std::future::pending::<()>().await;
            drop(keep);
            json!(null)
        })
    });
    let _holder = Holder::listen(&folder, key(1), serve).unwrap();
    let caller = Caller::connect(&folder, &key(1)).await.unwrap();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let mut begun = Some(begun);
    let call = tokio::spawn(caller.call(json!({}), move |_| {
        begun.take().unwrap().send(()).unwrap();
    }));
    has_begun.await.unwrap();
    call.abort();
    // The sender is dropped with the work.
    assert!(ended.await.is_err());
}

#[tokio::test]
async fn a_holder_that_closes_takes_nobody_more_and_answers_who_is_there() {
    let (_keep, folder) = place();
    let (go_on, waits) = tokio::sync::watch::channel(false);
    let serve: Serve = Arc::new(move |request, lines| {
        let mut waits = waits.clone();
        Box::pin(async move {
            lines.send(json!("begun")).await.unwrap();
            waits.wait_for(|go_on| *go_on).await.unwrap();
            request
        })
    });
    let holder = Holder::listen(&folder, key(1), serve).unwrap();
    let caller = Caller::connect(&folder, &key(1)).await.unwrap();
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let call = tokio::spawn(caller.call(json!("chats"), move |line| begun.send(line).unwrap()));
    has_begun.recv().await.unwrap();
    let closing = tokio::spawn(holder.close(std::time::Duration::from_secs(3600)));
    loop {
        match Caller::connect(&folder, &key(1)).await {
            // It stood at the door before the closing began.
            Ok(_) | Err(ControlError::Broken(_)) => tokio::task::yield_now().await,
            Err(ControlError::NobodyListens) => break,
            Err(error) => panic!("{error}"),
        }
    }
    go_on.send(true).unwrap();
    assert_eq!(call.await.unwrap().unwrap(), json!("chats"));
    closing.await.unwrap();
    assert!(!folder.join("control").exists());
}

#[tokio::test]
async fn a_socket_left_from_before_is_no_hindrance() {
    let (_keep, folder) = place();
    drop(std::os::unix::net::UnixListener::bind(folder.join("control")).unwrap());
    let gone = Caller::connect(&folder, &key(1)).await;
    assert!(matches!(gone, Err(ControlError::NobodyListens)), "{gone:?}");
    let holder = Holder::listen(&folder, key(1), echo()).unwrap();
    Caller::connect(&folder, &key(1)).await.unwrap();
    drop(holder);
    assert!(!folder.join("control").exists());
}

#[tokio::test]
async fn a_deep_folder_has_a_socket_all_the_same() {
    let (_keep, folder) = place();
    let deep = folder.join("d".repeat(60)).join("e".repeat(60));
    std::fs::create_dir_all(&deep).unwrap();
    let _holder = Holder::listen(&deep, key(1), echo()).unwrap();
    Caller::connect(&deep, &key(1)).await.unwrap();
}

#[tokio::test]
async fn only_the_owner_may_connect() {
    use std::os::unix::fs::PermissionsExt;
    let (_keep, folder) = place();
    let _holder = Holder::listen(&folder, key(1), echo()).unwrap();
    let mode = std::fs::metadata(folder.join("control")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
