//! Every check of the log by its number, against a server that cheats with its real key.

use crate::log::rig::{Client, START_MS, Server};
use crate::log::{Foreign, LogEvent};
use ed25519_dalek::SigningKey;
use undertone_wire::{
    Answer, DigestPage, KeySuccession, Prefix, Request, SegmentEntry, SegmentLeaf, ServerKey,
    SignedHead, encode,
};

/// A device that follows a server which has five ticks, and the page of a sixth with two cells.
fn following() -> (Server, Client, DigestPage) {
    let mut server = Server::new();
    server.ticks(1, 5);
    let ada = Client::of(&mut server);
    server.tick(&[60, 61]);
    let page = server.page(6);
    (server, ada, page)
}

/// Pushes a page that must be a breach of this number; nothing of it may remain.
fn assert_breach(ada: &mut Client, page: DigestPage, number: &str) {
    let before = ada.log.head();
    ada.push(page);
    assert_eq!(ada.alarms(), [number]);
    assert!(ada.log.halted());
    assert!(!ada.log.caught_up());
    assert_eq!(ada.log.head(), before);
    assert_eq!(ada.log.poll_request(), None, "it has stopped");
}

fn bend_info(
    ada: &mut Client,
    server: &mut Server,
    mut bend: impl FnMut(&mut undertone_wire::Info),
) {
    ada.connect_bent(server, &mut |_, answer| match answer {
        Answer::Info(mut info) => {
            bend(&mut info);
            Answer::Info(info)
        }
        answer => answer,
    });
}

#[test]
fn l01_another_server_answers() {
    let ada = Server::new();
    let mut eve = Server::with_key(2);
    let mut client = Client::new(ada.id());
    client.connect(&mut eve);
    assert_eq!(client.alarms(), ["L01"]);

    // One that claims the pinned id, but has not its first key.
    let mut client = Client::new(ada.id());
    bend_info(&mut client, &mut eve, |info| info.server = ada.id());
    assert_eq!(client.alarms(), ["L01"]);
    assert_eq!(client.log.head(), None);
}

#[test]
fn l02_keys_that_nobody_named() {
    let (mut server, mut ada, _) = following();
    let thief = SigningKey::from_bytes(&[8; 32]);
    let next = ServerKey(thief.verifying_key().to_bytes());
    let forged = KeySuccession::sign(&thief, &server.id(), next, 3);
    bend_info(&mut ada, &mut server, |info| info.succession = vec![forged.clone()]);
    assert_eq!(ada.alarms(), ["L02"]);
}

#[test]
fn l02_a_succession_that_was_known_is_gone() {
    let (mut server, mut ada, _) = following();
    let other = SigningKey::from_bytes(&[8; 32]);
    let next = ServerKey(other.verifying_key().to_bytes());
    let named = KeySuccession::sign(&server.key, &server.id(), next, 1_000);
    bend_info(&mut ada, &mut server, |info| info.succession = vec![named.clone()]);
    assert_eq!(ada.alarms(), [""; 0]);
    ada.restart(server.id());
    ada.connect(&mut server);
    assert_eq!(ada.alarms(), ["L02"]);
}

#[test]
fn l03_a_head_signed_by_somebody_else() {
    let (_, mut ada, page) = following();
    let eve = SigningKey::from_bytes(&[2; 32]);
    let head = page.head.head.clone().sign(&eve);
    assert_breach(&mut ada, DigestPage { head, ..page }, "L03");
}

#[test]
fn l03_a_head_changed_after_signing() {
    let (_, mut ada, mut page) = following();
    page.head.head.time_ms += 1;
    assert_breach(&mut ada, page, "L03");
}

#[test]
fn l04_a_tick_is_missing() {
    let (mut server, mut ada, _) = following();
    server.tick(&[70]);
    assert_breach(&mut ada, server.page(7), "L04");
}

#[test]
fn l04_a_tick_is_replayed() {
    let (_, mut ada, page) = following();
    ada.push(page.clone());
    assert_eq!(ada.alarms(), [""; 0]);
    assert_breach(&mut ada, page, "L04");
}

#[test]
fn l04_ticks_are_reordered() {
    let (mut server, mut ada, _) = following();
    server.tick(&[70]);
    let mut page = server.page(6);
    page.ticks.swap(0, 1);
    assert_breach(&mut ada, page, "L04");
}

#[test]
fn l05_a_list_out_of_order() {
    let (_, mut ada, mut page) = following();
    page.ticks[0].prefixes.reverse();
    assert_breach(&mut ada, page, "L05");
}

