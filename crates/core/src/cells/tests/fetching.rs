//! The fetches.

use super::{lane, reading, refused};
use crate::cells::CellEvent;
use crate::ids::ChatId;
use crate::log::rig::{self, Client, START_MS, Server};
use undertone_wire::{Answer, RefusalKind, Request};

#[test]
fn a_listed_cell_comes_with_its_proof() {
    let (mut server, mut ada, tag) = reading();
    assert!(ada.cells.get(tag, Some(2), lane(2)));
    assert!(ada.cells.get(tag, Some(2), lane(2)), "wanting it again changes nothing");
    ada.run(&mut server);
    let got = CellEvent::Got { owner: lane(2), tag, cell: rig::cell(2), tick: 2 };
    assert_eq!(ada.cell_events, [got]);
    assert_eq!(ada.asked.len(), 1);
    assert_eq!(ada.cells.next_deadline(ada.now_ms), None);
}

#[test]
fn a_cell_whose_listing_is_unknown_comes_or_is_absent() {
    let (mut server, mut ada, tag) = reading();
    let nowhere = server.tag(99);
    ada.cells.get(tag, None, lane(2));
    ada.cells.get(nowhere, None, lane(99));
    ada.run(&mut server);
    let got = CellEvent::Got { owner: lane(2), tag, cell: rig::cell(2), tick: 2 };
    let absent = CellEvent::Absent { owner: lane(99), tag: nowhere, tick: None };
    assert_eq!(ada.cell_events, [got, absent]);
}

#[test]
fn many_fetches_go_in_turn_and_within_the_window() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    server.ticks(1, 200);
    ada.run(&mut server);
    for number in 1..=200 {
        ada.cells.get(server.tag(number), Some(number), lane(number));
    }
    let flying: Vec<_> =
        std::iter::from_fn(|| ada.cells.poll_request(ada.now_ms, &ada.log)).collect();
    assert_eq!(flying.len(), 32);
    assert!(matches!(flying[0].1, Request::Get { tag, .. } if tag == server.tag(1)));
    ada.connect(&mut server);
    assert_eq!(ada.cell_events.len(), 200);
}

#[test]
fn the_queue_is_bounded() {
    let (server, mut ada, _) = reading();
    let taken = (0..5_000)
        .filter(|number| ada.cells.get(server.tag(10_000 + number), Some(1), lane(*number)));
    assert_eq!(taken.count(), super::super::get::QUEUE_MAX);
}

#[test]
fn a_cell_that_is_no_longer_wanted_is_not_reported() {
    let (mut server, mut ada, tag) = reading();
    ada.cells.get(tag, Some(2), lane(2));
    let (ask, request) = ada.cells.poll_request(ada.now_ms, &ada.log).expect("a request");
    ada.cells.cancel_gets(ChatId([1; 16]));
    let answer = server.answer(&request);
    ada.cells.on_answer(ada.now_ms, ask, answer, &mut ada.log);
    ada.collect();
    assert_eq!(ada.cell_events, []);
    assert_eq!(ada.alarms(), [""; 0]);
}

/// Runs with this answer to every GET until the deadlines have passed `times` times.
fn run_with_gets(ada: &mut Client, server: &mut Server, times: usize, answer: &Answer) -> Vec<u64> {
    let mut waits = Vec::new();
    for _ in 0..times {
        ada.run_bent(server, &mut |request, honest| match request {
            Request::Get { .. } => answer.clone(),
            _ => honest,
        });
        let next_ms = ada.cells.next_deadline(ada.now_ms).expect("it is asked for again");
        waits.push(next_ms - ada.now_ms);
        ada.now_ms = next_ms;
    }
    waits
}

#[test]
fn a_cell_that_is_listed_and_not_given_is_withheld_and_asked_for_again() {
    let (mut server, mut ada, tag) = reading();
    ada.cells.get(tag, Some(2), lane(2));
    let none = Answer::None { colliding: Vec::new() };
    let waits = run_with_gets(&mut ada, &mut server, 6, &none);
    assert!(waits.is_sorted(), "ever more slowly: {waits:?}");
    assert_eq!(ada.cell_events, [CellEvent::Withheld { owner: lane(2), tag, tries: 3 }]);
    ada.run(&mut server);
    assert!(matches!(ada.cell_events[1..], [CellEvent::Got { .. }]), "and taken when it comes");
}

