//! A device in other hands, or twice.

use super::{elsewhere, here, nothing_unless};
use crate::held::held;
use crate::member::Twice;
use crate::row::{Expected, Outcome, Row, Who, Within};
use crate::stage::{ADA, BEN, CHLOE, Stage};

pub(super) const ROWS: &[Row] = &[
    here(
        "copy-writes",
        "T17",
        Who::Thief,
        "copies Ben's profile and writes a message with the copy",
        at_ben("stuck: this profile was copied", 1),
        copy_writes,
    ),
    here(
        "copy-commits",
        "T17",
        Who::Thief,
        "copies Ben's profile and changes the group with the copy",
        at_ben("stuck: this profile was copied", 1),
        copy_commits,
    ),
    here(
        "copy-reads",
        "T17",
        Who::Thief,
        "copies Ben's profile, knows its passphrase, and only reads",
        Expected::Hidden(
            "a copy that writes nothing leaves no trace; it reads until Ben's keys are refreshed (a \
             week, or a hundred messages of his), and from then on nothing",
        ),
        copy_reads,
    ),
    here(
        "copy-after-healing",
        "T12 T17",
        Who::Thief,
        "copies Ben's profile, and reads on after Ben's keys were refreshed",
        Expected::NoEffect(
            "from the change of keys on the copy reads nothing; it is Ben who goes on",
        ),
        copy_after_healing,
    ),
    here(
        "seized-after-reading",
        "T02 T12",
        Who::Thief,
        "takes Ben's unlocked records after a message was read and its epoch had ended",
        Expected::NoEffect(
            "neither the text nor the address key of its cell (canaries) stands in the engine's \
             records, so the cell on the server stays closed. The history, which people read, holds \
             the text under the profile's lock; messages that expire do not exist yet",
        ),
        seized_after_reading,
    ),
    elsewhere(
        "copied-profile-for-real",
        "T17",
        Who::Thief,
        "copies a profile's folder and uses both",
        "whichever writes second is told and stops",
        &[held("crates/e2e/tests/stories/profiles.rs", "a_copied_profile_is_noticed_and_stops")],
    ),
    elsewhere(
        "locked-profile",
        "T02 T17",
        Who::Thief,
        "has a locked profile, and not its passphrase",
        "nothing opens",
        &[held("crates/e2e/tests/stories/profiles.rs", "only_the_passphrase_opens_a_profile")],
    ),
];

const fn at_ben(what: &'static str, seconds: u64) -> Expected {
    let within = Within::Seconds(seconds);
    Expected::Noticed { by: &["Ben"], what, within, evidence: false }
}

/// A thief has Ben's device twice, while Ben's own is online.
fn thief() -> (Stage, Twice) {
    let mut stage = Stage::new();
    let copy = stage.copy(BEN);
    let copy = Twice::of(&mut stage, copy);
    stage.misdeed();
    (stage, copy)
}

fn copy_writes() -> Outcome {
    let (mut stage, mut copy) = thief();
    copy.say(&mut stage, "I am Ben");
    stage.wait(2);
    stage.say(BEN, "and so am I");
    if stage.reads(ADA, "and so am I") {
        return Outcome::Broken("Ben's own device goes on".to_owned());
    }
    stage.seen()
}

fn copy_commits() -> Outcome {
    let (mut stage, copy) = thief();
    let mls = copy.mls_commit(&mut stage);
    copy.commit(&mut stage, &[], &mls, |_| {});
    stage.wait(2);
    stage.seen()
}

fn copy_reads() -> Outcome {
    let (mut stage, _) = thief();
    stage.say(ADA, "for Ben alone");
    stage.wait(2);
    stage.seen()
}

/// A change by Ben refreshes his keys; what his copy had is worth nothing for what comes then.
fn copy_after_healing() -> Outcome {
    let mut stage = Stage::new();
    let copy = stage.copy(BEN);
    stage.misdeed();
    stage.rename(BEN, "Newsroom");
    stage.wait(5);
    stage.say(ADA, "after the healing");
    stage.wait(2);
    if !stage.reads(BEN, "after the healing") {
        return Outcome::Broken("Ben does not read on".to_owned());
    }
    stage.world.connect(copy);
    stage.wait(10);
    if stage.reads(copy, "after the healing") {
        return Outcome::Broken("the copy reads on".to_owned());
    }
    stage.seen()
}

fn seized_after_reading() -> Outcome {
    const TEXT: &str = "the canary sings at noon";
    let mut stage = Stage::new();
    let slot = Twice::of(&mut stage, CHLOE).own_slot();
    stage.say(CHLOE, TEXT);
    stage.rename(ADA, "Newsroom");
    stage.wait(120);
    stage.say(CHLOE, "and once more");
    stage.wait(5);
    if !stage.reads(BEN, TEXT) {
        return Outcome::Broken("Ben never read it".to_owned());
    }
    let canaries: [(&str, &[u8]); 2] = [("the text", TEXT.as_bytes()), ("its key", &slot.write.0)];
    let records = &stage.world.devices[BEN].disk;
    let holds = |canary: &[u8]| {
        records.values().any(|bytes| bytes.windows(canary.len()).any(|part| part == canary))
    };
    let found = canaries.into_iter().find(|(_, canary)| holds(canary));
    nothing_unless(found.map(|(what, _)| format!("{what} is still there")))
}
