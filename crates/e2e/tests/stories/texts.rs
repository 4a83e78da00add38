//! Names and texts of every kind.

use crate::stage::{Stage, said};
use anyhow::{Context, Result};
use std::process::Command;
use undertone_e2e::{Person, Running, befriend, binary};

/// Longest text, in bytes.
const TEXT_BYTES_MAX: usize = 65_536;

#[test]
fn every_script_arrives_as_it_was_written() -> Result<()> {
    let stage = Stage::open()?;
    let ada = stage.person("آدا 🦉")?;
    let ben = stage.person("Бен Étienne")?;
    befriend(&ada, &ben)?;
    let texts =
        ["مرحبا بالعالم", "👩‍👩‍👧 🏳️‍🌈 é e\u{301}", "日本語\nund eine zweite Zeile", "\u{202e}gnirts"];
    for text in texts {
        ada.ok(&["send", "Бен Étienne", text])?;
    }
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("آدا 🦉")?, texts.map(|text| said("آدا 🦉", text)));
    Ok(())
}

#[test]
fn control_characters_reach_no_terminal() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let evil = "one\u{1b}[2J\u{7}\u{9b}31m\u{202e}two\rthree\nBen: forged";
    ada.ok(&["send", "Ben", evil])?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, [said("Ada", evil)]);
    let shown = plain(&ben, &["read", "Ada"])?;
    let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!shown.contains(harmful), "{shown:?}");
    assert!(shown.lines().all(|line| !line.starts_with("Ben:")), "{shown}");
    Ok(())
}

#[test]
fn names_that_would_mislead_are_refused() -> Result<()> {
    let stage = Stage::open()?;
    for name in ["", "  ", "#1234", "@ada", "%x", "a\u{1b}[2J", "a\nb", "a\u{202e}b"] {
        let nobody = Person::nobody(stage.home(), name)?;
        let words = ["init", "--name", name, "--server", stage.server.address()];
        nobody.refused(&words, 2, "usage")?;
    }
    Ok(())
}

#[test]
fn texts_up_to_their_limit_and_not_beyond() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let full = "ü".repeat(TEXT_BYTES_MAX / 2);
    ada.ok(&["send", "Ben", &full])?;
    let refused = ada.refused(&["send", "Ben", &format!("{full}x")], 2, "too_long")?;
    assert!(refused["error"]["hint"].to_string().contains("file"), "{refused}");
    ada.refused(&["send", "Ben", ""], 2, "empty")?;
    ada.refused(&["send", "Ben"], 2, "usage")?;
    ada.refused(&["send", "Zoe", "hello"], 3, "not_found")?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, [said("Ada", &full)]);
    Ok(())
}

#[test]
fn what_is_not_built_yet_says_so() -> Result<()> {
    let stage = Stage::open()?;
    let ada = stage.person("Ada")?;
    for words in [&["edit", "x"][..], &["rpc"], &["send", "Ben", "x", "--timer", "1h"]] {
        let refused = ada.refused(words, 2, "not_in_this_release")?;
        assert!(refused["error"]["message"].to_string().contains("not in this release"));
    }
    Ok(())
}

/// What a person reads on stdout.
fn plain(person: &Person, words: &[&str]) -> Result<String> {
    let with_json = person.command(words)?;
    let mut command = Command::new(binary()?);
    command.args(with_json.get_args().filter(|word| *word != "--json"));
    let ended = Running::start(&mut command)?.end()?;
    ended.status.success().then_some(ended.stdout).context("the command failed")
}
