//! First contact, talk, groups: what everybody does.

use crate::stage::{Stage, said, text};
use anyhow::Result;
use serde_json::Value;
use undertone_e2e::befriend;

#[test]
fn two_people_become_contacts_and_talk() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    assert_eq!(ada.ok(&["send", "Ben", "See you at nine"])?["state"], "stored");
    ben.ok(&["sync"])?;
    ben.ok(&["send", "Ada", "At the bridge?"])?;
    ada.ok(&["sync"])?;
    let talk = [said("Ada", "See you at nine"), said("Ben", "At the bridge?")];
    assert_eq!(ada.talk("Ben")?, talk);
    assert_eq!(ben.talk("Ada")?, talk);
    Ok(())
}

#[test]
fn a_watch_shows_what_arrives_and_serves_other_commands() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let mut watch = ben.watch()?;
    ada.ok(&["send", "Ben", "one"])?;
    let event = watch.until_text("one")?;
    assert_eq!(text(&event, "from")?, "Ada");
    // A second process on the profile goes through the one that has it.
    let sent = ben.ok(&["send", "Ada", "two"])?;
    let stored = |event: &Value| event["state"] == "stored" && event["message"] == sent["message"];
    watch.until(stored)?;
    let seq = event["seq"].as_u64().unwrap_or_default();
    watch.kill()?;
    let mut again = ben.watch_since(seq)?;
    again.until(stored)?;
    assert!(again.seen().iter().all(|event| event["text"] != "one"), "{:?}", again.seen());
    Ok(())
}

#[test]
fn a_group_talks_and_the_removed_reads_no_further() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben, chloe) = stage.newsdesk()?;
    chloe.ok(&["send", "Newsdesk", "all three"])?;
    for reader in [&ada, &ben] {
        reader.ok(&["sync"])?;
        assert_eq!(reader.talk("Newsdesk")?, [said("Chloe", "all three")]);
    }
    ada.ok(&["group", "remove", "Newsdesk", "Chloe"])?;
    ada.ok(&["send", "Newsdesk", "we two"])?;
    for person in [&ben, &chloe] {
        person.ok(&["sync"])?;
    }
    let two = [said("Chloe", "all three"), said("Ada", "we two")];
    assert_eq!(ben.talk("Newsdesk")?, two);
    assert_eq!(chloe.talk("Newsdesk")?, two[..1]);
    assert_eq!(chloe.chat("Newsdesk")?["state"], "ended");
    chloe.refused(&["send", "Newsdesk", "and me?"], 4, "ended")?;
    Ok(())
}

#[test]
fn members_roles_names_and_leaving() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben, chloe) = stage.newsdesk()?;
    ben.refused(&["group", "remove", "Newsdesk", "Chloe"], 4, "not_allowed")?;
    ada.ok(&["group", "role", "Newsdesk", "Ben", "admin"])?;
    ben.ok(&["sync"])?;
    ben.ok(&["group", "rename", "Newsdesk", "Night desk"])?;
    chloe.ok(&["sync"])?;
    chloe.ok(&["group", "leave", "Night desk"])?;
    let mut ada_watches = ada.watch()?;
    ada_watches.until(|event| event["event"] == "member")?;
    let members = ada.ok(&["group", "members", "Night desk"])?;
    let role = |name: &str| {
        let members = members["members"].as_array()?;
        members.iter().find(|member| member["name"] == name)?["role"].as_str()
    };
    assert_eq!((role("Ada"), role("Ben")), (Some("owner"), Some("admin")), "{members}");
    Ok(())
}

#[test]
fn somebody_added_later_reads_from_then_on() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let chloe = stage.person("Chloe")?;
    befriend(&ada, &chloe)?;
    ada.ok(&["group", "create", "Newsdesk", "Ben"])?;
    ada.ok(&["send", "Newsdesk", "before"])?;
    ada.ok(&["group", "add", "Newsdesk", "Chloe"])?;
    ada.ok(&["send", "Newsdesk", "after"])?;
    for person in [&ben, &chloe] {
        person.ok(&["sync"])?;
    }
    assert_eq!(ben.talk("Newsdesk")?, [said("Ada", "before"), said("Ada", "after")]);
    assert_eq!(chloe.talk("Newsdesk")?, [said("Ada", "after")]);
    Ok(())
}

