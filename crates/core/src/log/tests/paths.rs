//! The ways to the newest head.

use crate::log::rig::{Client, Purpose, START_MS, Server};
use crate::log::{Ask, Foreign, LogEvent};
use ed25519_dalek::SigningKey;
use undertone_server_core::{Config, Keys};
use undertone_wire::{Answer, DigestPage, HeadRef, Refusal, RefusalKind, Request};

#[test]
fn a_new_profile_adopts_the_newest_head_and_follows_from_there() {
    let mut server = Server::new();
    server.ticks(1, 5);
    let mut ada = Client::new(server.id());
    assert!(!ada.log.caught_up());
    ada.connect(&mut server);
    assert_eq!(ada.log.head(), Some(server.newest()));
    assert!(ada.log.caught_up());
    assert_eq!(ada.first_listing(server.tag(3).prefix()), None, "that was before her time");

    let tick = server.tick(&[100, 101]);
    ada.run(&mut server);
    assert_eq!(ada.log.walked(), tick);
    assert_eq!(ada.first_listing(server.tag(101).prefix()), Some(tick));
    assert!(ada.events.contains(&LogEvent::CaughtUp { tick: 5 }));
    assert!(ada.events.contains(&LogEvent::Walked { tick }));
}

#[test]
fn a_new_profile_on_an_empty_server_begins_at_the_beginning() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    assert_eq!(ada.log.walked(), 0);
    assert!(ada.log.caught_up());
    let tick = server.tick(&[7]);
    ada.run(&mut server);
    assert_eq!(ada.first_listing(server.tag(7).prefix()), Some(tick));
    assert_eq!(ada.log.head_at(0).map(|head| head.size), Some(0));
}

#[test]
fn nothing_counts_as_caught_up_before_the_newest_head_is_walked_to() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    ada.disconnect();
    server.ticks(1, 10);
    ada.log.connected();
    assert!(!ada.log.caught_up());
    ada.connect(&mut server);
    assert!(ada.log.caught_up());
    assert_eq!(ada.log.head(), Some(server.newest()));
    assert_eq!(ada.first_listing(server.tag(10).prefix()), Some(10));
}

#[test]
fn a_profile_goes_on_after_a_restart_where_it_was() {
    let mut server = Server::new();
    server.ticks(1, 3);
    let mut ada = Client::of(&mut server);
    server.ticks(10, 40);
    ada.run(&mut server);
    let (head, time_ms) = (ada.log.head(), ada.log.time_of(20));
    ada.restart(server.id());
    assert_eq!(ada.log.head(), head);
    assert_eq!(ada.log.time_of(20), time_ms);
    server.ticks(100, 3);
    ada.connect(&mut server);
    assert_eq!(ada.log.head(), Some(server.newest()));
    for number in (10..50).chain(100..103) {
        assert!(ada.first_listing(server.tag(number).prefix()).is_some());
    }
}

/// A day of one tick every two seconds, in which the device was away.
fn long_absence() -> (Server, Client) {
    let mut server = Server::new();
    server.tick(&[1]);
    server.now_ms = START_MS + 10_000 - 40;
    server.tick(&[2]);
    let ada = Client::of(&mut server);
    for number in 10..2_000 {
        server.now_ms += 1_980;
        server.tick(&[number]);
    }
    (server, ada)
}

#[test]
fn a_long_absence_is_caught_up_by_segments_and_finds_the_same() {
    let (mut server, mut ada) = long_absence();
    ada.connect(&mut server);
    assert_eq!(ada.alarms(), [""; 0]);
    assert_eq!(ada.log.head(), Some(server.newest()));
    for number in 10..2_000 {
        let found = ada.first_listing(server.tag(number).prefix());
        assert_eq!(found, Some(number - 7), "cell {number}");
    }
    let digests = ada.asked.iter().filter(|request| matches!(request, Request::Digest { .. }));
    assert!(digests.count() > 1, "segments were asked for");
    assert_eq!(ada.log.head_at(5), None, "a segment shows no heads of its ticks");
    ada.restart(server.id());
    assert_eq!(ada.first_listing(server.tag(1_234).prefix()), Some(1_227));
}

#[test]
fn the_head_of_a_skipped_tick_comes_on_demand_with_its_proof() {
    let (mut server, mut ada) = long_absence();
    let honest = server.page(5).ticks[0].time_ms;
    ada.connect(&mut server);
    ada.log.want_head_at(5);
    ada.run(&mut server);
    assert!(ada.events.contains(&LogEvent::HeadAt { tick: 5 }));
    assert_eq!(ada.log.time_of(5), Some(honest));
    ada.restart(server.id());
    assert_eq!(ada.log.time_of(5), Some(honest), "it is kept");
}

