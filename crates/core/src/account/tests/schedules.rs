//! The schedules that forced the rules of DESIGN.md section 4, against the real engine.
//!
//! V1–V13 are those of the executable model's README: each test plays the schedule that broke the
//! design without the rule of that name.

use crate::ids::{ChatId, Name};
use crate::io::{ChatState, Command, MessageState, Role};
use crate::world::World;
use rand::SeedableRng;
use std::cell::RefCell;
use std::rc::Rc;
use undertone_crypto::SlotKeys;
use undertone_crypto::cell::{open, seal};
use undertone_wire::{Cell, Tag};

/// Ada and Ben in a group; Ben may commit.
struct Desk {
    world: World,
    ada: ChatId,
    ben: ChatId,
}

impl Desk {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed, &["Ada", "Ben", "Chloe"]);
        world.meet("Ada", "Ben");
        world.meet("Ada", "Chloe");
        world.group("Ada", "Desk", &["Ben", "Chloe"]);
        let (ada, ben) = (world.chat("Ada", "Desk"), world.chat("Ben", "Desk"));
        let member = world.identity("Ben");
        let role = Command::SetRole { chat: ada, member, role: Role::Admin };
        world.command("Ada", role).expect("made an admin");
        world.rest();
        Self { world, ada, ben }
    }

    fn rename(&mut self, name: &'static str, title: &str) {
        let chat = if name == "Ada" { self.ada } else { self.ben };
        let title = Name::parse(title).expect("a name");
        self.world.order(name, Command::Rename { chat, name: title });
    }

    /// The next slots of somebody's lane, as any member can compute them.
    fn lane(&mut self, name: &'static str, count: usize) -> Vec<SlotKeys> {
        let server = self.world.server.info().server;
        let identity = self.world.identity(name);
        let chat = self.world.chat("Chloe", "Desk");
        let secrets = self.world.person("Chloe").account.conversation_for_tests(chat).secrets();
        let first = secrets.lane(secrets.leaf_of(&identity)).clone();
        let slots = std::iter::successors(Some(first), |slot| Some(slot.next()));
        slots.take(count).map(|slot| slot.keys(&server)).collect()
    }

    fn control(&mut self) -> SlotKeys {
        let server = self.world.server.info().server;
        let chat = self.world.chat("Chloe", "Desk");
        let secrets = self.world.person("Chloe").account.conversation_for_tests(chat).secrets();
        secrets.control().keys(&server)
    }

    /// Loses PUTs to these tags, and keeps what was lost.
    fn lose(&mut self, tags: Vec<Tag>) -> Rc<RefCell<Vec<(Tag, Cell)>>> {
        let lost = Rc::new(RefCell::new(Vec::new()));
        let kept = Rc::clone(&lost);
        self.world.swallow = Some(Box::new(move |_, tag, cell| {
            let gone = tags.contains(tag);
            if gone {
                kept.borrow_mut().push((*tag, cell.clone()));
            }
            gone
        }));
        lost
    }

    fn reconnect(&mut self, name: &'static str) {
        self.world.swallow = None;
        self.world.cut(name);
        self.world.rest();
    }

    /// All three see the same, nobody misses anything, and these lines are in it.
    fn assert_same(&mut self, lines: &[&str]) {
        let expected = self.world.transcript("Ada", self.ada);
        assert_eq!(self.world.transcript("Ben", self.ben), expected);
        let chloe = self.world.chats("Chloe").into_iter().find(|chat| chat.contact.is_none());
        let chloe = chloe.expect("Chloe is in the group").chat;
        assert_eq!(self.world.transcript("Chloe", chloe), expected);
        for line in lines {
            let found = expected.iter().filter(|seen| seen == line).count();
            assert_eq!(found, 1, "{line} in {expected:?}");
        }
        for name in ["Ada", "Ben", "Chloe"] {
            assert!(self.world.gaps(name).is_empty(), "{name}: {:?}", self.world.gaps(name));
            assert!(self.world.alarms(name).is_empty(), "{name}: {:?}", self.world.alarms(name));
        }
    }
}

