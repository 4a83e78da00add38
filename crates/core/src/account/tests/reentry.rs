//! Coming back: conversations that a device has lost, and profiles that were copied.

use crate::ids::ChatId;
use crate::io::{ChatState, Command, GroupCare, MessageState, Reply};
use crate::world::World;
use undertone_crypto::Identity;

const DAY_MS: u64 = 86_400_000;

fn pair(seed: u64) -> (World, ChatId, ChatId) {
    let mut world = World::new(seed, &["Ada", "Ben"]);
    world.meet("Ada", "Ben");
    let (ada, ben) = (world.chat("Ada", "Ben"), world.chat("Ben", "Ada"));
    talk(&mut world, ("Ada", ada), "hello");
    talk(&mut world, ("Ben", ben), "hello yourself");
    (world, ada, ben)
}

fn talk(world: &mut World, (name, chat): (&'static str, ChatId), text: &str) {
    world.say(name, chat, text);
    world.rest();
}

/// Longer than the server keeps cells, and something is stored meanwhile.
fn long_absence(world: &mut World) {
    world.make_noise();
    world.now_ms += 40 * DAY_MS;
    world.expire();
}

/// Nobody is there for so long.
fn both_away(world: &mut World) {
    ["Ada", "Ben"].iter().for_each(|name| world.set_online(name, false));
    long_absence(world);
}

fn state(world: &mut World, name: &'static str, chat: ChatId) -> ChatState {
    let chats = world.chats(name).into_iter();
    chats.filter(|view| view.chat == chat).map(|view| view.state).next().expect("a chat")
}

/// Each hears the other's new words, once, in the chat that they always had.
fn assert_talking(world: &mut World, ada: ChatId, ben: ChatId) {
    let words = ["Ada: here again", "Ben: so am I"].map(|it| format!("{it} at {}", world.now_ms));
    talk(world, ("Ada", ada), &words[0][5..]);
    talk(world, ("Ben", ben), &words[1][5..]);
    for (name, chat) in [("Ada", ada), ("Ben", ben)] {
        let transcript = world.transcript(name, chat);
        assert_eq!(transcript[transcript.len() - 2..], words, "{name}: {transcript:?}");
        for word in &words {
            let shown = transcript.iter().filter(|line| *line == word).count();
            assert_eq!(shown, 1, "{name}: {transcript:?}");
        }
        assert_eq!(state(world, name, chat), ChatState::Open, "{name}");
        let names: Vec<_> = world.chats(name).into_iter().map(|view| view.name).collect();
        let once: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(once.len(), names.len(), "{name}: one chat with each: {names:?}");
    }
}

fn renew(world: &mut World, name: &'static str) {
    let identity = Identity::from_phrase(&world.person(name).phrase).dangerous_bytes();
    let renewed = world.command(name, Command::BecomeNewDevice { identity });
    assert_eq!(renewed, Ok(Reply::Done));
}

/// The profile goes back to what it was before its last message left.
fn roll_back(world: &mut World, name: &'static str, chat: ChatId) {
    world.set_online(name, false);
    talk(world, (name, chat), "in the queue");
    let old = world.person(name).disk.clone();
    world.set_online(name, true);
    world.person(name).disk = old;
    world.crash(name);
    world.rest();
}

fn cares(world: &mut World, name: &'static str) -> Vec<GroupCare> {
    match world.command(name, Command::GroupCares) {
        Ok(Reply::GroupCares(cares)) => cares,
        other => panic!("no cares: {other:?}"),
    }
}

#[test]
fn who_was_away_too_long_comes_back_to_a_contact_by_itself() {
    let (mut world, ada, ben) = pair(401);
    world.set_online("Ben", false);
    talk(&mut world, ("Ben", ben), "written on a mountain");
    talk(&mut world, ("Ada", ada), "never to be read");
    long_absence(&mut world);
    world.set_online("Ben", true);
    assert_talking(&mut world, ada, ben);
    assert!(world.transcript("Ada", ada).contains(&"Ben: written on a mountain".to_owned()));
    assert!(!world.transcript("Ben", ben).contains(&"Ada: never to be read".to_owned()));
    for name in ["Ada", "Ben"] {
        let gaps = world.gaps(name);
        assert!(gaps.iter().any(|gap| gap.contains("begun anew")), "{name}: {gaps:?}");
    }
    assert_eq!(world.alarms("Ada"), [""; 0]);
}

#[test]
fn when_both_have_lost_it_one_of_them_begins() {
    for seed in 410..416 {
        let (mut world, ada, ben) = pair(seed);
        both_away(&mut world);
        for name in if seed % 2 == 0 { ["Ada", "Ben"] } else { ["Ben", "Ada"] } {
            world.set_online(name, true);
        }
        assert_talking(&mut world, ada, ben);
    }
}

#[test]
fn coming_back_survives_a_crash_between_any_two_outputs() {
    for name in ["Ada", "Ben"] {
        let crashes = (0..).take_while(|outputs| come_back_over_a_crash(name, *outputs)).count();
        assert!(crashes > 10, "{name} crashed at {crashes} places");
    }
}

/// Ben comes back and `name` crashes after so many outputs; false when it had fewer.
fn come_back_over_a_crash(name: &'static str, outputs: usize) -> bool {
    let (mut world, ada, ben) = pair(420);
    world.set_online("Ben", false);
    long_absence(&mut world);
    world.person(name).crash_after = Some(outputs);
    world.set_online("Ben", true);
    let crashed = world.person(name).crash_after.take().is_none();
    assert_talking(&mut world, ada, ben);
    crashed
}

#[test]
fn coming_back_twice_works_like_once() {
    let (mut world, ada, ben) = pair(430);
    for _ in 0..3 {
        world.set_online("Ben", false);
        long_absence(&mut world);
        world.set_online("Ben", true);
    }
    assert_talking(&mut world, ada, ben);
    world.set_online("Ada", false);
    long_absence(&mut world);
    world.set_online("Ada", true);
    assert_eq!(state(&mut world, "Ada", ada), ChatState::Open);
}

#[test]
fn an_answer_that_never_came_is_asked_for_again() {
    let (mut world, ada, ben) = pair(440);
    both_away(&mut world);
    // Ben asks, and Ada comes when that request is over.
    world.set_online("Ben", true);
    world.set_online("Ben", false);
    world.now_ms += 8 * DAY_MS;
    world.tick();
    world.set_online("Ada", true);
    world.set_online("Ben", true);
    assert_talking(&mut world, ada, ben);
}

#[test]
fn a_lost_group_is_come_back_to_when_a_member_lets_the_device_in() {
    let (mut world, ada) = World::desk(450);
    let ben = world.chat("Ben", "Desk");
    world.person("Ben").account.lose_for_tests(ben);
    world.rest();
    let told = world.members_told("Ada");
    assert!(told.iter().any(|text| text.contains("asks to come back")), "{told:?}");
    let asking: Vec<_> =
        cares(&mut world, "Ada").into_iter().flat_map(|care| care.asking).collect();
    assert_eq!(asking.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["Ben"]);
    assert_eq!(state(&mut world, "Ben", ben), ChatState::Stuck, "nobody has let Ben in");
    assert!(cares(&mut world, "Chloe").is_empty(), "Chloe may not");

    let members = vec![world.identity("Ben")];
    world.command("Ada", Command::Add { chat: ada, members }).expect("let in");
    assert_eq!(state(&mut world, "Ben", ben), ChatState::Open);
    assert!(cares(&mut world, "Ada").is_empty());
    talk(&mut world, ("Ben", ben), "back");
    assert_eq!(world.transcript("Ada", ada), ["Ben: back"]);
}

#[test]
fn a_long_absence_costs_contact_and_group_and_both_come_back() {
    let (mut world, ada) = World::desk(460);
    let ben = world.chat("Ben", "Desk");
    world.set_online("Ben", false);
    talk(&mut world, ("Ada", ada), "meanwhile");
    long_absence(&mut world);
    world.set_online("Ben", true);
    let members = vec![world.identity("Ben")];
    world.command("Ada", Command::Add { chat: ada, members }).expect("let in");
    // All keys were old: those who refresh them at once make way for each other first.
    world.pass(60_000);
    talk(&mut world, ("Ben", ben), "back");
    let chloe = world.chat("Chloe", "Desk");
    assert_eq!(world.transcript("Chloe", chloe), ["Ada: meanwhile", "Ben: back"]);
}

#[test]
fn a_copied_profile_stops_everywhere_and_says_so() {
    let (mut world, _ada) = World::desk(470);
    let (desk, contact) = (world.chat("Ben", "Desk"), world.chat("Ben", "Ada"));
    roll_back(&mut world, "Ben", contact);
    assert_eq!(world.alarms("Ben"), ["copied_profile"]);
    assert_eq!(state(&mut world, "Ben", desk), ChatState::Stuck);
    let sent = world.cells_sent("Ben");
    let send = Command::Send { chat: desk, text: "no".into(), key: None, anyway: false };
    assert_eq!(world.command("Ben", send).expect_err("copied").code, "copied_profile");
    world.crash("Ben");
    world.pass(10 * DAY_MS);
    assert_eq!(world.cells_sent("Ben"), sent, "nothing leaves any more");
    assert_eq!(world.alarms("Ben"), ["copied_profile"], "once");
}

#[test]
fn a_copied_profile_goes_on_as_a_new_device() {
    let (mut world, ada) = World::desk(480);
    let (desk, contact) = (world.chat("Ben", "Desk"), world.chat("Ben", "Ada"));
    let at_ada = world.chat("Ada", "Ben");
    roll_back(&mut world, "Ben", contact);
    let before = world.person("Ben").account.device_for_tests();
    renew(&mut world, "Ben");
    assert_ne!(world.person("Ben").account.device_for_tests(), before);
    assert_talking(&mut world, at_ada, contact);
    let queued = world.states("Ben", contact)["in the queue"];
    assert_eq!(queued, MessageState::Failed, "the copy has sent it");
    let heard = world.transcript("Ada", at_ada);
    assert_eq!(heard.iter().filter(|line| *line == "Ben: in the queue").count(), 1, "{heard:?}");
    let members = vec![world.identity("Ben")];
    world.command("Ada", Command::Add { chat: ada, members }).expect("let in");
    talk(&mut world, ("Ben", desk), "as new");
    talk(&mut world, ("Ada", ada), "welcome");
    let chloe = world.chat("Chloe", "Desk");
    assert_eq!(world.transcript("Chloe", chloe), ["Ben: as new", "Ada: welcome"]);
    world.crash("Ben");
    world.rest();
    talk(&mut world, ("Ben", desk), "and still");
    let heard = world.transcript("Ada", ada);
    assert_eq!(heard, ["Ben: as new", "Ada: welcome", "Ben: and still"]);
}

#[test]
fn a_healthy_device_may_become_a_new_one() {
    let (mut world, ada, ben) = pair(490);
    renew(&mut world, "Ben");
    assert_talking(&mut world, ada, ben);
    assert_eq!(world.alarms("Ada"), [""; 0]);
}

#[test]
fn a_copy_from_before_a_return_comes_back_as_a_new_device() {
    let (mut world, ada, ben) = pair(500);
    let old = world.person("Ben").disk.clone();
    for _ in 0..2 {
        world.set_online("Ben", false);
        long_absence(&mut world);
        world.set_online("Ben", true);
        assert_talking(&mut world, ada, ben);
    }
    renew(&mut world, "Ben");
    assert_talking(&mut world, ada, ben);
    // Everything since is lost again, and the first conversation is all that it knows.
    world.person("Ben").disk = old;
    world.crash("Ben");
    world.rest();
    world.pass(2_000);
    renew(&mut world, "Ben");
    assert_talking(&mut world, ada, ben);
}

#[test]
fn nothing_leaves_a_copied_profile_that_was_under_way() {
    let mut world = World::new(505, &["Ada", "Ben", "Chloe"]);
    world.meet("Ada", "Ben");
    let (chloe, ben) = (world.link("Chloe", false), world.chat("Ben", "Ada"));
    world.set_online("Ben", false);
    talk(&mut world, ("Ben", ben), "in the queue");
    let old = world.person("Ben").disk.clone();
    world.set_online("Ben", true);
    world.person("Ben").disk = old;
    world.crash("Ben");
    // What is asked for before the copy is noticed.
    let link = chloe.uri.expect("an open link");
    world.order("Ben", Command::Accept { link, message: Some("hi".into()) });
    world.order("Ben", Command::CreateLink { expires_ms: u64::MAX / 2, reusable: true });
    world.rest();
    assert_eq!(world.alarms("Ben"), ["copied_profile"]);
    let sent = world.cells_sent("Ben");
    world.pass(DAY_MS);
    world.crash("Ben");
    world.pass(DAY_MS);
    assert_eq!(world.cells_sent("Ben"), sent);
    assert!(world.chat_if_any("Chloe", "Ben").is_none());
}

#[test]
fn who_asked_and_was_away_again_joins_by_the_answer_that_came_meanwhile() {
    for days in [3, 10, 20] {
        let (mut world, ada, ben) = pair(508);
        both_away(&mut world);
        world.set_online("Ben", true);
        world.set_online("Ben", false);
        world.set_online("Ada", true);
        for _ in 0..days {
            world.now_ms += DAY_MS;
            world.make_noise();
        }
        world.set_online("Ben", true);
        assert_talking(&mut world, ada, ben);
        assert_eq!(world.alarms("Ben"), [""; 0], "{days} days");
    }
}

#[test]
fn words_for_somebody_who_is_not_back_yet_wait_for_them() {
    let (mut world, ada, ben) = pair(511);
    both_away(&mut world);
    world.set_online("Ben", true);
    world.set_online("Ben", false);
    world.set_online("Ada", true);
    talk(&mut world, ("Ada", ada), "whenever you are back");
    assert_eq!(world.states("Ada", ada)["whenever you are back"], MessageState::Queued);
    // Ben asks once more, and the conversation that waited for him is none any more.
    world.now_ms += 8 * DAY_MS;
    world.make_noise();
    world.person("Ben").account.lose_for_tests(ben);
    world.set_online("Ben", true);
    assert_talking(&mut world, ada, ben);
    let heard = world.transcript("Ben", ben);
    let words = "Ada: whenever you are back";
    assert_eq!(heard.iter().filter(|line| *line == words).count(), 1, "{heard:?}");
}

#[test]
fn of_two_standing_requests_the_one_that_is_not_over_is_answered() {
    let (mut world, ada, ben) = pair(509);
    both_away(&mut world);
    for _ in 0..2 {
        world.set_online("Ben", true);
        world.set_online("Ben", false);
        world.now_ms += 8 * DAY_MS;
        world.make_noise();
    }
    world.set_online("Ben", true);
    world.set_online("Ada", true);
    assert_talking(&mut world, ada, ben);
}

#[test]
fn a_new_device_and_a_long_absence_at_once_come_back() {
    for seed in 512..516 {
        let (mut world, ada, ben) = pair(seed);
        both_away(&mut world);
        renew(&mut world, "Ben");
        for name in if seed % 2 == 0 { ["Ada", "Ben"] } else { ["Ben", "Ada"] } {
            world.set_online(name, true);
        }
        assert_talking(&mut world, ada, ben);
    }
}

#[test]
fn the_secret_of_another_identity_makes_no_device() {
    let (mut world, _, ben) = pair(510);
    let identity = Identity::from_phrase(&world.person("Ada").phrase).dangerous_bytes();
    let refused = world.command("Ben", Command::BecomeNewDevice { identity });
    assert_eq!(refused.expect_err("not Ben's").code, "not_allowed");
    assert_eq!(state(&mut world, "Ben", ben), ChatState::Open);
}

#[test]
fn a_device_that_is_out_of_the_list_asks_in_vain() {
    let (mut world, ada, ben) = pair(520);
    let copy = world.person("Ben").disk.clone();
    renew(&mut world, "Ben");
    assert_talking(&mut world, ada, ben);
    world.person("Ben").disk = copy;
    world.crash("Ben");
    world.rest();
    world.person("Ben").account.lose_for_tests(ben);
    world.rest();
    assert_eq!(state(&mut world, "Ben", ben), ChatState::Stuck);
    assert_eq!(world.alarms("Ada"), ["re-entry"]);
    talk(&mut world, ("Ada", ada), "not for the old one");
    assert!(!world.transcript("Ben", ben).contains(&"Ada: not for the old one".to_owned()));
}
