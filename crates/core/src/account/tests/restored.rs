//! A server that is restored from a backup and says so: nothing is lost, doubled or out of order, and
//! nobody is alarmed by anything but the recovery itself (ADR 0010).

use crate::ids::{ChatId, Name};
use crate::io::{ChatState, Command, Event, MessageState, Role};
use crate::world::World;

/// Ada, Ben and Chloe, who all know each other, in the group Desk.
fn desk(seed: u64) -> World {
    let mut world = World::new(seed, &["Ada", "Ben", "Chloe"]);
    for (one, other) in [("Ada", "Ben"), ("Ada", "Chloe"), ("Ben", "Chloe")] {
        world.meet(one, other);
    }
    world.group("Ada", "Desk", &["Ben", "Chloe"]);
    for name in ["Ada", "Ben", "Chloe"] {
        let desk = world.chat(name, "Desk");
        world.say(name, desk, &format!("{name} is here"));
        world.rest();
    }
    world.pass(300_000);
    world
}

fn say(world: &mut World, name: &'static str, text: &str) {
    let desk = desk_of(world, name);
    world.say(name, desk, text);
    world.rest();
}

fn desk_of(world: &mut World, name: &'static str) -> ChatId {
    let chats = world.chats(name);
    let found = chats
        .iter()
        .find(|chat| ["Desk", "Newsroom", "Reading room"].contains(&chat.name.as_str()));
    found.unwrap_or_else(|| panic!("{name} has no group: {chats:?}")).chat
}

/// Ada asks for another name, and nothing more happens than can without a tick of the server.
fn ask_to_rename(world: &mut World) {
    let (chat, name) = (desk_of(world, "Ada"), Name::parse("Newsroom").expect("a name"));
    world.hold_ticks = true;
    world.order("Ada", Command::Rename { chat, name });
    world.rest();
}

fn rename(world: &mut World, name: &'static str, title: &str) {
    let chat = desk_of(world, name);
    let title = Name::parse(title).expect("a name");
    world.command(name, Command::Rename { chat, name: title }).expect("an admin may");
    world.pass(300_000);
}

fn talk(world: &mut World, name: &'static str) -> Vec<String> {
    let chat = desk_of(world, name);
    world.transcript(name, chat)
}

