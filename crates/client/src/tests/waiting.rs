//! Waiting, and its ends.

use super::Rig;
use crate::{LinkState, Patience, Unfinished};
use std::time::Duration;
use undertone_core::io::{Event, Input, Output};
use undertone_transport::{ConnectError, Down, LinkEvent, Step};

fn down(why: ConnectError) -> LinkEvent {
    LinkEvent::Disconnected { why: Down::NotOpened(why), retry_in: Duration::ZERO }
}

fn unreachable() -> ConnectError {
    ConnectError::TimedOut(Step::Connect)
}

fn caught_up_on_connect(input: Input) -> Vec<Output> {
    match input {
        Input::Connected => vec![Output::Event(Event::CaughtUp { tick: 7 })],
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn catching_up_is_waited_for_and_ends_with_the_connection() {
    let rig = Rig::new(caught_up_on_connect);
    rig.connect().await;
    let session = rig.running.session.clone();
    assert_eq!(session.wait_caught_up(Patience::Forever).await.unwrap(), 7);
    rig.events.send(down(unreachable())).await.unwrap();
    session.caught_up().wait_for(Option::is_none).await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_given_up_after_some_attempts() {
    let rig = Rig::new(caught_up_on_connect);
    let session = rig.running.session.clone();
    let waiting =
        tokio::spawn(async move { session.wait_caught_up(Patience::WhileReachable(None)).await });
    for _ in 0..3 {
        rig.events.send(down(unreachable())).await.unwrap();
    }
    assert!(matches!(waiting.await.unwrap(), Err(Unfinished::Unreachable(_))));
}

#[tokio::test]
async fn one_failure_is_not_the_end() {
    let rig = Rig::new(caught_up_on_connect);
    rig.events.send(down(unreachable())).await.unwrap();
    rig.connect().await;
    let patience = Patience::WhileReachable(None);
    assert_eq!(rig.running.session.wait_caught_up(patience).await.unwrap(), 7);
}

#[tokio::test]
async fn another_server_ends_the_waiting_at_once() {
    let rig = Rig::new(caught_up_on_connect);
    rig.events.send(down(ConnectError::WrongServer)).await.unwrap();
    let patience = Patience::For(Duration::from_secs(3600));
    let waited = rig.running.session.wait_caught_up(patience).await;
    assert!(matches!(waited, Err(Unfinished::Impostor(_))), "{waited:?}");
}

#[tokio::test]
async fn the_time_that_was_given_tells_a_slow_server_from_one_that_is_away() {
    let rig = Rig::new(|_| Vec::new());
    let session = rig.running.session.clone();
    let at_once = Patience::For(Duration::ZERO);
    let waited = session.wait_caught_up(at_once).await;
    assert!(matches!(waited, Err(Unfinished::Unreachable(_))), "{waited:?}");
    rig.connect().await;
    session.link().wait_for(|state| *state == LinkState::Up).await.unwrap();
    let waited = session.wait_caught_up(at_once).await;
    assert!(matches!(waited, Err(Unfinished::TimedOut)), "{waited:?}");
}
