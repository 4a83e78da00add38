//! Disks that are really full or read-only, on either side. They are mounted for the story, which
//! takes root; elsewhere it is skipped, and `servers` and `profiles` tell it with a file limit.

use crate::stage::{Stage, said, text};
use anyhow::{Context, Result, ensure};
use undertone_e2e::{Disk, Person, Running, Setup, befriend};

/// A profile takes about 1 MiB.
const PROFILE_KIB: u64 = 8 << 10;

/// A server leaves 64 MiB of its disk to the operator.
const SERVER_KIB: u64 = 80 << 10;

#[test]
fn a_server_on_a_full_disk_goes_on_by_itself_once_there_is_room() -> Result<()> {
    let home = tempfile::tempdir()?;
    let Some(disk) = Disk::mount(home.path().join("disk"), SERVER_KIB)? else { return Ok(()) };
    // Its log is on the same disk, as an operator may well have it.
    let folder = disk.place().join("server");
    let stage = Stage::with(|setup| Setup { folder, ..setup })?;
    let (ada, ben) = stage.ada_and_ben()?;
    ada.ok(&["send", "Ben", "while there is room"])?;
    disk.fill()?;
    let mut watch = ada.watch()?;
    for line in ["one", "two"] {
        let refused = ada.refused(&["send", "Ben", line], 5, "server_full")?;
        assert_eq!(refused["state"], "queued");
    }
    // What is stored is read all the same.
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, [said("Ada", "while there is room")]);
    disk.relieve()?;
    // Nobody restarts anything, and nobody asks for it.
    let two = ada.messages("Ben")?.pop().context("no message")?;
    let two = text(&two, "message")?.to_owned();
    watch.until(|event| event["message"] == two && event["state"] == "stored")?;
    ben.ok(&["sync"])?;
    let talk = ["while there is room", "one", "two"].map(|line| said("Ada", line));
    assert_eq!(ben.talk("Ada")?, talk);
    ensure!(stage.server.admin(&["check"])?["sound"] == true, "the log is not sound");
    Ok(())
}

#[test]
fn a_server_starts_on_a_full_disk_and_gives_what_it_has() -> Result<()> {
    let home = tempfile::tempdir()?;
    // Its log is elsewhere, so that what it says can be read.
    let folder = home.path().join("server");
    let Some(disk) = Disk::mount(&folder, SERVER_KIB)? else { return Ok(()) };
    let mut stage = Stage::with(|setup| Setup { folder, ..setup })?;
    let (ada, ben) = stage.ada_and_ben()?;
    ada.ok(&["send", "Ben", "while there is room"])?;
    disk.fill()?;
    stage.server.kill()?;
    stage.server.again()?;
    ben.ok(&["sync"])?;
    ada.refused(&["send", "Ben", "later"], 5, "server_full")?;
    let log = stage.server.log()?;
    ensure!(log.contains("the disk is full"), "it does not say why: {log}");
    stage.server.kill()?;
    disk.relieve()?;
    stage.server.again()?;
    ada.ok(&["sync"])?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, ["while there is room", "later"].map(|line| said("Ada", line)));
    Ok(())
}

#[test]
fn a_profile_on_a_full_disk_is_as_before_once_there_is_room() -> Result<()> {
    let stage = Stage::open()?;
    let Some((disk, ada, ben)) = ada_on_a_disk(&stage)? else { return Ok(()) };
    disk.fill()?;
    for words in COMMANDS {
        let refused = ada.refused(words, 7, "storage")?;
        let message = text(&refused["error"], "message")?;
        ensure!(message.contains("the disk is full"), "{words:?}: {message}");
    }
    disk.relieve()?;
    goes_on(&ada, &ben)
}

