//! The outbox.

use super::{lane, refused, sealed};
use crate::cells::{CellEvent, Owner, Put, PutState};
use crate::ids::ChatId;
use crate::log::rig::{self, Client, Server};
use undertone_wire::{Answer, Cell, RefusalKind, Request};

#[test]
fn a_cell_is_stored_and_the_receipt_counts() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    assert!(ada.cells.put(sealed(&server, 5)));
    ada.run(&mut server);
    let tag = server.tag(5);
    let stored = CellEvent::Stored { owner: lane(5), tag, tick: 1 };
    assert_eq!(ada.cell_events, [stored]);
    assert_eq!(ada.cells.put_state(&tag), Some(PutState::Stored(1)));
    assert_eq!(ada.first_listing(tag.prefix()), Some(1));
    ada.restart(server.id());
    assert_eq!(ada.cells.put_state(&tag), Some(PutState::Stored(1)), "known after a restart");
    assert_eq!(ada.cells.stored_cell(&tag), Some(rig::cell(5)));
    ada.cells.forget(&tag);
    ada.collect();
    ada.restart(server.id());
    assert_eq!(ada.cells.put_state(&tag), None);
}

#[test]
fn nothing_leaves_before_the_newest_head_is_walked_to() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    ada.cells.put(sealed(&server, 5));
    ada.disconnect();
    assert!(ada.cells.poll_request(ada.now_ms, &ada.log).is_none());
    ada.log.connected();
    assert!(ada.cells.poll_request(ada.now_ms, &ada.log).is_none(), "not walked yet");
    ada.connect(&mut server);
    let is_put = |request: &Request| matches!(request, Request::Put { .. });
    assert!(is_put(ada.asked.last().expect("requests")));
    assert_eq!(ada.asked.iter().filter(|request| is_put(request)).count(), 1);
}

#[test]
fn a_slot_is_sealed_once() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    assert!(ada.cells.put(sealed(&server, 5)));
    let again = Put { cell: rig::cell(6), ..sealed(&server, 5) };
    assert!(!ada.cells.put(again));
    ada.run(&mut server);
    assert_eq!(ada.cells.sealed_cell(&server.tag(5)), Some(rig::cell(5)));
}

fn put_cells(ada: &Client) -> Vec<Cell> {
    let cells = ada.asked.iter().filter_map(|request| match request {
        Request::Put { cell, .. } => Some(cell.clone()),
        _ => None,
    });
    cells.collect()
}

#[test]
fn a_retry_after_a_crash_sends_the_same_bytes_in_the_same_order() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    // Tags fall in another order than the cells were put in.
    let numbers = [9, 3, 7, 1, 8];
    for number in numbers {
        ada.cells.put(sealed(&server, number));
    }
    ada.collect();
    // Sent, and perhaps arrived: the device crashes before it hears of it.
    while ada.cells.poll_request(ada.now_ms, &ada.log).is_some() {}
    server.tick(&[9]);
    ada.restart(server.id());
    ada.connect(&mut server);
    assert_eq!(put_cells(&ada), numbers.map(rig::cell));
    let stored = ada.cell_events.iter().filter(|it| matches!(it, CellEvent::Stored { .. }));
    assert_eq!(stored.count(), 5, "equal bytes again are the same success");
}

#[test]
fn what_was_in_flight_is_sent_again_after_a_disconnection() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    ada.cells.put(sealed(&server, 5));
    assert!(ada.cells.poll_request(ada.now_ms, &ada.log).is_some());
    assert_eq!(ada.cells.put_state(&server.tag(5)), Some(PutState::InFlight));
    assert!(ada.cells.poll_request(ada.now_ms, &ada.log).is_none(), "not twice");
    ada.connect(&mut server);
    assert_eq!(put_cells(&ada), [rig::cell(5)]);
}

