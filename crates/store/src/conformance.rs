//! One suite that every store runs.

use crate::{
    Batch, EVENTS_KEPT, EventRow, HistoryQuery, Listed, Memory, NewEvent, SETTING_BYTES_MAX, Store,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use undertone_core::{
    ChatId, MessageId,
    io::{Changes, HistoryRow, MessageState, SPACES},
};
use undertone_crypto::IdentityKey;

const WITH_BEN: ChatId = ChatId([2; 16]);
const WITH_CHLOE: ChatId = ChatId([3; 16]);

pub(crate) fn row(chat: ChatId, message: u8, order: &[u8]) -> HistoryRow {
    HistoryRow {
        chat,
        message: MessageId([message; 16]),
        author: [9; 16],
        from: IdentityKey([9; 32]),
        own: false,
        order: order.to_vec(),
        text: format!("text {message}"),
        sent_ms: 1_000 + u64::from(message),
        stored_ms: Some(2_000),
        state: MessageState::Received,
    }
}

pub(crate) fn messages(rows: impl IntoIterator<Item = HistoryRow>) -> Batch {
    let changes = Changes { messages: rows.into_iter().collect(), ..Changes::default() };
    Batch { changes, events: Vec::new() }
}

pub(crate) fn records<'a>(
    entries: impl IntoIterator<Item = (&'static str, &'a str, Option<&'a str>)>,
) -> Batch {
    let entries = entries.into_iter().map(|(space, key, value)| {
        ((space, key.as_bytes().to_vec()), value.map(|value| value.as_bytes().to_vec()))
    });
    let changes = Changes { records: entries.collect(), ..Changes::default() };
    Batch { changes, events: Vec::new() }
}

fn events(bodies: impl IntoIterator<Item = String>) -> Batch {
    let events = bodies.into_iter().map(|body| EventRow { chat: Some(WITH_BEN), body }.into());
    Batch { changes: Changes::default(), events: events.collect() }
}

fn ids(store: &dyn Store, query: HistoryQuery) -> Vec<u8> {
    store.history(&query).unwrap().iter().map(|listed| listed.row.message.0[0]).collect()
}

fn all_of(chat: ChatId) -> HistoryQuery {
    HistoryQuery { chat, limit: usize::MAX, before: None }
}

/// Every check, each on a store of its own.
pub(crate) fn run(mut fresh: impl FnMut() -> Box<dyn Store>) {
    let checks: [fn(&mut dyn Store); 14] = [
        records_are_put_replaced_and_erased,
        a_record_is_named_by_space_and_key,
        history_stands_in_transcript_order,
        history_is_paged_backwards,
        an_own_row_is_replaced_and_stays_read,
        somebody_elses_row_stays_as_it_came,
        a_row_that_is_moved_stands_elsewhere_and_says_the_same,
        a_message_is_announced_once,
        two_authors_may_use_one_id,
        marking_counts_once_and_only_in_its_chat,
        summaries_count_unread_and_show_the_newest,
        events_are_numbered_without_holes,
        old_events_are_forgotten_and_numbers_go_on,
        settings_are_kept,
    ];
    for check in checks {
        check(&mut *fresh());
    }
}

fn records_are_put_replaced_and_erased(store: &mut dyn Store) {
    store
        .commit(&records([
            ("chat", "b", Some("1")),
            ("chat", "a", Some("2")),
            ("mls", "x", Some("")),
        ]))
        .unwrap();
    store.commit(&records([("chat", "b", Some("3")), ("chat", "a", None)])).unwrap();
    store.commit(&records([("chat", "never there", None)])).unwrap();
    let loaded = store.load_records().unwrap();
    assert_eq!(loaded.keys().copied().collect::<Vec<_>>(), {
        let mut spaces = SPACES.to_vec();
        spaces.sort_unstable();
        spaces
    });
    assert_eq!(loaded["chat"], [(b"b".to_vec(), b"3".to_vec())]);
    assert_eq!(loaded["mls"], [(b"x".to_vec(), Vec::new())]);
    assert!(loaded["log"].is_empty());
}

fn a_record_is_named_by_space_and_key(store: &mut dyn Store) {
    store.commit(&records([("chat", "k", Some("1")), ("cell", "k", Some("2"))])).unwrap();
    store.commit(&records([("chat", "k", None)])).unwrap();
    let loaded = store.load_records().unwrap();
    assert!(loaded["chat"].is_empty());
    assert_eq!(loaded["cell"], [(b"k".to_vec(), b"2".to_vec())]);
}

fn history_stands_in_transcript_order(store: &mut dyn Store) {
    store
        .commit(&messages([
            row(WITH_BEN, 1, &[0, 5]),
            row(WITH_BEN, 2, &[0, 1]),
            row(WITH_CHLOE, 3, &[0, 0]),
            row(WITH_BEN, 4, &[0xff]),
            row(WITH_BEN, 5, &[0]),
        ]))
        .unwrap();
    assert_eq!(ids(store, all_of(WITH_BEN)), [5, 2, 1, 4]);
    assert_eq!(ids(store, all_of(WITH_CHLOE)), [3]);
    assert_eq!(ids(store, all_of(ChatId([0; 16]))), [0_u8; 0]);
}

fn history_is_paged_backwards(store: &mut dyn Store) {
    // Two of them at one place: a page must neither skip nor repeat them.
    let places = [1, 2, 2, 3, 4];
    let rows = (1..).zip(places).map(|(message, place)| row(WITH_BEN, message, &[place]));
    store.commit(&messages(rows)).unwrap();
    let page = |before| HistoryQuery { chat: WITH_BEN, limit: 2, before };
    assert_eq!(ids(store, page(None)), [4, 5]);
    assert_eq!(ids(store, page(Some(MessageId([4; 16])))), [2, 3]);
    assert_eq!(ids(store, page(Some(MessageId([3; 16])))), [1, 2]);
    assert_eq!(ids(store, page(Some(MessageId([1; 16])))), [0_u8; 0]);
    assert_eq!(ids(store, page(Some(MessageId([77; 16])))), [0_u8; 0]);
}

fn an_own_row_is_replaced_and_stays_read(store: &mut dyn Store) {
    let own = |message, order: &[u8]| HistoryRow { own: true, ..row(WITH_BEN, message, order) };
    store.commit(&messages([own(1, &[9]), own(2, &[5])])).unwrap();
    let moved = HistoryRow {
        order: vec![1],
        stored_ms: Some(3_000),
        state: MessageState::Stored,
        ..own(1, &[9])
    };
    store.commit(&messages([moved.clone()])).unwrap();
    assert_eq!(ids(store, all_of(WITH_BEN)), [1, 2]);
    let found = store.message(&MessageId([1; 16])).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].row, moved);
    assert!(found[0].read);
}

