use super::*;
use crate::{Fault, Memory, testkit::*};
use ed25519_dalek::SigningKey;
use undertone_wire::{
    DigestForm, HeadRef, ListedProof, LogProof, Receipt, SegmentAnswer, SegmentLevel,
    merkle::Frontier,
};

fn engine() -> Engine<Memory> {
    Engine::open(Memory::default(), Config::new(keys()), START).unwrap()
}

fn stored(answer: &Answer) -> &Receipt {
    match answer {
        Answer::Stored(receipt) => receipt,
        other => panic!("not stored: {other:?}"),
    }
}

fn found(answer: Answer) -> (Cell, ListedProof) {
    match answer {
        Answer::Found { cell, proof } => (cell, proof),
        other => panic!("not found: {other:?}"),
    }
}

fn log_proof(answer: Answer) -> LogProof {
    match answer {
        Answer::Proof(proof) => proof,
        other => panic!("no proof: {other:?}"),
    }
}

fn segment(answer: Answer) -> SegmentAnswer {
    match answer {
        Answer::Segment(segment) => segment,
        other => panic!("no segment: {other:?}"),
    }
}

fn refused(answer: &Answer) -> RefusalKind {
    match answer {
        Answer::Refused(refusal) => refusal.kind,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_stored_cell_comes_with_a_receipt_and_is_found_with_a_proof() {
    let engine = engine();
    let answers = seal(&engine, START, (0..5).map(|n| put(n, n as u8)));
    for (n, answer) in answers.iter().enumerate() {
        let receipt = stored(answer);
        let head = receipt.verify(engine.keys(), &tag(n as u64), &cell(n as u8)).unwrap();
        let (bytes, proof) = found(engine.get(&tag(n as u64), head.size));
        assert_eq!(bytes, cell(n as u8));
        proof.verify_cell(&head.root, &tag(n as u64), &cell(n as u8)).unwrap();
    }
    assert_eq!(engine.get(&tag(99), 0), Answer::None { colliding: Vec::new() });
}

#[test]
fn equal_bytes_again_are_the_same_success_and_other_bytes_are_taken() {
    let engine = engine();
    let first = seal(&engine, START, [put(1, 1)]);
    let again = seal(&engine, START + 50, [put(1, 1), put(1, 2)]);
    assert_eq!(stored(&again[0]), stored(&first[0]));
    let Answer::Taken { cell: there, receipt } = &again[1] else { panic!("not taken") };
    assert_eq!(*there, cell(1).hash());
    receipt.verify_hash(engine.keys(), &tag(1), cell(1).hash()).unwrap();
    assert_eq!(engine.newest().head.tick, 1, "answers alone make no tick");
}

#[test]
fn within_one_tick_the_first_writer_wins() {
    let engine = engine();
    let answers = seal(&engine, START, [put(1, 1), put(1, 2), put(1, 1), put(2, 2)]);
    stored(&answers[0]);
    assert!(matches!(&answers[1], Answer::Taken { cell: there, .. } if *there == cell(1).hash()));
    assert_eq!(stored(&answers[2]), stored(&answers[0]));
    stored(&answers[3]);
}

#[test]
fn a_put_that_may_not_be_is_refused_at_once() {
    let engine = engine();
    let wrong = Put { tag: tag(2), ..put(1, 1) };
    assert_eq!(engine.submit(Ticket(1), wrong).unwrap_err().kind, RefusalKind::WrongKey);
    let paid = Put { token: vec![1].into(), ..put(1, 1) };
    assert_eq!(engine.submit(Ticket(1), paid).unwrap_err().kind, RefusalKind::Token);
    engine.close();
    assert_eq!(engine.submit(Ticket(1), put(1, 1)).unwrap_err().kind, RefusalKind::Closing);
    let config = Config { queue_max: 1, ..Config::new(keys()) };
    let small = Engine::open(Memory::default(), config, START).unwrap();
    small.submit(Ticket(1), put(1, 1)).unwrap();
    assert_eq!(small.submit(Ticket(2), put(2, 2)).unwrap_err().kind, RefusalKind::Busy);
}

#[test]
fn after_a_failed_write_nothing_is_shown_and_nothing_is_taken_until_a_restart() {
    for fault in [Fault::Lost, Fault::StoredUnseen, Fault::Full] {
        let store = Memory::default();
        let engine = Engine::open(store.clone(), Config::new(keys()), START).unwrap();
        seal(&engine, START, [put(1, 1)]);
        store.fail_next(fault);
        assert_eq!(refused(&seal(&engine, START, [put(2, 2)])[0]), RefusalKind::Storage);
        assert_eq!(refused(&seal(&engine, START, [put(3, 3)])[0]), RefusalKind::Storage);
        assert_eq!(engine.newest().head.tick, 1);
        assert!(matches!(engine.get(&tag(2), 0), Answer::None { .. }));
        found(engine.get(&tag(1), 0));

        let again = Engine::open(store.reopen(), Config::new(keys()), START).unwrap();
        stored(&seal(&again, START, [put(2, 2)])[0]);
        let proof = log_proof(again.proof(engine.newest().head.size, u64::MAX));
        proof.verify(again.keys(), &engine.newest().head.to_ref()).unwrap();
    }
}

#[test]
fn pages_extend_a_follower_to_the_newest_head() {
    let engine = engine();
    let mut frontier = Frontier::default();
    for n in 0..50 {
        seal(&engine, START + n * 3_000, [put(n * 2, 1), put(n * 2 + 1, 1)]);
    }
    let page = engine.page(1).unwrap();
    assert_eq!(page.ticks.len(), 50);
    let head = page.verify(engine.keys(), 0, &mut frontier).unwrap();
    assert_eq!(*head, engine.newest().head);
    assert!(engine.page(51).unwrap().ticks.is_empty());
    assert_eq!(engine.page(52).unwrap_err().kind, RefusalKind::Future);
    assert_eq!(engine.page(0).unwrap_err().kind, RefusalKind::Expired);
}

#[test]
fn a_push_is_what_the_page_says() {
    let engine = engine();
    engine.submit(Ticket(1), put(1, 1)).unwrap();
    let pushed = engine.seal(START).page.unwrap();
    assert_eq!(*pushed, engine.page(1).unwrap());
}

#[test]
fn closed_segments_are_in_the_log_with_all_their_entries() {
    let engine = engine();
    for n in 0..100 {
        seal(&engine, START + n * 3_000, [put(n, 1)]);
    }
    let minute = segment(engine.digest(1, DigestForm::TicksOrSegment));
    assert_eq!((minute.leaf.level, minute.leaf.last_tick), (SegmentLevel::Minute, 20));
    minute.verify(engine.keys()).unwrap();
    assert_eq!(minute.entries.len(), 20);
    let ten = segment(engine.digest(5, DigestForm::TicksOrSegment));
    assert_eq!((ten.leaf.level, ten.leaf.first_tick), (SegmentLevel::TenSeconds, 5));
    ten.verify(engine.keys()).unwrap();
    assert!(matches!(engine.digest(6, DigestForm::TicksOrSegment), Answer::Page(_)));
    assert!(matches!(engine.digest(1, DigestForm::Ticks), Answer::Page(_)));
}

#[test]
fn a_day_closes_every_level_and_the_order_is_the_shortest_first() {
    let engine = engine();
    seal(&engine, START, [put(1, 1)]);
    seal(&engine, START + 100, [put(2, 1)]);
    seal(&engine, START + 24 * HOUR, [put(3, 1)]);
    let page = engine.page(3).unwrap();
    let levels: Vec<_> = page.ticks[0].closed.iter().map(|segment| segment.level).collect();
    assert_eq!(levels, SegmentLevel::ALL);
    let day = segment(engine.digest(1, DigestForm::TicksOrSegment));
    assert_eq!(day.leaf.level, SegmentLevel::Day);
    day.verify(engine.keys()).unwrap();
}

#[test]
fn every_earlier_tree_is_proved_to_continue() {
    let engine = engine();
    let mut heads: Vec<HeadRef> = vec![engine.newest().head.to_ref()];
    for n in 0..70 {
        seal(&engine, START + n * 7_000, [put(n, 1)]);
        heads.push(engine.newest().head.to_ref());
    }
    for old in &heads {
        for tick in [old.tick.max(1), 35.max(old.tick), u64::MAX] {
            log_proof(engine.proof(old.size, tick)).verify(engine.keys(), old).unwrap();
        }
    }
    assert_eq!(refused(&engine.proof(1_000, u64::MAX)), RefusalKind::Future);
    assert_eq!(refused(&engine.proof(1, 99)), RefusalKind::Future);
}

#[test]
fn time_never_runs_back() {
    let engine = engine();
    seal(&engine, START + 5_000, [put(1, 1)]);
    seal(&engine, START, [put(2, 2)]);
    assert_eq!(engine.newest().head.time_ms, START + 5_000);
    assert_eq!(engine.heartbeat(START + 9_000).head.head.time_ms, START + 9_000);
    seal(&engine, START, [put(3, 3)]);
    assert_eq!(engine.newest().head.time_ms, START + 9_000);
}

#[test]
fn a_heartbeat_is_the_newest_head_under_the_key_in_force() {
    let engine = engine();
    seal(&engine, START, [put(1, 1)]);
    let beat = engine.heartbeat(START + 15_000);
    let head = engine.keys().verify(&beat.head).unwrap();
    assert_eq!(head.to_ref(), engine.newest().head.to_ref());
}

#[test]
fn cells_expire_by_whole_hours_and_old_boundaries_stay_provable() {
    let engine = engine();
    let mut boundaries = Vec::new();
    for hour in 0..5 {
        for n in 0..7 {
            seal(&engine, START + hour * HOUR + n, [put(hour * 10 + n, 1)]);
        }
        boundaries.push(engine.newest().head.to_ref());
    }
    let retention = engine.config.retention_ms;
    assert_eq!(engine.expire(START + 3 * HOUR + retention).unwrap(), 21);
    assert!(matches!(engine.get(&tag(0), 0), Answer::None { .. }));
    assert_eq!(engine.page(21).unwrap_err().kind, RefusalKind::Expired);
    assert_eq!(engine.info().oldest_tick, 22);
    for boundary in &boundaries {
        let proof = log_proof(engine.proof(boundary.size, u64::MAX));
        proof.verify(engine.keys(), boundary).unwrap();
    }
    let newest = engine.newest().head;
    for n in (30..37).chain(40..47) {
        let (_, proof) = found(engine.get(&tag(n), newest.size));
        proof.verify(&newest.root).unwrap();
    }
    assert_eq!(refused(&engine.proof(boundaries[1].size - 3, u64::MAX)), RefusalKind::Expired);
    stored(&seal(&engine, START + 5 * HOUR, [put(0, 9)])[0]);
}

#[test]
fn an_idle_server_forgets_its_last_hour_too() {
    let engine = engine();
    seal(&engine, START, [put(1, 1)]);
    let later = START + HOUR + engine.config.retention_ms;
    assert_eq!(engine.expire(later).unwrap(), 1);
    assert_eq!(engine.newest().head.tick, 2);
    assert_eq!(engine.expire(later + engine.config.retention_ms).unwrap(), 0);
    assert_eq!(engine.newest().head.tick, 2, "an empty tick does not beget another");
}

/// Whether a client that knows only the newest head may take a tick of this time for expired.
fn shows_expiry_of(engine: &Engine<Memory>, time_ms: u64) -> bool {
    engine.newest().head.time_ms >= time_ms + engine.config.retention_ms
}

#[test]
fn a_quiet_server_shows_in_a_head_what_it_expires() {
    let engine = engine();
    seal(&engine, START, [put(1, 1)]);
    seal(&engine, START + 2 * HOUR, [put(2, 2)]);
    let due = START + HOUR + engine.config.retention_ms;
    assert_eq!(engine.expire(due - 1).unwrap(), 0);
    assert_eq!(engine.newest().head.tick, 2, "nothing is due");
    assert_eq!(engine.expire(due).unwrap(), 1);
    assert!(shows_expiry_of(&engine, START));
    let head = engine.newest().head;
    assert_eq!((head.tick, engine.page(3).unwrap().ticks[0].prefixes.len()), (3, 0));
    assert_eq!(engine.expire(due + 60_000).unwrap(), 0);
    assert_eq!(engine.newest().head, head, "one head for each hour is enough");
}

#[test]
fn who_seals_anyway_seals_nothing_more_to_expire() {
    let engine = engine();
    seal(&engine, START, [put(1, 1)]);
    let due = START + HOUR + engine.config.retention_ms;
    seal(&engine, due + 20_000, [put(2, 2)]);
    assert_eq!(engine.expire(due + 30_000).unwrap(), 1);
    assert!(shows_expiry_of(&engine, START));
    assert_eq!(engine.newest().head.tick, 2);
}

#[test]
fn whose_newest_head_was_an_empty_tick_sees_a_later_one_when_its_proof_expires() {
    let engine = engine();
    seal(&engine, START, [put(1, 1)]);
    let due = START + HOUR + engine.config.retention_ms;
    let empty: Vec<u64> = (0..3)
        .map(|n| {
            engine.seal_empty(due + n).unwrap();
            engine.newest().head.size
        })
        .collect();
    engine.expire(due + 2 * engine.config.retention_ms).unwrap();
    assert_eq!(refused(&engine.proof(empty[0], u64::MAX)), RefusalKind::Expired);
    assert!(shows_expiry_of(&engine, due));
}

#[test]
fn a_successor_key_signs_from_the_next_tick_on() {
    let store = Memory::default();
    let engine = Engine::open(store.clone(), Config::new(keys()), START).unwrap();
    let first = seal(&engine, START, [put(1, 1)]);
    let next = keys().succeed(SigningKey::from_bytes(&[8; 32]), 2);
    let engine = Engine::open(store.clone(), Config::new(next.clone()), START + 1).unwrap();
    assert_eq!(engine.newest().head.tick, 2, "the new key signs at once");
    engine.keys().verify(&engine.heartbeat(START + 2).head).unwrap();
    stored(&first[0]).verify(engine.keys(), &tag(1), &cell(1)).unwrap();
    let old = Engine::open(store.clone(), Config::new(keys()), START);
    assert!(matches!(old, Err(OpenError::Signature)));
    let other = Config::new(Keys::first(SigningKey::from_bytes(&[9; 32])));
    assert!(matches!(Engine::open(store, other, START), Err(OpenError::OtherServer)));
}

#[test]
fn a_declared_recovery_stands_in_every_head() {
    let config = Config { recovered_after: Some(4), ..Config::new(keys()) };
    let engine = Engine::open(Memory::default(), config, START).unwrap();
    seal(&engine, START, [put(1, 1)]);
    assert_eq!(engine.newest().head.recovered_after, Some(4));
}

#[test]
fn a_declared_recovery_is_in_the_first_head_that_anybody_sees() {
    let store = Memory::default();
    let engine = Engine::open(store.clone(), Config::new(keys()), START).unwrap();
    seal(&engine, START, [put(1, 1)]);
    let config = Config { recovered_after: Some(1), ..Config::new(keys()) };
    let restored = Engine::open(store.clone(), config.clone(), START + 1).unwrap();
    // Before any PUT: clients that are ahead of the backup look before they write.
    let head = restored.newest().head;
    assert_eq!((head.tick, head.recovered_after), (START + 1, Some(1)));
    assert_eq!(restored.heartbeat(START + 2).head.head.recovered_after, Some(1));
    let again = Engine::open(store, config, START + 3).unwrap();
    assert_eq!(again.newest().head.tick, START + 1, "declaring it once more takes no tick");
    seal(&again, START + 4, [put(2, 2)]);
    assert_eq!(again.newest().head.tick, START + 2);
}

/// Two ticks, a recovery after the first of them, and two ticks of the new life.
fn restored() -> Engine<Memory> {
    let store = Memory::default();
    let engine = Engine::open(store.clone(), Config::new(keys()), START).unwrap();
    seal(&engine, START, [put(1, 1)]);
    seal(&engine, START + 1, [put(2, 1)]);
    let config = Config { recovered_after: Some(2), ..Config::new(keys()) };
    let restored = Engine::open(store, config, START + 500).unwrap();
    seal(&restored, START + 600, [put(3, 1)]);
    restored
}

#[test]
fn no_page_spans_a_recovery_and_numbers_in_the_hole_lead_behind_it() {
    let engine = restored();
    let ticks = |from| -> Vec<u64> {
        engine.page(from).unwrap().ticks.iter().map(|tick| tick.tick).collect()
    };
    assert_eq!(ticks(1), [1, 2]);
    assert_eq!(engine.page(1).unwrap().head.head.recovered_after, None);
    for from in [3, 99, START + 500] {
        assert_eq!(ticks(from), [START + 500, START + 501]);
    }
    let in_the_hole = engine.proof(0, 99);
    assert!(matches!(in_the_hole, Answer::Refused(it) if it.kind == RefusalKind::Expired));
}

#[test]
fn no_segment_spans_a_recovery() {
    let engine = restored();
    seal(&engine, START + 2 * HOUR, [put(4, 1)]);
    let page = engine.page(START + 502).unwrap();
    let firsts: Vec<u64> = page.ticks[0].closed.iter().map(|leaf| leaf.first_tick).collect();
    assert_eq!(firsts, [START + 500; 3], "ten seconds, a minute, an hour");
    let answer = engine.digest(3, undertone_wire::DigestForm::TicksOrSegment);
    assert!(matches!(answer, Answer::Page(_)), "a segment begins with its first tick alone");
}

/// A server that has just started, with so many ticks of one cell each behind it.
fn restarted(ticks: u64) -> Engine<Memory> {
    let store = Memory::default();
    let engine = Engine::open(store.clone(), Config::new(keys()), START).unwrap();
    for n in 0..ticks {
        seal(&engine, START + n, [put(n, 1)]);
    }
    Engine::open(store, Config::new(keys()), START + ticks).unwrap()
}

#[test]
fn an_old_ticks_tree_is_built_once_for_many_questions() {
    let engine = restarted(3);
    assert!(engine.get_at_hand(&tag(1), 0).is_none());
    let first = engine.tick_tree(2).unwrap().unwrap();
    let again = engine.tick_tree(2).unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(engine.get_at_hand(&tag(1), 0), Some(engine.get(&tag(1), 0)));
    assert!(engine.get_at_hand(&tag(0), 0).is_none());
    let nothing = engine.get_at_hand(&tag(99), 0);
    assert!(nothing.is_some(), "where there is nothing, there is nothing to build");
}

#[test]
fn puts_of_old_cells_hold_up_a_tick_for_a_few_trees_only() {
    let engine = restarted(20);
    let mut answered = 0;
    for round in 1..=3 {
        let answers = seal(&engine, START, (0..20).map(|n| put(n, 1)));
        let (stored, busy): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| matches!(answer, Answer::Stored(_)));
        assert!(busy.iter().all(|answer| refused(answer) == RefusalKind::Busy));
        assert_eq!(stored.len(), 20.min(round * 8));
        answered = stored.len();
    }
    assert_eq!(answered, 20, "whoever asks again is answered");
}

#[test]
fn expired_trees_are_forgotten() {
    let engine = restarted(3);
    engine.tick_tree(1).unwrap().unwrap();
    engine.expire(START + HOUR + engine.config.retention_ms).unwrap();
    assert!(engine.tick_tree(1).unwrap().is_none());
}

#[test]
fn a_cell_newer_than_the_asked_tree_is_not_there() {
    let engine = engine();
    seal(&engine, START, [put(1, 1)]);
    let small = engine.newest().head.size;
    seal(&engine, START + 1, [put(2, 2)]);
    assert_eq!(engine.get(&tag(2), small), Answer::None { colliding: Vec::new() });
    for size in [0, engine.newest().head.size] {
        let (_, proof) = found(engine.get(&tag(2), size));
        assert_eq!(proof.size, engine.newest().head.size);
        proof.verify(&engine.newest().head.root).unwrap();
    }
    assert_eq!(refused(&engine.get(&tag(2), 99)), RefusalKind::Future);
}

#[test]
fn an_older_tree_shows_what_it_held_under_a_prefix() {
    let _short = undertone_wire::dangerous_short_prefixes::shorten(0);
    let engine = engine();
    let mut heads = Vec::new();
    for n in 1..4 {
        seal(&engine, START + n, [put(n, 1)]);
        heads.push(engine.newest().head);
    }
    for (held, head) in (1..).zip(&heads[..2]) {
        let Answer::None { colliding } = engine.get(&tag(3), head.size) else {
            panic!("the tree of {held} cells does not hold the third")
        };
        let ticks: Vec<u64> = colliding.iter().map(|proof| proof.leaf.tick).collect();
        assert_eq!(ticks, (1..=held).collect::<Vec<_>>());
        colliding.iter().for_each(|proof| proof.verify(&head.root).unwrap());
        assert_eq!(colliding[0].size, head.size);
    }
    let (_, proof) = found(engine.get(&tag(3), heads[2].size));
    proof.verify(&heads[2].root).unwrap();
}