#[test]
fn a_head_that_the_server_will_not_show_is_asked_for_once_a_connection() {
    let (mut server, mut ada) = long_absence();
    ada.connect(&mut server);
    let denied = |request: &Request, answer| match request {
        Request::Proof { to_tick: 5, .. } => refused(RefusalKind::Expired),
        _ => answer,
    };
    let said = |ada: &Client| {
        ada.events.iter().filter(|it| **it == LogEvent::NoHeadAt { tick: 5 }).count()
    };
    for _ in 0..5 {
        ada.log.want_head_at(5);
        ada.run_bent(&mut server, &mut { denied });
    }
    assert_eq!(said(&ada), 1);
    ada.connect(&mut server);
    ada.log.want_head_at(5);
    ada.run(&mut server);
    assert!(ada.events.contains(&LogEvent::HeadAt { tick: 5 }));
}

#[test]
fn asking_for_heads_without_end_stays_bounded() {
    let (mut server, mut ada) = long_absence();
    ada.connect(&mut server);
    (3..1_500).for_each(|tick| ada.log.want_head_at(tick));
    ada.log.want_head_at(u64::MAX);
    ada.collect();
    ada.events.clear();
    ada.run(&mut server);
    let heads = ada.events.iter().filter(|it| matches!(it, LogEvent::HeadAt { .. })).count();
    assert!((1..=257).contains(&heads), "{heads}");
}

#[test]
fn a_head_named_by_others_is_judged_although_a_segment_skips_its_tick() {
    let (mut server, mut ada) = long_absence();
    assert_eq!(ada.log.check_foreign(&server.shown(6, 9, [7; 32])), Some(Foreign::Ahead));
    ada.connect(&mut server);
    assert_eq!(ada.alarms(), ["L13"]);
}

#[test]
fn a_joiner_walks_again_from_the_opening_head() {
    let mut server = Server::new();
    server.ticks(1, 3);
    let opening = server.newest();
    server.ticks(4, 3_000);
    let mut chloe = Client::of(&mut server);
    server.tick(&[9_000]);
    chloe.run(&mut server);
    assert_eq!(chloe.first_listing(server.tag(4).prefix()), None);

    chloe.log.rewind(opening);
    chloe.log.retain_from(server.newest().tick);
    chloe.run(&mut server);
    assert!(chloe.events.contains(&LogEvent::Rewound { opening }));
    assert_eq!(chloe.log.retained_from(), 3);
    assert_eq!(chloe.log.head_at(3), Some(opening));
    for number in (4..3_004).chain([9_000]) {
        assert!(chloe.first_listing(server.tag(number).prefix()).is_some());
    }
    assert_eq!(chloe.first_listing(server.tag(3).prefix()), None, "before the opening");
    chloe.restart(server.id());
    assert_eq!(chloe.first_listing(server.tag(4).prefix()), Some(4));
}

#[test]
fn a_rewind_to_the_beginning_asks_for_no_head() {
    let mut server = Server::new();
    let opening = server.newest();
    server.ticks(1, 20);
    let mut chloe = Client::of(&mut server);
    chloe.log.rewind(opening);
    chloe.run(&mut server);
    assert_eq!(chloe.first_listing(server.tag(1).prefix()), Some(1));
}

#[test]
fn a_rewind_to_a_head_that_the_log_does_not_have_fails() {
    let mut server = Server::new();
    server.ticks(1, 10);
    let mut chloe = Client::of(&mut server);
    let opening = HeadRef { tick: 4, size: 4, root: [9; 32] };
    chloe.log.rewind(opening);
    chloe.run(&mut server);
    assert_eq!(chloe.events, [LogEvent::RewindFailed { opening, expired: false }]);
    assert!(!chloe.log.halted(), "a Welcome may lie; that is not the server's doing");
}

#[test]
fn a_rewind_waits_until_others_that_lead_nowhere_have_ended() {
    let mut server = Server::new();
    server.ticks(1, 3);
    let opening = server.newest();
    server.ticks(4, 5);
    let mut chloe = Client::of(&mut server);
    let mut fakes = (0..65).map(|at| HeadRef { tick: 2, size: 2, root: [at; 32] });
    assert!(fakes.all(|fake| chloe.log.rewind(fake)));
    assert!(!chloe.log.rewind(opening), "one is under way, sixty-four wait");
    chloe.run(&mut server);
    assert!(chloe.log.rewind(opening));
    chloe.run(&mut server);
    assert!(chloe.events.contains(&LogEvent::Rewound { opening }));
}

#[test]
fn an_interrupted_rewind_is_taken_up_after_the_next_connection() {
    let mut server = Server::new();
    server.ticks(1, 2);
    let opening = server.newest();
    server.ticks(3, 5);
    let mut chloe = Client::of(&mut server);
    chloe.log.rewind(opening);
    chloe.connect(&mut server);
    assert!(chloe.events.contains(&LogEvent::Rewound { opening }));
}