fn somebody_elses_row_stays_as_it_came(store: &mut dyn Store) {
    let first = row(WITH_BEN, 1, &[9]);
    store.commit(&messages([first.clone()])).unwrap();
    let other = HistoryRow { order: vec![1], text: "other words".to_owned(), ..first.clone() };
    store.commit(&messages([other])).unwrap();
    let found = store.message(&MessageId([1; 16])).unwrap();
    assert_eq!(found.iter().map(|listed| &listed.row).collect::<Vec<_>>(), [&first]);
}

fn a_row_that_is_moved_stands_elsewhere_and_says_the_same(store: &mut dyn Store) {
    store.commit(&messages([row(WITH_BEN, 1, &[1]), row(WITH_BEN, 2, &[2])])).unwrap();
    store.mark_read(&WITH_BEN, &[MessageId([1; 16])]).unwrap();
    let there = HistoryRow { order: vec![3], stored_ms: Some(7), ..row(WITH_BEN, 1, &[1]) };
    let other = HistoryRow { text: "other words".to_owned(), sent_ms: 9, ..there.clone() };
    let unknown = row(WITH_BEN, 9, &[9]);
    let changes = Changes { moved: vec![other, unknown], ..Changes::default() };
    store.commit(&Batch { changes, events: Vec::new() }).unwrap();
    assert_eq!(ids(store, all_of(WITH_BEN)), [2, 1]);
    let found = store.message(&MessageId([1; 16])).unwrap();
    assert_eq!(found, [Listed { row: there, read: true }]);
}

fn a_message_is_announced_once(store: &mut dyn Store) {
    announcements(|batch| {
        let before = store.newest_event().unwrap();
        store.commit(batch).unwrap();
        let kept = store.events(before, usize::MAX).unwrap();
        kept.into_iter().map(|event| event.event.body).collect()
    });
}