/// Every answer is late, after its flight was given up and the next one asked for a newer tree.
#[test]
fn an_answer_that_comes_late_brings_the_cell_and_withholds_nothing() {
    let (mut server, mut ada, tag) = reading();
    ada.cells.get(tag, Some(2), lane(2));
    let (first, request) = ada.cells.poll_request(ada.now_ms, &ada.log).expect("a request");
    let answer = server.answer(&request);
    ada.cells.hear();
    ada.now_ms += 31_000;
    assert_eq!(ada.cells.poll_request(ada.now_ms, &ada.log), None, "it is given up");
    server.ticks(50, 1);
    ada.run_bent(&mut server, &mut |request, honest| match request {
        Request::Get { .. } => refused(RefusalKind::Busy),
        _ => honest,
    });
    ada.now_ms = ada.cells.next_deadline(ada.now_ms).expect("it is asked for again");
    let (second, _) = ada.cells.poll_request(ada.now_ms, &ada.log).expect("a request");
    assert_ne!(first, second);
    let none = Answer::None { colliding: Vec::new() };
    ada.cells.on_answer(ada.now_ms, first, none, &mut ada.log);
    ada.collect();
    assert_eq!(ada.cell_events, []);
    ada.cells.on_answer(ada.now_ms, first, answer, &mut ada.log);
    ada.collect();
    let got = CellEvent::Got { owner: lane(2), tag, cell: rig::cell(2), tick: 2 };
    assert_eq!(ada.cell_events, [got]);
}

/// Asks as long as `times` allows; the server answers nothing, and says other things if it `talks`.
fn ask_in_vain(ada: &mut Client, times: usize, talks: bool) -> usize {
    let mut asked = 0;
    while ada.cell_events.is_empty() && asked < times {
        asked += usize::from(ada.cells.poll_request(ada.now_ms, &ada.log).is_some());
        ada.collect();
        if talks {
            ada.cells.hear();
        }
        ada.now_ms = ada.cells.next_deadline(ada.now_ms).unwrap_or(ada.now_ms);
    }
    asked
}

#[test]
fn silence_is_withholding_too() {
    let (_, mut ada, tag) = reading();
    ada.cells.get(tag, Some(2), lane(2));
    assert_eq!(ask_in_vain(&mut ada, 10, true), 3);
    assert_eq!(ada.cell_events, [CellEvent::Withheld { owner: lane(2), tag, tries: 3 }]);
}

#[test]
fn a_connection_that_brings_nothing_at_all_withholds_nothing() {
    let (_, mut ada, tag) = reading();
    ada.cells.get(tag, Some(2), lane(2));
    assert_eq!(ask_in_vain(&mut ada, 10, false), 10, "it goes on asking");
    assert_eq!(ada.cell_events, []);
    assert_eq!(ask_in_vain(&mut ada, 10, true), 3);
}

#[test]
fn a_server_that_falls_silent_whenever_it_is_asked_for_one_cell_withholds_it() {
    let (_, mut ada, tag) = reading();
    ada.cells.get(tag, Some(2), lane(2));
    for connection in 1..=6 {
        assert_eq!(ada.cell_events, [], "connection {connection}");
        // It says who it is and shows its newest head; then nothing more comes.
        ada.cells.hear();
        assert!(ada.cells.poll_request(ada.now_ms, &ada.log).is_some());
        ada.cells.disconnected(ada.now_ms);
        ada.collect();
    }
    assert_eq!(ada.cell_events, [CellEvent::Withheld { owner: lane(2), tag, tries: 3 }]);
}

#[test]
fn a_cell_that_a_server_has_forgotten_is_expired_if_it_is_old_enough() {
    let (mut server, mut ada, tag) = reading();
    server.now_ms = START_MS + 31 * 86_400_000;
    server.tick(&[70]);
    ada.run(&mut server);
    ada.cells.get(tag, Some(2), lane(2));
    ada.run_bent(&mut server, &mut |request, honest| match request {
        Request::Get { .. } => Answer::None { colliding: Vec::new() },
        _ => honest,
    });
    assert_eq!(ada.cell_events, [CellEvent::Expired { owner: lane(2), tag }]);
}

