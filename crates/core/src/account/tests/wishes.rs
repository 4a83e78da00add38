//! What is wished for together and cannot all be had.

use crate::ids::Name;
use crate::io::{Command, Role};
use crate::world::World;

#[test]
fn a_removal_does_not_fall_with_an_addition_that_cannot_be() {
    let mut world = World::new(81, &["Ada", "Ben", "Chloe"]);
    world.meet("Ada", "Ben");
    world.meet("Ada", "Chloe");
    let ada = world.group("Ada", "Desk", &["Ben"]);
    let (ben, chloe) = (world.identity("Ben"), world.identity("Chloe"));
    world.person("Ada").online = false;
    world.rest();
    world.command("Ada", Command::Remove { chat: ada, members: vec![ben] }).expect("wished");
    world.person("Ada").account.want_twin_for_tests(ada, chloe);
    world.person("Ada").online = true;
    world.rest();
    world.pass(5_000);
    let told = world.members_told("Ada");
    assert!(told.contains(&"You removed Ben.".to_owned()), "{told:?}");
    // The KeyPackage that was of no use is gone, and there is no other.
    assert!(told.iter().any(|text| text.starts_with("Chloe cannot be added")), "{told:?}");
    assert!(world.members_told("Ben").contains(&"Ada removed you.".to_owned()));
}

#[test]
fn what_is_refused_is_named() {
    let mut world = World::new(82, &["Ada", "Chloe"]);
    world.meet("Ada", "Chloe");
    let ada = world.group("Ada", "Desk", &[]);
    let chloe = world.identity("Chloe");
    world.person("Ada").account.want_twin_for_tests(ada, chloe);
    world.pass(5_000);
    world.say("Ada", ada, "on we go");
    world.rest();
    let told = world.members_told("Ada");
    assert!(told.iter().any(|text| text.starts_with("Chloe was not added: ")), "{told:?}");
    assert_eq!(world.transcript("Ada", ada), ["Ada: on we go"]);
}

#[test]
fn a_clock_that_was_far_ahead_holds_no_commit_up() {
    for restarts in [true, false] {
        set_back(restarts);
    }
}

/// Ada loses a race while her clock is a month ahead; then it is set back.
fn set_back(restarts: bool) {
    let (mut world, ada) = World::desk(83);
    let (member, members) = (world.identity("Ben"), vec![world.identity("Chloe")]);
    world.command("Ada", Command::SetRole { chat: ada, member, role: Role::Admin }).expect("role");
    let ben = world.chat("Ben", "Desk");
    world.person("Ada").skew_ms = 30 * 86_400_000;
    world.hold_ticks = true;
    world.order("Ben", Command::Remove { chat: ben, members });
    world.rest();
    let name = Name::parse("Newsroom").expect("a name");
    world.order("Ada", Command::Rename { chat: ada, name });
    world.rest();
    world.hold_ticks = false;
    world.rest();
    assert!(world.members_told("Ada").contains(&"Ben removed Chloe.".to_owned()), "Ada lost");
    assert_eq!(world.chat_if_any("Ben", "Newsroom"), None, "and makes way");
    world.person("Ada").skew_ms = 0;
    if restarts {
        world.crash("Ada");
    }
    world.say("Ben", ben, "what time is it?");
    world.rest();
    world.pass(60_000);
    assert_eq!(world.chat_if_any("Ben", "Newsroom"), Some(ben), "restarts: {restarts}");
}

#[test]
fn who_left_while_a_clock_was_a_year_ahead_is_out_a_minute_after_it_is_right() {
    let (mut world, ada) = World::desk(84);
    let chloe = world.chat("Chloe", "Desk");
    // Nobody else is there to commit.
    world.set_online("Ben", false);
    world.person("Ada").skew_ms = 365 * 86_400_000;
    world.command("Chloe", Command::Leave { chat: chloe }).expect("she leaves");
    let is_out = |told: &[String]| told.iter().any(|text| text.starts_with("You removed Chloe"));
    assert!(!is_out(&world.members_told("Ada")), "not at once");
    world.person("Ada").skew_ms = 0;
    world.crash("Ada");
    world.rest();
    world.pass(60_000);
    let told = world.members_told("Ada");
    assert!(is_out(&told), "{told:?}");
    world.set_online("Ben", true);
    world.say("Ada", ada, "on we go");
    world.rest();
    let ben = world.chat("Ben", "Desk");
    assert_eq!(world.transcript("Ben", ben), ["Ada: on we go"]);
}
