//! Two people.

use crate::io::{ChatState, Command, MessageState, Reply};
use crate::world::World;

fn pair(seed: u64) -> World {
    let mut world = World::new(seed, &["Ada", "Ben"]);
    world.meet("Ada", "Ben");
    world
}

#[test]
fn two_people_meet_by_a_link_and_talk() {
    let mut world = pair(1);
    let (ada, ben) = (world.chat("Ada", "Ben"), world.chat("Ben", "Ada"));
    world.say("Ada", ada, "hello");
    world.rest();
    world.say("Ben", ben, "hello yourself");
    world.rest();
    let expected = ["Ada: hello", "Ben: hello yourself"];
    assert_eq!(world.transcript("Ada", ada), expected);
    assert_eq!(world.transcript("Ben", ben), expected);
    for name in ["Ada", "Ben"] {
        assert!(world.chats(name).iter().all(|chat| chat.state == ChatState::Open));
        assert!(world.alarms(name).is_empty() && world.gaps(name).is_empty());
    }
}

#[test]
fn a_link_serves_one_person() {
    let mut world = World::new(2, &["Ada", "Ben", "Chloe"]);
    let link = world.link("Ada", false).uri.expect("a link");
    world.order("Ben", Command::Accept { link: link.clone(), message: None });
    let chloe = world.command("Chloe", Command::Accept { link, message: None });
    let refused = chloe.expect_err("the link is used");
    assert!(matches!(refused.code, "link_used" | "link_expired"), "{refused:?}");
    assert_eq!(world.chats("Ada").len(), 1);
    assert!(world.chats("Chloe").is_empty());
}

#[test]
fn messages_written_offline_go_out_in_order_once() {
    let mut world = pair(3);
    let (ada, ben) = (world.chat("Ada", "Ben"), world.chat("Ben", "Ada"));
    world.person("Ada").online = false;
    world.rest();
    for number in 0..40 {
        world.say("Ada", ada, &format!("{number}"));
    }
    world.rest();
    world.crash("Ada");
    world.rest();
    assert!(world.transcript("Ben", ben).is_empty());
    world.person("Ada").online = true;
    world.rest();
    let expected: Vec<_> = (0..40).map(|number| format!("Ada: {number}")).collect();
    assert_eq!(world.transcript("Ben", ben), expected);
    assert_eq!(world.transcript("Ada", ada), expected);
}

#[test]
fn long_texts_travel_as_parcels() {
    let mut world = pair(4);
    let (ada, ben) = (world.chat("Ada", "Ben"), world.chat("Ben", "Ada"));
    let long = "x".repeat(64 * 1024);
    world.say("Ada", ada, &long);
    world.say("Ada", ada, "short");
    world.rest();
    assert_eq!(world.transcript("Ben", ben), [format!("Ada: {long}"), "Ada: short".to_owned()]);
    let too_long = "x".repeat(64 * 1024 + 1);
    let send = Command::Send { chat: ada, text: too_long, key: None, anyway: false };
    assert_eq!(world.command("Ada", send).expect_err("too long").code, "too_long");
}

#[test]
fn the_same_key_sends_once() {
    let mut world = pair(5);
    let (ada, ben) = (world.chat("Ada", "Ben"), world.chat("Ben", "Ada"));
    let send =
        Command::Send { chat: ada, text: "once".into(), key: Some("k".into()), anyway: false };
    let first = world.command("Ada", send.clone()).expect("sent");
    world.crash("Ada");
    let second = world.command("Ada", send).expect("known");
    let (Reply::Message { message: a, .. }, Reply::Message { message: b, state }) = (first, second)
    else {
        panic!("not messages");
    };
    assert_eq!((a, state), (b, MessageState::Stored));
    assert_eq!(world.transcript("Ben", ben), ["Ada: once"]);
}

#[test]
fn keys_heal_by_themselves_and_nothing_is_lost_meanwhile() {
    let mut world = pair(6);
    let (ada, ben) = (world.chat("Ada", "Ben"), world.chat("Ben", "Ada"));
    let mut expected = Vec::new();
    for day in 0..9 {
        world.say("Ada", ada, &format!("day {day}"));
        world.say("Ben", ben, &format!("day {day} too"));
        world.rest();
        expected.extend([format!("Ada: day {day}"), format!("Ben: day {day} too")]);
        world.pass(86_400_000);
    }
    let (mut a, b) = (world.transcript("Ada", ada), world.transcript("Ben", ben));
    assert_eq!(a, b);
    a.sort();
    expected.sort();
    assert_eq!(a, expected);
    assert!(world.gaps("Ada").is_empty() && world.gaps("Ben").is_empty());
}