/// What is announced, of whatever keeps history: `commit` keeps a batch and gives the bodies of the events
/// that are left of it.
pub(crate) fn announcements(mut commit: impl FnMut(&Batch) -> Vec<String>) {
    let known = row(WITH_BEN, 1, &[1]);
    let own = HistoryRow { own: true, ..row(WITH_BEN, 2, &[2]) };
    let new = row(WITH_BEN, 3, &[3]);
    // They bear the number of one that is known, and are others.
    let elsewhere = HistoryRow { chat: WITH_CHLOE, ..known.clone() };
    let namesake = HistoryRow { from: IdentityKey([7; 32]), ..known.clone() };
    let other_device = HistoryRow { author: [8; 16], ..known.clone() };

    let mut announced = |rows: &[(&str, &HistoryRow)]| {
        let event = |(body, row): &(&str, &HistoryRow)| NewEvent {
            row: EventRow { chat: Some(row.chat), body: (*body).to_owned() },
            announces: Some(row.name()),
        };
        let rows_alone = rows.iter().map(|(_, row)| (*row).clone());
        commit(&Batch { events: rows.iter().map(event).collect(), ..messages(rows_alone) })
    };
    assert_eq!(announced(&[("first", &known)]), ["first"]);
    assert_eq!(announced(&[("again", &known)]), [""; 0]);
    assert_eq!(announced(&[("again", &known), ("new", &new), ("once more", &new)]), ["new"]);
    let others = [("chat", &elsewhere), ("author", &namesake), ("device", &other_device)];
    assert_eq!(
        announced(&[("again", &known), others[0], others[1], others[2]]),
        ["chat", "author", "device"]
    );
    assert_eq!(announced(&others), [""; 0]);

    assert_eq!(commit(&messages([own.clone()])), [""; 0]);
    let event = |row: &HistoryRow| NewEvent {
        row: EventRow { chat: None, body: "without its row".to_owned() },
        announces: Some(row.name()),
    };
    let moved = HistoryRow { order: vec![9], ..own };
    let mut batch = messages([moved.clone()]);
    batch.events = vec![event(&moved), event(&row(WITH_BEN, 4, &[4]))];
    assert_eq!(commit(&batch), [""; 0]);
}

fn two_authors_may_use_one_id(store: &mut dyn Store) {
    let copied = HistoryRow { author: [8; 16], ..row(WITH_BEN, 1, &[2]) };
    // A device id is chosen by its owner, and may be another's.
    let namesake = HistoryRow {
        from: IdentityKey([7; 32]),
        text: "other words".to_owned(),
        ..row(WITH_BEN, 1, &[3])
    };
    let rows = [row(WITH_BEN, 1, &[1]), copied, namesake];
    store.commit(&messages(rows.clone())).unwrap();
    let found = store.message(&MessageId([1; 16])).unwrap();
    assert_eq!(found.into_iter().map(|listed| listed.row).collect::<Vec<_>>(), rows);
    assert_eq!(store.message(&MessageId([2; 16])).unwrap(), []);
}

fn marking_counts_once_and_only_in_its_chat(store: &mut dyn Store) {
    store.commit(&messages([row(WITH_BEN, 1, &[1]), row(WITH_CHLOE, 2, &[1])])).unwrap();
    let both = [MessageId([1; 16]), MessageId([2; 16])];
    assert_eq!(store.mark_read(&WITH_BEN, &both).unwrap(), 1);
    assert_eq!(store.mark_read(&WITH_BEN, &both).unwrap(), 0);
    assert!(!store.message(&both[1]).unwrap()[0].read);
}

fn summaries_count_unread_and_show_the_newest(store: &mut dyn Store) {
    assert_eq!(store.summaries().unwrap(), BTreeMap::new());
    let own = HistoryRow { own: true, ..row(WITH_BEN, 3, &[7]) };
    store
        .commit(&messages([
            row(WITH_BEN, 1, &[1]),
            row(WITH_BEN, 2, &[2]),
            own.clone(),
            row(WITH_CHLOE, 4, &[1]),
        ]))
        .unwrap();
    store.mark_read(&WITH_CHLOE, &[MessageId([4; 16])]).unwrap();
    let summaries = store.summaries().unwrap();
    assert_eq!(summaries.len(), 2);
    assert_eq!(summaries[&WITH_BEN].unread, 2);
    assert_eq!(summaries[&WITH_BEN].last, Some(own));
    assert_eq!(summaries[&WITH_CHLOE].unread, 0);
}

