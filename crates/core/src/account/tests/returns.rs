//! Who comes back to a group: out and in again, in whatever order the news of it arrives.

use crate::body::{Content, Invite};
use crate::ids::ChatId;
use crate::io::{ChatState, Command, Event, Role};
use crate::parcel::{PARTS_MAX, ParcelRef, pack};
use crate::world::World;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use undertone_wire::HeadRef;

/// Ada's group of these people; Ada has met Ben and Chloe.
fn desk(seed: u64, members: &[&'static str]) -> (World, ChatId) {
    let mut world = World::new(seed, &["Ada", "Ben", "Chloe"]);
    world.meet("Ada", "Ben");
    world.meet("Ada", "Chloe");
    let ada = world.group("Ada", "Desk", members);
    (world, ada)
}

fn state(world: &mut World, name: &'static str, chat: ChatId) -> Option<ChatState> {
    world.chats(name).into_iter().find(|view| view.chat == chat).map(|view| view.state)
}

fn add(world: &mut World, ada: ChatId, name: &'static str) {
    let members = vec![world.identity(name)];
    world.command("Ada", Command::Add { chat: ada, members }).expect("added");
}

fn remove(world: &mut World, ada: ChatId, name: &'static str) {
    let members = vec![world.identity(name)];
    world.command("Ada", Command::Remove { chat: ada, members }).expect("removed");
}

/// Both hear each other: they are in one epoch, not in two that look alike.
fn assert_together(world: &mut World, ada: ChatId) {
    let ben = world.chat("Ben", "Desk");
    world.say("Ada", ada, "hi");
    world.rest();
    world.say("Ben", ben, "here");
    world.rest();
    let transcript = world.transcript("Ben", ben);
    assert!(transcript.ends_with(&["Ada: hi".into(), "Ben: here".into()]), "{transcript:?}");
    let transcript = world.transcript("Ada", ada);
    assert!(transcript.ends_with(&["Ada: hi".into(), "Ben: here".into()]), "{transcript:?}");
}

#[test]
fn of_two_invitations_to_one_group_the_later_one_is_followed() {
    let (mut world, ada) = desk(71, &["Chloe"]);
    world.set_online("Ben", false);
    add(&mut world, ada, "Ben");
    world.say("Ada", ada, "welcome, for a while");
    remove(&mut world, ada, "Ben");
    add(&mut world, ada, "Ben");
    world.set_online("Ben", true);
    assert_together(&mut world, ada);
    assert_eq!(world.alarms("Ben"), [""; 0]);
    let gaps = world.gaps("Ben");
    assert!(matches!(&gaps[..], [gap] if gap.starts_with("You were in this group")), "{gaps:?}");
}

#[test]
fn who_is_invited_by_two_in_turn_is_told_of_what_is_missing_and_of_nothing_else() {
    for seed in 90..98 {
        let (mut world, ada) = desk(seed, &["Ben"]);
        world.meet("Ben", "Chloe");
        let member = world.identity("Ben");
        let role = Command::SetRole { chat: ada, member, role: Role::Admin };
        world.command("Ada", role).expect("made an admin");
        let (ben, chloe) = (world.chat("Ben", "Desk"), world.identity("Chloe"));
        world.set_online("Chloe", false);
        add(&mut world, ada, "Chloe");
        world.say("Ada", ada, "early");
        remove(&mut world, ada, "Chloe");
        world.command("Ben", Command::Add { chat: ben, members: vec![chloe] }).expect("added");
        world.say("Ben", ben, "late");
        world.rest();
        world.set_online("Chloe", true);
        let desk = world.chat("Chloe", "Desk");
        let read = world.transcript("Chloe", desk);
        assert_eq!(read.last().map(String::as_str), Some("Ben: late"), "{seed}");
        assert_eq!(join_faults(&mut world, "Chloe"), [""; 0], "{seed}");
        let missing = usize::from(!read.contains(&"Ada: early".to_owned()));
        assert_eq!(world.gaps("Chloe").len(), missing, "{seed}: {:?}", world.gaps("Chloe"));
    }
}

#[test]
fn who_was_removed_and_added_again_while_away_comes_back_with_the_history() {
    let (mut world, ada) = desk(72, &["Ben"]);
    let ben = world.chat("Ben", "Desk");
    world.say("Ben", ben, "before");
    world.rest();
    world.set_online("Ben", false);
    remove(&mut world, ada, "Ben");
    add(&mut world, ada, "Ben");
    world.set_online("Ben", true);
    assert_eq!(world.chat("Ben", "Desk"), ben, "one chat goes on");
    assert_together(&mut world, ada);
    assert_eq!(world.transcript("Ben", ben), ["Ben: before", "Ada: hi", "Ben: here"]);
    assert!(world.members_told("Ben").contains(&"Ada removed you.".to_owned()));
}

#[test]
fn an_invitation_outlives_a_restart_while_it_waits_for_the_end_of_a_stay() {
    let (mut world, ada) = desk(73, &["Ben"]);
    world.set_online("Ben", false);
    remove(&mut world, ada, "Ben");
    add(&mut world, ada, "Ben");
    for outputs in [40, 80, 160] {
        world.person("Ben").crash_after = Some(outputs);
        world.set_online("Ben", true);
    }
    assert_together(&mut world, ada);
}

/// Ben, who cannot follow the group any more.
fn stuck_ben(seed: u64) -> (World, ChatId, ChatId) {
    let (mut world, ada) = desk(seed, &["Ben", "Chloe"]);
    let ben = world.chat("Ben", "Desk");
    world.person("Ben").account.lose_for_tests(ben);
    world.rest();
    assert_eq!(state(&mut world, "Ben", ben), Some(ChatState::Stuck));
    (world, ada, ben)
}

#[test]
fn who_is_stuck_is_repaired_by_being_removed_and_added_again() {
    let (mut world, ada, ben) = stuck_ben(74);
    remove(&mut world, ada, "Ben");
    add(&mut world, ada, "Ben");
    assert_eq!(state(&mut world, "Ben", ben), Some(ChatState::Open));
    assert_together(&mut world, ada);
}

/// Says something as a raw invitation of `from` to Ben.
fn invite(world: &mut World, from: &'static str, invite: Invite) {
    let chat = world.chat(from, "Ben");
    let content = Content::Invite(Box::new(invite));
    world.person(from).account.say_for_tests(chat, &content);
    world.rest();
}

/// Bytes that lie where an invitation says, and are no Welcome.
fn junk(world: &mut World) -> ParcelRef {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let server = world.server.info().server;
    let packed = pack(b"junk", PARTS_MAX, &server, &mut rng).expect("it fits");
    for (keys, cell) in &packed.parts {
        world.put_raw(keys, cell.clone());
    }
    world.rest();
    packed.reference
}

/// What Ada's device knows: the group's id and the newest head.
fn known(world: &mut World, ada: ChatId) -> ([u8; 32], HeadRef) {
    let account = &mut world.person("Ada").account;
    let opening = account.signed_head_for_tests().head.to_ref();
    (account.conversation_for_tests(ada).conversation, opening)
}

fn join_faults(world: &mut World, name: &str) -> Vec<String> {
    world.told(name, |event| match event {
        Event::Alarm { code, text } if code == "join_failed" => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn a_stranger_to_a_stuck_group_cannot_take_its_place() {
    let mut world = World::new(75, &["Ada", "Ben", "Chloe"]);
    world.meet("Ada", "Ben");
    world.meet("Chloe", "Ben");
    let ada = world.group("Ada", "Desk", &["Ben"]);
    let ben = world.chat("Ben", "Desk");
    world.person("Ben").account.lose_for_tests(ben);
    world.rest();
    let parcel = junk(&mut world);
    let (conversation, opening) = known(&mut world, ada);
    let (welcome, tree) = (parcel.clone(), parcel);
    invite(
        &mut world,
        "Chloe",
        Invite { conversation, welcome, tree, opening, names: vec![], succeeds: None },
    );
    assert_eq!(state(&mut world, "Ben", ben), Some(ChatState::Stuck));
    assert_eq!(join_faults(&mut world, "Ben").len(), 1, "and Ben is told");
}

#[test]
fn an_invitation_to_where_one_is_already_is_said_so() {
    let (mut world, ada) = desk(76, &["Ben"]);
    let ben = world.chat("Ben", "Desk");
    let parcel = junk(&mut world);
    let (conversation, _) = known(&mut world, ada);
    let opening = HeadRef { tick: 1, size: 1, root: [1; 32] };
    let (welcome, tree) = (parcel.clone(), parcel);
    invite(
        &mut world,
        "Ada",
        Invite { conversation, welcome, tree, opening, names: vec![], succeeds: None },
    );
    assert_eq!(state(&mut world, "Ben", ben), Some(ChatState::Open));
    assert_eq!(join_faults(&mut world, "Ben").len(), 1);
    assert_eq!(world.gaps("Ben"), [""; 0], "nobody's word alone is told as a fact");
}

#[test]
fn an_old_invitation_is_not_followed_again() {
    for later_opening in [false, true] {
        let (mut world, ada) = desk(77, &["Chloe"]);
        let identity = world.identity("Ben");
        world.person("Ada").account.use_up_packages_for_tests(&identity);
        add(&mut world, ada, "Ben");
        let ben = world.chat("Ben", "Desk");
        world.say("Ben", ben, "mine");
        world.rest();
        let join = world.person("Ben").joins_begun.pop().expect("Ben was invited");
        remove(&mut world, ada, "Ben");
        assert_eq!(state(&mut world, "Ben", ben), Some(ChatState::Ended));
        let opening = later_opening.then(|| known(&mut world, ada).1);
        world.person("Ben").account.repeat_join_for_tests(&join, opening);
        world.rest();
        assert_eq!(state(&mut world, "Ben", ben), Some(ChatState::Ended), "{later_opening}");
        assert_eq!(join_faults(&mut world, "Ben").len(), 1, "{later_opening}");
        add(&mut world, ada, "Ben");
        assert_together(&mut world, ada);
    }
}

/// Stores cells that nobody reads, one in a tick.
fn noise(world: &mut World, ticks: usize, apart_ms: u64) {
    let server = world.server.info().server;
    let mut rng = ChaCha20Rng::seed_from_u64(world.now_ms);
    for _ in 0..ticks {
        let packed = pack(b"noise", 1, &server, &mut rng).expect("it fits");
        let (keys, cell) = &packed.parts[0];
        world.put_raw(keys, cell.clone());
        world.rest();
        world.now_ms += apart_ms;
    }
}

#[test]
fn an_opening_inside_a_segment_is_compared_with_the_log() {
    let (mut world, ada) = desk(78, &["Chloe"]);
    // The last tick that Ben reads is the last of its ten seconds: what follows begins a segment.
    world.now_ms = world.now_ms.next_multiple_of(10_000) - 40;
    noise(&mut world, 1, 0);
    world.set_online("Ben", false);
    noise(&mut world, 400, 80);
    let parcel = junk(&mut world);
    let tick = known(&mut world, ada).1.tick - 390;
    let opening = HeadRef { tick, size: 9, root: [9; 32] };
    let (welcome, tree) = (parcel.clone(), parcel);
    let conversation = [9; 32];
    invite(
        &mut world,
        "Ada",
        Invite { conversation, welcome, tree, opening, names: vec![], succeeds: None },
    );
    world.set_online("Ben", true);
    let faults = join_faults(&mut world, "Ben");
    assert!(matches!(&faults[..], [text] if text.contains("names another log")), "{faults:?}");
}

#[test]
fn invitations_that_lead_nowhere_hold_up_neither_others_nor_a_sync() {
    let mut world = World::new(79, &["Ada", "Ben", "Mal"]);
    world.meet("Ada", "Ben");
    world.meet("Mal", "Ben");
    let opening = world.person("Mal").account.signed_head_for_tests().head.to_ref();
    world.set_online("Ben", false);
    let chat = world.chat("Mal", "Ben");
    for at in 0..8_u8 {
        // Together more parts than Ben's device queues.
        let parcel = ParcelRef { seed: [at; 32], length: 512 * 1_974, root: [at; 32] };
        let (welcome, tree) = (parcel.clone(), parcel);
        let fake = Invite {
            conversation: [at; 32],
            welcome,
            tree,
            opening,
            names: vec![],
            succeeds: None,
        };
        world.person("Mal").account.say_for_tests(chat, &Content::Invite(Box::new(fake)));
        world.rest();
    }
    let ada = world.group("Ada", "Desk", &["Ben"]);
    world.set_online("Ben", true);
    assert_together(&mut world, ada);
    let Ok(crate::io::Reply::Health(health)) = world.command("Ben", Command::Health) else {
        panic!("no health");
    };
    assert_eq!(health.reading, 0, "what is asked for again later is not waited for");
}