#[test]
fn a_name_given_here_stays() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, _ben) = stage.ada_and_ben()?;
    ada.ok(&["contact", "rename", "Ben", "Ben (work)"])?;
    ada.ok(&["send", "Ben (work)", "hello"])?;
    ada.refused(&["send", "Ben", "hello"], 3, "not_found")?;
    Ok(())
}

#[test]
fn two_contacts_of_one_name_are_ambiguous_until_named_by_id() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, _ben) = stage.ada_and_ben()?;
    let other = stage.person("Ben")?;
    befriend(&ada, &other)?;
    let refused = ada.refused(&["send", "Ben", "which?"], 3, "ambiguous")?;
    let candidates = refused["candidates"].as_array().cloned().unwrap_or_default();
    assert_eq!(candidates.len(), 2, "{refused}");
    ada.ok(&["send", text(&candidates[0], "id")?, "you"])?;
    Ok(())
}

#[test]
fn both_sides_see_the_same_safety_number() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = stage.ada_and_ben()?;
    let (hers, his) = (ada.ok(&["verify", "Ben"])?, ben.ok(&["verify", "Ada"])?);
    assert_eq!(hers["code"], his["code"]);
    assert_eq!(hers["verified"], false);
    assert_eq!(ada.ok(&["verify", "Ben", "--code", text(&his, "code")?])?["verified"], true);
    ada.refused(&["verify", "Ben", "--code", "123456"], 4, "code_differs")?;
    Ok(())
}

#[test]
fn a_stranger_waits_as_a_request() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben) = (stage.person("Ada")?, stage.person("Ben")?);
    let made = ada.ok(&["link", "--reusable"])?;
    let asked = ben.ok(&["accept", text(&made, "link")?, "--message", "a hint for you"])?;
    assert_eq!(asked["state"], "requested");
    ada.ok(&["sync"])?;
    let requests = ada.ok(&["requests"])?;
    let request = &requests["requests"][0];
    assert_eq!(text(request, "name")?, "Ben");
    let id = text(request, "id")?.to_owned();
    ada.ok(&["requests", "accept", &id])?;
    assert_eq!(ada.talk("Ben")?, [said("Ben", "a hint for you")]);
    ada.ok(&["send", "Ben", "tell me more"])?;
    ben.ok(&["sync"])?;
    assert_eq!(ben.talk("Ada")?, [said("Ben", "a hint for you"), said("Ada", "tell me more")]);
    Ok(())
}

#[test]
fn a_group_begun_anew_goes_on_in_everybodys_chat() -> Result<()> {
    let stage = Stage::open()?;
    let (ada, ben, chloe) = stage.newsdesk()?;
    chloe.ok(&["send", "Newsdesk", "before"])?;
    ben.refused(&["doctor", "--restart", "Newsdesk"], 4, "not_allowed")?;
    let chats = [&ada, &ben].map(|person| person.chat("Newsdesk").map(|chat| chat["chat"].clone()));
    let done = ada.ok(&["doctor", "--restart", "Newsdesk"])?;
    assert_eq!((&done["name"], &done["left"]), (&"Newsdesk".into(), &Value::Array(Vec::new())));
    // Ben has read nothing of it yet: what he writes now goes where the others are.
    ben.ok(&["send", "Newsdesk", "after"])?;
    ada.ok(&["send", "Newsdesk", "we go on"])?;
    let talk = [said("Chloe", "before"), said("Ben", "after"), said("Ada", "we go on")];
    for person in [&ada, &ben, &chloe] {
        person.ok(&["sync"])?;
        assert_eq!(person.talk("Newsdesk")?, talk);
        assert_eq!(person.ok(&["doctor"])?["ok"], true);
    }
    for (person, chat) in [&ada, &ben].into_iter().zip(chats) {
        assert_eq!(person.chat("Newsdesk")?["chat"], chat?);
    }
    Ok(())
}
