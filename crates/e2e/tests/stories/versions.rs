//! A server whose versions of the protocol this program does not speak.

use crate::stage::{Stage, said};
use anyhow::Result;
use tokio::runtime::Runtime;
use undertone_puppet::{Puppet, stolen};

/// The same server (its keys, its place) in a release that speaks later versions only. It runs
/// until it is dropped.
fn in_a_later_release(stage: &Stage) -> Result<Runtime> {
    let runtime = Runtime::new()?;
    let keys = stolen(stage.server.folder());
    let mut puppet = runtime.block_on(Puppet::on(stage.server.authority(), &keys));
    puppet.info.version_lowest = puppet.info.version_highest + 1;
    puppet.info.version_highest += 2;
    runtime.spawn(async move { puppet.introduce_itself().await });
    Ok(runtime)
}

#[test]
fn a_message_waits_for_a_server_that_speaks_its_version() -> Result<()> {
    let mut stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    stage.server.stop()?;
    let later = in_a_later_release(&stage)?;
    let refused = ada.refused(&["send", "Ben", "kept"], 8, "other_version")?;
    assert_eq!(refused["state"], "queued");
    ada.refused(&["sync"], 8, "other_version")?;
    assert_eq!(ada.messages("Ben")?[0]["state"], "queued");
    drop(later);
    stage.server.again()?;
    ada.ok(&["sync"])?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, [said("Ada", "kept")]);
    Ok(())
}
