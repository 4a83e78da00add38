//! Who goes and comes back counts from one again.

use crate::io::Command;
use crate::world::World;

fn says(world: &mut World, name: &'static str, text: &str) {
    let chat = world.chat(name, "Desk");
    world.say(name, chat, text);
    world.rest();
}

fn assert_read(world: &mut World, expected: &[&str]) {
    for name in ["Ada", "Chloe"] {
        let chat = world.chat(name, "Desk");
        assert_eq!(world.transcript(name, chat), expected, "{name}");
    }
}

#[test]
fn who_is_removed_and_added_in_one_commit_is_read() {
    let (mut world, ada) = World::desk(71);
    for text in ["one", "two", "three"] {
        says(&mut world, "Ben", text);
    }
    let ben = world.identity("Ben");
    world.person("Ada").online = false;
    world.rest();
    world.command("Ada", Command::Remove { chat: ada, members: vec![ben] }).expect("wished");
    world.person("Ada").account.want_back_for_tests(ada, ben);
    world.person("Ada").online = true;
    world.rest();
    world.pass(5_000);
    let told = world.members_told("Chloe");
    let ada_told = world.members_told("Ada");
    assert!(!told.contains(&"Ada removed Ben.".to_owned()), "one commit: {told:?} {ada_told:?}");
    says(&mut world, "Ben", "back");
    assert_read(&mut world, &["Ben: one", "Ben: two", "Ben: three", "Ben: back"]);
    assert!(world.gaps("Chloe").is_empty(), "{:?}", world.gaps("Chloe"));
}

#[test]
fn a_late_cell_of_an_earlier_stay_does_not_mute_the_next() {
    let (mut world, ada) = World::desk(72);
    says(&mut world, "Ben", "early");
    let (server, ben) = (world.server.info().server, world.identity("Ben"));
    let secrets = world.person("Ada").account.conversation_for_tests(ada).secrets();
    let tag = secrets.lane(secrets.leaf_of(&ben)).keys(&server).tag;
    world.withheld.insert(tag);
    says(&mut world, "Ben", "late");
    world.pass(10_000);
    let members = vec![ben];
    world.command("Ada", Command::Remove { chat: ada, members: members.clone() }).expect("out");
    world.pass(5_000);
    world.person("Ben").online = false;
    world.rest();
    world.command("Ada", Command::Add { chat: ada, members }).expect("in");
    world.rest();
    world.withheld.clear();
    world.pass(120_000);
    assert_read(&mut world, &["Ben: early", "Ben: late"]);
    world.person("Ben").online = true;
    world.rest();
    says(&mut world, "Ben", "back");
    assert_read(&mut world, &["Ben: early", "Ben: late", "Ben: back"]);
}
