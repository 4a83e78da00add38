//! Requests at a door that do not count: R01 to R10 of `docs/protocol.md`. R07 is a device out of the
//! list that asks in vain, in `reentry.rs`.

use crate::fuzzing::{Asking, Claimed, Posted, Way, secret_of};
use crate::ids::ChatId;
use crate::link::Post;
use crate::world::World;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use undertone_crypto::Secret;

const DAY_MS: u64 = 86_400_000;

/// Ada, and what Ben and Chloe know of the doors that she gave them.
struct Door {
    world: World,
    rng: ChaCha20Rng,
    way: Way,
    ben: ChatId,
}

impl Door {
    fn new() -> Self {
        let (mut world, _) = World::desk(530);
        let (ada, ben) = (world.identity("Ada"), world.chat("Ben", "Ada"));
        let way = world.person("Ben").account.way_to(&ada).expect("Ada gave a door");
        Self { world, rng: ChaCha20Rng::from_seed([5; 32]), way, ben }
    }

    fn asking(&mut self, who: &str) -> Asking {
        let expires_ms = self.world.now_ms + DAY_MS;
        self.asking_so(who, Claimed { secret: None, expires_ms })
    }

    fn asking_so(&mut self, who: &str, claimed: Claimed) -> Asking {
        let account = &mut self.world.person(who).account;
        Asking::by(account, claimed, &mut self.rng).expect("a device can ask")
    }

    fn ask(&mut self, asking: &Asking) {
        let posted = self.way.ask(0, asking, &mut self.rng).expect("the door's key is one");
        self.post(posted);
    }

    fn post(&mut self, posted: Posted) {
        posted.parts.iter().for_each(|(keys, cell)| self.world.put_raw(keys, cell.clone()));
        self.world.rest();
        self.world.put_raw(&posted.keys, posted.cell);
        self.world.rest();
    }

    /// Whether Ada's conversation was begun anew, and what alarms she heard.
    fn came_of_it(&mut self) -> (bool, Vec<String>) {
        let anew = self.world.gaps("Ada").iter().any(|gap| gap.contains("begun anew"));
        (anew, self.world.alarms("Ada"))
    }

    fn assert_refused(&mut self) {
        assert_eq!(self.came_of_it(), (false, vec!["re-entry".to_owned()]));
    }

    fn assert_nothing(&mut self) {
        assert_eq!(self.came_of_it(), (false, Vec::new()));
    }
}

/// The device's signature over the offer as it is now.
fn sign_again(asking: &mut Asking, door: &mut Door) {
    let server = door.world.server.info().server;
    let place = Post::Offer.keys(&Secret::from_bytes(asking.request.secret), &server).tag;
    asking.request.offer = asking.request.offer.clone().sign(&asking.key, &place);
}

#[test]
fn a_request_that_is_right_is_answered_and_shown() {
    let mut door = Door::new();
    let asking = door.asking("Ben");
    door.ask(&asking);
    assert_eq!(door.came_of_it(), (true, Vec::new()));
}

#[test]
fn r01_what_was_sealed_for_another_slot_is_refused() {
    let mut door = Door::new();
    let asking = door.asking("Ben");
    let posted = door.way.ask(0, &asking, &mut door.rng).expect("the door's key is one");
    let moved = posted.moved(door.way.slot(1), &mut door.rng).expect("it fits");
    door.post(moved);
    door.assert_refused();
}

#[test]
fn r02_a_device_list_that_is_not_signed_is_refused() {
    let mut door = Door::new();
    let mut asking = door.asking("Ben");
    asking.request.offer.list.signature[0] ^= 1;
    sign_again(&mut asking, &mut door);
    door.ask(&asking);
    door.assert_refused();
}

#[test]
fn r03_a_request_that_the_device_did_not_sign_is_refused() {
    let mut door = Door::new();
    let asking = door.asking("Ben").signed_by_nobody(&mut door.rng);
    door.ask(&asking);
    door.assert_refused();
}

#[test]
fn r04_a_request_by_somebody_else_is_refused() {
    let mut door = Door::new();
    let asking = door.asking("Chloe");
    door.ask(&asking);
    door.assert_refused();
}

#[test]
fn r05_an_offer_that_is_another_than_the_signed_one_is_refused() {
    let mut door = Door::new();
    let mut asking = door.asking("Ben");
    asking.request.offer.expires_ms += 1;
    door.ask(&asking);
    door.assert_refused();
}

#[test]
fn r06_an_envelope_key_that_is_none_is_refused() {
    let mut door = Door::new();
    let mut asking = door.asking("Ben");
    asking.request.offer.envelope = vec![1; 32].into();
    sign_again(&mut asking, &mut door);
    door.ask(&asking);
    door.assert_refused();
}

#[test]
fn r08_the_secret_of_another_link_is_refused() {
    let mut door = Door::new();
    let link = door.world.link("Ada", false).uri.expect("an open link");
    let expires_ms = door.world.now_ms + DAY_MS;
    let asking = door.asking_so("Ben", Claimed { secret: secret_of(&link), expires_ms });
    door.ask(&asking);
    door.assert_refused();
}

#[test]
fn r09_a_request_whose_time_is_over_comes_to_nothing() {
    let mut door = Door::new();
    let expires_ms = door.world.now_ms - 1;
    let asking = door.asking_so("Ben", Claimed { secret: None, expires_ms });
    door.ask(&asking);
    door.assert_nothing();
}

#[test]
fn r10_who_is_heard_afterwards_needs_nothing() {
    let mut door = Door::new();
    door.world.set_online("Ada", false);
    let asking = door.asking("Ben");
    door.ask(&asking);
    door.world.now_ms += 1_000;
    door.world.say("Ben", door.ben, "here as ever");
    door.world.rest();
    door.world.set_online("Ada", true);
    let ada = door.world.chat("Ada", "Ben");
    assert_eq!(door.world.transcript("Ada", ada), ["Ben: here as ever"]);
    door.assert_nothing();
}
