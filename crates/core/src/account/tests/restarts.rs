//! Groups that take another's place: one chat goes on.

use super::evil::{Evil, nothing};
use crate::body::{Content, Invite, Succeeds};
use crate::ids::{ChatId, Name};
use crate::io::{ChatState, Command, Event, GroupCare, LeftBehind, MessageState, Reply, Role};
use crate::parcel::ParcelRef;
use crate::world::World;
use undertone_crypto::IdentityKey;

fn restart_without(
    world: &mut World,
    name: &'static str,
    chat: ChatId,
    without: Vec<IdentityKey>,
) -> Vec<LeftBehind> {
    match world.command(name, Command::Restart { chat, without }) {
        Ok(Reply::Restarted { chat: view, left }) => {
            assert_eq!(view.chat, chat, "one chat goes on");
            left
        }
        other => panic!("no restart: {other:?}"),
    }
}

fn restart(world: &mut World, name: &'static str, chat: ChatId) -> Vec<LeftBehind> {
    restart_without(world, name, chat, Vec::new())
}

/// What Ada's doctor says of groups.
fn cares(world: &mut World) -> Vec<GroupCare> {
    match world.command("Ada", Command::GroupCares) {
        Ok(Reply::GroupCares(cares)) => cares,
        other => panic!("no groups: {other:?}"),
    }
}

fn group(world: &mut World, name: &'static str, chat: ChatId) -> [u8; 32] {
    world.person(name).account.conversation_for_tests(chat).conversation
}

/// The one group of somebody; there is no second one.
fn only_group(world: &mut World, name: &'static str) -> ChatId {
    let groups = world.chats(name).into_iter().filter(|chat| chat.contact.is_none());
    let groups: Vec<_> = groups.collect();
    assert_eq!(groups.len(), 1, "{name}: {groups:?}");
    assert_eq!(groups[0].state, ChatState::Open, "{name}");
    groups[0].chat
}

fn says(world: &mut World, name: &'static str, text: &str) {
    let chat = only_group(world, name);
    world.say(name, chat, text);
    world.rest();
}

