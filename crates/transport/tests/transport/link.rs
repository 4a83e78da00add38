//! A connection that comes back.

use crate::support::{ada_info, keys, puppet};
use std::time::Duration;
use tokio::time::timeout;
use undertone_puppet::signing;
use undertone_transport::{
    Backoff, ConnectError, Down, Link, LinkConfig, LinkEvent, Lost, Outgoing,
};
use undertone_wire::{Answer, Frame, Request, ServerAddress};

/// Nothing that works takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

fn link(address: &ServerAddress) -> Link {
    let mut config = LinkConfig::new(address.clone(), None, 1);
    config.backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(5), 1);
    Link::start(config)
}

async fn event(link: &mut Link) -> LinkEvent {
    timeout(PATIENCE, link.events.recv()).await.expect("something happens").unwrap()
}

async fn connected(link: &mut Link) -> u64 {
    match event(link).await {
        LinkEvent::Connected { connection, info: told } => {
            assert_eq!(*told, ada_info());
            connection
        }
        other => panic!("not connected: {other:?}"),
    }
}

fn ask(connection: u64, id: u32) -> Outgoing {
    Outgoing { connection, frame: Frame::Request { id, request: Request::Info } }
}

#[tokio::test]
async fn it_carries_frames_both_ways() {
    let puppet = puppet().await;
    let mut link = link(&puppet.address());
    let mut visitor = puppet.welcome().await;
    let connection = connected(&mut link).await;
    for id in 1..=3 {
        link.frames.send(ask(connection, id)).await.unwrap();
    }
    for expected in 1..=3 {
        let Frame::Request { id, .. } = visitor.next().await else { panic!("no request") };
        assert_eq!(id, expected);
        visitor.send(&Frame::Answer { id, answer: Answer::Streaming }).await;
        match event(&mut link).await {
            LinkEvent::Frame(frame) => {
                assert_eq!(*frame, Frame::Answer { id, answer: Answer::Streaming });
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn it_comes_back_and_leaves_the_old_connection_behind() {
    let puppet = puppet().await;
    let mut link = link(&puppet.address());
    let visitor = puppet.welcome().await;
    let first = connected(&mut link).await;
    drop(visitor);
    match event(&mut link).await {
        LinkEvent::Disconnected { why: Down::Lost(Lost::Closed | Lost::Broken(_)), .. } => {}
        other => panic!("{other:?}"),
    }
    let mut visitor = puppet.welcome().await;
    let second = connected(&mut link).await;
    assert_eq!(second, first + 1);
    // Meant for the first connection: its answer would be taken for another's.
    link.frames.send(ask(first, 1)).await.unwrap();
    link.frames.send(ask(second, 2)).await.unwrap();
    assert!(matches!(visitor.next().await, Frame::Request { id: 2, .. }));
}

#[tokio::test]
async fn it_remembers_the_keys_that_it_has_met() {
    let mut puppet = puppet().await;
    let mut link = link(&puppet.address());
    let rotated = keys().succeed(signing(2), 10);
    puppet.take_keys(&rotated);
    drop(puppet.welcome().await);
    assert!(matches!(event(&mut link).await, LinkEvent::Connected { .. }));
    // A thief of the first key, whom this link has never seen without its successor.
    puppet.take_keys(&keys());
    let refused = async {
        loop {
            if let LinkEvent::Disconnected { why: Down::NotOpened(error), .. } =
                event(&mut link).await
            {
                return error;
            }
        }
    };
    tokio::select! {
        error = refused => assert!(matches!(error, ConnectError::WrongServer), "{error:?}"),
        () = puppet.introduce_itself() => unreachable!("it goes on for ever"),
    }
    puppet.take_keys(&rotated);
    let visitor = puppet.welcome().await;
    while !matches!(event(&mut link).await, LinkEvent::Connected { .. }) {}
    drop(visitor);
}

#[tokio::test]
async fn nobody_waits_for_a_queue_while_there_is_no_connection() {
    let puppet = puppet().await;
    let address = puppet.address();
    drop(puppet);
    let mut link = link(&address);
    let many = async {
        for id in 0..1_000 {
            link.frames.send(ask(0, id)).await.unwrap();
        }
    };
    timeout(PATIENCE, many).await.expect("what cannot be sent is dropped");
    match event(&mut link).await {
        LinkEvent::Disconnected {
            why: Down::NotOpened(ConnectError::Unreachable { .. }), ..
        } => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_slow_reader_of_events_does_not_block_sending() {
    let puppet = puppet().await;
    let mut link = link(&puppet.address());
    let mut visitor = puppet.welcome().await;
    let connection = connected(&mut link).await;
    // More than the queue of events holds, and nobody takes them.
    for id in 0..200 {
        visitor.send(&Frame::Answer { id, answer: Answer::Streaming }).await;
    }
    let both = async {
        for id in 0..200 {
            link.frames.send(ask(connection, id)).await.unwrap();
            assert!(matches!(visitor.next().await, Frame::Request { .. }));
        }
    };
    timeout(PATIENCE, both).await.expect("sending goes on");
    for expected in 0..200 {
        match event(&mut link).await {
            LinkEvent::Frame(frame) => {
                assert!(matches!(*frame, Frame::Answer { id, .. } if id == expected));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn hurrying_cuts_the_waiting_short() {
    let puppet = puppet().await;
    let address = puppet.address();
    let mut config = LinkConfig::new(address, None, 1);
    config.backoff = Backoff::new(Duration::from_secs(3_600), Duration::from_secs(3_600), 1);
    let mut link = Link::start(config);
    drop(puppet.welcome().await);
    connected(&mut link).await;
    assert!(matches!(event(&mut link).await, LinkEvent::Disconnected { .. }));
    link.hurry.now();
    let visitor = timeout(PATIENCE, puppet.welcome()).await.expect("it does not wait an hour");
    assert_eq!(connected(&mut link).await, 2);
    drop(visitor);
}

#[tokio::test]
async fn a_server_that_greets_and_hangs_up_is_asked_ever_more_rarely() {
    let puppet = puppet().await;
    let mut config = LinkConfig::new(puppet.address(), None, 1);
    config.backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3_600), 1);
    let mut link = Link::start(config);
    for failures in 0..5 {
        let mut visitor = puppet.welcome().await;
        connected(&mut link).await;
        visitor.send(&Frame::Answer { id: 1, answer: Answer::Streaming }).await;
        assert!(matches!(event(&mut link).await, LinkEvent::Frame(_)));
        drop(visitor);
        let LinkEvent::Disconnected { retry_in, .. } = event(&mut link).await else {
            panic!("still connected")
        };
        assert!(retry_in >= Duration::from_millis(500) * (1 << failures), "{failures}");
        link.hurry.now();
    }
}

#[tokio::test]
async fn it_ends_with_its_owner() {
    let puppet = puppet().await;
    let mut link = link(&puppet.address());
    let mut visitor = puppet.welcome().await;
    connected(&mut link).await;
    drop(link);
    let end = futures_util::StreamExt::next(&mut visitor.0);
    let end = timeout(PATIENCE, end).await.expect("the connection ends");
    assert!(!matches!(end, Some(Ok(_))), "{end:?}");
}
