//! Servers that were restored from a backup, and those that only say so.

use crate::log::rig::{Client, START_MS, Server, write_key};
use crate::log::{Foreign, Hole, LogEvent};
use ed25519_dalek::SigningKey;
use undertone_server_core::{Config, Keys, Memory};
use undertone_wire::{Answer, Head, Prefix, TickDigest};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

/// A server with `ticks` ticks that was restored at `now_ms`.
fn restored(ticks: u64, now_ms: u64) -> Server {
    let mut before = Server::new();
    before.ticks(1, ticks);
    let store: Memory = before.engine.store().reopen();
    let config = Config { recovered_after: Some(ticks), ..Config::new(Keys::first(key())) };
    Server::over(store, config, key(), now_ms)
}

/// A day after the first tick.
const LATER_MS: u64 = START_MS + 86_400_000;

/// Ada has walked eight ticks, of which six survive.
fn ada_and_the_past() -> (Client, Server) {
    let mut server = Server::new();
    server.ticks(1, 4);
    let mut ada = Client::of(&mut server);
    server.ticks(5, 4);
    ada.run(&mut server);
    assert_eq!(ada.log.walked(), 8);
    (ada, server)
}

#[test]
fn whoever_was_away_walks_over_the_hole_and_remembers_it() {
    let mut server = Server::new();
    server.ticks(1, 4);
    let mut ben = Client::of(&mut server);
    let mut server = restored(6, LATER_MS);
    server.ticks(20, 3);
    ben.connect(&mut server);
    assert_eq!(ben.alarms(), [""; 0]);
    assert!(ben.events.contains(&LogEvent::Recovered { after: 6, until: LATER_MS }));
    assert_eq!(ben.log.head(), Some(server.newest()));
    let hole = Hole { after: 6, until: LATER_MS, time_ms: LATER_MS };
    ben.restart(server.id());
    assert_eq!(ben.log.holes(), [hole]);
    ben.connect(&mut server);
    assert_eq!((ben.alarms(), ben.log.caught_up()), (vec![], true));
}

#[test]
fn heads_of_the_undone_time_are_judged_by_what_was_seen_of_it() {
    let (mut ada, past) = ada_and_the_past();
    let seen = past.engine.newest();
    let mut server = restored(6, LATER_MS);
    ada.connect(&mut server);
    assert_eq!(ada.log.check_foreign(&seen), Some(Foreign::Consistent));
    // Ben saw one tick more before the end; nobody can tell whether that is true.
    let unseen = Head { tick: 9, ..seen.head.clone() }.sign(&key());
    assert_eq!(ada.log.check_foreign(&unseen), Some(Foreign::Unknown));
    assert_eq!(ada.alarms(), [""; 0]);
    let other = Head { root: [9; 32], ..seen.head }.sign(&key());
    assert_eq!(ada.log.check_foreign(&other), Some(Foreign::Conflict));
    ada.collect();
    assert_eq!(ada.alarms(), ["L13"]);
}

#[test]
fn a_head_that_waited_for_a_tick_that_never_comes_is_dropped() {
    let (mut ada, past) = ada_and_the_past();
    let unseen = Head { tick: 9, ..past.engine.newest().head }.sign(&key());
    assert_eq!(ada.log.check_foreign(&unseen), Some(Foreign::Ahead));
    ada.collect();
    let mut server = restored(6, LATER_MS);
    server.ticks(30, 4);
    ada.connect(&mut server);
    ada.restart(server.id());
    ada.connect(&mut server);
    assert_eq!((ada.alarms(), ada.log.caught_up()), (vec![], true));
    assert_eq!(ada.log.check_foreign(&unseen), Some(Foreign::Unknown));
}

