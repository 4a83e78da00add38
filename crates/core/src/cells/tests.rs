//! Cells against a real engine, and against a wire that lies.

mod colliding;
mod fetching;
mod putting;

use super::{Cells, Owner, Put};
use crate::ids::ChatId;
use crate::log::rig::{self, Client, Server};
use undertone_wire::{Answer, Refusal, RefusalKind, Tag};

fn lane(slot: u64) -> Owner {
    Owner::Lane { chat: ChatId([1; 16]), epoch: 1, leaf: 0, slot }
}

fn sealed(server: &Server, number: u64) -> Put {
    Put {
        tag: server.tag(number),
        write: rig::write_key(number),
        cell: rig::cell(number),
        owner: lane(number),
        after: Vec::new(),
    }
}

fn refused(kind: RefusalKind) -> Answer {
    Answer::Refused(Refusal { kind, message: Vec::new().into() })
}

/// A server with three ticks, the second of which lists cell 2, and a device that walked them.
fn reading() -> (Server, Client, Tag) {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    server.ticks(1, 3);
    ada.run(&mut server);
    ada.asked.clear();
    let tag = server.tag(2);
    (server, ada, tag)
}

#[test]
fn a_damaged_outbox_is_told_apart_from_a_newer_one() {
    use crate::stored::LoadError;
    let server = Server::new();
    let mut cells = Cells::default();
    cells.put(sealed(&server, 1));
    let (key, bytes) = cells.take_changes().remove(0);
    let bytes = bytes.expect("a record");
    assert!(Cells::load([(&key[..], &bytes[..])]).is_ok());
    let newer = [&[9], &bytes[1..]].concat();
    assert_eq!(Cells::load([(&key[..], &newer[..])]).err(), Some(LoadError::Newer(9)));
    for end in (0..bytes.len()).step_by(7) {
        let loaded = Cells::load([(&key[..], &bytes[..end])]);
        assert!(matches!(loaded.err(), Some(LoadError::Damaged(_))), "{end} bytes");
    }
    let loaded = Cells::load([(&key[..31], &bytes[..])]);
    assert!(matches!(loaded.err(), Some(LoadError::Damaged(_))));
}
