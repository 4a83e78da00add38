//! Servers that are down, restart, are somebody else's, or two on one folder.

use crate::stage::{Stage, said};
use anyhow::{Result, ensure};
use undertone_e2e::{Person, Running, Server, Setup};

#[test]
fn another_fingerprint_is_refused_at_the_start() -> Result<()> {
    let stage = Stage::open()?;
    let right = stage.server.fingerprint();
    let wrong = stage.server.address().replace(right, &"0".repeat(right.len()));
    let ada = Person::nobody(stage.home(), "Ada")?;
    ada.refused(&["init", "--name", "Ada", "--server", &wrong], 4, "wrong_server")?;
    ensure!(!ada.profile.join("profile.db").exists(), "a profile was made all the same");
    ada.ok(&["init", "--name", "Ada", "--server", stage.server.address()])?;
    ada.refused(&["server", "set-address", &wrong], 4, "wrong_server")?;
    Ok(())
}

#[test]
fn an_address_without_a_fingerprint_is_no_address() -> Result<()> {
    let stage = Stage::open()?;
    let ada = Person::nobody(stage.home(), "Ada")?;
    let cut = format!("undertone://{}/", stage.server.authority());
    for address in [&*cut, "127.0.0.1:7443", ""] {
        ada.refused(&["init", "--name", "Ada", "--server", address], 2, "bad_address")?;
    }
    Ok(())
}

#[test]
fn another_server_in_its_place_gets_nothing() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, _ben) = stage.ada_and_ben()?;
    let place = stage.server.authority().to_owned();
    stage.server.stop()?;
    let mut other = Setup::new(stage.home().join("other"));
    other.listen = place;
    let other = Server::with(other)?;
    let refused = ada.refused(&["send", "Ben", "for the right one"], 4, "wrong_server")?;
    assert_eq!(refused["state"], "queued");
    drop(other);
    stage.server.again()?;
    ada.ok(&["sync"])?;
    assert_eq!(ada.messages("Ben")?[0]["state"], "stored");
    Ok(())
}

#[test]
fn what_is_sent_while_the_server_is_away_goes_out_by_itself() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    stage.server.stop()?;
    let refused = ada.refused(&["send", "Ben", "first"], 5, "unreachable")?;
    assert_eq!(refused["state"], "queued");
    assert!(refused["message"].is_string(), "{refused}");
    ada.ok(&["send", "Ben", "second", "--no-wait"])?;
    ada.ok(&["send", "Ben", "third", "--no-wait", "--id", "k"])?;
    ada.ok(&["send", "Ben", "third", "--no-wait", "--id", "k"])?;
    for message in ada.messages("Ben")? {
        assert_eq!(message["state"], "queued");
    }
    stage.server.again()?;
    ada.ok(&["sync"])?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, ["first", "second", "third"].map(|text| said("Ada", text)));
    Ok(())
}

#[test]
fn a_server_that_restarts_in_the_middle_is_found_again() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let mut watch = ben.watch()?;
    ada.ok(&["send", "Ben", "before"])?;
    watch.until_text("before")?;
    let ended = stage.server.stop()?;
    assert!(ended.success(), "SIGTERM: {ended}");
    stage.server.again()?;
    ada.ok(&["send", "Ben", "after"])?;
    watch.until_text("after")?;
    stage.server.kill()?;
    stage.server.again()?;
    ada.ok(&["send", "Ben", "after a crash"])?;
    watch.until_text("after a crash")?;
    assert_eq!(stage.server.admin(&["check"])?["sound"], true);
    Ok(())
}

#[test]
fn a_server_that_is_back_is_found_at_once_by_whoever_asks() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, _ben) = stage.ada_and_ben()?;
    let _watch = ada.watch()?;
    stage.server.stop()?;
    // Its watch tries ever more rarely; commands go through it.
    for _ in 0..3 {
        ada.refused(&["send", "Ben", "are you there?"], 5, "unreachable")?;
    }
    stage.server.again()?;
    ada.ok(&["sync"])?;
    assert!(ada.messages("Ben")?.iter().all(|message| message["state"] == "stored"));
    Ok(())
}

#[test]
fn nobody_makes_a_profile_without_a_server() -> Result<()> {
    let mut stage = Stage::open()?;
    let address = stage.server.address().to_owned();
    stage.server.stop()?;
    let ada = Person::nobody(stage.home(), "Ada")?;
    ada.refused(
        &["init", "--name", "Ada", "--server", &address, "--timeout", "2"],
        5,
        "unreachable",
    )?;
    Ok(())
}

#[test]
fn two_servers_on_one_folder_are_one_too_many() -> Result<()> {
    let stage = Stage::open()?;
    let second = Setup::new(stage.server.folder());
    let ended = Running::start(&mut second.command()?)?.end()?;
    assert_eq!(ended.status.code(), Some(7), "{ended:?}");
    Ok(())
}

#[test]
fn ipv6_is_as_good_as_ipv4() -> Result<()> {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: this machine has no IPv6");
        return Ok(());
    }
    let stage = Stage::with(|setup| Setup { listen: "[::1]:0".to_owned(), ..setup })?;
    let (ada, ben) = stage.ada_and_ben()?;
    ada.ok(&["send", "Ben", "over six"])?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, [said("Ada", "over six")]);
    Ok(())
}

#[test]
fn a_full_disk_stops_the_server_from_taking_more_and_loses_nothing() -> Result<()> {
    let mut stage = Stage::with(|setup| Setup { file_kib_max: Some(192), ..setup })?;
    let (ada, ben) = stage.ada_and_ben()?;
    let mut stored = Vec::new();
    let queued = loop {
        let text = format!("message {}", stored.len());
        let answer = ada.run(&["send", "Ben", &text, "--timeout", "5"])?;
        if answer.exit != Some(0) {
            assert!(matches!(answer.exit, Some(5 | 7 | 9)), "{answer:?}");
            assert_eq!(answer.json["state"], "queued");
            break text;
        }
        stored.push(text);
        ensure!(stored.len() < 200, "the disk never fills");
    };
    // More room, the same folder.
    let mut roomy = Setup::new(stage.server.folder());
    roomy.listen = stage.server.authority().to_owned();
    stage.server.stop()?;
    let _roomy = Server::with(roomy)?;
    ada.ok(&["sync"])?;
    ben.ok(&["sync"])?;
    stored.push(queued);
    let expected: Vec<_> = stored.iter().map(|text| said("Ada", text)).collect();
    assert_eq!(ben.talk("Ada")?, expected);
    Ok(())
}
