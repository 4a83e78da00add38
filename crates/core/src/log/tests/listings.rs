//! What the listing answers, against a plain list.

use crate::log::rig::{Client, Server};
use crate::log::{HeadMark, listing::Listing, records, run::Run};
use proptest::prelude::*;
use std::collections::BTreeMap;
use undertone_wire::{Prefix, TickDigest};

#[test]
fn only_the_first_listing_counts_and_later_ones_can_be_asked_for() {
    let mut listing = Listing::default();
    let mut changes = BTreeMap::new();
    for (tick, prefix) in [(1, 7), (2, 8), (3, 7), (4, 7)] {
        listing.add(run(tick, &[prefix]), &mut changes);
    }
    assert_eq!(listing.first_after(Prefix(7), 0), Some(1));
    assert_eq!(listing.first_after(Prefix(7), 1), Some(3));
    assert_eq!(listing.first_after(Prefix(7), 4), None);
    assert_eq!(listing.first_after(Prefix(9), 0), None);
}

#[test]
fn one_tick_may_list_a_prefix_twice() {
    let mut listing = Listing::default();
    listing.add(run(1, &[7, 7, 8]), &mut BTreeMap::new());
    assert_eq!(listing.times_listed(Prefix(7), 1), 2);
    assert_eq!(listing.times_listed(Prefix(7), 2), 0);
    assert_eq!(listing.times_listed(Prefix(9), 1), 0);
}

#[test]
fn what_a_rewind_brings_replaces_nothing_above_the_floor() {
    let mut listing = Listing::default();
    let mut disk = BTreeMap::new();
    for tick in 1..=8 {
        listing.add(run(tick, &[tick]), &mut disk);
    }
    listing.retain_from(5, &mut disk);
    let again: Vec<Run> = (1..=6).map(|tick| run(tick, &[tick])).collect();
    let whole = again.into_iter().reduce(Run::merge).expect("six ticks");
    listing.prepend(
        HeadMark { tick: 0, time_ms: 0, size: 0, root: [0; 32] },
        vec![whole],
        &mut disk,
    );
    for listing in [&listing, &reload(&disk)] {
        for tick in 1..=8 {
            assert_eq!(listing.first_after(Prefix(tick), 0), Some(tick), "{tick}");
            assert_eq!(listing.times_listed(Prefix(tick), tick), 1, "{tick}");
        }
    }
}

#[test]
fn what_is_not_needed_any_more_leaves_the_disk() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    server.ticks(1, 2_000);
    ada.run(&mut server);
    let runs = |ada: &Client| ada.log_disk().keys().filter(|key| key.starts_with(b"run ")).count();
    assert!(runs(&ada) < 20, "{} runs of 2,000 ticks", runs(&ada));
    ada.log.retain_from(1_990);
    ada.collect();
    assert!(ada.log_disk().values().map(Vec::len).sum::<usize>() < 200_000);
    assert_eq!(ada.first_listing(server.tag(1_990).prefix()), None);
    assert_eq!(ada.first_listing(server.tag(1_991).prefix()), Some(1_991));
    assert!(ada.log.head_at(1_990).is_some(), "the head of the floor stays");
    let since: Vec<_> = ada.log.listed_since(1_998).map(|(_, tick)| tick).collect();
    assert_eq!(since.len(), 2);
}

#[test]
fn damaged_records_are_told_apart_from_newer_ones() {
    use crate::{log::LogFollower, stored::LoadError};
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    server.ticks(1, 9);
    ada.run(&mut server);
    for (key, bytes) in ada.log_disk() {
        let newer = [&[9], &bytes[1..]].concat();
        let loaded = LogFollower::load(server.id(), [(&key[..], &newer[..])]);
        assert_eq!(loaded.err(), Some(LoadError::Newer(9)));
        for end in 0..bytes.len() {
            let loaded = LogFollower::load(server.id(), [(&key[..], &bytes[..end])]);
            assert!(matches!(loaded.err(), Some(LoadError::Damaged(_))), "{end} bytes");
        }
    }
    let unknown = LogFollower::load(server.id(), [(&b"x"[..], &[1][..])]);
    assert!(matches!(unknown.err(), Some(LoadError::Damaged(_))));
}

fn run(tick: u64, prefixes: &[u64]) -> Run {
    let mut prefixes: Vec<_> = prefixes.iter().copied().map(Prefix).collect();
    prefixes.sort_unstable();
    let mark = HeadMark { tick, time_ms: tick * 20, size: tick, root: [0; 32] };
    let digest =
        TickDigest { closed: Vec::new(), tick, time_ms: tick * 20, cells_root: [0; 32], prefixes };
    Run::of_ticks(&[digest], vec![mark]).expect("one tick")
}

proptest! {
    #[test]
    fn runs_answer_as_a_plain_list_does(
        ticks in prop::collection::vec(prop::collection::vec(0_u64..12, 0..4), 1..120),
        floor in 0_u64..100,
        cut in 0_u64..130,
        after in 0_u64..130,
    ) {
        let mut listing = Listing::default();
        let mut disk = BTreeMap::new();
        let mut plain = Vec::new();
        for (prefixes, tick) in ticks.iter().zip(1..) {
            listing.add(run(tick, prefixes), &mut disk);
            plain.extend(prefixes.iter().map(|prefix| (Prefix(*prefix), tick)));
        }
        listing.retain_from(floor, &mut disk);
        listing.undo_after(cut, &mut disk);
        let floor = floor.min(cut);
        plain.retain(|(_, tick)| *tick > floor && *tick <= cut);
        let reloaded = reload(&disk);
        for listing in [&listing, &reloaded] {
            for prefix in (0..13).map(Prefix) {
                let wanted = plain.iter().filter(|(p, tick)| *p == prefix && *tick > after);
                let first = wanted.map(|(_, tick)| *tick).min();
                prop_assert_eq!(listing.first_after(prefix, after), first);
            }
            let mut since: Vec<_> = listing.since(after).collect();
            since.sort_unstable();
            let mut wanted: Vec<_> = plain.iter().copied().filter(|(_, t)| *t > after).collect();
            wanted.sort_unstable();
            prop_assert_eq!(since, wanted);
        }
    }
}

fn reload(disk: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Listing {
    let mut listing = Listing::default();
    for (key, bytes) in disk.iter().filter_map(|(key, bytes)| Some((key, bytes.as_ref()?))) {
        if key.starts_with(b"run ") {
            listing.restore_run(Run::from_record(bytes).expect("as written"));
        } else if key == b"floor" {
            listing.restore_floor(records::unversioned(bytes).expect("as written"));
        }
    }
    listing
}
