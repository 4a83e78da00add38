//! Coming back: requests at the door that Ada gave Chloe, and offers that are copied.

use super::{here, nothing_unless};
use crate::member::Twice;
use crate::row::{Expected, Outcome, Row, Who, sign};
use crate::stage::{ADA, BEN, CHLOE, Stage};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use undertone_core::fuzzing::{Asking, Claimed, Posted, Way, copied_offer, secret_of};
use undertone_core::io::{Command, Reply};
use undertone_crypto::{Identity, Phrase};
use undertone_hostile::world::Word;
use undertone_wire::{Answer, Request};

const REFUSED: Expected = sign(&["Ada"], "alarm re-entry", 5);
const DAY_MS: u64 = 86_400_000;

pub(super) const ROWS: &[Row] = &[
    here(
        "offer-copied",
        "T18 T26",
        Who::Host,
        "puts Ben's offer under a link of its own, with an envelope key of its own, and his name on it",
        sign(&["Chloe"], "refusal bad_link", 10),
        offer_copied,
    ),
    here(
        "doors-apart",
        "T08",
        Who::Nobody,
        "compares the doors that Ada gave to two contacts, at which they ask when they are lost",
        Expected::NoEffect(
            "no address is common to both; the server and third persons know none, so they cannot \
             write there at all",
        ),
        doors_apart,
    ),
    here(
        "door-junk",
        "T08 T23",
        Who::Member,
        "writes into the door that Ada gave it what is no request",
        REFUSED,
        junk,
    ),
    here(
        "door-mls",
        "T08 T10",
        Who::Member,
        "writes MLS bytes of the group where a sealed request belongs",
        REFUSED,
        mls,
    ),
    here(
        "request-unsigned",
        "T08",
        Who::Member,
        "asks with Chloe's device list, and without her device's key",
        REFUSED,
        unsigned,
    ),
    here(
        "request-by-another",
        "T08 T26",
        Who::Member,
        "gives its door to Ben, who asks there in his own name",
        REFUSED,
        by_another,
    ),
    here(
        "request-moved",
        "T08 T11",
        Who::Member,
        "writes a request that was sealed for one slot into another",
        REFUSED,
        moved,
    ),
    here(
        "request-own-link",
        "T08 T11",
        Who::Member,
        "asks under the secret of a link of Ada's own",
        REFUSED,
        own_link,
    ),
    here(
        "request-given-up",
        "T08 T17",
        Who::Thief,
        "asks with a copy of a device that Chloe has given up",
        REFUSED,
        given_up,
    ),
    here(
        "request-over",
        "T08 T11",
        Who::Member,
        "asks with a request whose time is over",
        Expected::NoEffect("nothing is begun"),
        over,
    ),
    here(
        "request-needless",
        "T08 T11",
        Who::Member,
        "asks, and speaks in the conversation as before",
        Expected::NoEffect("nothing is begun: who is heard has lost nothing"),
        needless,
    ),
    here(
        "request-by-copy",
        "T08 T17",
        Who::Thief,
        "asks with a copy of Chloe's profile, whose passphrase it knows",
        sign(&["Ada"], "gap", 5),
        by_copy,
    ),
    here(
        "request-withheld",
        "T08 T11",
        Who::Server,
        "lists a request and does not deliver it",
        sign(&["Ada"], "alarm withheld", 30),
        withheld,
    ),
];

/// Chloe is away, and somebody does this at the door that Ada gave her.
fn door(deed: impl FnOnce(&mut Stage, &Way)) -> Stage {
    let mut stage = Stage::new();
    let way = way(&mut stage, CHLOE);
    stage.away(CHLOE);
    stage.misdeed();
    deed(&mut stage, &way);
    stage.wait(5);
    stage
}

/// The door that Ada gave somebody.
fn way(stage: &mut Stage, who: usize) -> Way {
    let ada = stage.identity(ADA);
    stage.world.devices[who].account.way_to(&ada).expect("Ada gave a door")
}

fn post(stage: &mut Stage, posted: Posted) {
    for (keys, cell) in posted.parts {
        stage.put_at(keys.tag, keys.write, cell);
    }
    stage.world.rest();
    stage.put(&posted.keys, posted.cell);
}

/// What a device with somebody's keys can ask.
fn asking(stage: &mut Stage, who: usize, secret: Option<[u8; 32]>) -> Asking {
    let claimed = Claimed { secret, expires_ms: stage.world.now_ms + DAY_MS };
    asking_so(stage, who, claimed)
}

fn asking_so(stage: &mut Stage, who: usize, claimed: Claimed) -> Asking {
    let account = &mut stage.world.devices[who].account;
    Asking::by(account, claimed, &mut stage.rng).expect("a device can ask")
}

fn ask(stage: &mut Stage, way: &Way, asking: &Asking) {
    let posted = way.ask(0, asking, &mut stage.rng).expect("the door's key is one");
    post(stage, posted);
}

fn write(stage: &mut Stage, way: &Way, sealed: &[u8]) {
    let posted = way.post(0, sealed, &mut stage.rng).expect("it fits");
    post(stage, posted);
}

fn link_of(stage: &mut Stage, who: usize) -> String {
    let expires_ms = stage.world.now_ms + 7 * DAY_MS;
    let link = stage.world.command(who, Command::CreateLink { expires_ms, reusable: false });
    let Some(Reply::Link(link)) = link else { panic!("no link: {link:?}") };
    link.uri.expect("an open link")
}

