//! Bugs that were found by reading: each stays found.

use crate::ids::Name;
use crate::io::{ChatState, Command, MessageState, Reply, Role};
use crate::world::World;

#[test]
fn somebody_who_leaves_while_being_removed_is_removed_once() {
    let (mut world, ada) = World::desk(51);
    world.person("Ada").online = false;
    world.rest();
    let members = vec![world.identity("Ben")];
    world.command("Ada", Command::Remove { chat: ada, members }).expect("wanted");
    let ben = world.chat("Ben", "Desk");
    world.command("Ben", Command::Leave { chat: ben }).expect("leaving");
    world.person("Ada").online = true;
    world.rest();
    world.pass(120_000);
    for name in ["Ada", "Chloe"] {
        let chat = world.chats(name).into_iter().find(|chat| chat.name.as_str() == "Desk");
        assert_eq!(chat.map(|chat| chat.state), Some(ChatState::Open), "{name} follows");
        let gone = world.members_told(name).iter().filter(|t| t.ends_with("removed Ben.")).count();
        assert_eq!(gone, 1, "{name}");
    }
}

#[test]
fn an_answer_in_time_counts_when_its_inviter_returns_after_the_links_end() {
    let mut world = World::new(52, &["Ada", "Ben"]);
    let link = world.link("Ada", false).uri.expect("a link");
    world.person("Ada").online = false;
    world.rest();
    let accepted = world.command("Ben", Command::Accept { link, message: Some("hi".into()) });
    assert!(matches!(accepted, Ok(Reply::Chat(_))), "{accepted:?}");
    world.pass(8 * 86_400_000);
    world.person("Ada").online = true;
    world.rest();
    let ada = world.chat("Ada", "Ben");
    assert_eq!(world.transcript("Ada", ada), ["Ben: hi"]);
}

#[test]
fn an_answer_after_the_links_end_makes_no_contact() {
    let mut world = World::new(59, &["Ada", "Ben"]);
    let link = world.link("Ada", false).uri.expect("a link");
    // The server is idle: its newest head is older than the link's end.
    world.now_ms += 2 * 86_400_000;
    let refused = world.command("Ben", Command::Accept { link, message: None });
    assert_eq!(refused.expect_err("too late").code, "link_expired");
    assert!(world.chats("Ben").is_empty() && world.chats("Ada").is_empty());
}

#[test]
fn strangers_of_days_that_were_slept_through_still_wait() {
    let mut world = World::new(53, &["Ada", "Ben", "Chloe"]);
    let expires_ms = world.now_ms + 20 * 86_400_000;
    let made = world.command("Ada", Command::CreateLink { expires_ms, reusable: true });
    let Ok(Reply::Link(link)) = made else { panic!("no link: {made:?}") };
    let link = link.uri.expect("an address");
    world.person("Ada").online = false;
    world.rest();
    let accept = Command::Accept { link, message: Some("hello?".into()) };
    world.command("Ben", accept.clone()).expect("stored");
    world.pass(6 * 86_400_000);
    world.command("Chloe", accept).expect("stored");
    world.person("Ada").online = true;
    world.rest();
    let Ok(Reply::Requests(requests)) = world.command("Ada", Command::Requests) else {
        panic!("no requests");
    };
    let mut names: Vec<_> = requests.iter().map(|request| request.name.to_string()).collect();
    names.sort();
    assert_eq!(names, ["Ben", "Chloe"]);
}

#[test]
fn who_removes_somebody_and_leaves_at_once_gets_out() {
    for offline in [false, true] {
        let (mut world, ada) = World::desk(60);
        let (ben, chloe) = (world.identity("Ben"), world.identity("Chloe"));
        for member in [ben, chloe] {
            let role = Command::SetRole { chat: ada, member, role: Role::Owner };
            world.command("Ada", role).expect("made an owner");
            world.rest();
        }
        world.person("Ada").online = !offline;
        world.hold_ticks = true;
        world.order("Ada", Command::Remove { chat: ada, members: vec![ben] });
        world.command("Ada", Command::Leave { chat: ada }).expect("leaving");
        world.hold_ticks = false;
        world.person("Ada").online = true;
        world.rest();
        world.pass(300_000);
        let left = world.chats("Ada").into_iter().find(|chat| chat.chat == ada);
        assert_eq!(left.map(|chat| chat.state), Some(ChatState::Ended), "offline {offline}");
        let told = world.members_told("Chloe");
        assert!(told.iter().any(|text| text.ends_with("removed Ada.")), "{told:?}");
        let desk = world.chats("Chloe").into_iter().find(|chat| chat.name.as_str() == "Desk");
        assert_eq!(desk.map(|chat| chat.state), Some(ChatState::Open));
    }
}

