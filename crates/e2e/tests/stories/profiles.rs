//! Profiles that are locked, in use, damaged, copied, foreign or on a bad disk.

use crate::stage::{Stage, said};
use anyhow::{Context, Result, ensure};
use std::{fs, path::Path, process::Command};
use undertone_e2e::{Answer, Running};

/// What happens to a folder.
type Damage<'a> = &'a dyn Fn(&Path) -> Result<()>;

#[test]
fn only_the_passphrase_opens_a_profile() -> Result<()> {
    let stage = Stage::open()?;
    let ada = stage.person("Ada")?;
    let typed = stage.home().join("typed");
    for (passphrase, exit, code) in [
        ("a heron stands in the reed", 6, "wrong_passphrase"),
        ("A heron stands in the reeds", 6, "wrong_passphrase"),
        ("", 2, "empty_passphrase"),
    ] {
        fs::write(&typed, passphrase)?;
        ada.with_passphrase_file(&typed).refused(&["whoami"], exit, code)?;
    }
    fs::write(&typed, "a heron stands in the reeds\n")?;
    ada.with_passphrase_file(&typed).ok(&["whoami"])?;
    Ok(())
}

#[test]
fn a_profile_is_made_once() -> Result<()> {
    let stage = Stage::open()?;
    let ada = stage.person("Ada")?;
    let words = ["init", "--name", "Eve", "--server", stage.server.address()];
    ada.refused(&words, 2, "profile_exists")?;
    assert_eq!(ada.ok(&["whoami"])?["name"], "Ada");
    let nobody = ada.with_profile(&stage.home().join("nowhere"));
    nobody.refused(&["chats"], 3, "no_profile")?;
    ensure!(!nobody.profile.exists(), "asking made a folder");
    Ok(())
}

#[test]
fn a_damaged_or_incomplete_profile_is_said_to_be_so() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, _ben) = stage.ada_and_ben()?;
    let damages: [(&str, Damage<'_>); 4] = [
        ("header cut", &|it| cut(&it.join("profile.json"))),
        ("database cut", &|it| cut(&it.join("profile.db"))),
        ("header gone", &|it| Ok(fs::remove_file(it.join("profile.json"))?)),
        ("database gone", &|it| Ok(fs::remove_file(it.join("profile.db"))?)),
    ];
    for (number, (what, damage)) in damages.into_iter().enumerate() {
        let copy = stage.home().join(format!("copy-{number}"));
        copy_folder(&ada.profile, &copy)?;
        damage(&copy)?;
        let before = names(&copy)?;
        let answer = ada.with_profile(&copy).run(&["chats"])?;
        ensure!(answer.exit == Some(8), "{what}: {answer:?}");
        assert_eq!(answer.code(), "damaged_profile", "{what}");
        let foreign = |name: &String| name == "lock" || before.contains(name);
        ensure!(names(&copy)?.iter().all(foreign), "{what}: something was made");
    }
    Ok(())
}

#[test]
fn a_profile_of_a_newer_version_is_left_alone() -> Result<()> {
    let stage = Stage::open()?;
    let ada = stage.person("Ada")?;
    let path = ada.profile.join("profile.json");
    let mut header: serde_json::Value = serde_json::from_slice(&fs::read(&path)?)?;
    let right = fs::read(&path)?;
    header["format"] = 999.into();
    fs::write(&path, header.to_string())?;
    ada.refused(&["chats"], 8, "newer_profile")?;
    fs::write(&path, right)?;
    ada.ok(&["chats"])?;
    Ok(())
}

#[test]
fn a_copied_profile_is_noticed_and_stops() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    ada.ok(&["send", "Ben", "from the one device"])?;
    let copy = stage.home().join("copy");
    copy_folder(&ada.profile, &copy)?;
    ada.ok(&["send", "Ben", "and on"])?;
    let clone = ada.with_profile(&copy);
    let answer = clone.run(&["send", "Ben", "from its copy", "--timeout", "20"])?;
    ensure!(answer.exit == Some(4) && answer.code() == "copied_profile", "{answer:?}");
    clone.refused(&["send", "Ben", "once more"], 4, "copied_profile")?;
    ensure!(clone.ok(&["doctor"])?["copied"] == true, "doctor does not say that it is a copy");
    ben.ok(&["sync"])?;
    let talk = [said("Ada", "from the one device"), said("Ada", "and on")];
    assert_eq!(ben.talk("Ada")?, talk);

    clone.refused(&["doctor", "--new-device", "--restart", "Ben"], 2, "usage")?;
    clone.ok(&["doctor", "--new-device"])?;
    ben.ok(&["sync"])?;
    clone.ok(&["sync"])?;
    clone.ok(&["send", "Ben", "from the new device"])?;
    ben.ok(&["sync"])?;
    ben.ok(&["send", "Ada", "welcome"])?;
    clone.ok(&["sync"])?;
    let talk = [&talk[..], &[said("Ada", "from the new device"), said("Ben", "welcome")]].concat();
    assert_eq!(ben.talk("Ada")?, talk);
    let own = clone.talk("Ben")?;
    ensure!(own.contains(&said("Ben", "welcome")), "{own:?}");
    Ok(())
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    ada.ok(&["send", "Ben", "while there was room"])?;
    let tight = ada.with_file_kib_max(8);
    let answer = tight.run(&["send", "Ben", "x".repeat(60_000).as_str()])?;
    ensure!(answer.exit == Some(7), "{answer:?}");
    ada.ok(&["send", "Ben", "room again"])?;
    ben.ok(&["sync"])?;
    let talk = [said("Ada", "while there was room"), said("Ada", "room again")];
    assert_eq!(ben.talk("Ada")?, talk);
    Ok(())
}

#[test]
fn a_profile_that_cannot_be_written_is_left_alone() -> Result<()> {
    let stage = Stage::open()?;
    let ada = stage.person("Ada")?;
    let profile = ada.profile.to_str().context("a path in UTF-8")?;
    let home = stage.home().to_str().context("a path in UTF-8")?;
    let script = format!("chmod 755 {home} && chmod -R a+rX,a-w {home}/*");
    ensure!(Command::new("sh").args(["-c", &script]).status()?.success(), "chmod failed");
    let mut command = match ada.command(&["chats"])? {
        // Root may write everywhere: ask as nobody.
        asked if may_write(profile) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            command.arg(asked.get_program()).args(asked.get_args());
            command
        }
        asked => asked,
    };
    let Ok(running) = Running::start(&mut command) else {
        eprintln!("skipped: root, and there is no setpriv to be somebody else with");
        return Ok(());
    };
    let answer = Answer::of(&running.end()?)?;
    ensure!(answer.exit == Some(7) && answer.code() == "storage", "{answer:?}");
    Ok(())
}

fn may_write(folder: &str) -> bool {
    fs::write(Path::new(folder).join("probe"), "").is_ok()
}

fn cut(file: &Path) -> Result<()> {
    let bytes = fs::read(file)?;
    Ok(fs::write(file, &bytes[..bytes.len() / 2])?)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