#[test]
fn clocks_that_are_days_off_disturb_nobody() {
    let mut world = World::new(8, &["Ada", "Ben"]);
    world.person("Ada").skew_ms = -2 * 86_400_000;
    world.person("Ben").skew_ms = 3 * 86_400_000;
    world.rest();
    let expires_ms = world.now_ms + 7 * 86_400_000;
    let made = world.command("Ada", Command::CreateLink { expires_ms, reusable: false });
    let Ok(Reply::Link(link)) = made else { panic!("no link: {made:?}") };
    let accept = Command::Accept { link: link.uri.expect("a link"), message: None };
    world.command("Ben", accept).expect("accepted");
    let (ada, ben) = (world.chat("Ada", "Ben"), world.chat("Ben", "Ada"));
    world.say("Ada", ada, "yesterday");
    world.rest();
    world.say("Ben", ben, "tomorrow");
    world.pass(3 * 86_400_000);
    let expected = ["Ada: yesterday", "Ben: tomorrow"];
    assert_eq!(world.transcript("Ada", ada), expected);
    assert_eq!(world.transcript("Ben", ben), expected);
    assert!(world.alarms("Ada").is_empty() && world.alarms("Ben").is_empty());
}

#[test]
fn a_stranger_waits_as_a_request_and_learns_nothing() {
    let mut world = World::new(7, &["Ada", "Ben"]);
    let link = world.link("Ada", true).uri.expect("an address");
    let message = Some("may I?".to_owned());
    let accepted = world.command("Ben", Command::Accept { link, message });
    assert!(matches!(accepted, Ok(Reply::Chat(_))), "{accepted:?}");
    let Ok(Reply::Requests(requests)) = world.command("Ada", Command::Requests) else {
        panic!("no requests");
    };
    assert_eq!(requests[0].message.as_deref(), Some("may I?"));
    assert_eq!(requests[0].name.as_str(), "Ben");
    assert_eq!(world.chats("Ben")[0].state, ChatState::Requested);
    let id = requests[0].id;
    world.command("Ada", Command::AcceptRequest { id }).expect("accepted");
    assert_eq!(world.chats("Ben")[0].state, ChatState::Open);
    let (ada, ben) = (world.chat("Ada", "Ben"), world.chat("Ben", "Ada"));
    world.say("Ada", ada, "yes");
    world.rest();
    assert_eq!(world.transcript("Ben", ben), ["Ben: may I?", "Ada: yes"]);
    assert_eq!(world.transcript("Ada", ada), ["Ben: may I?", "Ada: yes"]);
}

#[test]
fn an_offer_by_an_older_device_list_than_one_knows_is_refused() {
    let mut world = World::new(80, &["Ada", "Ben", "Chloe"]);
    world.meet("Chloe", "Ada");
    world.meet("Chloe", "Ben");
    world.group("Chloe", "Desk", &["Ada", "Ben"]);
    world.rest();
    let ada = world.identity("Ada");
    world.person("Ben").account.renumber_list_for_tests(&ada, 2);
    let link = world.link("Ada", false).uri.expect("a link");
    let refused = world.command("Ben", Command::Accept { link, message: None });
    let refused = refused.expect_err("a device that was removed may have written it");
    assert_eq!(refused.code, "bad_link");
    assert!(refused.message.contains("older"), "{}", refused.message);
}

#[test]
fn a_link_that_came_to_nothing_leaves_the_contact_of_another_one() {
    let mut world = World::new(81, &["Ada", "Ben", "Chloe"]);
    let (from_ada, from_ben) = (world.link("Ada", false), world.link("Ben", false));
    let (from_ada, from_ben) = (from_ada.uri.expect("a link"), from_ben.uri.expect("a link"));
    // Ben and Chloe accept one link at once; Ben loses it, and has met Ada by his own meanwhile.
    world.swallow = Some(Box::new(|name, _, _| name == "Ben"));
    world.order("Ben", Command::Accept { link: from_ada.clone(), message: None });
    world.rest();
    world.swallow = None;
    world.person("Ben").online = false;
    world.rest();
    world.command("Chloe", Command::Accept { link: from_ada, message: None }).expect("first");
    world.command("Ada", Command::Accept { link: from_ben, message: None }).expect("met");
    world.person("Ben").online = true;
    world.rest();
    world.pass(60_000);
    let (ada, ben) = (world.chat("Ada", "Ben"), world.chat("Ben", "Ada"));
    world.say("Ben", ben, "hello");
    world.rest();
    assert_eq!(world.transcript("Ada", ada), ["Ben: hello"]);
    let members = vec![world.identity("Ada")];
    let name = crate::ids::Name::parse("Desk").expect("a name");
    world.command("Ben", Command::CreateGroup { name, members }).expect("Ada is a contact");
}

#[test]
fn the_longest_first_message_fits_an_answer() {
    let mut world = World::new(82, &["Ada", "Ben"]);
    let link = world.link("Ada", false).uri.expect("a link");
    let text = "x".repeat(crate::body::TEXT_BYTES_MAX);
    let accept = Command::Accept { link, message: Some(text.clone()) };
    world.command("Ben", accept).expect("stored");
    let ada = world.chat("Ada", "Ben");
    assert_eq!(world.transcript("Ada", ada), [format!("Ben: {text}")]);
}

#[test]
fn a_text_of_1372_bytes_is_one_cell_and_a_longer_one_two() {
    let mut world = pair(9);
    let ada = world.chat("Ada", "Ben");
    let mut cells = |length| {
        let before = world.cells_sent("Ada");
        world.say("Ada", ada, &"x".repeat(length));
        world.rest();
        world.cells_sent("Ada") - before
    };
    assert_eq!([1, 1372, 1373].map(&mut cells), [1, 1, 2]);
}