#[test]
fn v1_a_later_slot_is_not_stored_before_an_earlier_one() {
    let mut desk = Desk::new(31);
    let lane = desk.lane("Ben", 2);
    desk.lose(vec![lane[0].tag]);
    desk.world.say("Ben", desk.ben, "one");
    desk.world.say("Ben", desk.ben, "two");
    desk.world.rest();
    assert_eq!(desk.world.states("Ben", desk.ben)["two"], MessageState::Queued);
    desk.rename("Ada", "Newsroom");
    desk.world.rest();
    desk.reconnect("Ben");
    desk.assert_same(&["Ben: one", "Ben: two"]);
}

#[test]
fn v2_a_squatted_slot_does_not_turn_an_authors_order_around() {
    let mut desk = Desk::new(32);
    let lane = desk.lane("Ben", 3);
    desk.world.hold_ticks = true;
    desk.world.put_raw(&lane[0], Cell::from_array([9; 2048]));
    desk.world.say("Ben", desk.ben, "one");
    desk.world.say("Ben", desk.ben, "two");
    desk.world.rest();
    desk.world.hold_ticks = false;
    desk.world.rest();
    desk.assert_same(&["Ben: one", "Ben: two"]);
    let ada = desk.world.transcript("Ada", desk.ada);
    assert_eq!(ada, ["Ben: one", "Ben: two"]);
}

#[test]
fn v2_an_abandoned_slot_is_filled_all_the_same() {
    let mut desk = Desk::new(33);
    let lane = desk.lane("Ben", 4);
    // Slot 0 is squatted, and the first PUT to slot 1 is lost.
    desk.world.put_raw(&lane[0], Cell::from_array([9; 2048]));
    desk.world.hold_ticks = true;
    desk.lose(vec![lane[1].tag]);
    desk.world.say("Ben", desk.ben, "one");
    desk.world.say("Ben", desk.ben, "two");
    desk.world.rest();
    desk.world.hold_ticks = false;
    desk.world.rest();
    desk.reconnect("Ben");
    desk.assert_same(&["Ben: one", "Ben: two"]);
}

#[test]
fn v4_lanes_are_read_before_ones_own_commit_is_merged() {
    let mut desk = Desk::new(34);
    desk.world.hold_ticks = true;
    desk.world.say("Ben", desk.ben, "just in time");
    desk.rename("Ada", "Newsroom");
    desk.world.rest();
    desk.world.hold_ticks = false;
    desk.world.rest();
    desk.assert_same(&["Ben: just in time"]);
    assert_eq!(desk.world.chat("Ben", "Newsroom"), desk.ben);
}

#[test]
fn v5_ones_own_commit_sealed_again_by_another_is_still_ones_own() {
    let mut desk = Desk::new(35);
    let control = desk.control();
    let lost = desk.lose(vec![control.tag]);
    desk.rename("Ada", "Newsroom");
    desk.world.rest();
    // Chloe holds the keys: the same head, under another nonce, first.
    let content = open(&control, &lost.borrow()[0].1).expect("a member opens it");
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
    let again = seal(&control, &content, &mut rng).expect("it fits");
    desk.world.put_raw(&control, again);
    desk.world.rest();
    desk.reconnect("Ada");
    desk.world.say("Ada", desk.ada, "we go on");
    desk.world.rest();
    desk.assert_same(&["Ada: we go on"]);
    assert_eq!(desk.world.chat("Ben", "Newsroom"), desk.ben);
}

