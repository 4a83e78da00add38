//! What strangers learn, and what they can do.

use super::{elsewhere, here, nothing_unless};
use crate::held::held;
use crate::row::{Expected, Outcome, Row, Who, Within};
use crate::stage::{ADA, BEN, CHLOE, Stage};
use undertone_core::{
    fuzzing,
    io::{Command, Reply},
};
use undertone_wire::{Answer, Request, Tag};

pub(super) const ROWS: &[Row] = &[
    here(
        "stranger-probes",
        "T14",
        Who::Nobody,
        "ten strangers write to Ada's card, one after the other",
        Expected::NoEffect(
            "Ada's device sends nothing at all; her answer is her own act. (Receipts and typing do \
             not exist yet: for contacts there is nothing to probe)",
        ),
        stranger_probes,
    ),
    here(
        "addresses-guessed",
        "T13",
        Who::Host,
        "asks the server for a thousand addresses at random",
        Expected::NoEffect(
            "a thousand equal answers: there is no directory, and an address is 32 random bytes. How \
             long the answers take is not measured here",
        ),
        addresses_guessed,
    ),
    here(
        "link-relabelled",
        "T18 T26",
        Who::Host,
        "swaps the secret in a link on its way for that of a link of its own, and leaves the name",
        Expected::Noticed {
            by: &["Ben"],
            what: "refusal bad_link",
            within: Within::Seconds(10),
            evidence: false,
        },
        link_relabelled,
    ),
    here(
        "look-alike",
        "T26",
        Who::Nobody,
        "somebody else who calls herself Ada becomes a contact of Ben's",
        Expected::NoEffect("she is another contact, marked as not verified; Ada stays who she is"),
        look_alike,
    ),
    here(
        "keys-drained",
        "T12",
        Who::Host,
        "tries to use up somebody's KeyPackages",
        Expected::Hidden(
            "there is no place to take them from: KeyPackages travel in the conversation with each \
             contact. A holder of a reusable link can use its day's, which is made to be used often",
        ),
        quiet,
    ),
    elsewhere(
        "request-waits",
        "T13 T14",
        Who::Nobody,
        "a stranger asks to be let in",
        "the stranger waits, and learns nothing by it",
        &[
            held(
                "crates/core/src/account/tests/pairs.rs",
                "a_stranger_waits_as_a_request_and_learns_nothing",
            ),
            held("crates/e2e/tests/stories/talk.rs", "a_stranger_waits_as_a_request"),
        ],
    ),
    elsewhere(
        "hostile-bytes",
        "T04 T23",
        Who::Server,
        "sends anything at all, signed or not, and so do members and peers",
        "no panic, no hang, no memory beyond what the bytes are worth; the disk stays readable",
        &[held("fuzz/hostile/tests/replay.rs", "every_input_of_the_corpus_is_stood")],
    ),
];

fn stranger_probes() -> Outcome {
    let mut stage = Stage::new();
    let link = stage.card_of(ADA);
    stage.wait(60);
    let puts = stage.world.devices[ADA].puts;
    for _ in 0..10 {
        let stranger = stage.stranger("Somebody");
        let message = Some("are you there?".to_owned());
        stage.world.command(stranger, Command::Accept { link: link.clone(), message });
        stage.wait(30);
    }
    let sent = stage.world.devices[ADA].puts - puts;
    nothing_unless((sent > 0).then(|| format!("Ada's device sent {sent} cells")))
}

fn addresses_guessed() -> Outcome {
    let mut stage = Stage::new();
    let server = &stage.world.server;
    let answers = (0..1_000_u32).map(|number| {
        let mut tag = [3; 32];
        tag[..4].copy_from_slice(&number.to_be_bytes());
        server.answer(&Request::Get { tag: Tag(tag), size: 0 })
    });
    let silent = Answer::None { colliding: Vec::new() };
    let telling = answers.filter(|answer| *answer != silent).count();
    if telling > 0 {
        return Outcome::Broken(format!("{telling} answers tell something"));
    }
    stage.seen()
}

/// Ben gets a link that names Chloe and leads to a stranger.
fn link_relabelled() -> Outcome {
    let mut stage = Stage::new();
    let stranger = stage.stranger("Zoe");
    let (link, chloe) = (stage.card_of(stranger), stage.identity(CHLOE));
    let link = fuzzing::relabelled(&link, chloe).expect("a link");
    stage.misdeed();
    stage.accept(BEN, link)
}

fn look_alike() -> Outcome {
    let mut stage = Stage::new();
    let stranger = stage.stranger("Ada");
    stage.world.meet(stranger, BEN, false);
    let (real, other) = (stage.identity(ADA), stage.identity(stranger));
    let Some(Reply::Chats(chats)) = stage.world.command(BEN, Command::Chats) else {
        return Outcome::Broken("Ben has no chats".to_owned());
    };
    let of = |identity| chats.iter().find(|chat| chat.contact == Some(identity));
    let wrong = match (of(real), of(other)) {
        (Some(real), Some(other)) if real.chat != other.chat && !other.verified => None,
        other => Some(format!("{other:?}")),
    };
    nothing_unless(wrong)
}

fn quiet() -> Outcome {
    Stage::new().seen()
}
