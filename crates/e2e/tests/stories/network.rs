//! Lines that break, hang or lie, and lines through a proxy.

use crate::stage::{Stage, said};
use anyhow::Result;
use std::time::Duration;
use undertone_e2e::{Middle, Mood, Socks};

#[test]
fn a_line_that_is_cut_anywhere_loses_and_doubles_nothing() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let middle = Middle::before(stage.server.authority())?;
    ada.ok(&["server", "set-address", &middle.address(stage.server.fingerprint())])?;
    let mut expected = Vec::new();
    for cut in [0, 1, 700, 3_000, 4_500, 6_000, 8_000] {
        let text = format!("cut after {cut}");
        middle.feel(Mood::CutAfter(cut));
        // Whatever it says, the message is kept.
        ada.run(&["send", "Ben", &text, "--id", &text, "--timeout", "3"])?;
        middle.feel(Mood::Pass);
        ada.ok(&["send", "Ben", &text, "--id", &text, "--timeout", "60"])?;
        expected.push(said("Ada", &text));
    }
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, expected);
    assert_eq!(ada.talk("Ben")?, expected);
    Ok(())
}

#[test]
fn a_line_that_hangs_up_or_lies_is_tried_again() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let middle = Middle::before(stage.server.authority())?;
    ada.ok(&["server", "set-address", &middle.address(stage.server.fingerprint())])?;
    for mood in [Mood::Refuse, Mood::Garble(5_000), Mood::Garble(100)] {
        middle.feel(mood);
        let text = format!("{mood:?}");
        let sending = ada.start(&["send", "Ben", &text, "--timeout", "90"])?;
        let sending = match sending.end_within(Duration::from_secs(2))? {
            // It got through on a line before the lie, or gave up; either is well.
            Ok(ended) => {
                assert!(matches!(ended.status.code(), Some(0 | 5)), "{ended:?}");
                None
            }
            Err(sending) => Some(sending),
        };
        middle.feel(Mood::Pass);
        middle.hang_up();
        if let Some(sending) = sending {
            let ended = sending.end()?;
            assert!(ended.status.success(), "{ended:?}");
        }
    }
    ada.ok(&["sync"])?;
    ben.ok(&["sync"])?;
    let texts: Vec<_> = ben.talk("Ada")?.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["Refuse", "Garble(5000)", "Garble(100)"]);
    Ok(())
}

#[test]
fn a_server_that_says_nothing_does_not_hold_anybody_for_ever() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, _ben) = stage.ada_and_ben()?;
    let middle = Middle::before(stage.server.authority())?;
    ada.ok(&["server", "set-address", &middle.address(stage.server.fingerprint())])?;
    middle.feel(Mood::Hold);
    let answer = ada.run(&["send", "Ben", "hello?", "--timeout", "2"])?;
    assert!(matches!(answer.exit, Some(5 | 9)), "{answer:?}");
    assert_eq!(answer.json["state"], "queued");
    middle.feel(Mood::Pass);
    middle.hang_up();
    ada.ok(&["sync"])?;
    assert_eq!(ada.messages("Ben")?[0]["state"], "stored");
    Ok(())
}

#[test]
fn a_proxy_is_used_when_it_is_set_and_only_then() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let proxy = Socks::start()?;
    ada.ok(&["config", "proxy", proxy.url()])?;
    ada.ok(&["send", "Ben", "by a detour"])?;
    assert_eq!(proxy.wanted(), [stage.server.authority()]);
    ada.ok(&["config", "proxy", "none"])?;
    ada.ok(&["send", "Ben", "directly"])?;
    assert_eq!(proxy.wanted(), [""; 0]);
    // A proxy that is away is not passed by.
    let gone = Middle::before("127.0.0.1:9")?;
    gone.feel(Mood::Refuse);
    let address = gone.address("");
    let url = address.replace("undertone", "socks5h").replace("/#", "");
    ada.ok(&["config", "proxy", &url])?;
    ada.refused(&["send", "Ben", "never directly"], 5, "unreachable")?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, [said("Ada", "by a detour"), said("Ada", "directly")]);
    Ok(())
}