#[test]
fn an_expired_cell_is_gone_only_if_it_is_old_enough() {
    let (mut server, mut ada, tag) = reading();
    ada.cells.get(tag, Some(2), lane(2));
    let expired = refused(RefusalKind::Expired);
    run_with_gets(&mut ada, &mut server, 3, &expired);
    assert_eq!(ada.cell_events, [CellEvent::Withheld { owner: lane(2), tag, tries: 3 }]);

    server.now_ms = START_MS + 31 * 86_400_000;
    server.tick(&[70]);
    ada.run_bent(&mut server, &mut |request, honest| match request {
        Request::Get { .. } => expired.clone(),
        _ => honest,
    });
    ada.now_ms += 60_000;
    ada.run_bent(&mut server, &mut |request, honest| match request {
        Request::Get { .. } => expired.clone(),
        _ => honest,
    });
    assert_eq!(ada.cell_events[1..], [CellEvent::Expired { owner: lane(2), tag }]);
}

/// A GET of cell 2 whose answer is bent; the alarms and events that it gives.
fn bent_get(bend: impl Fn(Answer) -> Answer) -> (Vec<String>, Vec<CellEvent>) {
    let (mut server, mut ada, tag) = reading();
    ada.cells.get(tag, Some(2), lane(2));
    ada.run_bent(&mut server, &mut |request, answer| match request {
        Request::Get { .. } => bend(answer),
        _ => answer,
    });
    (ada.alarms().into_iter().map(str::to_owned).collect(), ada.cell_events)
}

#[test]
fn l15_another_cell_than_the_listed_one() {
    let (alarms, events) = bent_get(|answer| match answer {
        Answer::Found { proof, .. } => Answer::Found { cell: rig::cell(3), proof },
        answer => answer,
    });
    assert_eq!((alarms, events), (vec!["L15".to_owned()], Vec::new()));
}

#[test]
fn l15_the_proof_of_another_tag() {
    let (server, _, _) = reading();
    let other = server.engine.get(&server.tag(3), server.newest().size);
    let (alarms, events) = bent_get(|_| other.clone());
    assert_eq!((alarms, events), (vec!["L15".to_owned()], Vec::new()));
}

#[test]
fn l15_a_proof_with_a_bent_path_or_leaf() {
    for part in 0..3 {
        let (alarms, events) = bent_get(|answer| match answer {
            Answer::Found { cell, mut proof } => {
                match part {
                    0 => proof.path[0][0] ^= 1,
                    1 => proof.leaf.tick += 1,
                    _ => proof.leaf_index += 1,
                }
                Answer::Found { cell, proof }
            }
            answer => answer,
        });
        assert_eq!((alarms, events), (vec!["L15".to_owned()], Vec::new()));
    }
}

#[test]
fn a_cell_proved_in_another_log_does_not_count() {
    let mut fork = Server::new();
    fork.tick(&[1]);
    fork.tick(&[2, 22]);
    fork.tick(&[3]);
    let forged = fork.engine.get(&fork.tag(2), fork.newest().size);
    let (alarms, events) = bent_get(|_| forged.clone());
    assert_eq!((alarms, events), (vec!["L15".to_owned()], Vec::new()));
}

#[test]
fn absence_is_believed_only_for_other_tags_of_the_prefix() {
    // A proof of another cell, whose prefix is another one, explains nothing.
    let (server, _, _) = reading();
    let other = server.engine.get(&server.tag(3), server.newest().size);
    let Answer::Found { proof, .. } = other else { panic!("a cell") };
    let (alarms, events) = bent_get(|_| Answer::None { colliding: vec![proof.clone()] });
    assert_eq!((alarms, events), (vec!["L15".to_owned()], Vec::new()));

    // Nor does the very tag that is said to be absent.
    let (alarms, events) = bent_get(|answer| match answer {
        Answer::Found { proof, .. } => Answer::None { colliding: vec![proof] },
        answer => answer,
    });
    assert_eq!((alarms, events), (vec!["L15".to_owned()], Vec::new()));
}

#[test]
fn a_cell_that_stands_in_another_tick_than_the_listed_one_does_not_count() {
    let (mut server, mut ada, tag) = reading();
    ada.cells.get(tag, Some(1), lane(2));
    for _ in 0..3 {
        ada.run(&mut server);
        ada.now_ms = ada.cells.next_deadline(ada.now_ms).expect("it is asked for again");
    }
    assert_eq!(ada.cell_events, [CellEvent::Withheld { owner: lane(2), tag, tries: 3 }]);
    assert_eq!(ada.alarms(), [""; 0]);
}

#[test]
fn l14_an_answer_of_another_kind() {
    let (alarms, events) = bent_get(|_| Answer::Streaming);
    assert_eq!((alarms, events), (vec!["L14".to_owned()], Vec::new()));
}