#[test]
fn v6_a_crash_between_judging_and_merging_changes_nothing() {
    let mut desk = Desk::new(36);
    let lane = desk.lane("Chloe", 1);
    desk.world.withheld.insert(lane[0].tag);
    let chloe = desk.world.chat("Chloe", "Desk");
    desk.world.say("Chloe", chloe, "withheld for a while");
    desk.world.rest();
    desk.rename("Ada", "Newsroom");
    desk.world.rest();
    // Ben has judged the commit and waits for Chloe's cell.
    desk.world.crash("Ben");
    desk.world.rest();
    desk.world.withheld.clear();
    desk.world.pass(60_000);
    desk.world.say("Ben", desk.ben, "still here");
    desk.world.rest();
    assert_eq!(desk.world.chat("Ben", "Newsroom"), desk.ben);
    let ben = desk.world.transcript("Ben", desk.ben);
    assert_eq!(ben, ["Chloe: withheld for a while", "Ben: still here"]);
}

#[test]
fn v7_a_withheld_cell_stops_nobody_and_leaves_a_visible_gap_until_it_comes() {
    let mut desk = Desk::new(37);
    let lane = desk.lane("Chloe", 1);
    desk.world.withheld.insert(lane[0].tag);
    let chloe = desk.world.chat("Chloe", "Desk");
    desk.world.say("Chloe", chloe, "withheld");
    desk.world.rest();
    desk.rename("Ada", "Newsroom");
    desk.world.pass(20_000);
    assert_eq!(desk.world.chat("Ben", "Newsroom"), desk.ben, "the epoch goes on");
    assert!(!desk.world.gaps("Ben").is_empty(), "the gap is shown");
    desk.world.say("Chloe", chloe, "after");
    desk.world.rest();
    assert_eq!(desk.world.transcript("Ben", desk.ben), ["Chloe: after"]);
    desk.world.withheld.clear();
    desk.world.pass(120_000);
    let healed = ["Chloe: withheld", "Chloe: after"];
    assert_eq!(desk.world.transcript("Ben", desk.ben), healed);
    assert_eq!(desk.world.transcript("Ada", desk.ada), healed);
}

#[test]
fn v8_a_message_sealed_before_a_removal_is_not_put_after_it() {
    let mut desk = Desk::new(38);
    let lane = desk.lane("Ben", 1);
    desk.lose(vec![lane[0].tag]);
    desk.world.say("Ben", desk.ben, "not for Chloe");
    desk.world.rest();
    desk.world.person("Ben").online = false;
    desk.world.rest();
    let members = vec![desk.world.identity("Chloe")];
    desk.world.command("Ada", Command::Remove { chat: desk.ada, members }).expect("removed");
    desk.world.rest();
    desk.world.swallow = None;
    desk.world.person("Ben").online = true;
    desk.world.rest();
    let found = desk.world.server.get(&lane[0].tag, 0);
    assert!(matches!(found, undertone_wire::Answer::None { .. }), "never released");
    assert_eq!(desk.world.transcript("Ada", desk.ada), ["Ben: not for Chloe"]);
}

#[test]
fn v9_what_is_written_after_a_removal_was_asked_for_waits_for_it() {
    let mut desk = Desk::new(39);
    let chloe = desk.world.chat("Chloe", "Desk");
    desk.world.hold_ticks = true;
    let members = vec![desk.world.identity("Chloe")];
    desk.world.order("Ada", Command::Remove { chat: desk.ada, members });
    desk.world.say("Ada", desk.ada, "she is out");
    desk.world.rest();
    desk.world.hold_ticks = false;
    desk.world.rest();
    assert_eq!(desk.world.transcript("Ben", desk.ben), ["Ada: she is out"]);
    assert!(desk.world.transcript("Chloe", chloe).is_empty());
}

