//! What a server forgets on its own time is told as that, and nobody is accused of it.

use crate::ids::Name;
use crate::io::{ChatState, Command, MessageState, Reply};
use crate::world::World;

const DAY_MS: u64 = 86_400_000;

/// Ben sees in the digest that a cell is listed, and does not get it; then nobody is there for longer
/// than the server keeps anything, and nothing is written to it.
fn slept_through_the_retention(world: &mut World) {
    world.set_online("Ben", true);
    for name in ["Ada", "Ben", "Chloe"] {
        world.set_online(name, false);
    }
    world.withheld.clear();
    // A later hour than that of the cell, so that the cell's can expire without another tick.
    world.now_ms += 2 * 3_600_000;
    world.put_number(7);
    world.now_ms += 30 * DAY_MS;
    world.expire();
    // What Ben writes himself would show him the time.
    world.hold_ticks = true;
    world.set_online("Ben", true);
    world.pass(120_000);
}

#[test]
fn a_change_that_a_quiet_server_has_forgotten_is_expired_and_not_withheld() {
    let (mut world, ada) = World::desk(301);
    let server = world.server.info().server;
    let secrets = world.person("Ada").account.conversation_for_tests(ada).secrets();
    world.withheld.insert(secrets.control().keys(&server).tag);
    world.set_online("Ben", false);
    let name = Name::parse("Newsroom").expect("a name");
    world.command("Ada", Command::Rename { chat: ada, name }).expect("renamed");
    slept_through_the_retention(&mut world);
    assert_eq!(world.alarms("Ben"), [""; 0]);
    let desk = world.chats("Ben").into_iter().find(|chat| chat.name.as_str() == "Desk");
    assert_eq!(desk.map(|chat| chat.state), Some(ChatState::Stuck), "it expired");
}

#[test]
fn a_message_that_a_quiet_server_has_forgotten_is_a_gap_and_nothing_waits_for_it() {
    let (mut world, ada) = World::desk(302);
    let (server, chloe) = (world.server.info().server, world.identity("Chloe"));
    let secrets = world.person("Ada").account.conversation_for_tests(ada).secrets();
    world.withheld.insert(secrets.lane(secrets.leaf_of(&chloe)).keys(&server).tag);
    world.set_online("Ben", false);
    let chat = world.chat("Chloe", "Desk");
    world.say("Chloe", chat, "too late for Ben");
    world.rest();
    slept_through_the_retention(&mut world);
    assert_eq!(world.alarms("Ben"), [""; 0]);
    assert_eq!(world.gaps("Ben").len(), 1, "{:?}", world.gaps("Ben"));
    match world.command("Ben", Command::Health) {
        Ok(Reply::Health(health)) => assert_eq!((health.withheld, health.reading), (0, 0)),
        other => panic!("no health: {other:?}"),
    }
}

/// Ada's text is stored, her device is cut off before it knows, and sees it listed once, for a moment;
/// when it comes back the cell is gone.
#[test]
fn ones_own_message_that_expired_before_one_knew_of_it_counts_all_the_same() {
    let (mut world, ada) = World::desk(303);
    let ben = world.chat("Ben", "Desk");
    world.hold_ticks = true;
    world.say("Ada", ada, "stored, unseen");
    world.rest();
    world.cut("Ada");
    world.person("Ada").online = false;
    world.hold_ticks = false;
    world.rest();
    assert_eq!(world.transcript("Ben", ben), ["Ada: stored, unseen"]);
    world.swallow = Some(Box::new(|name, _, _| name == "Ada"));
    world.unanswered.insert("Ada");
    world.set_online("Ada", true);
    world.set_online("Ada", false);
    world.now_ms += 2 * 3_600_000;
    world.put_number(7);
    world.set_online("Ada", true);
    world.set_online("Ada", false);
    world.now_ms += 30 * DAY_MS;
    world.expire();
    (world.swallow, world.unanswered) = (None, [].into());
    world.set_online("Ada", true);
    world.pass(120_000);
    world.say("Ada", ada, "and on");
    world.rest();
    assert_eq!(world.states("Ada", ada)["stored, unseen"], MessageState::Stored);
    let expected = ["Ada: stored, unseen", "Ada: and on"];
    assert_eq!(world.transcript("Ben", ben), expected);
    assert_eq!(world.transcript("Ada", ada), expected);
    assert_eq!(world.gaps("Ada"), [""; 0]);
}