fn events_are_numbered_without_holes(store: &mut dyn Store) {
    assert_eq!(store.newest_event().unwrap(), 0);
    assert_eq!(store.commit(&events(["a".into(), "b".into()])).unwrap(), 2);
    assert_eq!(store.commit(&Batch::default()).unwrap(), 2);
    assert_eq!(store.commit(&events(["c".into()])).unwrap(), 3);
    let page = store.events(1, 10).unwrap();
    let page: Vec<_> = page.iter().map(|event| (event.seq, event.event.body.as_str())).collect();
    assert_eq!(page, [(2, "b"), (3, "c")]);
    assert_eq!(store.events(0, 1).unwrap()[0].seq, 1);
    assert_eq!(store.events(3, 10).unwrap(), []);
    assert_eq!(store.events(u64::MAX, 10).unwrap(), []);
    assert_eq!(store.events(0, usize::MAX).unwrap().len(), 3);
}

fn old_events_are_forgotten_and_numbers_go_on(store: &mut dyn Store) {
    store.commit(&events((0..EVENTS_KEPT + 5).map(|number| number.to_string()))).unwrap();
    assert_eq!(store.events(0, 1).unwrap()[0].seq, 6);
    assert_eq!(store.commit(&events(["next".into()])).unwrap(), EVENTS_KEPT + 6);
}

fn settings_are_kept(store: &mut dyn Store) {
    assert_eq!(store.setting("proxy").unwrap(), None);
    store.set_setting("proxy", Some("one")).unwrap();
    store.set_setting("proxy", Some("two")).unwrap();
    assert_eq!(store.setting("proxy").unwrap().as_deref(), Some("two"));
    store.set_setting("proxy", None).unwrap();
    assert_eq!(store.setting("proxy").unwrap(), None);
    assert!(store.set_setting("proxy", Some(&"x".repeat(SETTING_BYTES_MAX + 1))).is_err());
}

/// A step of a random use of the store.
#[derive(Clone, Debug)]
enum Step {
    Row { chat: u8, message: u8, author: u8, order: Vec<u8>, state: bool },
    Mark { chat: u8, message: u8 },
    Event,
}

fn step() -> impl Strategy<Value = Step> {
    let small = 0..3_u8;
    prop_oneof![
        4 => (small.clone(), 0..6_u8, 0..2_u8, prop::collection::vec(0..4_u8, 1..3), any::<bool>())
            .prop_map(|(chat, message, author, order, state)| Step::Row { chat, message, author, order, state }),
        2 => (small, 0..6_u8).prop_map(|(chat, message)| Step::Mark { chat, message }),
        1 => Just(Step::Event),
    ]
}

fn take(store: &mut dyn Store, step: &Step) -> u64 {
    match step {
        Step::Row { chat, message, author, order, state } => {
            // Distinct places: the order among equal ones is each engine's own.
            let order = [&order[..], &[*chat, *message, *author]].concat();
            let state = if *state { MessageState::Stored } else { MessageState::Queued };
            let row = HistoryRow {
                author: [*author; 16],
                own: *author == 0,
                state,
                ..row(ChatId([*chat; 16]), *message, &order)
            };
            store.commit(&messages([row])).unwrap()
        }
        Step::Mark { chat, message } => {
            store.mark_read(&ChatId([*chat; 16]), &[MessageId([*message; 16])]).unwrap()
        }
        Step::Event => store.commit(&events(["e".into()])).unwrap(),
    }
}

/// Two stores that were used alike answer alike.
pub(crate) fn agree(fresh: impl Fn() -> Box<dyn Store>) {
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() };
    proptest!(config, |(steps in prop::collection::vec(step(), 1..40))| {
        let mut store = fresh();
        let mut model = Memory::default();
        for step in &steps {
            prop_assert_eq!(take(&mut *store, step), take(&mut model, step));
        }
        prop_assert_eq!(store.summaries().unwrap(), model.summaries().unwrap());
        for chat in 0..3 {
            let query = all_of(ChatId([chat; 16]));
            prop_assert_eq!(store.history(&query).unwrap(), model.history(&query).unwrap());
        }
    });
}
