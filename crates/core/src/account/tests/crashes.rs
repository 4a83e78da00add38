//! Persist before release: a device that dies between any two outputs loses and doubles nothing.

use crate::io::Command;
use crate::world::World;

/// How many outputs a story has at most; each is a place to crash.
const OUTPUTS_MAX: usize = 400;

/// Tells the same story again and again, with a crash of `who` one output later each time.
fn crash_everywhere(who: &'static str, stride: usize, story: impl Fn(&mut World)) {
    for crash_after in (0..OUTPUTS_MAX).step_by(stride) {
        let mut world = World::new(1, &["Ada", "Ben", "Chloe"]);
        world.meet("Ada", "Ben");
        world.meet("Ada", "Chloe");
        world.person(who).crash_after = Some(crash_after);
        story(&mut world);
        let finished = world.person(who).crash_after.is_some();
        for name in ["Ada", "Ben", "Chloe"] {
            let (alarms, gaps) = (world.alarms(name), world.gaps(name));
            assert!(alarms.is_empty() && gaps.is_empty(), "{crash_after}: {alarms:?} {gaps:?}");
        }
        if finished {
            return;
        }
    }
}

/// A conversation of two, with more messages than the story's crash can swallow.
fn talk(world: &mut World, crashed: &'static str) {
    let (ada, ben) = (world.chat_if_any("Ada", "Ben"), world.chat_if_any("Ben", "Ada"));
    let (Some(ada), Some(ben)) = (ada, ben) else { return };
    for number in 0..6 {
        let key = Some(format!("{number}"));
        let send =
            |chat, text: String| Command::Send { chat, text, key: key.clone(), anyway: false };
        world.order_until_done("Ada", &send(ada, format!("a{number}")));
        world.order_until_done("Ben", &send(ben, format!("b{number}")));
    }
    world.rest();
    let (a, b) = (world.transcript("Ada", ada), world.transcript("Ben", ben));
    assert_eq!(a, b, "both sides see the same");
    for (name, mark) in [("Ada", 'a'), ("Ben", 'b')] {
        let own: Vec<_> = a.iter().filter(|line| line.starts_with(name)).cloned().collect();
        let expected: Vec<_> = (0..6).map(|number| format!("{name}: {mark}{number}")).collect();
        assert_eq!(own, expected, "{name}, when {crashed} crashed");
    }
}

#[test]
fn a_sender_that_dies_anywhere_loses_and_doubles_nothing() {
    crash_everywhere("Ada", 2, |world| talk(world, "Ada"));
}

#[test]
fn a_receiver_that_dies_anywhere_loses_and_doubles_nothing() {
    crash_everywhere("Ben", 3, |world| talk(world, "Ben"));
}

/// A group is made, talks, loses a member and talks on.
fn group_story(world: &mut World) {
    world.group_until_done("Ada", "Desk", &["Ben", "Chloe"]);
    let Some(ada) = world.chat_if_any("Ada", "Desk") else { return };
    world.rest();
    let send = |text: &str| Command::Send {
        chat: ada,
        text: text.to_owned(),
        key: Some(text.to_owned()),
        anyway: false,
    };
    world.order_until_done("Ada", &send("one"));
    world.rest();
    let members = vec![world.identity("Chloe")];
    world.order_until_done("Ada", &Command::Remove { chat: ada, members });
    world.rest();
    world.order_until_done("Ada", &send("two"));
    world.rest();
    let ben = world.chat("Ben", "Desk");
    let chloe = world.chat("Chloe", "Desk");
    assert_eq!(world.transcript("Ben", ben), ["Ada: one", "Ada: two"]);
    assert_eq!(world.transcript("Chloe", chloe), ["Ada: one"]);
    assert_eq!(world.transcript("Ada", ada), ["Ada: one", "Ada: two"]);
}

#[test]
fn a_group_survives_its_maker_dying_anywhere() {
    crash_everywhere("Ada", 7, group_story);
}

#[test]
fn a_group_survives_a_member_dying_anywhere() {
    crash_everywhere("Ben", 7, group_story);
}

/// First contact itself.
#[test]
fn first_contact_survives_either_side_dying_anywhere() {
    for who in ["Ada", "Ben"] {
        for crash_after in (0..OUTPUTS_MAX).step_by(2) {
            let mut world = World::new(1, &["Ada", "Ben"]);
            let link = world.link("Ada", false).uri.expect("a link");
            world.person(who).crash_after = Some(crash_after);
            world.order_until_done("Ben", &Command::Accept { link, message: Some("hi".into()) });
            world.rest();
            let ada = world.chat("Ada", "Ben");
            let ben = world.chat("Ben", "Ada");
            let send = |chat, text: &str| Command::Send {
                chat,
                text: text.to_owned(),
                key: Some(text.to_owned()),
                anyway: false,
            };
            world.order_until_done("Ada", &send(ada, "hello"));
            world.order_until_done("Ben", &send(ben, "there"));
            let expected = ["Ben: hi", "Ada: hello", "Ben: there"];
            assert_eq!(world.transcript("Ada", ada), expected, "{who} died after {crash_after}");
            assert_eq!(world.transcript("Ben", ben), expected, "{who} died after {crash_after}");
            if world.person(who).crash_after.is_some() {
                break;
            }
        }
    }
}
