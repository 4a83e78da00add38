//! What a member says, in messages that count.

use super::{NEXT_NUMBER, by_member, chloe, sign};
use crate::row::{Expected, Outcome, Row};
use crate::stage::{ADA, BEN, CHLOE, Stage};
use undertone_core::fuzzing;
use undertone_wire::encode;

pub(super) const ROWS: &[Row] = &[
    by_member(
        "head-made-up",
        "T06",
        "shows a head in a message that the server never signed",
        sign(&["Ada", "Ben"], "warning of an altered program", 1),
        head_made_up,
    ),
    by_member(
        "head-hidden",
        "T06",
        "shows no head in a message",
        sign(&["Ada", "Ben"], "warning of an altered program", 1),
        head_hidden,
    ),
    by_member(
        "numbers-skipped",
        "T11",
        "counts its messages with a hole",
        sign(&["Ada", "Ben"], "gap", 1),
        numbers_skipped,
    ),
    by_member(
        "number-again",
        "T11",
        "sends another text under a number that was used",
        Expected::NoEffect("what was read stays as it was; the number counts once"),
        number_again,
    ),
    by_member(
        "ghost-device",
        "T06 T07",
        "Ben, an admin, adds a device of his own making in Chloe's name",
        sign(&["Ada", "Ben", "Chloe"], "alarm unlisted_device", 1),
        ghost_device,
    ),
    by_member(
        "exports-everything",
        "T26",
        "hands out all that its device knows of the group",
        Expected::Hidden(
            "who may read may repeat what was read: the product says so. What the keys open is this \
             group and this epoch; other conversations have others (row `keys-of-another-room`)",
        ),
        nothing_to_see,
    ),
];

fn text(stage: &mut Stage, number: u64, text: &str) -> Vec<u8> {
    let chat = stage.desk(CHLOE);
    let account = &stage.world.devices[CHLOE].account;
    fuzzing::text_of(account, chat, number, text).expect("a live group")
}

/// The message counts, its readers are warned, and nobody stops.
fn counts(mut stage: Stage, text: &str) -> Outcome {
    if !(stage.reads(ADA, text) && stage.reads(BEN, text)) {
        return Outcome::Broken("the message does not count".to_owned());
    }
    let seen = stage.seen();
    match stage.goes_on() {
        Ok(()) => seen,
        Err(why) => Outcome::Broken(why),
    }
}

fn head_made_up() -> Outcome {
    let stage = chloe(|stage, chloe| {
        let mut head = fuzzing::signed_head(&stage.world.devices[CHLOE].account).expect("a head");
        head.head.root = [9; 32];
        let body = text(stage, NEXT_NUMBER, "look at this");
        let said = chloe.insider.honest(&body);
        chloe.send(stage, &body, &encode(&head), said);
    });
    counts(stage, "look at this")
}

fn head_hidden() -> Outcome {
    let stage = chloe(|stage, chloe| {
        let body = text(stage, NEXT_NUMBER, "look at this");
        let said = chloe.insider.honest(&body);
        chloe.send(stage, &body, &[], said);
    });
    counts(stage, "look at this")
}

fn numbers_skipped() -> Outcome {
    counts(chloe(|stage, chloe| chloe.say_as(stage, 40, "from afar")), "from afar")
}

fn number_again() -> Outcome {
    let mut stage = chloe(|stage, chloe| chloe.say_as(stage, 1, "something else"));
    if stage.reads(ADA, "something else") {
        return Outcome::Broken("a used number counts again".to_owned());
    }
    stage.seen()
}

/// The leaf is shown, nothing is sent while it sits there, and it is removed.
fn ghost_device() -> Outcome {
    let mut stage = Stage::new();
    let (desk, chloe) = (stage.desk(BEN), stage.identity(CHLOE));
    stage.misdeed();
    fuzzing::forge_leaf(&mut stage.world.devices[BEN].account, desk, chloe);
    stage.desk(BEN);
    let seen = stage.seen();
    stage.say(ADA, "only when it is gone");
    stage.wait(90);
    if !stage.was_told(ADA, "removed a device of Chloe") {
        return Outcome::Broken("the device is not removed".to_owned());
    }
    if !stage.reads(CHLOE, "only when it is gone") {
        return Outcome::Broken("the message does not go out afterwards".to_owned());
    }
    seen
}

fn nothing_to_see() -> Outcome {
    let mut stage = chloe(|_, _| {});
    stage.seen()
}