fn offer_copied() -> Outcome {
    let mut stage = Stage::new();
    let link = link_of(&mut stage, BEN);
    let account = &mut stage.world.devices[BEN].account;
    let (link, copy) = copied_offer(account, &link, &mut stage.rng).expect("an offer");
    stage.misdeed();
    post(&mut stage, copy);
    stage.accept(CHLOE, link)
}

fn doors_apart() -> Outcome {
    let mut stage = Stage::new();
    let (bens, chloes) = (way(&mut stage, BEN), way(&mut stage, CHLOE));
    let mut shared = (0..8).filter(|slot| bens.slot(*slot).tag == chloes.slot(*slot).tag);
    nothing_unless(shared.next().map(|slot| format!("slot {slot} is common to both")))
}

fn junk() -> Outcome {
    door(|stage, way| write(stage, way, &[7; 3_000])).seen()
}

fn mls() -> Outcome {
    let mut stage = Stage::new();
    let way = way(&mut stage, CHLOE);
    let chloe = Twice::of(&mut stage, CHLOE);
    let bytes = chloe.encrypt(&mut stage, b"a message", b"");
    stage.misdeed();
    write(&mut stage, &way, &bytes);
    stage.wait(5);
    stage.seen()
}

fn unsigned() -> Outcome {
    let deed = |stage: &mut Stage, way: &Way| {
        let asking = asking(stage, CHLOE, None).signed_by_nobody(&mut stage.rng);
        ask(stage, way, &asking);
    };
    door(deed).seen()
}

fn by_another() -> Outcome {
    let deed = |stage: &mut Stage, way: &Way| {
        let asking = asking(stage, BEN, None);
        ask(stage, way, &asking);
    };
    door(deed).seen()
}

fn moved() -> Outcome {
    let deed = |stage: &mut Stage, way: &Way| {
        let asking = asking(stage, CHLOE, None);
        let posted = way.ask(0, &asking, &mut stage.rng).expect("the door's key is one");
        let moved = posted.moved(way.slot(1), &mut stage.rng).expect("it fits");
        post(stage, moved);
    };
    door(deed).seen()
}

fn own_link() -> Outcome {
    let mut stage = Stage::new();
    let (way, link) = (way(&mut stage, CHLOE), link_of(&mut stage, ADA));
    stage.away(CHLOE);
    stage.misdeed();
    let asking = asking(&mut stage, CHLOE, secret_of(&link));
    ask(&mut stage, &way, &asking);
    stage.wait(5);
    stage.seen()
}

/// Chloe goes on with a new device; Ada has met it when the old one asks.
fn given_up() -> Outcome {
    let mut stage = Stage::new();
    let (way, copy) = (way(&mut stage, CHLOE), stage.copy(CHLOE));
    let phrase = Phrase::generate(&mut ChaCha20Rng::from_seed([CHLOE as u8; 32]));
    let identity = Identity::from_phrase(&phrase).dangerous_bytes();
    stage.world.command(CHLOE, Command::BecomeNewDevice { identity });
    stage.wait(60);
    let asking = asking(&mut stage, copy, None);
    stage.misdeed();
    // The first slots may be those of Chloe's own request.
    let posted = way.ask(7, &asking, &mut stage.rng).expect("the door's key is one");
    post(&mut stage, posted);
    stage.wait(5);
    stage.seen()
}

fn over() -> Outcome {
    let deed = |stage: &mut Stage, way: &Way| {
        let claimed = Claimed { secret: None, expires_ms: stage.world.now_ms - 1_000 };
        let asking = asking_so(stage, CHLOE, claimed);
        ask(stage, way, &asking);
    };
    door(deed).seen()
}

fn needless() -> Outcome {
    let mut stage = Stage::new();
    let way = way(&mut stage, CHLOE);
    stage.away(ADA);
    stage.misdeed();
    let asking = asking(&mut stage, CHLOE, None);
    ask(&mut stage, &way, &asking);
    stage.wait(5);
    stage.whisper(CHLOE, ADA, "here as ever");
    stage.wait(5);
    stage.back(ADA);
    stage.wait(5);
    if !stage.reads(ADA, "here as ever") {
        return Outcome::Broken("Ada does not read Chloe".to_owned());
    }
    stage.seen()
}

/// It is Chloe's device by all that Ada's can know: Ada is told, and asks her.
fn by_copy() -> Outcome {
    let deed = |stage: &mut Stage, way: &Way| {
        let copy = stage.copy(CHLOE);
        let asking = asking(stage, copy, None);
        ask(stage, way, &asking);
    };
    door(deed).seen()
}

fn withheld() -> Outcome {
    let deed = |stage: &mut Stage, way: &Way| {
        let asking = asking(stage, CHLOE, None);
        let at = way.slot(0).tag;
        stage.lie_to(ADA, move |_, word| match word {
            Word::Answer { id, request: Request::Get { tag, size }, .. } if tag == at => {
                let (request, answer) =
                    (Request::Get { tag, size }, Answer::None { colliding: Vec::new() });
                vec![Word::Answer { id, request, answer }]
            }
            true_word => vec![true_word],
        });
        ask(stage, way, &asking);
    };
    let mut stage = door(deed);
    stage.wait(25);
    stage.seen()
}
