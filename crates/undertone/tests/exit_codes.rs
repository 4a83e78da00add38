//! What scripts rely on, asked of the real binary: exit codes and exactly one object on stdout.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its place shall fail")]

mod support;

use std::process::{Command, Stdio};
use support::{Place, Served, code, object};

fn server_nobody_runs() -> String {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    format!("undertone://{address}/#{}", "ab".repeat(32))
}

#[test]
fn the_words_are_out_before_there_is_a_profile() {
    let place = Place::new();
    let served = Served::start(&place);
    let init = |stdout: Stdio| {
        let words = ["init", "--name", "Ada", "--server", &served.address];
        let mut command = place.command("ada", &words);
        command.stdout(stdout).stderr(Stdio::null()).spawn().unwrap()
    };
    let assert_none = |exit: Option<i32>, why: &str| {
        assert_eq!(exit, Some(7), "{why}");
        assert!(!place.path("ada").exists(), "{why}: a profile whose words nobody has seen");
        assert!(!place.path(".ada.new").exists(), "{why}");
    };
    let mut closed = init(Stdio::piped());
    drop(closed.stdout.take());
    assert_none(closed.wait().unwrap().code(), "nobody reads");
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        assert_none(init(full.into()).wait().unwrap().code(), "stdout is on a full disk");
    }
    let made = init(Stdio::piped()).wait_with_output().unwrap();
    assert_eq!(code(&made), 0);
    assert_eq!(object(&made)["recovery_phrase"].as_str().unwrap().split(' ').count(), 24);
    assert_eq!(place.run(&["whoami"]).0, 0);
}

#[test]
fn usage_is_exit_2_with_one_object() {
    let place = Place::new();
    for (words, word) in [
        (&["nonsense"][..], "usage"),
        (&["send"], "usage"),
        (&["send", "Ben"], "usage"),
        (&["send", "Ben", ""], "empty"),
        (&["edit", "%1", "x"], "not_in_this_release"),
        (&["group", "ban", "Desk", "Ben"], "not_in_this_release"),
        (&["send", "Ben", "x", "--file", "f"], "not_in_this_release"),
        (&["init", "--name", "Ada", "--server", "x"], "bad_address"),
        (&["init", "--name", "%Ada", "--server", "x"], "usage"),
    ] {
        let (exit, object) = place.run(words);
        assert_eq!(exit, 2, "{words:?}: {object}");
        assert_eq!(object["error"]["code"], word, "{words:?}");
        assert_ne!(object["error"]["hint"], "", "{words:?}");
    }
}

#[test]
fn no_profile_is_exit_3() {
    let (exit, object) = Place::new().run(&["chats"]);
    assert_eq!((exit, object["error"]["code"].as_str()), (3, Some("no_profile")));
}

#[test]
fn an_empty_passphrase_is_refused() {
    let place = Place::new();
    std::fs::write(place.path("passphrase"), "").unwrap();
    let (exit, object) = place.run(&["init", "--name", "Ada", "--server", &server_nobody_runs()]);
    assert_eq!((exit, object["error"]["code"].as_str()), (2, Some("empty_passphrase")));
}

#[test]
fn a_server_that_is_away_is_exit_5_and_nothing_is_made() {
    let place = Place::new();
    let (exit, object) = place.run(&["init", "--name", "Ada", "--server", &server_nobody_runs()]);
    assert_eq!((exit, object["error"]["code"].as_str()), (5, Some("unreachable")));
    let left = std::fs::read_dir(place.folder.path()).unwrap().count();
    assert_eq!(left, 1, "only the passphrase's file");
}

#[test]
fn a_folder_with_something_in_it_is_not_written_to() {
    let place = Place::new();
    std::fs::create_dir(place.path("ada")).unwrap();
    std::fs::write(place.path("ada").join("cat.jpg"), "cat").unwrap();
    let (exit, object) = place.run(&["init", "--name", "Ada", "--server", &server_nobody_runs()]);
    assert_eq!((exit, object["error"]["code"].as_str()), (2, Some("profile_exists")));
}

#[test]
fn a_profile_without_its_header_is_exit_8() {
    let place = Place::new();
    std::fs::create_dir(place.path("ada")).unwrap();
    std::fs::write(place.path("ada").join("profile.db"), [7; 8192]).unwrap();
    let (exit, object) = place.run(&["chats"]);
    assert_eq!((exit, object["error"]["code"].as_str()), (8, Some("damaged_profile")));
    assert!(!place.path("ada").join("profile.json").exists());
}

#[test]
fn a_server_folder_that_is_none_is_exit_3() {
    let place = Place::new();
    let data = place.path("nothing");
    let (exit, object) = place.run(&["admin", "--data", data.to_str().unwrap(), "status"]);
    assert_eq!(exit, 3, "{object}");
}

#[test]
fn help_and_version_are_exit_0_and_for_people() {
    for words in [&["--help"][..], &["send", "--help"], &["--version"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_undertone")).args(words).output().unwrap();
        assert_eq!(code(&output), 0, "{words:?}");
        assert!(!output.stdout.is_empty(), "{words:?}");
    }
}