/// Everybody says the same, and was told of nothing but the recovery.
fn agree(world: &mut World, names: &[&'static str], texts: &[&str]) {
    for name in names {
        let said = talk(world, name);
        let said: Vec<_> = said.iter().filter(|line| !line.ends_with("is here")).collect();
        assert_eq!(said, texts, "{name}");
        let alarms = world.alarms(name);
        assert!(alarms.iter().all(|code| code == "server_recovered"), "{name}: {alarms:?}");
        assert_eq!(world.gaps(name), [""; 0], "{name}");
        let chats = world.chats(name);
        assert!(chats.iter().all(|chat| chat.state == ChatState::Open), "{name}: {chats:?}");
    }
}

/// Everybody says something that the others read, and so is in one epoch with them.
fn agree_and_talk_on(world: &mut World) {
    let names = ["Ada", "Ben", "Chloe"];
    for name in names {
        say(world, name, name);
    }
    agree(world, &names, &["Ada: Ada", "Ben: Ben", "Chloe: Chloe"]);
}

#[test]
fn messages_come_back_in_their_order_to_whoever_was_away() {
    let mut world = desk(1);
    world.set_online("Ben", false);
    let backup = world.backup();
    for (name, text) in [("Ada", "one"), ("Chloe", "two"), ("Ada", "three")] {
        say(&mut world, name, text);
    }
    world.restore(&backup);
    world.pass(300_000);
    say(&mut world, "Chloe", "four");
    world.set_online("Ben", true);
    let texts = ["Ada: one", "Chloe: two", "Ada: three", "Chloe: four"];
    agree(&mut world, &["Ada", "Ben", "Chloe"], &texts);
    for name in ["Ada", "Chloe"] {
        assert_eq!(world.alarms(name), ["server_recovered"], "{name} is told once");
    }
}

#[test]
fn a_long_message_comes_back_with_its_parts() {
    let mut world = desk(2);
    world.set_online("Ben", false);
    let backup = world.backup();
    let long = "x".repeat(9_000);
    say(&mut world, "Ada", &long);
    world.restore(&backup);
    world.set_online("Ben", true);
    world.pass(300_000);
    agree(&mut world, &["Ada", "Ben", "Chloe"], &[&format!("Ada: {long}")]);
}

#[test]
fn a_change_of_the_group_comes_back_with_what_was_said_before_and_after_it() {
    let mut world = desk(3);
    world.set_online("Ben", false);
    let backup = world.backup();
    say(&mut world, "Chloe", "before");
    rename(&mut world, "Ada", "Newsroom");
    say(&mut world, "Chloe", "after");
    say(&mut world, "Ada", "indeed");
    world.restore(&backup);
    world.set_online("Ben", true);
    world.pass(600_000);
    say(&mut world, "Ben", "back");
    let texts = ["Chloe: before", "Chloe: after", "Ada: indeed", "Ben: back"];
    agree(&mut world, &["Ada", "Ben", "Chloe"], &texts);
    assert_eq!(world.chat("Ben", "Newsroom"), desk_of(&mut world, "Ben"));
}

#[test]
fn a_change_whose_author_never_comes_back_is_put_again_by_whoever_followed_it() {
    let mut world = desk(4);
    world.set_online("Ben", false);
    let backup = world.backup();
    rename(&mut world, "Ada", "Newsroom");
    say(&mut world, "Chloe", "after");
    world.set_online("Ada", false);
    world.restore(&backup);
    world.set_online("Ben", true);
    world.pass(600_000);
    say(&mut world, "Ben", "back");
    agree(&mut world, &["Ben", "Chloe"], &["Chloe: after", "Ben: back"]);
    world.chat("Ben", "Newsroom");
}

#[test]
fn whoever_writes_before_a_lost_change_is_back_writes_again_after_it() {
    let mut world = desk(5);
    world.set_online("Ben", false);
    let backup = world.backup();
    rename(&mut world, "Ada", "Newsroom");
    say(&mut world, "Ada", "renamed");
    world.set_online("Ada", false);
    world.set_online("Chloe", false);
    world.restore(&backup);
    world.set_online("Ben", true);
    say(&mut world, "Ben", "alone");
    world.pass(10_000);
    world.set_online("Chloe", true);
    world.set_online("Ada", true);
    world.pass(600_000);
    let texts = ["Ada: renamed", "Ben: alone"];
    agree(&mut world, &["Ada", "Chloe", "Ben"], &texts);
}

/// Chloe reads what Ben writes before the change that she does not know either is back.
#[test]
fn what_was_read_before_a_lost_change_is_back_moves_behind_it() {
    let mut world = desk(19);
    for name in ["Ben", "Chloe"] {
        world.set_online(name, false);
    }
    let backup = world.backup();
    rename(&mut world, "Ada", "Newsroom");
    say(&mut world, "Ada", "renamed");
    world.set_online("Ada", false);
    world.restore(&backup);
    for name in ["Ben", "Chloe"] {
        world.set_online(name, true);
    }
    say(&mut world, "Ben", "too early");
    world.pass(10_000);
    assert_eq!(talk(&mut world, "Chloe").last().map(String::as_str), Some("Ben: too early"));
    world.set_online("Ada", true);
    world.pass(600_000);
    say(&mut world, "Ben", "in time");
    let texts = ["Ada: renamed", "Ben: too early", "Ben: in time"];
    agree(&mut world, &["Ada", "Chloe", "Ben"], &texts);
}

/// Ada's change reaches the restored server before Ben does, whose text stood before it.
#[test]
fn an_author_who_puts_their_text_again_does_not_write_it_anew_behind_a_later_change() {
    let mut world = desk(20);
    let backup = world.backup();
    world.person("Ben").streaming = false;
    say(&mut world, "Ben", "before");
    world.set_online("Ben", false);
    ask_to_rename(&mut world);
    world.hold_ticks = false;
    world.restore(&backup);
    world.pass(300_000);
    say(&mut world, "Ada", "after");
    world.set_online("Ben", true);
    world.pass(300_000);
    agree(&mut world, &["Ada", "Ben", "Chloe"], &["Ben: before", "Ada: after"]);
}

#[test]
fn what_was_under_way_when_the_server_died_arrives_once() {
    let mut world = desk(6);
    world.set_online("Ben", false);
    let backup = world.backup();
    say(&mut world, "Ada", "stored");
    world.hold_ticks = true;
    say(&mut world, "Chloe", "under way");
    world.hold_ticks = false;
    world.restore(&backup);
    world.set_online("Ben", true);
    world.pass(300_000);
    agree(&mut world, &["Ada", "Ben", "Chloe"], &["Ada: stored", "Chloe: under way"]);
}

#[test]
fn an_author_who_comes_back_late_is_heard_late() {
    let mut world = desk(7);
    world.set_online("Ben", false);
    let backup = world.backup();
    say(&mut world, "Ada", "early");
    rename(&mut world, "Ada", "Newsroom");
    say(&mut world, "Chloe", "afterwards");
    world.set_online("Ada", false);
    world.restore(&backup);
    world.set_online("Ben", true);
    world.pass(600_000);
    assert!(!talk(&mut world, "Ben").contains(&"Ada: early".to_owned()));
    world.set_online("Ada", true);
    world.pass(300_000);
    agree(&mut world, &["Ada", "Ben", "Chloe"], &["Ada: early", "Chloe: afterwards"]);
}

#[test]
fn an_author_who_never_comes_back_is_missed_by_whoever_had_not_read_it() {
    let mut world = desk(8);
    world.set_online("Ben", false);
    let backup = world.backup();
    say(&mut world, "Ada", "lost to Ben");
    world.set_online("Ada", false);
    world.restore(&backup);
    world.set_online("Ben", true);
    world.pass(300_000);
    say(&mut world, "Chloe", "and now?");
    agree(&mut world, &["Chloe"], &["Ada: lost to Ben", "Chloe: and now?"]);
    agree(&mut world, &["Ben"], &["Chloe: and now?"]);
    assert_eq!(world.alarms("Ben"), ["server_recovered"], "which says what may be missing");
}

#[test]
fn an_answer_to_a_link_comes_back() {
    let mut world = World::new(9, &["Ada", "Dan"]);
    let link = world.link("Ada", false).uri.expect("an open link");
    world.set_online("Ada", false);
    let backup = world.backup();
    let accept = Command::Accept { link, message: Some("hello".to_owned()) };
    world.command("Dan", accept).expect("a link that holds");
    world.restore(&backup);
    world.set_online("Ada", true);
    world.pass(300_000);
    let dan = world.chat("Ada", "Dan");
    assert_eq!(world.transcript("Ada", dan), ["Dan: hello"]);
    let alarms = world.told("Ada", |event| match event {
        Event::Alarm { code, text } => Some(format!("{code}: {text}")),
        _ => None,
    });
    assert!(alarms.iter().all(|text| text.starts_with("server_recovered")), "{alarms:?}");
}

#[test]
fn two_recoveries_in_a_row_lose_nothing() {
    let mut world = desk(10);
    world.set_online("Ben", false);
    let backup = world.backup();
    say(&mut world, "Ada", "one");
    rename(&mut world, "Ada", "Newsroom");
    world.restore(&backup);
    world.pass(600_000);
    say(&mut world, "Chloe", "two");
    world.restore(&backup);
    world.pass(600_000);
    world.set_online("Ben", true);
    world.pass(600_000);
    agree(&mut world, &["Ada", "Ben", "Chloe"], &["Ada: one", "Chloe: two"]);
}

/// Ada does not know that her change was stored; Chloe has followed it.
#[test]
fn a_change_that_was_never_answered_waits_for_whoever_knows_where_it_was_listed() {
    let mut world = desk(22);
    world.set_online("Ben", false);
    let backup = world.backup();
    ask_to_rename(&mut world);
    // Its parcel is stored; the cell that names it is under way.
    world.tick();
    world.rest();
    world.crash("Ada");
    world.person("Ada").online = false;
    world.hold_ticks = false;
    world.rest();
    world.chat("Chloe", "Newsroom");
    world.set_online("Chloe", false);
    world.restore(&backup);
    world.set_online("Ada", true);
    world.pass(60_000);
    world.set_online("Chloe", true);
    world.set_online("Ben", true);
    world.pass(600_000);
    agree_and_talk_on(&mut world);
}

/// Chloe has the change from its second life alone, and is the first to put it into the third.
#[test]
fn a_change_that_is_lost_twice_keeps_its_first_listing() {
    let mut world = desk(21);
    for name in ["Ben", "Chloe"] {
        world.set_online(name, false);
    }
    let backup = world.backup();
    rename(&mut world, "Ada", "Newsroom");
    world.restore(&backup);
    world.pass(600_000);
    world.set_online("Chloe", true);
    world.pass(600_000);
    world.set_online("Ada", false);
    world.restore(&backup);
    world.pass(600_000);
    world.set_online("Ben", true);
    world.pass(600_000);
    world.set_online("Ada", true);
    world.pass(600_000);
    agree_and_talk_on(&mut world);
}

#[test]
fn a_crash_amid_the_putting_again_changes_nothing() {
    for crash_after in [0, 3, 6, 9, 12, 16, 21] {
        let mut world = desk(11);
        world.set_online("Ben", false);
        let backup = world.backup();
        say(&mut world, "Ada", "one");
        rename(&mut world, "Ada", "Newsroom");
        say(&mut world, "Ada", "two");
        world.restore(&backup);
        world.person("Ada").crash_after = Some(crash_after);
        world.rest();
        world.person("Ada").crash_after = None;
        world.set_online("Ben", true);
        world.pass(600_000);
        agree(&mut world, &["Ada", "Ben", "Chloe"], &["Ada: one", "Ada: two"]);
    }
}

#[test]
fn a_change_that_took_the_place_of_a_lost_one_is_said_to_whoever_had_followed_that() {
    let mut world = desk(12);
    let chat = desk_of(&mut world, "Ada");
    for name in ["Ben", "Chloe"] {
        let (member, role) = (world.identity(name), Role::Admin);
        world.command("Ada", Command::SetRole { chat, member, role }).expect("an owner may");
        world.pass(300_000);
    }
    world.set_online("Ben", false);
    let backup = world.backup();
    rename(&mut world, "Chloe", "Newsroom");
    world.set_online("Ada", false);
    world.set_online("Chloe", false);
    world.restore(&backup);
    world.set_online("Ben", true);
    rename(&mut world, "Ben", "Reading room");
    world.set_online("Chloe", true);
    world.pass(600_000);
    let stuck = world.told("Chloe", |event| match event {
        Event::Stuck { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert_eq!(stuck.len(), 1, "{stuck:?}");
}

#[test]
fn what_was_listed_and_not_read_before_the_loss_is_read_where_it_stands_after_it() {
    let mut world = desk(13);
    let backup = world.backup();
    world.unanswered.insert("Ben");
    say(&mut world, "Ada", "one");
    let chat = desk_of(&mut world, "Ada");
    let name = Name::parse("Newsroom").expect("a name");
    world.command("Ada", Command::Rename { chat, name }).expect("an admin may");
    world.rest();
    say(&mut world, "Chloe", "two");
    world.set_online("Ben", false);
    world.unanswered.clear();
    world.restore(&backup);
    world.pass(600_000);
    world.set_online("Ben", true);
    world.pass(600_000);
    agree(&mut world, &["Ada", "Ben", "Chloe"], &["Ada: one", "Chloe: two"]);
}

#[test]
fn an_author_who_comes_back_after_a_later_change_is_heard_by_whoever_was_away_before() {
    let mut world = desk(14);
    world.set_online("Chloe", false);
    let backup = world.backup();
    say(&mut world, "Ben", "one");
    say(&mut world, "Ben", "two");
    world.set_online("Ben", false);
    world.restore(&backup);
    world.pass(600_000);
    rename(&mut world, "Ada", "Newsroom");
    world.set_online("Chloe", true);
    world.pass(300_000);
    assert!(!talk(&mut world, "Chloe").contains(&"Ben: one".to_owned()));
    world.set_online("Ben", true);
    world.pass(300_000);
    agree(&mut world, &["Ada", "Ben", "Chloe"], &["Ben: one", "Ben: two"]);
}

#[test]
fn whoever_is_removed_in_a_lost_time_reads_what_was_said_before() {
    let mut world = desk(15);
    world.set_online("Ben", false);
    let backup = world.backup();
    let texts = ["one", "two", "three", "four", "five"];
    texts.iter().for_each(|text| say(&mut world, "Ada", text));
    let (chat, ben) = (desk_of(&mut world, "Ada"), world.identity("Ben"));
    world.command("Ada", Command::Remove { chat, members: vec![ben] }).expect("an owner may");
    world.pass(300_000);
    world.restore(&backup);
    world.pass(300_000);
    world.set_online("Ben", true);
    world.pass(300_000);
    let said = talk(&mut world, "Ben");
    assert!(said.ends_with(&texts.map(|text| format!("Ada: {text}"))), "{said:?}");
    assert_eq!(world.gaps("Ben"), [""; 0]);
}

#[test]
fn a_message_that_its_author_saw_listed_comes_back_although_its_put_was_never_answered() {
    let mut world = desk(16);
    world.set_online("Ben", false);
    let backup = world.backup();
    world.hold_ticks = true;
    say(&mut world, "Ada", "unanswered");
    world.crash("Ada");
    world.person("Ada").online = false;
    world.hold_ticks = false;
    world.rest();
    world.swallow = Some(Box::new(|name, _, _| name == "Ada"));
    world.set_online("Ada", true);
    let chat = desk_of(&mut world, "Ada");
    assert_eq!(world.states("Ada", chat)["unanswered"], MessageState::Stored);
    world.swallow = None;
    world.restore(&backup);
    world.set_online("Ben", true);
    world.pass(300_000);
    agree(&mut world, &["Ada", "Ben", "Chloe"], &["Ada: unanswered"]);
}

/// Ada's text was read by Chloe and lost with its tick before Ada knew that it counted. Since Ben has
/// joined meanwhile it waits for Ada, and the next one bears its number.
#[test]
fn a_number_that_counted_in_a_lost_time_is_no_repetition_afterwards() {
    let mut world = World::new(17, &["Ada", "Ben", "Chloe"]);
    for (one, other) in [("Ada", "Chloe"), ("Chloe", "Ben")] {
        world.meet(one, other);
    }
    let chat = world.group("Ada", "Desk", &["Chloe"]);
    let (member, role) = (world.identity("Chloe"), Role::Admin);
    world.command("Ada", Command::SetRole { chat, member, role }).expect("an owner may");
    world.pass(300_000);
    let backup = world.backup();
    world.hold_ticks = true;
    say(&mut world, "Ada", "first");
    world.crash("Ada");
    world.person("Ada").online = false;
    world.hold_ticks = false;
    world.rest();
    assert_eq!(talk(&mut world, "Chloe"), ["Ada: first"]);
    world.restore(&backup);
    let (chloe, members) = (desk_of(&mut world, "Chloe"), vec![world.identity("Ben")]);
    world.command("Chloe", Command::Add { chat: chloe, members }).expect("an admin may");
    world.pass(600_000);
    world.swallow = Some(Box::new(|name, _, _| name == "Ada"));
    world.set_online("Ada", true);
    world.swallow = None;
    world.cut("Ada");
    world.rest();
    say(&mut world, "Ada", "second");
    assert_eq!(talk(&mut world, "Ben"), ["Ada: second"]);
    assert_eq!(talk(&mut world, "Chloe"), ["Ada: first", "Ada: second"]);
}

/// The answer to Ada's PUT came, the tick's head did not; Chloe had both.
#[test]
fn a_lost_change_is_followed_by_its_author_who_never_walked_to_its_tick() {
    let mut world = desk(18);
    let backup = world.backup();
    world.person("Ada").streaming = false;
    let chat = desk_of(&mut world, "Ada");
    let name = Name::parse("Newsroom").expect("a name");
    world.command("Ada", Command::Rename { chat, name }).expect("an owner may");
    world.rest();
    world.set_online("Ada", false);
    world.chat("Chloe", "Newsroom");
    world.restore(&backup);
    world.set_online("Ada", true);
    world.pass(600_000);
    say(&mut world, "Ada", "on we go");
    agree(&mut world, &["Ada", "Ben", "Chloe"], &["Ada: on we go"]);
}
