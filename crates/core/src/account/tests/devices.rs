//! A device id is nobody's: its owner chooses it, and may choose another's.

use super::evil::{Evil, say, text};
use crate::body::Body;
use crate::io::Event;

/// Mal's only device bears the id of Ada's.
fn namesake(seed: u64) -> Evil {
    Evil::prepared(seed, |world| {
        let device = world.person("Ada").account.device_for_tests();
        let phrase = world.person("Mal").phrase.clone();
        world.person("Mal").account.name_device_for_tests(device, &phrase);
    })
}

#[test]
fn a_namesake_of_a_device_does_not_mute_it() {
    let mut evil = namesake(41);
    let (ada, ben) = (evil.ada, evil.world.chat("Ben", "Desk"));
    let loud = Body { number: 1 << 63, ..text(&mut evil, "I am the last") };
    say(&mut evil, &loud);
    evil.world.say("Ada", ada, "still here");
    evil.world.rest();
    let transcript = evil.world.transcript("Ben", ben);
    assert_eq!(transcript, ["Mal: I am the last", "Ada: still here"]);
    assert!(evil.world.alarms("Ben").is_empty());
}

#[test]
fn a_namesake_of_a_device_does_not_rewrite_its_words() {
    let mut evil = namesake(42);
    let (ada, ben) = (evil.ada, evil.world.chat("Ben", "Desk"));
    evil.world.hold_ticks = true;
    evil.world.say("Ada", ada, "yes");
    evil.world.rest();
    let salt = evil.world.person("Ada").account.conversation_for_tests(ada).salts()[0];
    evil.world.hold_ticks = false;
    evil.world.rest();
    let twin = Body { salt, number: 2, ..text(&mut evil, "no") };
    say(&mut evil, &twin);
    for (name, chat) in [("Ada", ada), ("Ben", ben)] {
        assert_eq!(evil.world.transcript(name, chat), ["Ada: yes", "Mal: no"], "{name}");
    }
}

#[test]
fn an_author_cannot_change_what_was_read() {
    let mut evil = Evil::new(43);
    let (ada, ben) = (evil.ada, evil.world.chat("Ben", "Desk"));
    let first = Body { number: 2, ..text(&mut evil, "yes") };
    say(&mut evil, &first);
    let second = Body { number: 3, ..text(&mut evil, "no") };
    assert_eq!(first.salt, second.salt);
    say(&mut evil, &second);
    for (name, chat) in [("Ada", ada), ("Ben", ben)] {
        assert_eq!(evil.world.transcript(name, chat), ["Mal: yes", "Mal: no"], "{name}");
        let rows = evil.world.person(name).disk.history.values();
        let ids: std::collections::BTreeSet<_> = rows.map(|row| row.message).collect();
        assert_eq!(ids.len(), 2, "each has an id of its own");
    }
}

#[test]
fn the_same_words_again_are_a_repetition_and_stay_where_they_were() {
    let mut evil = Evil::new(44);
    let (ada, ben) = (evil.ada, evil.world.chat("Ben", "Desk"));
    let first = Body { number: 2, ..text(&mut evil, "yes") };
    say(&mut evil, &first);
    evil.world.say("Ada", ada, "noted");
    evil.world.rest();
    let again = Body { number: 3, ..first };
    say(&mut evil, &again);
    let told = evil.world.told("Ben", |event| {
        matches!(event, Event::Message(row) if row.chat == ben).then(String::new)
    });
    assert_eq!(told.len(), 3, "it counted");
    assert_eq!(evil.world.transcript("Ben", ben), ["Mal: yes", "Ada: noted"]);
}
