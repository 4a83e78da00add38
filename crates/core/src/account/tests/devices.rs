//! A device id is nobody's: its owner chooses it, and may choose another's.

use super::evil::{Evil, say, text};
use crate::body::Body;
use crate::io::MessageState;

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
    evil.world.say("Ada", ada, "yes");
    evil.world.rest();
    let rows = evil.world.person("Ada").disk.history.values();
    let mut said = rows.filter(|row| row.chat == ada && row.state == MessageState::Stored);
    let message = said.next().expect("Ada's words").message.0;
    let twin = Body { message, number: 2, ..text(&mut evil, "no") };
    say(&mut evil, &twin);
    for (name, chat) in [("Ada", ada), ("Ben", ben)] {
        assert_eq!(evil.world.transcript(name, chat), ["Ada: yes", "Mal: no"], "{name}");
    }
}