fn assert_transcripts(world: &mut World, names: &[&'static str], expected: &[&str]) {
    for name in names {
        let chat = only_group(world, name);
        assert_eq!(world.transcript(name, chat), expected, "{name}");
    }
}

#[test]
fn a_group_begun_anew_goes_on_in_the_same_chats() {
    let (mut world, ada) = World::desk(201);
    let (ben, chloe) = (world.chat("Ben", "Desk"), world.chat("Chloe", "Desk"));
    let member = world.identity("Ben");
    let role = Command::SetRole { chat: ada, member, role: Role::Admin };
    world.command("Ada", role).expect("made an admin");
    says(&mut world, "Chloe", "before");
    let old = group(&mut world, "Ada", ada);
    assert_eq!(restart(&mut world, "Ada", ada), []);
    assert_ne!(group(&mut world, "Ada", ada), old);
    assert_eq!((only_group(&mut world, "Ben"), only_group(&mut world, "Chloe")), (ben, chloe));
    for name in ["Ben", "Ada", "Chloe"] {
        says(&mut world, name, &format!("{name} goes on"));
    }
    let expected =
        ["Chloe: before", "Ben: Ben goes on", "Ada: Ada goes on", "Chloe: Chloe goes on"];
    assert_transcripts(&mut world, &["Ada", "Ben", "Chloe"], &expected);
    let told = world.members_told("Ben");
    assert!(told.contains(&"Ada began this group anew.".to_owned()), "{told:?}");
    assert!(world.members_told("Ada").contains(&"You began this group anew.".to_owned()));
    let name = Name::parse("Newsroom").expect("a name");
    world.command("Ben", Command::Rename { chat: ben, name }).expect("still an admin");
    world.rest();
    assert_eq!(world.chat("Chloe", "Newsroom"), chloe);
    for name in ["Ada", "Ben", "Chloe"] {
        assert!(world.alarms(name).is_empty() && world.gaps(name).is_empty(), "{name}");
    }
}

#[test]
fn a_group_that_nobody_can_follow_is_replaced_without_whoever_broke_it() {
    let mut evil = Evil::new(202);
    let (ada, mal) = (evil.ada, evil.world.identity("Mal"));
    let ben = evil.world.chat("Ben", "Desk");
    evil.world.say("Ben", ben, "before");
    evil.world.rest();
    evil.commit(&nothing(), |_| {});
    evil.assert_stuck();
    assert_eq!(cares(&mut evil.world)[0].restart, Some(crate::io::Standstill::Stuck));
    assert_eq!(restart_without(&mut evil.world, "Ada", ada, vec![mal]), []);
    evil.world.say("Ada", ada, "we go on");
    evil.world.say("Ben", ben, "so we do");
    evil.world.rest();
    let expected = ["Ben: before", "Ada: we go on", "Ben: so we do"];
    assert_transcripts(&mut evil.world, &["Ada", "Ben"], &expected);
    let told = evil.world.members_told("Ben");
    assert!(told.contains(&"Ada removed Mal.".to_owned()), "{told:?}");
    let Ok(Reply::Health(health)) = evil.world.command("Ada", Command::Health) else {
        panic!("no health");
    };
    assert!(health.stuck.is_empty(), "{health:?}");
    assert_eq!(cares(&mut evil.world), []);
}

#[test]
fn whoever_cannot_be_taken_along_is_named() {
    let mut world = World::new(203, &["Ada", "Ben", "Chloe", "Zoe"]);
    world.meet("Ada", "Ben");
    world.meet("Ada", "Chloe");
    world.meet("Ben", "Zoe");
    let ada = world.group("Ada", "Desk", &["Ben", "Chloe"]);
    let (ben, member) = (world.chat("Ben", "Desk"), world.identity("Ben"));
    let role = Command::SetRole { chat: ada, member, role: Role::Admin };
    world.command("Ada", role).expect("made an admin");
    let members = vec![world.identity("Zoe")];
    world.command("Ben", Command::Add { chat: ben, members }).expect("added");
    world.pass(60_000);
    let left = restart(&mut world, "Ada", ada);
    let left: Vec<_> = left.iter().map(|left| (left.name.as_str(), left.why)).collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].1, "they are no contact of yours");
    let told = world.members_told("Ada");
    let named =
        |text: &&String| text.ends_with("could not be taken along: they are no contact of yours.");
    assert_eq!(told.iter().filter(named).count(), 1, "{told:?}");
    let told = world.members_told("Chloe");
    assert!(told.contains(&"Ada removed Zoe.".to_owned()), "{told:?}");
    says(&mut world, "Chloe", "hi");
    assert_transcripts(&mut world, &["Ada", "Ben", "Chloe"], &["Chloe: hi"]);
}

#[test]
fn what_is_queued_goes_along_and_only_to_whom_it_was_written() {
    let (mut world, ada) = World::desk(204);
    let ben = world.chat("Ben", "Desk");
    world.set_online("Ben", false);
    world.say("Ben", ben, "from afar");
    world.rest();
    world.set_online("Ada", false);
    world.say("Ada", ada, "written before");
    world.rest();
    world.person("Ada").account.lose_for_tests(ada);
    restart(&mut world, "Ada", ada);
    world.say("Ada", ada, "written after");
    world.rest();
    world.set_online("Ada", true);
    world.set_online("Ben", true);
    let expected = ["Ada: written before", "Ada: written after", "Ben: from afar"];
    assert_transcripts(&mut world, &["Ada", "Ben", "Chloe"], &expected);
    assert_eq!(world.states("Ben", ben)["from afar"], MessageState::Stored);
    assert!(world.gaps("Ben").is_empty(), "{:?}", world.gaps("Ben"));
}

