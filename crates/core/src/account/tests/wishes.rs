//! What is wished for together and cannot all be had.

use crate::io::Command;
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
    assert!(told.iter().any(|text| text.starts_with("Chloe was not added: ")), "{told:?}");
    assert!(world.members_told("Ben").contains(&"Ada removed you.".to_owned()));
}
