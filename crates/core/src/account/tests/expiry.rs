//! What a server forgets on its own time is told as that, and nobody is accused of it.

use crate::ids::ChatId;
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

/// Ada's text is under way when her device is cut off. It sees the slot listed once, for a moment; when
/// it comes back the cell is gone.
fn away_while_a_text_expires(squatted: bool) -> (World, ChatId, ChatId) {
    let (mut world, ada) = World::desk(303);
    let ben = world.chat("Ben", "Desk");
    let (server, identity) = (world.server.info().server, world.identity("Ada"));
    let secrets = world.person("Ben").account.conversation_for_tests(ben).secrets();
    let slot = secrets.lane(secrets.leaf_of(&identity)).keys(&server);
    world.hold_ticks = true;
    if squatted {
        world.swallow = Some(Box::new(|name, _, _| name == "Ada"));
    }
    world.say("Ada", ada, "under way");
    world.rest();
    world.cut("Ada");
    world.person("Ada").online = false;
    world.hold_ticks = false;
    if squatted {
        world.put_raw(&slot, undertone_wire::Cell::from_array([7; 2048]));
    }
    world.rest();
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
    world.pass(120_000);
    (world, ada, ben)
}

#[test]
fn ones_own_message_that_expired_before_one_knew_of_it_counts_and_its_author_learns_what_is_unsure()
{
    for squatted in [false, true] {
        let (mut world, ada, ben) = away_while_a_text_expires(squatted);
        assert_eq!(world.states("Ada", ada)["under way"], MessageState::Stored);
        let both = ["Ada: under way", "Ada: and on"];
        let read = if squatted { &both[1..] } else { &both[..] };
        assert_eq!(world.transcript("Ben", ben), read, "{squatted}");
        assert_eq!(world.transcript("Ada", ada), both);
        let gaps = world.gaps("Ada");
        assert!(matches!(&gaps[..], [gap] if gap.contains("others may not have it")), "{gaps:?}");
    }
}