#[test]
fn the_servers_window_is_kept() {
    let mut server = Server::new();
    let mut ada = Client::new(server.id());
    ada.connect_bent(&mut server, &mut |_, answer| match answer {
        Answer::Info(mut info) => {
            info.puts_in_flight_max = 3;
            Answer::Info(info)
        }
        answer => answer,
    });
    for number in 0..10 {
        ada.cells.put(sealed(&server, number));
    }
    let flying = std::iter::from_fn(|| ada.cells.poll_request(ada.now_ms, &ada.log)).count();
    assert_eq!(flying, 3);
}

#[test]
fn a_parcels_head_waits_for_its_parts() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    let parcel = [4; 16];
    ada.cells.put(Put { after: vec![parcel], ..sealed(&server, 1) });
    for number in [2, 3] {
        ada.cells.put(Put { owner: Owner::Part { parcel }, ..sealed(&server, number) });
    }
    ada.collect();
    ada.restart(server.id());
    let mut held = None;
    ada.connect_bent(&mut server, &mut |request, answer| match request {
        Request::Put { cell, .. } if *cell == rig::cell(3) && held.is_none() => {
            held = Some(());
            refused(RefusalKind::Busy)
        }
        _ => answer,
    });
    assert_eq!(put_cells(&ada), [2, 3].map(rig::cell), "one part is not stored");
    ada.now_ms += 60_000;
    ada.run(&mut server);
    assert_eq!(put_cells(&ada), [2, 3, 3, 1].map(rig::cell));
}

#[test]
fn a_parcels_head_never_goes_where_a_part_was_taken() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    server.tick(&[2]);
    let parcel = [4; 16];
    let part = Put { owner: Owner::Part { parcel }, cell: rig::cell(99), ..sealed(&server, 2) };
    ada.cells.put(part);
    ada.cells.put(Put { after: vec![parcel], ..sealed(&server, 1) });
    ada.run(&mut server);
    assert!(matches!(ada.cell_events[..], [CellEvent::Taken { .. }]));
    assert_eq!(put_cells(&ada), [rig::cell(99)]);
    ada.restart(server.id());
    ada.connect(&mut server);
    assert_eq!(put_cells(&ada), [rig::cell(99)], "nor after a restart");
    assert!(matches!(ada.cell_events[..], [CellEvent::Taken { .. }]), "which says it again");
    assert_eq!(ada.cells.put_state(&server.tag(1)), Some(PutState::Waiting));
}

#[test]
fn a_lane_is_held_and_let_go() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    let chat = ChatId([1; 16]);
    ada.cells.hold_lane(chat, true);
    ada.cells.put(sealed(&server, 1));
    let control = Owner::Control { chat, epoch: 1, slot: 0 };
    ada.cells.put(Put { owner: control, ..sealed(&server, 2) });
    ada.run(&mut server);
    assert_eq!(put_cells(&ada), [rig::cell(2)]);
    ada.cells.hold_lane(chat, false);
    ada.run(&mut server);
    assert_eq!(put_cells(&ada), [2, 1].map(rig::cell));
}

#[test]
fn a_taken_slot_is_proved() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    server.tick(&[5]);
    ada.cells.put(Put { cell: rig::cell(77), ..sealed(&server, 5) });
    ada.run(&mut server);
    let tag = server.tag(5);
    let cell = rig::cell(5).hash();
    assert_eq!(ada.cell_events, [CellEvent::Taken { owner: lane(5), tag, cell, tick: 1 }]);
    let kept = ada.cells.put_state(&tag);
    assert_eq!(kept, Some(PutState::Refused), "it stays until its slot is read");
}

#[test]
fn a_server_that_cannot_now_is_asked_later_and_ever_more_slowly() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    ada.cells.put(sealed(&server, 5));
    let mut waits = Vec::new();
    for kind in [RefusalKind::Busy, RefusalKind::Storage, RefusalKind::Closing] {
        ada.run_bent(&mut server, &mut |request, answer| match request {
            Request::Put { .. } => refused(kind),
            _ => answer,
        });
        let next_ms = ada.cells.next_deadline(ada.now_ms).expect("a deadline");
        assert!(ada.cells.poll_request(next_ms - 1, &ada.log).is_none());
        waits.push(next_ms - ada.now_ms);
        ada.now_ms = next_ms;
    }
    assert!(waits.is_sorted_by(|a, b| a < b), "{waits:?}");
    assert_eq!(ada.cell_events, []);
    ada.run(&mut server);
    assert!(matches!(ada.cell_events[..], [CellEvent::Stored { .. }]));
    assert_eq!(ada.cells.next_deadline(ada.now_ms), None);
}