#[test]
fn l06_time_runs_backwards() {
    let (_, mut ada, mut page) = following();
    page.ticks[0].time_ms = START_MS;
    assert_breach(&mut ada, page, "L06");
}

#[test]
fn l06_a_heartbeat_older_than_the_one_before() {
    let (server, mut ada, _) = following();
    ada.push(server.page(6));
    let newest = server.page(6).head;
    let at = |time_ms: u64| {
        let mut head = newest.clone();
        head.head.time_ms = time_ms;
        DigestPage { ticks: Vec::new(), head: server.sign(head) }
    };
    ada.push(at(START_MS + 9_000));
    assert_eq!(ada.log.time_ms(), START_MS + 9_000);
    assert_breach(&mut ada, at(START_MS + 8_000), "L06");
}

#[test]
fn l07_a_root_that_the_ticks_do_not_lead_to() {
    let (server, mut ada, mut page) = following();
    page.head.head.root = [3; 32];
    let other = page.head.head.to_ref();
    page.head = server.sign(page.head);
    assert_breach(&mut ada, page, "L07");
    let kept = ada.log.evidence().expect("two heads");
    assert_eq!(kept.other, (other.tick, other.size, other.root));
    let signed = kept.other_signed.as_ref().expect("the server signed it");
    let signed: SignedHead = undertone_wire::decode(signed).expect("a head");
    assert_eq!(signed.head.to_ref(), other);
}

#[test]
fn l07_a_cell_left_out_of_the_list() {
    let (_, mut ada, mut page) = following();
    page.ticks[0].prefixes.pop();
    assert_breach(&mut ada, page, "L07");
}

#[test]
fn l07_a_cell_put_into_the_list() {
    let (_, mut ada, mut page) = following();
    page.ticks[0].prefixes.push(Prefix(u64::MAX));
    assert_breach(&mut ada, page, "L07");
}

#[test]
fn l08_a_heartbeat_of_another_log() {
    let (server, mut ada, page) = following();
    ada.push(page.clone());
    let mut head = page.head;
    head.head.root = [3; 32];
    assert_breach(&mut ada, DigestPage { ticks: Vec::new(), head: server.sign(head) }, "L08");
    assert!(ada.log.evidence().is_some());
}

#[test]
fn l08_the_same_tick_with_another_root_after_a_new_connection() {
    let (_, mut ada, _) = following();
    let mut other = Server::new();
    other.ticks(21, 5);
    ada.connect(&mut other);
    assert_eq!(ada.alarms(), ["L08"]);
}

#[test]
fn l08_the_walk_does_not_lead_to_the_head_that_was_named() {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    server.ticks(1, 5);
    // Named: a fork of five ticks. Shown: the log of five other ticks.
    let mut fork = Server::new();
    fork.ticks(21, 5);
    ada.connect_bent(&mut server, &mut |request, answer| match request {
        Request::Proof { .. } => fork.answer(request),
        _ => answer,
    });
    assert_eq!(ada.alarms(), ["L08"]);
    assert!(!ada.log.caught_up());
}

#[test]
fn l09_the_server_lost_its_last_tick_without_a_word() {
    let (_, mut ada, page) = following();
    ada.push(page);
    let walked = ada.log.head().expect("a head");
    let mut rolled_back = Server::new();
    rolled_back.ticks(1, 5);
    ada.connect(&mut rolled_back);
    assert_eq!(ada.alarms(), ["L09"]);
    let kept = ada.log.evidence().expect("two heads").clone();
    assert_eq!((kept.own, kept.other.0), ((walked.tick, walked.size, walked.root), 5));

    // It outlasts restarts: nothing is sent to that server.
    ada.restart(rolled_back.id());
    ada.log.connected();
    assert!(ada.log.halted());
    assert_eq!(ada.log.poll_request(), None);
    assert_eq!(ada.log.evidence(), Some(&kept));
    assert_eq!(ada.alarms(), ["L09"], "and it is said again");
}

#[test]
fn l09_a_heartbeat_behind_the_walk() {
    let (server, mut ada, page) = following();
    ada.push(page);
    let mut older = Server::new();
    older.ticks(1, 5);
    let mut head = older.engine.newest();
    head.head.time_ms += 60_000;
    assert_breach(&mut ada, DigestPage { ticks: Vec::new(), head: server.sign(head) }, "L09");
}

