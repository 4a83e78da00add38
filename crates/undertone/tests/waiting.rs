//! Commands that wait, and others on the same profile meanwhile.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its place shall fail")]

mod support;

use serde_json::Value;
use std::process::Stdio;
use support::{Place, Served, code, object};

/// Runs a command that must succeed; its object.
fn done(place: &Place, who: &str, words: &[&str]) -> Value {
    let output = place.command(who, words).stderr(Stdio::inherit()).output().unwrap();
    assert_eq!(code(&output), 0, "{who} {words:?}: {}", String::from_utf8_lossy(&output.stdout));
    object(&output)
}

#[test]
fn a_command_that_waits_for_somebody_locks_nobody_out() {
    let place = Place::new();
    let served = Served::start(&place);
    for (who, name) in [("ada", "Ada"), ("ben", "Ben")] {
        done(&place, who, &["init", "--name", name, "--server", &served.address]);
    }
    let link = done(&place, "ben", &["link"])["link"].as_str().unwrap().to_owned();
    // Ben is away: it waits for him.
    let accepting = place.command("ada", &["accept", &link]).stdout(Stdio::piped()).spawn();
    let mut accepting = accepting.unwrap();
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