#[test]
fn of_two_roles_that_were_wished_for_the_later_one_stands() {
    let (mut world, ada) = World::desk(54);
    let member = world.identity("Ben");
    world.person("Ada").online = false;
    world.rest();
    for role in [Role::Admin, Role::Member] {
        world.command("Ada", Command::SetRole { chat: ada, member, role }).expect("wished");
    }
    world.person("Ada").online = true;
    world.rest();
    world.pass(60_000);
    let Ok(Reply::Members(members)) = world.command("Ada", Command::Members { chat: ada }) else {
        panic!("no members");
    };
    assert!(members.iter().all(|member| member.own || member.role == Role::Member));
}

#[test]
fn a_removed_admin_is_not_an_admin_again_by_another_admins_word() {
    let (mut world, ada) = World::desk(55);
    for name in ["Ben", "Chloe"] {
        let member = world.identity(name);
        let role = Command::SetRole { chat: ada, member, role: Role::Admin };
        world.command("Ada", role).expect("made an admin");
        world.rest();
    }
    world.meet("Ben", "Chloe");
    let members = vec![world.identity("Chloe")];
    let remove = Command::Remove { chat: ada, members: members.clone() };
    world.command("Ada", remove).expect("removed");
    world.rest();
    let ben = world.chat("Ben", "Desk");
    world.command("Ben", Command::Add { chat: ben, members }).expect("asked");
    world.pass(60_000);
    let inside = world.members_told("Ada").iter().any(|text| text.starts_with("Ben added Chloe"));
    assert!(!inside, "only an owner gives the role back with the seat");
}

#[test]
fn a_stuck_conversation_sends_nothing_more_even_after_a_restart() {
    let (mut world, _) = World::desk(56);
    let ben = world.chat("Ben", "Desk");
    let old = world.person("Ben").disk.clone();
    world.say("Ben", ben, "from the future");
    world.rest();
    world.person("Ben").disk = old;
    world.crash("Ben");
    world.say("Ben", ben, "from the past");
    world.rest();
    world.crash("Ben");
    world.rest();
    world.pass(600_000);
    let ada = world.chat("Ada", "Desk");
    assert_eq!(world.transcript("Ada", ada), ["Ben: from the future"]);
    assert_eq!(world.states("Ben", ben)["from the past"], MessageState::Queued);
}

#[test]
fn a_private_name_for_a_contact_is_told_to_nobody() {
    let mut world = World::new(57, &["Ada", "Ben", "Chloe"]);
    world.meet("Ada", "Ben");
    world.meet("Ada", "Chloe");
    let chat = world.chat("Ada", "Ben");
    let name = Name::parse("That awful man").expect("a name");
    world.command("Ada", Command::RenameContact { chat, name }).expect("renamed");
    world.group("Ada", "Desk", &["Ben", "Chloe"]);
    world.rest();
    let chloe = world.chat("Chloe", "Desk");
    let Ok(Reply::Members(members)) = world.command("Chloe", Command::Members { chat: chloe })
    else {
        panic!("no members");
    };
    let names: Vec<_> = members.iter().map(|member| member.name.to_string()).collect();
    assert!(names.contains(&"Ben".to_owned()), "{names:?}");
}

#[test]
fn the_same_head_sealed_again_by_a_member_is_still_ones_own() {
    use rand::SeedableRng;
    let (mut world, ada) = World::desk(58);
    let server = world.server.info().server;
    let chloe = world.chat("Chloe", "Desk");
    let identity = world.identity("Ada");
    let secrets = world.person("Chloe").account.conversation_for_tests(chloe).secrets();
    let keys = secrets.lane(secrets.leaf_of(&identity)).keys(&server);
    let lost = std::rc::Rc::new(std::cell::RefCell::new(None));
    let kept = std::rc::Rc::clone(&lost);
    let tag = keys.tag;
    world.swallow = Some(Box::new(move |_, at, cell| {
        let gone = *at == tag;
        if gone {
            *kept.borrow_mut() = Some(cell.clone());
        }
        gone
    }));
    world.say("Ada", ada, "mine");
    world.rest();
    let cell = lost.borrow().clone().expect("Ada sealed it");
    let content = undertone_crypto::cell::open(&keys, &cell).expect("a member opens it");
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
    let again = undertone_crypto::cell::seal(&keys, &content, &mut rng).expect("it fits");
    world.put_raw(&keys, again);
    world.hold_ticks = true;
    world.swallow = None;
    world.cut("Ada");
    world.hold_ticks = false;
    world.rest();
    world.say("Ada", ada, "and more");
    world.rest();
    let ben = world.chat("Ben", "Desk");
    assert_eq!(world.transcript("Ben", ben), ["Ada: mine", "Ada: and more"]);
    assert_eq!(world.transcript("Ada", ada), ["Ada: mine", "Ada: and more"]);
}