#[test]
fn l10_a_longer_log_that_does_not_continue_ones_own() {
    let (_, mut ada, _) = following();
    let mut fork = Server::new();
    fork.ticks(1, 4);
    fork.ticks(50, 4);
    ada.connect(&mut fork);
    assert_eq!(ada.alarms(), ["L10"]);
    assert!(ada.log.evidence().is_some());
}

/// A device at the end of a ten-second segment, and a server far ahead.
fn before_a_segment() -> (Server, Client) {
    let mut server = Server::new();
    server.now_ms = START_MS + 9_000;
    server.tick(&[1]);
    let ada = Client::of(&mut server);
    server.now_ms = START_MS + 10_000;
    server.ticks(10, 400);
    server.now_ms = START_MS + 25_000;
    server.ticks(500, 300);
    (server, ada)
}

#[test]
fn an_honest_segment_passes() {
    let (mut server, mut ada) = before_a_segment();
    ada.connect(&mut server);
    assert_eq!(ada.alarms(), [""; 0]);
    assert!(ada.log.caught_up());
    assert_eq!(ada.log.head_at(100), None, "it came as a segment");
}

#[test]
fn l11_a_segment_with_an_entry_left_out_or_put_in() {
    fn leave_out(entries: &mut Vec<SegmentEntry>) {
        entries.pop();
    }
    fn put_in(entries: &mut Vec<SegmentEntry>) {
        entries.insert(0, SegmentEntry { prefix: Prefix(0), ..entries[0] });
    }
    let bends: [fn(&mut Vec<SegmentEntry>); 2] = [leave_out, put_in];
    for bend in bends {
        let (mut server, mut ada) = before_a_segment();
        ada.connect_bent(&mut server, &mut |_, answer| match answer {
            Answer::Segment(mut segment) => {
                bend(&mut segment.entries);
                Answer::Segment(segment)
            }
            answer => answer,
        });
        assert_eq!(ada.alarms(), ["L11"]);
    }
}

#[test]
fn l04_a_segment_that_does_not_begin_where_one_stands() {
    let (mut server, mut ada) = before_a_segment();
    let mut asked_for = None;
    ada.connect_bent(&mut server, &mut |_, answer| match answer {
        Answer::Segment(segment) => {
            asked_for.get_or_insert(segment.clone());
            Answer::Segment(segment)
        }
        answer => answer,
    });
    let replayed = asked_for.expect("a segment");
    let mut late = Client::of(&mut server);
    server.ticks(2_000, 300);
    late.connect_bent(&mut server, &mut |request, answer| match request {
        Request::Digest { .. } => Answer::Segment(replayed.clone()),
        _ => answer,
    });
    assert_eq!(late.alarms(), ["L04"]);
}

/// A device that follows, and the page of a tick that ends ten seconds.
fn at_the_end_of_a_segment() -> (Server, Client, DigestPage) {
    let mut server = Server::new();
    let mut ada = Client::of(&mut server);
    server.ticks(1, 5);
    ada.run(&mut server);
    server.now_ms = START_MS + 10_000;
    server.tick(&[50]);
    let page = server.page(6);
    assert!(!page.ticks[0].closed.is_empty(), "ten seconds have ended");
    (server, ada, page)
}

#[test]
fn l12_a_segment_leaf_that_contradicts_its_ticks() {
    let bends: [&dyn Fn(&mut SegmentLeaf); 4] = [
        &|leaf| leaf.entries_hash = [1; 32],
        &|leaf| leaf.index += 1,
        &|leaf| leaf.last_tick -= 1,
        &|leaf| leaf.first_tick += 1,
    ];
    for bend in bends {
        let (server, mut ada, mut page) = at_the_end_of_a_segment();
        bend(&mut page.ticks[0].closed[0]);
        assert_breach(&mut ada, server.forge(page), "L12");
    }
    let (server, mut ada, page) = at_the_end_of_a_segment();
    ada.push(server.forge(page));
    assert_eq!(ada.alarms(), [""; 0], "the honest one passes");
}

#[test]
fn l12_a_segment_leaf_that_contradicts_ticks_of_its_own_page() {
    let (mut server, _, _) = at_the_end_of_a_segment();
    let mut ben = Client::new(server.id());
    let mut empty = Server::new();
    ben.connect(&mut empty);
    server.tick(&[51]);
    let mut page = server.page(1);
    page.ticks[5].closed[0].entries_hash = [1; 32];
    assert_breach(&mut ben, server.forge(page), "L12");
}