#[test]
fn a_stream_that_breaks_off_goes_on_where_it_stopped() {
    let mut server = Server::new();
    server.ticks(1, 2);
    let mut ada = Client::of(&mut server);
    ada.connect(&mut server);
    server.ticks(10, 3);
    ada.run(&mut server);
    let next = server.newest().tick + 1;
    ada.take(Purpose::Log(Ask::Stream), refused(RefusalKind::Storage));
    assert!(ada.log.is_stalled());
    ada.asked.clear();
    ada.log.retry();
    ada.run(&mut server);
    assert_eq!(ada.asked, [Request::Stream { from: next }]);
    assert_eq!(ada.alarms(), [""; 0]);
    // The end of a stream that was left for another question is nobody's answer.
    ada.log.disconnected();
    ada.take(Purpose::Log(Ask::Stream), refused(RefusalKind::Future));
    assert_eq!(ada.alarms(), [""; 0]);
    ada.connect(&mut server);
    ada.take(Purpose::Log(Ask::Stream), Answer::Streaming);
    assert_eq!(ada.alarms(), ["L14"]);
}

#[test]
fn a_busy_server_is_asked_again() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    ada.connect_bent(&mut server, &mut |request, answer| match request {
        Request::Proof { .. } => refused(RefusalKind::Busy),
        _ => answer,
    });
    assert!(ada.log.is_stalled());
    assert!(!ada.log.caught_up());
    ada.log.retry();
    ada.run(&mut server);
    assert!(!ada.log.is_stalled());
    assert!(ada.log.caught_up());
}

/// The newest head once more, as a quiet server shows it.
fn heartbeat(server: &Server) -> DigestPage {
    DigestPage { ticks: Vec::new(), head: server.engine.newest() }
}

fn busy_for(tick: u64) -> impl FnMut(&Request, Answer) -> Answer {
    move |request, answer| match request {
        Request::Proof { to_tick, .. } if *to_tick == tick => refused(RefusalKind::Busy),
        _ => answer,
    }
}

#[test]
fn a_head_for_which_a_quiet_server_was_too_busy_is_asked_for_again() {
    for by_heartbeat in [true, false] {
        let (mut server, mut ada) = long_absence();
        ada.connect(&mut server);
        ada.log.want_head_at(5);
        ada.run_bent(&mut server, &mut busy_for(5));
        assert!(ada.log.is_stalled());
        if by_heartbeat {
            ada.push(heartbeat(&server));
        } else {
            ada.log.retry();
        }
        ada.run(&mut server);
        assert!(ada.events.contains(&LogEvent::HeadAt { tick: 5 }));
        assert!(!ada.log.is_stalled());
    }
}

#[test]
fn a_rewind_for_which_a_quiet_server_was_too_busy_is_begun_again() {
    for by_heartbeat in [true, false] {
        let mut server = Server::new();
        server.ticks(1, 3);
        let opening = server.newest();
        server.ticks(4, 5);
        let mut chloe = Client::of(&mut server);
        chloe.log.rewind(opening);
        chloe.run_bent(&mut server, &mut busy_for(3));
        assert!(chloe.log.is_stalled());
        if by_heartbeat {
            chloe.push(heartbeat(&server));
        } else {
            chloe.log.retry();
        }
        chloe.run(&mut server);
        assert!(chloe.events.contains(&LogEvent::Rewound { opening }));
        assert!(!chloe.log.is_stalled());
    }
}

#[test]
fn what_is_older_than_the_retention_is_lost_and_said_so() {
    let mut server = Server::new();
    server.ticks(1, 2);
    let mut ada = Client::of(&mut server);
    server.now_ms += 31 * 86_400_000;
    server.ticks(10, 400);
    ada.connect_bent(&mut server, &mut |request, answer| match request {
        Request::Digest { .. } => refused(RefusalKind::Expired),
        _ => answer,
    });
    let lost = LogEvent::Lost { after: 2, until: 402 };
    assert!(ada.events.contains(&lost), "{:?}", ada.events);
    assert!(ada.log.caught_up());
}

#[test]
fn walking_goes_on_at_the_oldest_tick_that_the_server_has() {
    let mut server = Server::new();
    server.ticks(1, 2);
    let mut ada = Client::of(&mut server);
    server.ticks(10, 400);
    ada.connect_bent(&mut server, &mut |request, answer| match (request, answer) {
        (Request::Digest { from: ..100, .. }, _) => refused(RefusalKind::Expired),
        (_, Answer::Info(mut info)) => {
            info.oldest_tick = 100;
            Answer::Info(info)
        }
        (_, answer) => answer,
    });
    assert_eq!(ada.alarms(), [""; 0]);
    assert!(ada.events.contains(&LogEvent::Lost { after: 2, until: 100 }), "{:?}", ada.events);
    assert_eq!(ada.first_listing(server.tag(10).prefix()), None);
    assert_eq!(ada.first_listing(server.tag(200).prefix()), Some(193));
}