#[test]
fn a_queued_message_waits_for_its_author_where_the_successor_has_more_people() {
    let (mut world, ada) = World::desk(205);
    let ben = world.chat("Ben", "Desk");
    world.set_online("Chloe", false);
    let chloe = world.identity("Chloe");
    world.set_online("Ben", false);
    world.command("Ada", Command::Remove { chat: ada, members: vec![chloe] }).expect("removed");
    world.pass(60_000);
    world.set_online("Ben", true);
    world.set_online("Ben", false);
    world.say("Ben", ben, "without Chloe");
    world.rest();
    restart(&mut world, "Ada", ada);
    world.command("Ada", Command::Add { chat: ada, members: vec![chloe] }).expect("added");
    world.pass(60_000);
    world.set_online("Ben", true);
    assert_eq!(world.states("Ben", ben)["without Chloe"], MessageState::Waiting);
    assert!(world.transcript("Ada", ada).is_empty());
}

/// A text of Ada's whose way is cut off after the server has it and before she knows.
fn says_and_dies(world: &mut World, ada: ChatId, text: &str) {
    world.hold_ticks = true;
    world.say("Ada", ada, text);
    world.rest();
    world.crash("Ada");
    world.person("Ada").online = false;
    world.hold_ticks = false;
    world.rest();
}

#[test]
fn a_text_that_was_under_way_when_its_group_is_begun_anew_is_shown_once() {
    let (mut world, ada) = World::desk(214);
    let ben = world.chat("Ben", "Desk");
    says_and_dies(&mut world, ada, "once");
    assert_eq!(world.transcript("Ben", ben), ["Ada: once"]);
    // Before she has caught up nobody knows whether it counts.
    let restart_now = Command::Restart { chat: ada, without: vec![] };
    let refused = world.command("Ada", restart_now).expect_err("what she wrote is under way");
    assert_eq!(refused.code, "not_ready");
    world.set_online("Ada", true);
    restart(&mut world, "Ada", ada);
    assert_transcripts(&mut world, &["Ada", "Ben", "Chloe"], &["Ada: once"]);
    let shown = |event: &Event| matches!(event, Event::Message { .. }).then(String::new);
    assert_eq!(world.told("Ben", shown).len(), 1);
}

#[test]
fn what_the_founder_could_not_read_is_told_to_both() {
    let (mut world, ada) = World::desk(215);
    let chloe = world.chat("Chloe", "Desk");
    world.say("Chloe", chloe, "read");
    world.rest();
    world.person("Ada").account.lose_for_tests(ada);
    for text in ["unread", "unread too"] {
        world.say("Chloe", chloe, text);
        world.rest();
    }
    restart(&mut world, "Ada", ada);
    assert_eq!(world.transcript("Ada", ada), ["Chloe: read"]);
    let (ada, ben, chloe) = (world.gaps("Ada"), world.gaps("Ben"), world.gaps("Chloe"));
    assert!(matches!(&ada[..], [gap] if gap.contains("had not read all")), "{ada:?}");
    assert!(matches!(&chloe[..], [gap] if gap.contains("not read 2 message(s)")), "{chloe:?}");
    assert_eq!(ben, [""; 0]);
}

/// The server withholds the next text of Chloe's.
fn withhold_from_chloe(world: &mut World, ada: ChatId) {
    let (server, identity) = (world.server.info().server, world.identity("Chloe"));
    let secrets = world.person("Ada").account.conversation_for_tests(ada).secrets();
    let tag = secrets.lane(secrets.leaf_of(&identity)).keys(&server).tag;
    world.withheld.insert(tag);
}

