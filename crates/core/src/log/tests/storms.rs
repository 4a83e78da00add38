//! Crashes at every answer, and answers with a byte turned over.

use crate::cells::{CellEvent, Owner, Put};
use crate::ids::ChatId;
use crate::log::rig::{self, Client, START_MS, Server};
use proptest::prelude::*;
use undertone_wire::{Answer, Refusal, RefusalKind, decode, encode};

/// A server on which a device, two segments and some ticks behind, has one cell to store.
fn behind() -> (Server, Client) {
    let mut server = Server::new();
    server.now_ms = START_MS + 9_000;
    server.tick(&[1]);
    let mut ada = Client::of(&mut server);
    server.now_ms = START_MS + 10_000;
    server.ticks(10, 40);
    server.now_ms = START_MS + 25_000;
    server.ticks(100, 300);
    let owner = Owner::Link { link: [1; 16], post: crate::link::Post::Offer, index: None };
    let (tag, write, cell) = (server.tag(7), rig::write_key(7), rig::cell(7));
    ada.cells.put(Put { tag, write, cell, owner, after: Vec::new() });
    ada.collect();
    (server, ada)
}

fn want_two(ada: &mut Client, server: &Server) {
    for number in [15, 120] {
        let owner = Owner::Lane { chat: ChatId([1; 16]), epoch: 0, leaf: 0, slot: number };
        ada.cells.get(server.tag(number), honest_tick(server, number), owner);
    }
}

/// The tick of a cell that [`behind`] stored.
fn honest_tick(server: &Server, number: u64) -> Option<u64> {
    let Answer::Found { proof, .. } = server.engine.get(&server.tag(number), 0) else {
        return None;
    };
    Some(proof.leaf.tick)
}

/// Whatever the device believes is so.
fn assert_believes_the_truth(ada: &Client, server: &Server) {
    let head = ada.log.head().expect("it began with one");
    let honest = server.page(head.tick).ticks[0].tick;
    assert_eq!(honest, head.tick);
    let Answer::Proof(proof) = server.engine.proof(0, head.tick) else { panic!("a proof") };
    assert_eq!(proof.head.head.to_ref(), head);
    for number in (10..50).chain(100..400) {
        let honest = honest_tick(server, number).filter(|tick| *tick <= head.tick);
        let honest = honest.filter(|tick| *tick > ada.log.retained_from());
        assert_eq!(ada.first_listing(server.tag(number).prefix()), honest, "cell {number}");
    }
    for event in &ada.cell_events {
        if let CellEvent::Got { owner: Owner::Lane { slot, .. }, cell, .. } = event {
            assert!(*cell == rig::cell(*slot));
        }
    }
}

#[test]
fn a_crash_after_any_answer_loses_nothing() {
    for survived in 0..14 {
        let (mut server, mut ada) = behind();
        want_two(&mut ada, &server);
        let mut answered = 0;
        ada.connect_bent(&mut server, &mut |_, answer| {
            answered += 1;
            let busy = Refusal { kind: RefusalKind::Busy, message: Vec::new().into() };
            if answered > survived { Answer::Refused(busy) } else { answer }
        });
        ada.restart(server.id());
        ada.connect(&mut server);
        assert_eq!(ada.alarms(), [""; 0]);
        assert!(ada.log.caught_up());
        assert_eq!(ada.log.head(), Some(server.newest()));
        assert_believes_the_truth(&ada, &server);
        let tag = server.tag(7);
        assert!(ada.cells.stored_cell(&tag).is_some());
        assert_eq!(ada.first_listing(tag.prefix()), honest_tick(&server, 7));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_byte_turned_over_is_noticed_or_does_no_harm(
        which in 0_usize..14,
        place in 0.0_f64..1.0,
        mask in 1_u8..=255,
    ) {
        let (mut server, mut ada) = behind();
        want_two(&mut ada, &server);
        let mut answered = 0;
        ada.connect_bent(&mut server, &mut |_, answer| {
            answered += 1;
            if answered == which + 1 { turn_over(&answer, place, mask) } else { answer }
        });
        assert_believes_the_truth(&ada, &server);
        let noticed = !ada.alarms().is_empty();
        prop_assert_eq!(ada.log.halted(), noticed);
    }
}

/// The answer with one byte changed, where that is still an answer.
fn turn_over(answer: &Answer, place: f64, mask: u8) -> Answer {
    let mut bytes = encode(answer);
    let at = (bytes.len() as f64 * place) as usize;
    bytes[at] ^= mask;
    decode(&bytes).unwrap_or_else(|_| answer.clone())
}
