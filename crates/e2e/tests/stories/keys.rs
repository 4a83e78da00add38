//! Keys that are replaced, and whoever still has the old ones.

use crate::stage::{Stage, said};
use anyhow::{Result, ensure};
use std::process::Command;
use undertone_e2e::{Person, Server, Setup};

/// A copy of the server's folder, as a thief or a backup has it. It is not running.
fn copied(stage: &Stage) -> Result<Setup> {
    let copy = stage.home().join("copy");
    let made = Command::new("cp").arg("-a").arg(stage.server.folder()).arg(&copy).status()?;
    ensure!(made.success(), "cp: {made}");
    let listen = stage.server.authority().to_owned();
    Ok(Setup { listen, ..Setup::new(copy) })
}

#[test]
fn who_has_met_the_new_key_refuses_the_old_one() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    stage.server.stop()?;
    let copy = copied(&stage)?;
    assert_eq!(stage.server.admin(&["rotate-key"])?["successions"], 1);
    stage.server.again()?;
    // Known by its id, whatever its key is.
    ada.ok(&["send", "Ben", "signed anew"])?;
    stage.server.stop()?;
    let thief = Server::with(copy)?;
    assert_eq!(thief.address(), stage.server.address());
    let refused = ada.refused(&["send", "Ben", "not for a thief"], 4, "wrong_server")?;
    assert_eq!(refused["state"], "queued");
    // Who comes now cannot know that there is a newer key.
    let chloe = Person::init(stage.home(), "Chloe", thief.address())?;
    drop(thief);
    stage.server.again()?;
    ada.ok(&["sync"])?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, ["signed anew", "not for a thief"].map(|text| said("Ada", text)));
    chloe.ok(&["sync"]).map(drop)
}

#[test]
fn a_running_watch_follows_the_server_to_its_new_key_and_not_back() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let mut watch = ben.watch()?;
    stage.server.stop()?;
    let copy = copied(&stage)?;
    stage.server.admin(&["rotate-key"])?;
    stage.server.again()?;
    ada.ok(&["send", "Ben", "signed anew"])?;
    watch.until_text("signed anew")?;
    stage.server.stop()?;
    let _thief = Server::with(copy)?;
    // Ben's watch has the profile: the same process that has met the new key answers.
    ben.refused(&["send", "Ada", "not for a thief"], 4, "wrong_server").map(drop)
}