#[test]
fn what_the_server_withheld_from_the_founder_is_told_to_both() {
    for ended in [false, true] {
        let (mut world, ada) = World::desk(216);
        let chloe = world.chat("Chloe", "Desk");
        says(&mut world, "Chloe", "read");
        withhold_from_chloe(&mut world, ada);
        for text in ["withheld", "behind it"] {
            says(&mut world, "Chloe", text);
        }
        world.pass(60_000);
        if ended {
            let name = Name::parse("Newsroom").expect("a name");
            world.command("Ada", Command::Rename { chat: ada, name }).expect("renamed");
            world.pass(60_000);
        }
        restart(&mut world, "Ada", ada);
        world.rest();
        assert_eq!(world.transcript("Ada", ada), ["Chloe: read"]);
        for name in ["Ada", "Ben"] {
            let gaps = world.gaps(name);
            assert!(gaps.iter().any(|gap| gap.contains("had not read all")), "{name}: {gaps:?}");
        }
        let gaps = world.gaps("Chloe");
        assert!(matches!(&gaps[..], [gap] if gap.contains("not read 2 message(s)")), "{gaps:?}");
        assert_eq!(only_group(&mut world, "Chloe"), chloe);
    }
}

#[test]
fn a_member_who_writes_without_pause_holds_no_restart_up_for_ever() {
    let (mut world, ada) = World::desk(217);
    withhold_from_chloe(&mut world, ada);
    says(&mut world, "Chloe", "on its way");
    let restart_now = Command::Restart { chat: ada, without: vec![] };
    let refused = world.command("Ada", restart_now.clone()).expect_err("something is on its way");
    assert_eq!(refused.code, "not_ready");
    world.crash("Ada");
    world.pass(599_000);
    world.crash("Ada");
    world.rest();
    let refused = world.command("Ada", restart_now).expect_err("it is on its way again");
    assert_eq!(refused.code, "not_ready");
    world.pass(1_000);
    world.crash("Ada");
    world.rest();
    restart(&mut world, "Ada", ada);
    let gaps = world.gaps("Ada");
    assert!(gaps.iter().any(|gap| gap.contains("had not read all")), "{gaps:?}");
}

#[test]
fn what_counts_for_good_stays_in_no_queue() {
    let (mut world, ada) = World::desk(212);
    world.set_online("Ada", false);
    world.say("Ada", ada, "it counts");
    world.rest();
    world.person("Ada").account.conversation_for_tests(ada).count_for_tests();
    world.person("Ada").account.lose_for_tests(ada);
    restart(&mut world, "Ada", ada);
    world.set_online("Ada", true);
    let records = world.person("Ada").disk.records.keys();
    let queued = records.filter(|(space, key)| *space == "out" && key.starts_with(&ada.0));
    assert_eq!(queued.count(), 0);
}

#[test]
fn what_stands_in_the_old_group_is_read_before_it_ends() {
    let (mut world, ada) = World::desk(206);
    world.set_online("Ben", false);
    for number in 0..5 {
        says(&mut world, "Chloe", &format!("{number}"));
    }
    restart(&mut world, "Ada", ada);
    says(&mut world, "Chloe", "on we go");
    world.set_online("Ben", true);
    let expected = ["Chloe: 0", "Chloe: 1", "Chloe: 2", "Chloe: 3", "Chloe: 4", "Chloe: on we go"];
    assert_transcripts(&mut world, &["Ada", "Ben", "Chloe"], &expected);
}

#[test]
fn a_cell_that_is_never_delivered_holds_up_no_successor() {
    let (mut world, ada) = World::desk(207);
    let (server, identity) = (world.server.info().server, world.identity("Ada"));
    let secrets = world.person("Ada").account.conversation_for_tests(ada).secrets();
    let control = secrets.control().keys(&server).tag;
    assert_eq!(secrets.leaf_of(&identity), 0);
    world.set_online("Ben", false);
    let name = Name::parse("Newsroom").expect("a name");
    world.command("Ada", Command::Rename { chat: ada, name }).expect("renamed");
    world.withheld.insert(control);
    restart(&mut world, "Ada", ada);
    world.set_online("Ben", true);
    world.pass(60_000);
    assert_eq!(world.chat_if_any("Ben", "Newsroom"), None, "the old group is waited for");
    world.pass(600_000);
    says(&mut world, "Ben", "here I am");
    assert_transcripts(&mut world, &["Ada", "Ben", "Chloe"], &["Ben: here I am"]);
}