#[test]
fn v10_a_leaf_outside_the_device_list_is_shown_and_removed_but_never_voids() {
    let mut desk = Desk::new(40);
    let identity = desk.world.identity("Chloe");
    // Ben, an admin, adds a device of his own making in Chloe's name.
    let ben = desk.ben;
    desk.world.person("Ben").account.add_forged_leaf_for_tests(ben, identity);
    desk.world.rest();
    assert_eq!(desk.world.alarms("Ada"), ["unlisted_device"]);
    desk.world.say("Ada", desk.ada, "only when it is gone");
    desk.world.pass(60_000);
    let told = desk.world.members_told("Ada");
    assert!(told.iter().any(|text| text.ends_with("removed a device of Chloe.")), "{told:?}");
    let ada = desk.world.chats("Ada").into_iter().find(|chat| chat.chat == desk.ada);
    assert_eq!(ada.map(|chat| chat.state), Some(ChatState::Open));
    assert_eq!(desk.world.transcript("Ben", ben), ["Ada: only when it is gone"]);
}

#[test]
fn v11_a_commit_without_the_right_is_void_before_its_path_is_looked_at() {
    let mut desk = Desk::new(41);
    let chloe = desk.world.chat("Chloe", "Desk");
    let name = Name::parse("Mine").expect("a name");
    let refused = desk.world.command("Chloe", Command::Rename { chat: chloe, name });
    assert_eq!(refused.expect_err("only admins").code, "not_allowed");
    // That a forged one is void for all is C09 in the tests of malice.
}

#[test]
fn v12_numbers_of_what_did_not_count_are_given_back() {
    let mut desk = Desk::new(42);
    let lane = desk.lane("Ben", 3);
    desk.lose(lane.iter().map(|keys| keys.tag).collect());
    desk.world.say("Ben", desk.ben, "one");
    desk.world.say("Ben", desk.ben, "two");
    desk.world.rest();
    desk.rename("Ada", "Newsroom");
    desk.world.rest();
    desk.reconnect("Ben");
    desk.world.say("Ben", desk.ben, "three");
    desk.world.rest();
    desk.assert_same(&["Ben: one", "Ben: two", "Ben: three"]);
}

#[test]
fn v13_one_commit_moves_unchanged_past_a_squatted_control_slot() {
    let mut desk = Desk::new(43);
    let control = desk.control();
    desk.world.hold_ticks = true;
    desk.world.put_raw(&control, Cell::from_array([9; 2048]));
    desk.rename("Ada", "Newsroom");
    desk.world.rest();
    desk.world.hold_ticks = false;
    desk.world.rest();
    assert_eq!(desk.world.chat("Ben", "Newsroom"), desk.ben);
    desk.world.say("Ada", desk.ada, "we go on");
    desk.world.rest();
    desk.assert_same(&["Ada: we go on"]);
}

#[test]
fn a_lost_race_is_run_again_and_both_changes_come() {
    let mut desk = Desk::new(44);
    let member = desk.world.identity("Chloe");
    desk.world.hold_ticks = true;
    desk.rename("Ben", "Newsroom");
    desk.world.order("Ada", Command::SetRole { chat: desk.ada, member, role: Role::Admin });
    desk.world.rest();
    desk.world.hold_ticks = false;
    desk.world.rest();
    desk.world.pass(60_000);
    assert_eq!(desk.world.chat("Ada", "Newsroom"), desk.ada);
    let told = desk.world.members_told("Ben");
    assert!(told.contains(&"Ada made Chloe an admin.".to_owned()), "{told:?}");
    assert!(desk.world.chats("Ada").iter().all(|chat| chat.state == ChatState::Open));
}

#[test]
fn a_profile_that_was_rolled_back_stops_instead_of_sealing_a_slot_twice() {
    let mut desk = Desk::new(45);
    let old = desk.world.person("Ben").disk.clone();
    desk.world.say("Ben", desk.ben, "from the future");
    desk.world.rest();
    desk.world.person("Ben").disk = old;
    desk.world.crash("Ben");
    desk.world.say("Ben", desk.ben, "from the past");
    desk.world.rest();
    let chat = desk.world.chats("Ben").into_iter().find(|chat| chat.chat == desk.ben);
    assert_eq!(chat.map(|chat| chat.state), Some(ChatState::Stuck));
    assert_eq!(desk.world.transcript("Ada", desk.ada), ["Ben: from the future"]);
}
