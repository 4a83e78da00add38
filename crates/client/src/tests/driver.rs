//! Persist before release, one commit per step, and what happens when a commit fails.

use super::{Rig, persist, transmit};
use crate::{CommandError, LinkState, Wires, start};
use undertone_core::{
    ChatId,
    io::{Changes, Command, Event, Input, Output, Reply},
};
use undertone_store::Memory;
use undertone_transport::{ConnectError, Down, LinkEvent, Lost};
use undertone_wire::Frame;

fn done(input: &Input) -> Option<Output> {
    match input {
        Input::Command { ticket, .. } => {
            Some(Output::Reply { ticket: *ticket, result: Ok(Reply::Done) })
        }
        _ => None,
    }
}

fn gap() -> Output {
    Output::Event(Event::Gap { chat: ChatId([1; 16]), text: "two of Ben's".to_owned() })
}

#[tokio::test]
async fn all_of_a_step_is_one_commit_and_comes_before_its_frames() {
    let mut rig = Rig::new(|input| match input {
        Input::Connected => {
            vec![persist("a"), transmit(1), gap(), persist("b"), transmit(2), gap()]
        }
        _ => Vec::new(),
    });
    rig.connect().await;
    for expected in [1, 2] {
        let outgoing = rig.frames.recv().await.unwrap();
        // Whatever is on the way has been committed before.
        assert_eq!(rig.diary(), ["connected", "commit 2 records, 2 events"]);
        assert!(matches!(outgoing.frame, Frame::Request { id, .. } if id == expected));
        assert_eq!(outgoing.connection, 1);
    }
    assert_eq!(*rig.running.session.newest_event().borrow(), 2);
}

#[tokio::test]
async fn a_failed_commit_releases_nothing_and_ends_the_driver() {
    let mut store = Memory::default();
    store.set_full(true);
    let mut rig = Rig::with_store(store, |input| {
        let mut out = vec![persist("a"), transmit(1)];
        out.extend(done(&input));
        out
    });
    rig.connect().await;
    let asked = rig.running.session.command(Command::Whoami).await;
    let Err(CommandError::Store(error)) = asked else { panic!("{asked:?}") };
    assert!(matches!(error.store(), Some(undertone_store::StoreError::Full)));
    assert!(rig.frames.recv().await.is_none(), "a frame went out uncommitted");
    assert!(rig.running.session.command(Command::Whoami).await.is_err());
}

#[tokio::test]
async fn a_reply_is_told_after_its_commit() {
    let rig =
        Rig::new(|input| done(&input).map(|reply| vec![reply, persist("a")]).unwrap_or_default());
    let reply = rig.running.session.command(Command::Chats).await.unwrap();
    assert_eq!(reply, Reply::Done);
    assert_eq!(rig.diary(), ["command", "commit 1 records, 0 events"]);
}

#[tokio::test]
async fn what_has_no_connection_is_lost_without_harm() {
    let mut rig = Rig::new(|input| match input {
        Input::Command { .. } => [transmit(1)].into_iter().chain(done(&input)).collect(),
        Input::Connected => vec![transmit(7)],
        _ => Vec::new(),
    });
    rig.running.session.command(Command::Chats).await.unwrap();
    rig.connect().await;
    let first = rig.frames.recv().await.unwrap();
    assert!(matches!(first.frame, Frame::Request { id: 7, .. }));
}

#[tokio::test]
async fn frames_of_a_lost_connection_do_not_go_out_on_the_next() {
    // The queue to the link takes one frame; the others wait in the driver.
    let mut rig = Rig::new(|input| match input {
        Input::Connected => vec![transmit(1), transmit(2), transmit(3)],
        _ => Vec::new(),
    });
    rig.connect().await;
    let mut link = rig.running.session.link();
    link.wait_for(|state| *state == LinkState::Up).await.unwrap();
    let retry_in = std::time::Duration::ZERO;
    let lost = LinkEvent::Disconnected { attempt: 1, why: Down::Lost(Lost::Closed), retry_in };
    rig.events.send(lost).await.unwrap();
    link.wait_for(|state| matches!(state, LinkState::Down { .. })).await.unwrap();
    rig.running.close().await;
    let mut sent = 0;
    while rig.frames.recv().await.is_some() {
        sent += 1;
    }
    assert!(sent <= 1, "{sent} frames went out after the connection was lost");
}

