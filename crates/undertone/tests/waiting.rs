//! Commands that wait, and others on the same profile meanwhile.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its place shall fail")]

mod support;

use serde_json::Value;
use std::process::{Child, Stdio};
use support::{Place, Served, code, object};

/// Runs a command that must succeed; its object.
fn done(place: &Place, who: &str, words: &[&str]) -> Value {
    let output = place.command(who, words).stderr(Stdio::inherit()).output().unwrap();
    assert_eq!(code(&output), 0, "{who} {words:?}: {}", String::from_utf8_lossy(&output.stdout));
    object(&output)
}

/// Ada's and Ben's profiles.
fn two_people(place: &Place, served: &Served) {
    for (who, name) in [("ada", "Ada"), ("ben", "Ben")] {
        done(place, who, &["init", "--name", name, "--server", &served.address]);
    }
}

/// Ada's command that accepts Ben's link, and waits for him.
fn accepting(place: &Place) -> Child {
    let link = done(place, "ben", &["link"])["link"].as_str().unwrap().to_owned();
    place.command("ada", &["accept", &link]).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn who_was_added_a_moment_ago_sends_to_the_group_by_its_name() {
    let place = Place::new();
    let served = Served::start(&place);
    two_people(&place, &served);
    let mut accepting = accepting(&place);
    while accepting.try_wait().unwrap().is_none() {
        done(&place, "ben", &["sync"]);
    }
    done(&place, "ben", &["group", "create", "Newsdesk", "Ada"]);
    assert_eq!(done(&place, "ada", &["send", "Newsdesk", "Good morning"])["state"], "stored");
    let (exit, object) = place.run(&["send", "Nobody", "hello"]);
    assert_eq!((exit, object["error"]["code"].as_str()), (3, Some("not_found")));
}

#[test]
fn a_command_that_waits_for_somebody_locks_nobody_out() {
    let place = Place::new();
    let served = Served::start(&place);
    two_people(&place, &served);
    let mut accepting = accepting(&place);
    while place.run(&["chats"]).1["chats"].as_array().is_none_or(Vec::is_empty) {}
    assert_eq!(done(&place, "ada", &["sync"])["queued"], 0);
    assert!(accepting.try_wait().unwrap().is_none(), "all this went on while it waited");
    while accepting.try_wait().unwrap().is_none() {
        done(&place, "ben", &["sync"]);
    }
    let accepted = accepting.wait_with_output().unwrap();
    assert_eq!(code(&accepted), 0);
    assert_eq!(object(&accepted)["state"], "open");
    assert_eq!(done(&place, "ada", &["send", "Ben", "hello"])["state"], "stored");
}