#[test]
fn only_an_owner_begins_a_group_anew() {
    let (mut world, ada) = World::desk(208);
    let ben = world.chat("Ben", "Desk");
    let refused = world.command("Ben", Command::Restart { chat: ben, without: vec![] });
    assert_eq!(refused.expect_err("a member").code, "not_allowed");
    let contact = world.chat("Ada", "Ben");
    let refused = world.command("Ada", Command::Restart { chat: contact, without: vec![] });
    assert_eq!(refused.expect_err("two people").code, "not_allowed");
    let members = vec![world.identity("Ben")];
    world.command("Ada", Command::Remove { chat: ada, members }).expect("removed");
    let refused = world.command("Ben", Command::Restart { chat: ben, without: vec![] });
    assert_eq!(refused.expect_err("out").code, "ended");
}

/// A group of Mal's with Ben in it that says to succeed the group with this id.
fn false_heir(world: &mut World, succeeds: [u8; 32]) {
    let mal = world.group("Mal", "Mine", &["Ben"]);
    let ben = world.chat("Ben", "Mine");
    assert_ne!(mal, ben);
    let account = &mut world.person("Mal").account;
    account.conversation_for_tests(mal).succession.claim_for_tests(succeeds);
    let members = vec![world.identity("Ben")];
    let remove = Command::Remove { chat: mal, members: members.clone() };
    world.command("Mal", remove).expect("removed");
    world.command("Mal", Command::Add { chat: mal, members }).expect("added");
    world.pass(60_000);
}

#[test]
fn a_members_successor_is_a_group_of_its_own() {
    let mut evil = Evil::new(209);
    evil.world.meet("Mal", "Ben");
    let (ada, ben) = (evil.ada, evil.world.chat("Ben", "Desk"));
    let desk = group(&mut evil.world, "Ada", ada);
    false_heir(&mut evil.world, desk);
    assert_eq!(evil.world.chat("Ben", "Desk"), ben);
    assert_ne!(evil.world.chat("Ben", "Mine"), ben);
    evil.world.say("Ben", ben, "still here");
    evil.world.rest();
    assert_eq!(evil.world.transcript("Ada", ada), ["Ben: still here"]);
}

#[test]
fn a_successor_of_a_group_that_one_is_not_in_is_a_group_of_its_own() {
    let mut world = World::new(210, &["Ada", "Ben", "Mal"]);
    world.meet("Ada", "Ben");
    world.meet("Mal", "Ben");
    let ada = world.group("Ada", "Desk", &[]);
    let desk = group(&mut world, "Ada", ada);
    false_heir(&mut world, desk);
    let ben = world.chat("Ben", "Mine");
    let mal = world.chat("Mal", "Mine");
    world.say("Ben", ben, "hello");
    world.rest();
    assert_eq!(world.transcript("Mal", mal), ["Ben: hello"]);
}

#[test]
fn an_owners_word_that_leads_nowhere_leaves_the_old_group_as_it_is() {
    let (mut world, ada) = World::desk(211);
    let ben = world.chat("Ben", "Desk");
    let conversation = group(&mut world, "Ada", ada);
    let succeeds = Some(Succeeds { conversation, read_to: 0 });
    let opening = world.person("Ada").account.signed_head_for_tests().head.to_ref();
    let parcel = ParcelRef { seed: [1; 32], length: 1_974, root: [1; 32] };
    let (welcome, tree) = (parcel.clone(), parcel);
    let invite = Invite { conversation: [7; 32], welcome, tree, opening, names: vec![], succeeds };
    let chat = world.chat("Ada", "Ben");
    world.person("Ada").account.say_for_tests(chat, &Content::Invite(Box::new(invite)));
    world.rest();
    world.say("Ben", ben, "held for a while");
    world.rest();
    assert_eq!(world.states("Ben", ben)["held for a while"], MessageState::Queued);
    world.pass(3_600_000);
    assert_eq!(only_group(&mut world, "Ben"), ben);
    assert_eq!(world.transcript("Ada", ada), ["Ben: held for a while"]);
}

