//! Groups, races and removals.

use crate::ids::Name;
use crate::io::{ChatState, Command, MessageState, Role};
use crate::world::World;

/// Ada knows everybody; the group is hers.
fn group(seed: u64, members: &[&'static str]) -> World {
    let names: Vec<_> = ["Ada"].iter().chain(members).copied().collect();
    let mut world = World::new(seed, &names);
    for member in members {
        world.meet("Ada", member);
    }
    world.group("Ada", "Desk", members);
    world
}

#[test]
fn a_group_talks_and_all_see_the_same() {
    let mut world = group(1, &["Ben", "Chloe"]);
    for name in ["Ada", "Ben", "Chloe"] {
        let chat = world.chat(name, "Desk");
        world.say(name, chat, &format!("{name} is here"));
    }
    world.rest();
    let ada = world.chat("Ada", "Desk");
    let expected = world.transcript("Ada", ada);
    assert_eq!(expected.len(), 3);
    for name in ["Ben", "Chloe"] {
        let chat = world.chat(name, "Desk");
        assert_eq!(world.transcript(name, chat), expected);
        assert!(world.alarms(name).is_empty());
    }
}

#[test]
fn who_is_removed_reads_no_further_and_all_are_told() {
    let mut world = group(2, &["Ben", "Chloe"]);
    let ada = world.chat("Ada", "Desk");
    let (ben, chloe) = (world.chat("Ben", "Desk"), world.chat("Chloe", "Desk"));
    world.say("Ada", ada, "for all three");
    world.rest();
    let members = vec![world.identity("Chloe")];
    world.command("Ada", Command::Remove { chat: ada, members }).expect("removed");
    world.say("Ada", ada, "for two");
    world.rest();
    assert_eq!(world.transcript("Ben", ben), ["Ada: for all three", "Ada: for two"]);
    assert_eq!(world.transcript("Chloe", chloe), ["Ada: for all three"]);
    assert!(world.members_told("Ben").contains(&"Ada removed Chloe.".to_owned()));
    assert!(world.members_told("Chloe").contains(&"Ada removed you.".to_owned()));
    let gone = world.chats("Chloe").into_iter().find(|chat| chat.chat == chloe);
    assert_eq!(gone.map(|chat| chat.state), Some(ChatState::Ended));
    let send = Command::Send { chat: chloe, text: "?".into(), key: None, anyway: false };
    assert_eq!(world.command("Chloe", send).expect_err("out").code, "ended");
}

#[test]
fn two_who_commit_at_once_both_get_their_way_and_nothing_is_lost() {
    let mut world = group(3, &["Ben", "Chloe"]);
    let ada = world.chat("Ada", "Desk");
    let ben = world.chat("Ben", "Desk");
    let member = world.identity("Ben");
    world.command("Ada", Command::SetRole { chat: ada, member, role: Role::Admin }).expect("role");
    world.hold_ticks = true;
    let name = Name::parse("Newsroom").expect("a name");
    world.order("Ada", Command::Rename { chat: ada, name });
    let members = vec![world.identity("Chloe")];
    world.order("Ben", Command::Remove { chat: ben, members });
    world.say("Ada", ada, "during the race");
    world.rest();
    world.hold_ticks = false;
    world.rest();
    world.pass(600_000);
    let ada_told = world.members_told("Ada");
    assert!(ada_told.contains(&"Ben removed Chloe.".to_owned()), "{ada_told:?}");
    assert_eq!(world.chat("Ben", "Newsroom"), ben);
    assert_eq!(world.transcript("Ben", ben), ["Ada: during the race"]);
}

#[test]
fn a_message_to_a_changed_audience_waits_for_its_author() {
    let mut world = World::new(4, &["Ada", "Ben", "Chloe"]);
    world.meet("Ada", "Ben");
    world.meet("Ada", "Chloe");
    world.group("Ada", "Desk", &["Ben"]);
    let (ada, ben) = (world.chat("Ada", "Desk"), world.chat("Ben", "Desk"));
    world.person("Ben").online = false;
    world.rest();
    let send =
        Command::Send { chat: ben, text: "for Ada".into(), key: Some("1".into()), anyway: false };
    world.command("Ben", send).expect("queued");
    let members = vec![world.identity("Chloe")];
    world.command("Ada", Command::Add { chat: ada, members }).expect("added");
    world.person("Ben").online = true;
    world.rest();
    assert_eq!(world.states("Ben", ben)["for Ada"], MessageState::Waiting);
    world.say("Ben", ben, "for all");
    world.rest();
    assert_eq!(world.transcript("Ada", ada), ["Ben: for all"]);
    let release =
        Command::Send { chat: ben, text: "for Ada".into(), key: Some("1".into()), anyway: true };
    world.command("Ben", release).expect("released");
    let chloe = world.chat("Chloe", "Desk");
    assert_eq!(world.transcript("Chloe", chloe), ["Ben: for all", "Ben: for Ada"]);
    assert!(world.gaps("Ada").is_empty());
}

#[test]
fn who_leaves_is_removed_by_an_admin_within_a_minute() {
    let mut world = group(5, &["Ben", "Chloe"]);
    let ben = world.chat("Ben", "Desk");
    world.command("Ben", Command::Leave { chat: ben }).expect("leaving");
    let left = world.chats("Ben").into_iter().find(|chat| chat.chat == ben);
    assert_eq!(left.map(|chat| chat.state), Some(ChatState::Ended));
    world.pass(120_000);
    let chloe_told = world.members_told("Chloe");
    assert!(chloe_told.contains(&"Ben has left.".to_owned()), "{chloe_told:?}");
    assert!(chloe_told.contains(&"Ada removed Ben.".to_owned()), "{chloe_told:?}");
}

#[test]
fn who_was_removed_can_be_added_again_and_keeps_the_history() {
    let mut world = group(6, &["Ben"]);
    let (ada, ben) = (world.chat("Ada", "Desk"), world.chat("Ben", "Desk"));
    let members = vec![world.identity("Ben")];
    world.say("Ben", ben, "before");
    world.rest();
    world.command("Ada", Command::Remove { chat: ada, members: members.clone() }).expect("out");
    world.say("Ada", ada, "meanwhile");
    world.rest();
    world.command("Ada", Command::Add { chat: ada, members }).expect("in");
    world.say("Ada", ada, "welcome back");
    world.rest();
    world.say("Ben", ben, "thanks");
    world.rest();
    let expected = ["Ben: before", "Ada: welcome back", "Ben: thanks"];
    assert_eq!(world.transcript("Ben", ben), expected);
    assert!(world.gaps("Ada").is_empty(), "{:?}", world.gaps("Ada"));
}
