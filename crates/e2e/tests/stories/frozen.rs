//! Processes that stand still for a while and go on, as under a lid that was closed.

use crate::stage::{Stage, said};
use anyhow::Result;

#[test]
fn a_server_that_stands_still_loses_and_doubles_nothing() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let mut watch = ben.watch()?;
    for round in 1..=3 {
        let text = format!("sent into silence {round}");
        stage.server.freeze()?;
        let kept = ada.run(&["send", "Ben", &text, "--timeout", "1"])?;
        assert_eq!(kept.json["state"], "queued", "{kept:?}");
        stage.server.thaw()?;
        ada.ok(&["sync"])?;
        watch.until_text(&text)?;
    }
    let expected: Vec<_> =
        (1..=3).map(|round| said("Ada", &format!("sent into silence {round}"))).collect();
    drop(watch);
    assert_eq!(ben.talk("Ada")?, expected);
    assert_eq!(ada.talk("Ben")?, expected);
    Ok(())
}

#[test]
fn a_client_that_stands_still_catches_up_when_it_goes_on() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let mut watch = ben.watch()?;
    watch.freeze()?;
    // The server is restarted meanwhile: the frozen client's connection is gone without its knowing.
    for text in ["one", "two"] {
        ada.ok(&["send", "Ben", text])?;
    }
    stage.server.kill()?;
    stage.server.again()?;
    ada.ok(&["send", "Ben", "three"])?;
    watch.thaw()?;
    for text in ["one", "two", "three"] {
        watch.until_text(text)?;
    }
    drop(watch);
    assert_eq!(ben.talk("Ada")?, ["one", "two", "three"].map(|text| said("Ada", text)));
    Ok(())
}