/// Ada and Olga own a group; Zoe is a contact of Olga's alone.
fn two_owners(seed: u64) -> (World, ChatId, ChatId) {
    let mut world = World::new(seed, &["Ada", "Ben", "Olga", "Zoe"]);
    world.meet("Ada", "Ben");
    world.meet("Ada", "Olga");
    world.meet("Olga", "Ben");
    world.meet("Olga", "Zoe");
    let ada = world.group("Ada", "Desk", &["Ben", "Olga"]);
    let member = world.identity("Olga");
    let role = Command::SetRole { chat: ada, member, role: Role::Owner };
    world.command("Ada", role).expect("made an owner");
    let olga = world.chat("Olga", "Desk");
    let members = vec![world.identity("Zoe")];
    world.command("Olga", Command::Add { chat: olga, members }).expect("added");
    world.pass(60_000);
    (world, ada, olga)
}

#[test]
fn of_two_owners_who_restart_at_once_the_lower_group_stays_for_all() {
    let mut winners = std::collections::BTreeSet::new();
    for seed in 220..226 {
        let (mut world, ada, olga) = two_owners(seed);
        world.set_online("Ben", false);
        world.hold_ticks = true;
        for (name, chat) in [("Ada", ada), ("Olga", olga)] {
            restart(&mut world, name, chat);
            world.say(name, chat, &format!("{name} begins anew"));
            world.set_online(name, false);
        }
        world.hold_ticks = false;
        let (a, o) = (group(&mut world, "Ada", ada), group(&mut world, "Olga", olga));
        for name in ["Ada", "Olga", "Ben"] {
            world.set_online(name, true);
            world.pass(10_000);
        }
        world.pass(600_000);
        let names = ["Ada", "Ben", "Olga", "Zoe"];
        for name in names {
            let chat = only_group(&mut world, name);
            assert_eq!(group(&mut world, name, chat), a.min(o), "{name}, {seed}");
            let alarms = world.alarms(name);
            assert!(alarms.is_empty(), "{name}, {seed}: {alarms:?}");
        }
        for name in names {
            says(&mut world, name, name);
        }
        for name in names {
            let chat = only_group(&mut world, name);
            let transcript = world.transcript(name, chat);
            let ended = ["Ada: Ada", "Ben: Ben", "Olga: Olga", "Zoe: Zoe"];
            assert!(transcript.ends_with(&ended.map(str::to_owned)), "{name}: {transcript:?}");
        }
        winners.insert(a < o);
        // Whoever moves had left the old group before the other owner did.
        let moves = if a < o { "Olga" } else { "Ada" };
        let gaps = world.gaps(moves);
        assert!(gaps.iter().any(|gap| gap.contains("at the same time")), "{moves}: {gaps:?}");
    }
    assert_eq!(winners.len(), 2, "both orders were played");
}

#[test]
fn of_two_who_restart_at_once_the_one_that_stays_had_read_less_and_an_author_learns_it() {
    let mut stayed = std::collections::BTreeSet::new();
    for seed in 226..232 {
        let (mut world, ada, olga) = two_owners(seed);
        world.person("Ada").account.lose_for_tests(ada);
        says(&mut world, "Ben", "unread by Ada");
        world.person("Ada").online = false;
        restart(&mut world, "Ada", ada);
        restart(&mut world, "Olga", olga);
        world.pass(10_000);
        let (a, o) = (group(&mut world, "Ada", ada), group(&mut world, "Olga", olga));
        let ben = only_group(&mut world, "Ben");
        assert_eq!(group(&mut world, "Ben", ben), o, "Ben is with Olga first");
        says(&mut world, "Ben", "between the two");
        world.set_online("Ada", true);
        world.pass(10_000);
        let gaps = world.gaps("Ben");
        if a < o {
            assert_eq!(group(&mut world, "Ben", ben), a);
            assert!(gaps.iter().any(|gap| gap.contains("not read 2 message(s)")), "{gaps:?}");
        }
        stayed.insert(a < o);
    }
    assert_eq!(stayed.len(), 2, "both orders were played");
}

