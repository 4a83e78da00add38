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

async fn fail(rig: &Rig, times: u32) {
    for _ in 0..times {
        rig.events.send(down(unreachable())).await.unwrap();
    }
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
    let asked = rig.running.session.wait_caught_up(Patience::WhileReachable(None));
    let (waited, ()) = tokio::join!(asked, fail(&rig, 3));
    assert!(matches!(waited, Err(Unfinished::Unreachable(_))), "{waited:?}");
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
    let asked = rig.running.session.wait_caught_up(Patience::For(Duration::from_secs(3600)));
    let failing = rig.events.send(down(ConnectError::WrongServer));
    let (waited, sent) = tokio::join!(asked, failing);
    sent.unwrap();
    assert!(matches!(waited, Err(Unfinished::Impostor(_))), "{waited:?}");
}

#[tokio::test]
async fn what_was_found_before_somebody_asked_is_no_answer() {
    let rig = Rig::new(caught_up_on_connect);
    let session = rig.running.session.clone();
    fail(&rig, 5).await;
    session.link().wait_for(|state| state.failures() == 5).await.unwrap();
    let asked = session.wait_caught_up(Patience::WhileReachable(None));
    let (tick, ()) = tokio::join!(asked, rig.connect());
    assert_eq!(tick.unwrap(), 7);
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
