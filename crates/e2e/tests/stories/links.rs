//! Links that are not what they should be.

use crate::stage::{Stage, text};
use anyhow::{Context, Result};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use undertone_e2e::{PATIENCE, Person, Running};

fn link_of(person: &Person, words: &[&str]) -> Result<String> {
    let made = person.ok(&[&["link"], words].concat())?;
    Ok(text(&made, "link")?.to_owned())
}

#[test]
fn a_link_that_was_cut_or_is_none_at_all() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = (stage.person("Ada")?, stage.person("Ben")?);
    let link = link_of(&ada, &[])?;
    ben.refused(&["accept", &link[..link.len() - 3]], 2, "bad_link")?;
    ben.refused(&["accept", &link[..20]], 2, "bad_link")?;
    ben.refused(&["accept", "https://example.org/"], 2, "bad_link")?;
    ben.refused(&["accept", ""], 2, "bad_link")?;
    ben.refused(&["accept", stage.server.address()], 2, "bad_link")?;
    assert_eq!(ben.ok(&["chats"])?["chats"], serde_json::json!([]));
    Ok(())
}

#[test]
fn a_link_of_another_version_says_which() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = (stage.person("Ada")?, stage.person("Ben")?);
    let link = link_of(&ada, &[])?;
    let coded = link.strip_prefix("undertone:").context("not a link")?;
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(coded)?;
    let body = bytes.len() - 4;
    bytes[0] = 9;
    let check = Sha256::digest(&bytes[..body]);
    bytes[body..].copy_from_slice(&check[..4]);
    let newer = format!("undertone:{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let refused = ben.refused(&["accept", &newer], 8, "other_version")?;
    assert!(refused["error"]["message"].to_string().contains("version 9"), "{refused}");
    Ok(())
}

#[test]
fn a_link_for_another_server() -> Result<()> {
    let (here, there) = (Stage::open()?, Stage::open()?);
    let (ada, ben) = (here.person("Ada")?, there.person("Ben")?);
    ben.refused(&["accept", &link_of(&ada, &[])?], 4, "wrong_server")?;
    Ok(())
}

#[test]
fn a_one_time_link_makes_one_contact() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben, chloe) = (stage.person("Ada")?, stage.person("Ben")?, stage.person("Chloe")?);
    let link = link_of(&ada, &[])?;
    let _watch = ada.watch()?;
    ben.ok(&["accept", &link, "--timeout", "60"])?;
    chloe.refused(&["accept", &link, "--timeout", "60"], 4, "link_used")?;
    assert_eq!(ada.ok(&["chats"])?["chats"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[test]
fn a_revoked_link_makes_none() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = (stage.person("Ada")?, stage.person("Ben")?);
    let made = ada.ok(&["link"])?;
    ada.ok(&["link", "--revoke", text(&made, "id")?])?;
    let _watch = ada.watch()?;
    let answer = ben.run(&["accept", text(&made, "link")?, "--timeout", "5"])?;
    assert!(matches!(answer.exit, Some(4 | 9)), "{answer:?}");
    assert_eq!(ada.ok(&["chats"])?["chats"], serde_json::json!([]));
    Ok(())
}

#[test]
fn an_expired_link_makes_no_contact() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = (stage.person("Ada")?, stage.person("Ben")?);
    let link = link_of(&ada, &["--expires", "1s"])?;
    // Two seconds of a process that only waits: time passes, nothing is synchronised by it.
    Running::start(&mut ada.command(&["watch", "--timeout", "2"])?)?
        .end_within(PATIENCE)?
        .map_err(|_| anyhow::anyhow!("the watch does not end"))?;
    let _watch = ada.watch()?;
    ben.refused(&["accept", &link, "--timeout", "60"], 4, "link_expired")?;
    assert_eq!(ada.ok(&["chats"])?["chats"], serde_json::json!([]));
    Ok(())
}

#[test]
fn nobody_accepts_an_own_link() -> Result<()> {
    let stage = Stage::open()?;
    let ada = stage.person("Ada")?;
    let answer = ada.run(&["accept", &link_of(&ada, &[])?, "--timeout", "5"])?;
    assert!(matches!(answer.exit, Some(2 | 4)), "{answer:?}");
    Ok(())
}