#[test]
fn one_backup_may_be_restored_twice() {
    let (mut ada, _) = ada_and_the_past();
    let mut second = restored(6, LATER_MS);
    second.ticks(30, 4);
    ada.connect(&mut second);
    let mut third = restored(6, LATER_MS + 3_600_000);
    third.ticks(40, 1);
    ada.events.clear();
    ada.connect(&mut third);
    assert_eq!(ada.alarms(), [""; 0]);
    let until = LATER_MS + 3_600_000;
    assert!(ada.events.contains(&LogEvent::Recovered { after: 6, until }), "{:?}", ada.events);
    assert_eq!(ada.log.head(), Some(third.newest()));
    assert_eq!(ada.first_listing(third.tag(30).prefix()), None, "undone with the second life");
}

#[test]
fn a_fork_of_one_life_is_no_recovery() {
    let (mut ada, _) = ada_and_the_past();
    let mut server = restored(6, LATER_MS);
    server.ticks(30, 4);
    ada.connect(&mut server);
    let mut fork = restored(6, LATER_MS);
    fork.ticks(50, 9);
    ada.events.clear();
    ada.connect(&mut fork);
    assert_eq!(ada.alarms(), ["L04"], "the numbers of that life were seen already");
    assert!(!ada.log.caught_up());
}

#[test]
fn a_jump_that_no_head_declares_is_a_breach() {
    let mut server = Server::new();
    server.ticks(1, 4);
    let mut ada = Client::of(&mut server);
    let mut page = server.page(4);
    page.ticks[0].tick = 90;
    let forged = server.forge_after(4, page, None);
    ada.push(forged);
    assert_eq!(ada.alarms(), ["L04"]);
}

#[test]
fn a_declared_jump_must_go_to_the_number_of_its_time() {
    for (tick, breach) in [(5, true), (LATER_MS + 1, true), (LATER_MS, false)] {
        let mut server = Server::new();
        server.ticks(1, 4);
        let mut ada = Client::of(&mut server);
        let mut page = server.page(4);
        (page.ticks[0].tick, page.ticks[0].time_ms) = (tick, LATER_MS);
        ada.push(server.forge_after(4, page, Some(4)));
        assert_eq!(!ada.alarms().is_empty(), breach, "{tick}: {:?}", ada.alarms());
    }
}

#[test]
fn what_an_old_receipt_proves_is_known_to_all() {
    let (mut ada, mut past) = ada_and_the_past();
    let put = undertone_wire::Request::Put {
        tag: past.tag(77),
        write: write_key(77),
        cell: crate::log::rig::cell(77),
        token: undertone_wire::Token::new(Vec::new()),
    };
    let Answer::Stored(receipt) = past.answer(&put) else { panic!("it is stored") };
    let (tag, hash) = (past.tag(77), crate::log::rig::cell(77).hash());
    let mut server = restored(6, LATER_MS);
    assert_eq!(ada.log.origin(&receipt, &tag, hash, LATER_MS), Ok(None), "no recovery yet");
    ada.connect(&mut server);
    assert_eq!(ada.log.origin(&receipt, &tag, hash, LATER_MS), Ok(Some(9)));
    assert_eq!(ada.log.head_at(9), Some(receipt.head.head.to_ref()));
    assert_eq!(ada.log.origin(&receipt, &tag, hash, LATER_MS - 1), Ok(None), "not yet then");
    assert_eq!(ada.log.origin(&receipt, &past.tag(78), hash, LATER_MS), Ok(None));
    let mut unsigned = receipt.clone();
    unsigned.head.signature[0] ^= 1;
    assert_eq!(ada.log.origin(&unsigned, &tag, hash, LATER_MS), Ok(None));
    assert_eq!(ada.alarms(), [""; 0]);
}

#[test]
fn a_receipt_of_a_tick_that_survived_proves_nothing_new() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    server.ticks(1, 6);
    ada.run(&mut server);
    let prefix: Prefix = server.tag(6).prefix();
    let mut later = restored(6, LATER_MS);
    ada.connect(&mut later);
    assert_eq!(ada.first_listing(prefix), Some(6));
    let listed: Vec<TickDigest> = later.page(6).ticks;
    assert_eq!(listed.len(), 1, "a page ends where a life does");
}