#[test]
fn who_slept_through_two_restarts_comes_into_the_last() {
    let (mut world, ada) = World::desk(230);
    let ben = world.chat("Ben", "Desk");
    world.set_online("Ben", false);
    for _ in 0..2 {
        restart(&mut world, "Ada", ada);
        world.pass(60_000);
    }
    world.set_online("Ben", true);
    assert_eq!(only_group(&mut world, "Ben"), ben);
    says(&mut world, "Ben", "good morning");
    assert_transcripts(&mut world, &["Ada", "Ben", "Chloe"], &["Ben: good morning"]);
}

fn send(chat: ChatId, text: &str) -> Command {
    let (text, key) = (text.to_owned(), Some(text.to_owned()));
    Command::Send { chat, text, key, anyway: false }
}

/// A group is begun anew, and talks on; an answer that got lost is asked for again.
fn story(world: &mut World, ada: ChatId) {
    let old = group(world, "Ada", ada);
    while group(world, "Ada", ada) == old {
        world.order("Ada", send(ada, "one"));
        world.order("Ada", Command::Restart { chat: ada, without: vec![] });
        world.rest();
    }
    world.order_until_done("Ada", &send(ada, "one"));
    for (name, text) in [("Ben", "two"), ("Chloe", "three")] {
        let chat = only_group(world, name);
        world.order_until_done(name, &send(chat, text));
    }
    assert_transcripts(world, &["Ada", "Ben", "Chloe"], &["Ada: one", "Ben: two", "Chloe: three"]);
}

/// Tells the story again and again, with a crash of `who` one output later each time.
fn crash_everywhere(who: &'static str) {
    for crash_after in 0.. {
        let (mut world, ada) = World::desk(240);
        world.person(who).crash_after = Some(crash_after);
        story(&mut world, ada);
        for name in ["Ada", "Ben", "Chloe"] {
            let (alarms, gaps) = (world.alarms(name), world.gaps(name));
            assert!(alarms.is_empty() && gaps.is_empty(), "{crash_after}: {alarms:?} {gaps:?}");
        }
        if world.person(who).crash_after.is_some() {
            assert!(crash_after > 20, "the story has more outputs than that");
            return;
        }
    }
}

#[test]
fn a_restart_survives_its_owner_dying_anywhere() {
    crash_everywhere("Ada");
}

#[test]
fn a_restart_survives_a_member_dying_anywhere() {
    crash_everywhere("Ben");
}

#[test]
fn a_group_whose_control_slots_are_filled_on_purpose_is_offered_to_its_owner() {
    let mut evil = Evil::new(250);
    let (ada, mal) = (evil.ada, evil.world.identity("Mal"));
    evil.world.hold_ticks = true;
    let server = evil.world.server.info().server;
    let mut slot = evil.secrets().control().clone();
    for _ in 0..20 {
        evil.world.put_raw(&slot.keys(&server), undertone_wire::Cell::from_array([7; 2048]));
        slot = slot.next();
    }
    evil.world.order("Ada", Command::Remove { chat: ada, members: vec![mal] });
    evil.world.rest();
    let next = slot.keys(&server).tag;
    evil.world.swallow = Some(Box::new(move |_, tag, _| *tag == next));
    evil.world.hold_ticks = false;
    evil.world.rest();
    assert_eq!(cares(&mut evil.world)[0].restart, Some(crate::io::Standstill::Squatted));
    // Whose removal was asked for does not come along.
    assert_eq!(restart(&mut evil.world, "Ada", ada), []);
    says(&mut evil.world, "Ben", "two of us");
    assert_transcripts(&mut evil.world, &["Ada", "Ben"], &["Ben: two of us"]);
    let told = evil.world.members_told("Ben");
    assert!(told.contains(&"Ada removed Mal.".to_owned()), "{told:?}");
}
