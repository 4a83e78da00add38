//! Waiting, and its ends.

use super::Rig;
use crate::{LinkState, Patience, Session, Unfinished};
use futures_util::FutureExt;
use std::{pin::pin, time::Duration};
use undertone_core::io::{Event, Input, Output};
use undertone_transport::{ConnectError, Down, LinkEvent, Lost, Step};

const AS_LONG_AS_IT_CAN_BE_REACHED: Patience = Patience::WhileReachable(None);

fn ended(attempt: u64, why: Down) -> LinkEvent {
    LinkEvent::Disconnected { attempt, why, retry_in: Duration::ZERO }
}

fn unreachable() -> Down {
    Down::NotOpened(ConnectError::TimedOut(Step::Connect))
}

/// So many attempts begin and fail.
async fn fail(rig: &Rig, times: u32) {
    for _ in 0..times {
        rig.events.send(ended(rig.hurry.begin(), unreachable())).await.unwrap();
    }
}

/// Until the driver knows of so many failures in a row.
async fn failed(session: &Session, times: u32) {
    session.link().wait_for(|state| state.failures() == times).await.unwrap();
}

/// A link that has failed five times, and the driver knows it.
async fn down_for_long() -> (Rig, Session) {
    let rig = Rig::new(caught_up_on_connect);
    let session = rig.running.session.clone();
    fail(&rig, 5).await;
    failed(&session, 5).await;
    (rig, session)
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
    fail(&rig, 1).await;
    session.caught_up().wait_for(Option::is_none).await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_given_up_after_some_attempts() {
    let rig = Rig::new(caught_up_on_connect);
    let asked = rig.running.session.wait_caught_up(AS_LONG_AS_IT_CAN_BE_REACHED);
    let (waited, ()) = tokio::join!(asked, fail(&rig, 3));
    assert!(matches!(waited, Err(Unfinished::Unreachable(_))), "{waited:?}");
}

#[tokio::test]
async fn one_failure_is_not_the_end() {
    let rig = Rig::new(caught_up_on_connect);
    fail(&rig, 1).await;
    rig.connect().await;
    let asked = rig.running.session.wait_caught_up(AS_LONG_AS_IT_CAN_BE_REACHED);
    assert_eq!(asked.await.unwrap(), 7);
}

#[tokio::test]
async fn another_server_ends_the_waiting_at_once() {
    let rig = Rig::new(caught_up_on_connect);
    // It began with the link, as the waiting of whoever has just opened one.
    let first = rig.hurry.begin();
    let asked = rig.running.session.wait_caught_up(Patience::For(Duration::from_secs(3600)));
    let failing = rig.events.send(ended(first, Down::NotOpened(ConnectError::WrongServer)));
    let (waited, sent) = tokio::join!(asked, failing);
    sent.unwrap();
    assert!(matches!(waited, Err(Unfinished::Impostor(_))), "{waited:?}");
}

#[tokio::test]
async fn what_was_found_before_somebody_asked_is_no_answer() {
    let (rig, session) = down_for_long().await;
    let asked = session.wait_caught_up(AS_LONG_AS_IT_CAN_BE_REACHED);
    let (tick, ()) = tokio::join!(asked, rig.connect());
    assert_eq!(tick.unwrap(), 7);
}

#[tokio::test]
async fn what_an_attempt_finds_that_was_under_way_is_no_answer() {
    let (rig, session) = down_for_long().await;
    let under_way = rig.hurry.begin();
    let mut asked = pin!(session.wait_caught_up(AS_LONG_AS_IT_CAN_BE_REACHED));
    assert!(asked.as_mut().now_or_never().is_none());
    rig.events.send(ended(under_way, unreachable())).await.unwrap();
    failed(&session, 6).await;
    let (tick, ()) = tokio::join!(asked, rig.connect());
    assert_eq!(tick.unwrap(), 7);
}

#[tokio::test]
async fn what_the_attempt_finds_that_was_asked_for_is_an_answer() {
    let (rig, session) = down_for_long().await;
    let asked = session.wait_caught_up(AS_LONG_AS_IT_CAN_BE_REACHED);
    let (waited, ()) = tokio::join!(asked, fail(&rig, 1));
    assert!(matches!(waited, Err(Unfinished::Unreachable(_))), "{waited:?}");
}

#[tokio::test]
async fn a_link_is_asked_to_try_now_when_its_connection_was_lost_and_not_while_it_stands() {
    let rig = Rig::new(|_| Vec::new());
    let session = rig.running.session.clone();
    rig.connect().await;
    session.link().wait_for(|state| *state == LinkState::Up).await.unwrap();
    for is_lost in [false, true] {
        if is_lost {
            rig.events.send(ended(1, Down::Lost(Lost::Closed))).await.unwrap();
            session.link().wait_for(|state| *state != LinkState::Up).await.unwrap();
        }
        let mut waiting = pin!(session.wait_caught_up(Patience::Forever));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!(rig.hurry.asked().now_or_never().is_some(), is_lost);
    }
}

#[tokio::test]
async fn who_runs_out_of_time_is_not_told_what_was_found_before() {
    let (_rig, session) = down_for_long().await;
    let waited = session.wait_caught_up(Patience::For(Duration::ZERO)).await;
    let Err(Unfinished::Unreachable(text)) = waited else { panic!("{waited:?}") };
    assert_eq!(text, "it has not answered yet");
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
