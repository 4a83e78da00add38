//! Servers that lost what they had answered for: rolled back behind everybody's back, or restored
//! from a backup and saying so.

use crate::stage::{Stage, said, text};
use anyhow::{Context, Result, ensure};
use std::{collections::BTreeMap, fs, path::Path};
use undertone_e2e::Person;

/// How long each file of a log was.
type Lengths = BTreeMap<String, u64>;

fn lengths(server: &Path) -> Result<Lengths> {
    let entries = fs::read_dir(server.join("log"))?;
    let length = |entry: fs::DirEntry| -> Result<_> {
        Ok((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()))
    };
    entries.map(|entry| length(entry?)).collect()
}

/// Takes from the log what it grew by since then: a disk that said "synced" and lied. Gives back
/// how many bytes that were.
fn roll_back(server: &Path, then: &Lengths) -> Result<u64> {
    let mut lost = 0;
    for (name, length) in lengths(server)? {
        let path = server.join("log").join(&name);
        match then.get(&name) {
            Some(kept) => fs::File::options().write(true).open(path)?.set_len(*kept)?,
            None => fs::remove_file(path)?,
        }
        lost += length - then.get(&name).unwrap_or(&0);
    }
    Ok(lost)
}

/// Ada and Ben, and a server that has forgotten what Ada said last and Ben has not read.
fn forgetful() -> Result<(Stage, Person, Person)> {
    let mut stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    ada.ok(&["send", "Ben", "before"])?;
    ben.ok(&["sync"])?;
    let then = lengths(stage.server.folder())?;
    ada.ok(&["send", "Ben", "after"])?;
    stage.server.kill()?;
    ensure!(roll_back(stage.server.folder(), &then)? > 2_048, "nothing was rolled back");
    stage.server.again()?;
    Ok((stage, ada, ben))
}

/// A backup of the server as it is takes its place, with everything since then gone.
fn restore(stage: &mut Stage, since_then: impl FnOnce() -> Result<()>) -> Result<()> {
    let backup = stage.home().join("backup");
    stage.server.admin(&["backup", backup.to_str().context("a path in UTF-8")?])?;
    since_then()?;
    stage.server.stop()?;
    fs::remove_dir_all(stage.server.folder())?;
    fs::rename(&backup, stage.server.folder())?;
    stage.server.again()
}

#[test]
fn a_server_that_lost_its_last_tick_alarms_whoever_had_seen_it() -> Result<()> {
    let (stage, ada, ben) = forgetful()?;
    // The folder is sound in itself: only a client can know.
    assert_eq!(stage.server.admin(&["check"])?["sound"], true);
    let mut watch = ada.watch()?;
    let alarm = watch.until(|event| event["event"] == "alarm")?;
    assert_eq!(alarm["code"], "log_rollback");
    drop(watch);
    // Without a time limit: it must not wait for what cannot come.
    let refused = ada.refused(&["send", "Ben", "later"], 4, "log_rollback")?;
    assert_eq!(refused["state"], "queued");
    ada.refused(&["sync"], 4, "log_rollback")?;
    let health = ada.ok(&["doctor"])?;
    assert_eq!((&health["ok"], &health["queued"]), (&false.into(), &1.into()), "{health}");
    assert_eq!(health["halted"]["code"], "log_rollback");
    // Ben cannot know what he never saw. What he adds to the other log settles nothing for Ada.
    ben.ok(&["send", "Ada", "is anybody there?"])?;
    ada.refused(&["sync"], 4, "log_rollback")?;
    let messages = ada.messages("Ben")?;
    let states = messages.iter().map(|it| Ok((text(it, "text")?, text(it, "state")?)));
    let states = states.collect::<Result<Vec<_>>>()?;
    assert_eq!(states, [("before", "stored"), ("after", "stored"), ("later", "queued")]);
    assert_eq!(ben.talk("Ada")?, [said("Ada", "before"), said("Ben", "is anybody there?")]);
    Ok(())
}

#[test]
fn a_server_that_lost_its_last_tick_and_went_on_shows_two_logs() -> Result<()> {
    let (_stage, ada, ben) = forgetful()?;
    for line in ["one", "two", "three"] {
        ben.ok(&["send", "Ada", line])?;
    }
    ada.refused(&["sync"], 4, "split_view")?;
    let refused = ada.refused(&["send", "Ben", "later"], 4, "split_view")?;
    assert_eq!(refused["state"], "queued");
    assert_eq!(ada.ok(&["doctor"])?["halted"]["code"], "split_view");
    Ok(())
}

#[test]
fn a_restored_backup_declares_itself_and_the_talk_goes_on() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    ada.ok(&["send", "Ben", "before"])?;
    restore(&mut stage, || {
        ada.ok(&["send", "Ben", "after, and read"])?;
        ben.ok(&["sync"]).map(drop)
    })?;
    let mut watch = ada.watch()?;
    watch.until(|event| event["event"] == "alarm" && event["code"] == "server_recovered")?;
    drop(watch);
    ada.ok(&["send", "Ben", "later"])?;
    ben.ok(&["send", "Ada", "yes"])?;
    ada.ok(&["sync"])?;
    let talk = [
        said("Ada", "before"),
        said("Ada", "after, and read"),
        said("Ada", "later"),
        said("Ben", "yes"),
    ];
    for (person, chat) in [(&ada, "Ben"), (&ben, "Ada")] {
        assert_eq!(person.talk(chat)?, talk, "{}", person.name);
        assert_eq!(person.ok(&["doctor"])?["ok"], true, "{}", person.name);
    }
    assert_eq!(stage.server.admin(&["check"])?["sound"], true);
    Ok(())
}

#[test]
fn what_a_restored_server_lost_is_put_again() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    restore(&mut stage, || ada.ok(&["send", "Ben", "after, and unread"]).map(drop))?;
    ada.ok(&["send", "Ben", "later"])?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, ["after, and unread", "later"].map(|line| said("Ada", line)));
    for person in [&ada, &ben] {
        let health = person.ok(&["doctor"])?;
        assert_eq!(health["ok"], true, "{}: {health}", person.name);
        assert_eq!(health["recovery"]["pending"], 0, "{}: {health}", person.name);
    }
    assert_eq!(stage.server.admin(&["check"])?["sound"], true);
    Ok(())
}

#[test]
fn a_change_of_a_group_that_a_restored_server_lost_comes_back() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    ada.ok(&["group", "create", "Desk", "Ben"])?;
    ben.ok(&["sync"])?;
    restore(&mut stage, || {
        ada.ok(&["send", "Desk", "before"])?;
        ada.ok(&["group", "rename", "Desk", "Newsroom"])?;
        ada.ok(&["send", "Newsroom", "after"]).map(drop)
    })?;
    ada.ok(&["sync"])?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Newsroom")?, ["before", "after"].map(|line| said("Ada", line)));
    Ok(())
}
