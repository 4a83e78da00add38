//! Devices of which nothing is heard, and invitations that nobody follows.

use crate::ids::ChatId;
use crate::io::{ChatState, Command, MemberView, Reply, Role};
use crate::world::World;

const DAY_MS: u64 = 86_400_000;

fn desk(seed: u64, members: &[&'static str]) -> (World, ChatId) {
    let names: Vec<_> = ["Ada"].iter().chain(members).copied().collect();
    let mut world = World::new(seed, &names);
    for member in members {
        world.meet("Ada", member);
    }
    let ada = world.group("Ada", "Desk", members);
    (world, ada)
}

fn members(world: &mut World, name: &'static str, chat: ChatId) -> Vec<MemberView> {
    match world.command(name, Command::Members { chat }) {
        Ok(Reply::Members(members)) => members,
        other => panic!("no members: {other:?}"),
    }
}

fn names(world: &mut World, chat: ChatId) -> Vec<String> {
    let members = members(world, "Ada", chat);
    let mut names: Vec<_> = members.iter().map(|member| member.name.to_string()).collect();
    names.sort();
    names
}

fn care(world: &mut World, name: &'static str) -> Option<crate::io::GroupCare> {
    match world.command(name, Command::GroupCares) {
        Ok(Reply::GroupCares(cares)) => cares.into_iter().next(),
        other => panic!("no health: {other:?}"),
    }
}

#[test]
fn who_was_not_heard_of_for_ninety_days_is_removed_and_all_are_told_why() {
    let (mut world, ada) = desk(301, &["Ben", "Chloe"]);
    let chloe = world.chat("Chloe", "Desk");
    world.set_online("Chloe", false);
    world.pass(89 * DAY_MS);
    assert_eq!(names(&mut world, ada), ["Ada", "Ben", "Chloe"]);
    world.pass(9 * DAY_MS);
    assert_eq!(names(&mut world, ada), ["Ada", "Ben"]);
    let why = "Ada removed Chloe: nothing was heard of them for 90 days.".to_owned();
    assert!(world.members_told("Ben").contains(&why), "{:?}", world.members_told("Ben"));
    world.set_online("Chloe", true);
    let told = world.members_told("Chloe");
    let back = |text: &String| text.contains("Somebody who may add members can add you again");
    assert!(told.iter().any(back), "{told:?}");
    let gone = world.chats("Chloe").into_iter().find(|chat| chat.chat == chloe);
    assert_eq!(gone.map(|chat| chat.state), Some(ChatState::Ended));
    let members = vec![world.identity("Chloe")];
    world.command("Ada", Command::Add { chat: ada, members }).expect("added");
    world.say("Chloe", chloe, "back again");
    world.rest();
    assert_eq!(world.transcript("Ada", ada), ["Chloe: back again"]);
}

#[test]
fn who_is_only_quiet_is_not_removed() {
    let (mut world, ada) = desk(302, &["Ben", "Chloe"]);
    world.set_online("Chloe", false);
    world.pass(60 * DAY_MS);
    world.set_online("Chloe", true);
    world.pass(5 * DAY_MS);
    world.set_online("Chloe", false);
    world.pass(60 * DAY_MS);
    assert_eq!(names(&mut world, ada), ["Ada", "Ben", "Chloe"]);
}

#[test]
fn a_sign_in_the_last_hour_keeps_a_silent_device_in() {
    let (mut world, ada) = desk(303, &["Ben", "Chloe"]);
    let chloe = world.chat("Chloe", "Desk");
    world.set_online("Chloe", false);
    world.say("Chloe", chloe, "here after all");
    world.rest();
    world.pass(90 * DAY_MS + 3_600_000);
    for name in ["Ada", "Ben"] {
        world.person(name).online = false;
    }
    world.set_online("Chloe", true);
    for name in ["Ada", "Ben"] {
        world.set_online(name, true);
    }
    world.pass(9 * DAY_MS);
    let told = world.members_told("Ada");
    let removed = told.iter().any(|text| text.contains("removed Chloe"));
    assert_eq!(names(&mut world, ada).len(), if removed { 2 } else { 3 });
    assert!(!removed, "{told:?}");
}

#[test]
fn the_last_owner_is_never_removed() {
    let (mut world, ada) = desk(304, &["Ben", "Chloe"]);
    let member = world.identity("Ben");
    let role = Command::SetRole { chat: ada, member, role: Role::Admin };
    world.command("Ada", role).expect("made an admin");
    world.set_online("Ada", false);
    world.pass(99 * DAY_MS);
    let ben = world.chat("Ben", "Desk");
    assert_eq!(members(&mut world, "Ben", ben).len(), 3);
    let care = care(&mut world, "Ben").expect("Ben is told");
    assert_eq!(care.silent.len(), 1);
    let contact = world.chats("Ben").into_iter().find(|chat| chat.contact.is_some());
    assert_eq!(contact.map(|chat| chat.state), Some(ChatState::Open), "contacts stay");
}

#[test]
fn a_servers_clock_that_leaps_removes_nobody() {
    let (mut world, ada) = desk(305, &["Ben", "Chloe"]);
    for name in ["Ada", "Ben", "Chloe"] {
        world.person(name).skew_ms = -i64::try_from(200 * DAY_MS).expect("a few days");
    }
    world.now_ms += 200 * DAY_MS;
    world.say("Ada", ada, "how late it is");
    world.rest();
    world.pass(9 * DAY_MS);
    assert_eq!(names(&mut world, ada), ["Ada", "Ben", "Chloe"]);
}

#[test]
fn an_invitation_that_was_not_followed_in_a_week_is_made_anew() {
    let mut world = World::new(306, &["Ada", "Ben", "Zoe"]);
    world.meet("Ada", "Ben");
    world.meet("Ada", "Zoe");
    let (ada, zoe) = (world.group("Ada", "Desk", &["Ben"]), "Zoe");
    let people = vec![world.identity(zoe)];
    world.set_online(zoe, false);
    let add = Command::Add { chat: ada, members: people.clone() };
    world.command("Ada", add.clone()).expect("invited");
    let view = members(&mut world, "Ada", ada).into_iter().find(|it| it.identity == people[0]);
    assert!(view.is_some_and(|view| !view.joined && view.invited_since_ms.is_some()));
    world.pass(6 * DAY_MS);
    assert_eq!(world.command("Ada", add.clone()).expect_err("too early").code, "not_ready");
    world.pass(8 * DAY_MS);
    let overdue = care(&mut world, "Ada").expect("there is something to do").overdue;
    assert_eq!(overdue.len(), 1);
    let before = leaf_key(&mut world, ada, people[0]);
    world.command("Ada", add.clone()).expect("invited anew");
    world.pass(60_000);
    assert_ne!(leaf_key(&mut world, ada, people[0]), before, "a fresh leaf");
    let told = world.members_told("Ben");
    assert!(
        told.iter().any(|text| text.starts_with("Ada invited ") && text.ends_with(" anew.")),
        "{told:?}"
    );
    world.set_online(zoe, true);
    let chat = world.chat(zoe, "Desk");
    world.say(zoe, chat, "here at last");
    world.rest();
    assert_eq!(world.transcript("Ada", ada), ["Zoe: here at last"]);
    assert!(world.alarms(zoe).is_empty(), "{:?}", world.alarms(zoe));
    assert_eq!(world.command("Ada", add).expect_err("inside").code, "not_found");
}

fn leaf_key(world: &mut World, chat: ChatId, who: undertone_crypto::IdentityKey) -> [u8; 32] {
    let secrets = world.person("Ada").account.conversation_for_tests(chat).secrets();
    let member = secrets.members.iter().find(|member| member.identity == who);
    member.expect("a member").key_hash
}