#[test]
fn a_disk_that_fills_under_an_open_profile_loses_nothing() -> Result<()> {
    let stage = Stage::open()?;
    let Some((disk, ada, ben)) = ada_on_a_disk(&stage)? else { return Ok(()) };
    let watch = ada.watch()?;
    disk.fill()?;
    // More than what is left in the pages that the files have already.
    let refused = ada.refused(&["send", "Ben", &"x".repeat(60_000), "--id", "k"], 7, "storage")?;
    ensure!(refused["message"].is_null(), "it names a message that is not kept: {refused}");
    drop(watch);
    disk.relieve()?;
    goes_on(&ada, &ben)
}

#[test]
fn a_profile_on_a_read_only_disk_is_left_alone() -> Result<()> {
    let stage = Stage::open()?;
    let Some((disk, ada, ben)) = ada_on_a_disk(&stage)? else { return Ok(()) };
    disk.writable(false)?;
    // Reading too: a profile is opened by whoever may write its lock and its log.
    for words in COMMANDS {
        let refused = ada.refused(words, 7, "storage")?;
        let message = text(&refused["error"], "message")?;
        ensure!(message.contains("cannot be written"), "{words:?}: {message}");
    }
    let nobody = Person::nobody(stage.home(), "Chloe")?.with_profile(&disk.place().join("new"));
    let words = ["init", "--name", "Chloe", "--server", stage.server.address()];
    nobody.refused(&words, 7, "storage")?;
    disk.writable(true)?;
    goes_on(&ada, &ben)
}

#[test]
fn a_server_on_a_read_only_disk_does_not_start() -> Result<()> {
    let home = tempfile::tempdir()?;
    let Some(disk) = Disk::mount(home.path().join("disk"), SERVER_KIB)? else { return Ok(()) };
    let folder = disk.place().join("server");
    let mut stage = Stage::with(|setup| Setup { folder, ..setup })?;
    let (ada, ben) = stage.ada_and_ben()?;
    ada.ok(&["send", "Ben", "before"])?;
    stage.server.stop()?;
    disk.writable(false)?;
    for folder in ["server", "another"] {
        let setup = Setup::new(disk.place().join(folder));
        let ended = Running::start(&mut setup.command()?)?.end()?;
        assert_eq!(ended.status.code(), Some(7), "{folder}: {ended:?}");
        ensure!(ended.stdout.contains("Read-only"), "{folder}: {ended:?}");
    }
    disk.writable(true)?;
    stage.server.again()?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, [said("Ada", "before")]);
    Ok(())
}

/// What is tried where nothing can be written.
const COMMANDS: [&[&str]; 5] = [
    &["send", "Ben", "no room", "--id", "k"],
    &["chats"],
    &["read", "Ben"],
    &["sync"],
    &["doctor"],
];

/// Ada with her profile on a disk of her own, and Ben, whose last message she has not read.
fn ada_on_a_disk(stage: &Stage) -> Result<Option<(Disk, Person, Person)>> {
    let Some(disk) = Disk::mount(stage.home().join("disk"), PROFILE_KIB)? else { return Ok(None) };
    let ada = Person::init(disk.place(), "Ada", stage.server.address())?;
    let ben = stage.person("Ben")?;
    befriend(&ada, &ben)?;
    ada.ok(&["send", "Ben", "before"])?;
    ben.ok(&["send", "Ada", "and before"])?;
    Ok(Some((disk, ada, ben)))
}

/// Nothing is lost, and nothing that was refused has happened.
fn goes_on(ada: &Person, ben: &Person) -> Result<()> {
    assert_eq!(ada.ok(&["doctor"])?["ok"], true);
    ada.ok(&["send", "Ben", "room again", "--id", "k"])?;
    ada.ok(&["sync"])?;
    ben.ok(&["sync"])?;
    let of_ada = ["before", "room again"].map(|line| said("Ada", line));
    let of_ben = [said("Ben", "and before")];
    for (person, chat) in [(ada, "Ben"), (ben, "Ada")] {
        let (own, other): (Vec<_>, Vec<_>) =
            person.talk(chat)?.into_iter().partition(|(from, _)| from == "Ada");
        assert_eq!((&own[..], &other[..]), (&of_ada[..], &of_ben[..]), "{}", person.name);
    }
    Ok(())
}