#[test]
fn a_server_that_calls_its_newest_head_too_old_is_not_asked_for_ever() {
    let mut server = Server::new();
    server.ticks(1, 2);
    let mut ada = Client::of(&mut server);
    ada.connect_bent(&mut server, &mut |request, answer| match request {
        Request::Stream { .. } => refused(RefusalKind::Expired),
        _ => answer,
    });
    assert_eq!(ada.alarms(), ["L14"]);
}

#[test]
fn a_log_too_old_for_a_proof_is_left_only_if_it_is_that_old() {
    let mut server = Server::new();
    server.ticks(1, 2);
    let mut ada = Client::of(&mut server);
    server.ticks(10, 5);
    let mut too_old = |request: &Request, answer| match request {
        Request::Proof { from_size: 1.., .. } => refused(RefusalKind::Expired),
        _ => answer,
    };
    ada.connect_bent(&mut server, &mut too_old);
    assert_eq!(ada.alarms(), ["L14"], "the word would hide a rollback");

    server.now_ms += 31 * 86_400_000;
    server.ticks(20, 5);
    ada.events.clear();
    ada.connect_bent(&mut server, &mut too_old);
    assert_eq!(ada.alarms(), [""; 0]);
    assert!(ada.events.contains(&LogEvent::Lost { after: 2, until: 12 }), "{:?}", ada.events);
    assert!(ada.log.caught_up());
}

#[test]
fn a_declared_recovery_is_followed_and_said_so() {
    let mut server = Server::new();
    server.ticks(1, 4);
    let mut ada = Client::of(&mut server);
    server.ticks(5, 4);
    ada.run(&mut server);
    assert_eq!(ada.log.walked(), 8);

    // The same server from a backup made after tick 6.
    let mut restored = Server::new();
    restored.ticks(1, 6);
    let store = restored.engine.store().reopen();
    let config = Config { recovered_after: Some(6), ..Config::new(Keys::first(key())) };
    let mut restored = Server::over(store, config, key(), server.now_ms + 1_000);
    restored.ticks(50, 1);
    ada.connect(&mut restored);
    assert_eq!(ada.alarms(), [""; 0]);
    assert!(
        ada.events.contains(&LogEvent::Recovered { after: 6, until: server.now_ms + 1_000 }),
        "{:?}",
        ada.events
    );
    assert_eq!(ada.log.head(), Some(restored.newest()));
    assert_eq!(ada.first_listing(server.tag(7).prefix()), None, "undone");
    assert_eq!(ada.first_listing(server.tag(6).prefix()), Some(6));

    // Followed once; the same declaration does not excuse another step back.
    restored.ticks(60, 2);
    ada.run(&mut restored);
    ada.events.clear();
    ada.restart(server.id());
    ada.connect(&mut restored);
    assert_eq!(ada.alarms(), [""; 0]);
    assert!(!ada.events.iter().any(|event| matches!(event, LogEvent::Recovered { .. })));
}

#[test]
fn a_server_of_another_age_is_said_so() {
    let mut server = Server::new();
    let mut ada = Client::new(server.id());
    ada.connect_bent(&mut server, &mut |_, answer| match answer {
        Answer::Info(mut info) => {
            (info.version_lowest, info.version_highest) = (7, 9);
            Answer::Info(info)
        }
        answer => answer,
    });
    assert_eq!(ada.events, [LogEvent::VersionUnsupported { lowest: 7, highest: 9 }]);
    assert!(!ada.log.caught_up());
}

#[test]
fn a_key_named_by_the_old_one_is_followed() {
    let mut server = Server::new();
    server.ticks(1, 3);
    let mut ada = Client::of(&mut server);
    let next = SigningKey::from_bytes(&[9; 32]);
    let keys = Keys::first(key()).succeed(next.clone(), 4);
    let store = server.engine.store().reopen();
    let mut renewed = Server::over(store, Config::new(keys), next, server.now_ms);
    renewed.ticks(10, 2);
    ada.connect(&mut renewed);
    assert_eq!(ada.alarms(), [""; 0]);
    assert_eq!(ada.log.head(), Some(renewed.newest()));
    ada.restart(server.id());
    ada.connect(&mut renewed);
    assert!(ada.log.caught_up());
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn refused(kind: RefusalKind) -> Answer {
    Answer::Refused(Refusal { kind, message: Vec::new().into() })
}