#[tokio::test]
async fn the_engine_hears_of_the_end_of_what_it_had_and_of_nothing_else() {
    let rig = Rig::new(|_| Vec::new());
    let mut link = rig.running.session.link();
    for failures in 1..=2 {
        let why = Down::NotOpened(ConnectError::WrongServer);
        let (attempt, retry_in) = (failures.into(), std::time::Duration::ZERO);
        rig.events.send(LinkEvent::Disconnected { attempt, why, retry_in }).await.unwrap();
        let is_next = |state: &LinkState| matches!(state, LinkState::Down { failures: counted, .. } if *counted == failures);
        link.wait_for(is_next).await.unwrap();
    }
    assert_eq!(rig.diary(), [""; 0]);
}

#[tokio::test]
async fn a_deadline_that_has_passed_wakes_the_engine_once() {
    let (woken, mut wakes) = tokio::sync::mpsc::unbounded_channel();
    let rig = Rig::new(move |input| match input {
        Input::Connected => vec![Output::Deadline(1)],
        Input::Wake => {
            woken.send(()).unwrap();
            Vec::new()
        }
        _ => done(&input).into_iter().collect(),
    });
    rig.connect().await;
    wakes.recv().await.unwrap();
    rig.running.session.command(Command::Chats).await.unwrap();
    assert_eq!(rig.diary(), ["connected", "wake", "command"]);
}

#[tokio::test]
async fn the_numbers_of_events_go_on_where_they_were() {
    let mut store = Memory::default();
    let event = undertone_store::EventRow { chat: None, body: "{}".to_owned() };
    let batch = undertone_store::Batch { events: vec![event.into()], ..Default::default() };
    undertone_store::Store::commit(&mut store, &batch).unwrap();
    let rig = Rig::with_store(store, |_| vec![gap()]);
    assert_eq!(*rig.running.session.newest_event().borrow(), 1);
    rig.connect().await;
    let mut newest = rig.running.session.newest_event();
    newest.wait_for(|newest| *newest == 2).await.unwrap();
    let events = rig.running.session.events(1, 10).await.unwrap();
    assert_eq!(events[0].seq, 2);
    assert!(events[0].event.body.contains("\"event\":\"gap\""), "{}", events[0].event.body);
}

#[tokio::test]
async fn what_replaced_secrets_is_followed_by_their_forgetting_once() {
    let secret = |key: &str| {
        let mut changes = Changes::default();
        changes.records.insert(("mls", key.as_bytes().to_vec()), None);
        Output::Persist(changes)
    };
    let mut rig = Rig::new(move |input| match input {
        Input::Connected => vec![persist("a")],
        _ => done(&input).into_iter().chain([secret("a")]).collect(),
    });
    rig.connect().await;
    for _ in 0..3 {
        rig.running.session.command(Command::Chats).await.unwrap();
    }
    rig.forgets.recv().await.unwrap();
    assert!(rig.forgets.try_recv().is_err(), "a sync for every step costs too much");
}

#[tokio::test]
async fn offline_there_is_a_driver_without_a_network() {
    struct Silent;
    impl crate::Engine for Silent {
        fn handle(&mut self, _: u64, _: Input) {}
        fn poll(&mut self) -> Option<Output> {
            None
        }
    }
    let running = start(Silent, Memory::default(), (), Wires::offline()).unwrap();
    assert_eq!(*running.session.link().borrow(), LinkState::Offline);
    assert_eq!(running.session.setting("proxy").await.unwrap(), None);
    running.close().await;
}