#[test]
fn what_the_server_will_never_store_is_said_and_kept() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    ada.cells.put(Put { write: rig::write_key(6), ..sealed(&server, 5) });
    ada.run(&mut server);
    let tag = server.tag(5);
    let kind = RefusalKind::WrongKey;
    assert_eq!(ada.cell_events, [CellEvent::Refused { owner: lane(5), tag, kind }]);
    assert_eq!(ada.cells.put_state(&tag), Some(PutState::Refused));
    assert!(ada.cells.poll_request(ada.now_ms, &ada.log).is_none());
}

/// A PUT whose answer is bent; the alarms that it gives.
fn alarms_of_put(bend: impl Fn(&mut Server, Answer) -> Answer) -> Vec<String> {
    let mut server = Server::new();
    let mut other = Server::new();
    other.tick(&[44, 45]);
    let mut ada = Client::of(&mut server);
    ada.cells.put(sealed(&server, 5));
    ada.run_bent(&mut server, &mut |request, answer| match request {
        Request::Put { .. } => bend(&mut other, answer),
        _ => answer,
    });
    assert_eq!(ada.cell_events, []);
    assert!(ada.cells.poll_request(ada.now_ms + 90_000, &ada.log).is_none(), "it has stopped");
    ada.alarms().into_iter().map(str::to_owned).collect()
}

#[test]
fn l15_a_receipt_for_another_cell() {
    let of_another = |other: &mut Server, _| {
        let put = sealed(other, 44);
        let token = Vec::new().into();
        other.answer(&Request::Put { tag: put.tag, write: put.write, cell: put.cell, token })
    };
    assert_eq!(alarms_of_put(of_another), ["L15"]);
}

#[test]
fn l15_a_receipt_with_a_bent_path() {
    let bent = |_: &mut Server, answer| match answer {
        Answer::Stored(mut receipt) => {
            receipt.leaf.cells_root[0] ^= 1;
            Answer::Stored(receipt)
        }
        answer => answer,
    };
    assert_eq!(alarms_of_put(bent), ["L15"]);
}

#[test]
fn l03_a_receipt_signed_by_somebody_else() {
    let bent = |_: &mut Server, answer| match answer {
        Answer::Stored(mut receipt) => {
            receipt.head.signature[0] ^= 1;
            Answer::Stored(receipt)
        }
        answer => answer,
    };
    assert_eq!(alarms_of_put(bent), ["L03"]);
}

#[test]
fn l08_a_receipt_from_another_log_is_found_out_when_its_tick_is_walked_to() {
    let mut server = Server::new();
    let mut fork = Server::new();
    fork.now_ms += 1_000;
    let mut ada = Client::of(&mut server);
    ada.cells.put(sealed(&server, 5));
    ada.run_bent(&mut server, &mut |request, answer| match request {
        Request::Put { .. } => fork.answer(request),
        _ => answer,
    });
    assert_eq!(ada.alarms(), ["L08"]);
    assert!(ada.log.evidence().is_some());
}

#[test]
fn l14_taken_by_the_very_cell_or_another_kind_of_answer() {
    let taken = |_: &mut Server, answer| match answer {
        Answer::Stored(receipt) => Answer::Taken { cell: rig::cell(5).hash(), receipt },
        answer => answer,
    };
    assert_eq!(alarms_of_put(taken), ["L14"]);
    assert_eq!(alarms_of_put(|_, _| Answer::Streaming), ["L14"]);
}

#[test]
fn l15_taken_by_a_cell_that_is_not_there() {
    let taken = |_: &mut Server, answer| match answer {
        Answer::Stored(receipt) => Answer::Taken { cell: rig::cell(6).hash(), receipt },
        answer => answer,
    };
    assert_eq!(alarms_of_put(taken), ["L15"]);
}