#[test]
fn l13_a_message_carries_the_head_of_another_log() {
    let (server, mut ada, page) = following();
    ada.push(page);
    let honest = server.newest();
    let shown = server.shown(honest.tick, honest.size, honest.root);
    assert_eq!(ada.log.check_foreign(&shown), Some(Foreign::Consistent));
    let unknown = server.shown(3, 3, [1; 32]);
    assert_eq!(ada.log.check_foreign(&unknown), Some(Foreign::Unknown), "before the profile began");
    let forked = server.shown(6, honest.size, [1; 32]);
    assert_eq!(ada.log.check_foreign(&forked), Some(Foreign::Conflict));
    ada.collect();
    assert_eq!(ada.alarms(), ["L13"]);
    assert!(ada.log.halted());
    let kept = ada.log.evidence().expect("a pair of heads");
    assert_eq!(kept.other, (6, honest.size, [1; 32]));
    assert_eq!(kept.other_signed, Some(encode(&forked)), "the server's own signature proves it");
}

#[test]
fn l13_what_the_server_did_not_sign_stops_nobody() {
    let (server, mut ada, page) = following();
    ada.push(page);
    let newest = server.newest();
    let mut forged = server.shown(6, newest.size, [1; 32]);
    forged.signature[0] ^= 1;
    assert_eq!(ada.log.check_foreign(&forged), None);
    forged.head.tick = 7;
    assert_eq!(ada.log.check_foreign(&forged), None, "nor does it wait");
    ada.collect();
    assert_eq!(ada.alarms(), [""; 0]);
    assert!(!ada.log.halted());
}

#[test]
fn l13_a_head_ahead_is_judged_when_it_is_walked_to_also_after_a_restart() {
    let (mut server, mut ada, _) = following();
    let honest = server.newest();
    let shown = server.shown(honest.tick, honest.size, honest.root);
    assert_eq!(ada.log.check_foreign(&shown), Some(Foreign::Ahead));
    ada.run(&mut server);
    assert_eq!(ada.alarms(), [""; 0]);

    assert_eq!(ada.log.check_foreign(&server.shown(7, 7, [1; 32])), Some(Foreign::Ahead));
    ada.collect();
    ada.restart(server.id());
    server.tick(&[70]);
    ada.connect(&mut server);
    assert_eq!(ada.alarms(), ["L13"]);
}

#[test]
fn l14_answers_to_other_questions() {
    let (mut server, _, page) = following();
    for wrong in [Answer::Streaming, Answer::Page(page.clone())] {
        for question in [0, 1, 2] {
            let mut ada = Client::new(server.id());
            let mut asked = 0;
            ada.connect_bent(&mut server, &mut |_, answer| {
                asked += 1;
                if asked == question + 1 && !matches!(answer, Answer::Streaming) {
                    wrong.clone()
                } else {
                    answer
                }
            });
            let expected: &[&str] = if question < 2 { &["L14"] } else { &[] };
            assert_eq!(ada.alarms(), expected, "question {question}");
        }
    }
}

#[test]
fn l14_a_push_that_was_not_asked_for() {
    let (server, _, page) = following();
    let mut ada = Client::new(server.id());
    ada.log.connected();
    assert_eq!(ada.log.poll_request().map(|(_, request)| request), Some(Request::Info));
    ada.push(page);
    assert_eq!(ada.alarms(), ["L14"]);
}

#[test]
fn a_breach_without_two_heads_ends_with_its_connection() {
    let (mut server, mut ada, page) = following();
    let eve = SigningKey::from_bytes(&[2; 32]);
    let head = page.head.head.clone().sign(&eve);
    assert_breach(&mut ada, DigestPage { head, ..page }, "L03");
    assert_eq!(ada.log.evidence(), None);
    ada.events.clear();
    ada.connect(&mut server);
    assert_eq!(ada.alarms(), [""; 0]);
    assert!(ada.log.caught_up());
    assert!(ada.events.contains(&LogEvent::CaughtUp { tick: 6 }));
}

#[test]
fn nothing_in_an_alarm_names_an_address() {
    let (_, mut ada, page) = following();
    let head = page.head.head.clone().sign(&SigningKey::from_bytes(&[2; 32]));
    ada.push(DigestPage { head, ..page });
    let LogEvent::Alarm(alarm) = &ada.events[0] else { panic!("an alarm") };
    assert_eq!(alarm.code, "bad_signature");
    assert_eq!(
        alarm.text,
        "a head of the log is not signed by the server's key (L03). \
         Nothing is sent to it until this is settled."
    );
}
