//! Device lists, rosters, and accounts that change hands.

use super::{elsewhere, here};
use crate::held::held;
use crate::member::{NEXT_NUMBER, Twice};
use crate::row::{Expected, Outcome, Row, Who, Within};
use crate::stage::{ADA, BEN, CHLOE, Stage};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use undertone_core::{fuzzing, io::Command};
use undertone_crypto::{Device, DeviceId, DeviceList, Identity, Phrase, SignedDeviceList};

pub(super) const ROWS: &[Row] = &[
    here(
        "roster-changed",
        "T05 T06",
        Who::Member,
        "Ben, an admin, removes Chloe from the group",
        told(&["Ada", "Ben", "Chloe"], "line in the chat", 2),
        roster_changed,
    ),
    here(
        "list-forked",
        "T06 T08",
        Who::Member,
        "Chloe shows a second device list of the same number",
        told(&["Ada", "Ben"], "alarm device_list", 2),
        list_forked,
    ),
    here(
        "list-unsigned",
        "T06 T08",
        Who::Member,
        "Chloe shows a later device list that her identity never signed",
        told(&["Ada", "Ben"], "alarm device_list", 2),
        list_unsigned,
    ),
    here(
        "audience-grown",
        "T05",
        Who::Member,
        "somebody joins between the writing of a message and its sending",
        Expected::NoEffect("the message waits for its author, who is shown who joined"),
        audience,
    ),
    elsewhere(
        "account-taken-over",
        "T08",
        Who::Server,
        "lets a new identity in under an old name, which asks for its groups",
        "it is another contact, unverified; no group takes it in without a member's consent, and an \
         older device list is refused",
        &[
            held(
                "crates/core/src/account/tests/returns.rs",
                "a_stranger_to_a_stuck_group_cannot_take_its_place",
            ),
            held(
                "crates/core/src/account/tests/pairs.rs",
                "an_offer_by_an_older_device_list_than_one_knows_is_refused",
            ),
            held(
                "crates/core/src/account/tests/mended.rs",
                "a_removed_admin_is_not_an_admin_again_by_another_admins_word",
            ),
        ],
    ),
    elsewhere(
        "recipients-exact",
        "T05",
        Who::Member,
        "who was removed goes on listening",
        "the removed read no further; one destination is connected to, and no other",
        &[
            held(
                "crates/e2e/tests/stories/talk.rs",
                "a_group_talks_and_the_removed_reads_no_further",
            ),
            held(
                "crates/e2e/tests/stories/network.rs",
                "a_proxy_is_used_when_it_is_set_and_only_then",
            ),
        ],
    ),
];

const fn told(by: &'static [&'static str], what: &'static str, seconds: u64) -> Expected {
    Expected::Noticed { by, what, within: Within::Seconds(seconds), evidence: false }
}

fn roster_changed() -> Outcome {
    let mut stage = Stage::new();
    let (chat, chloe) = (stage.desk(BEN), stage.identity(CHLOE));
    stage.misdeed();
    stage.world.command(BEN, Command::Remove { chat, members: vec![chloe] });
    stage.wait(2);
    stage.seen_words("removed", "line in the chat")
}

/// Chloe's second device list, as her contact Ada hears of it.
fn list_of_chloe(
    sign: impl FnOnce(&Identity, DeviceList) -> SignedDeviceList,
    number: u64,
) -> Outcome {
    let mut stage = Stage::new();
    let mut chloe = Twice::of(&mut stage, CHLOE);
    let chat = stage.desk(CHLOE);
    stage.away(CHLOE);
    stage.misdeed();
    // As the scene has made her.
    let phrase = Phrase::generate(&mut ChaCha20Rng::from_seed([CHLOE as u8; 32]));
    let identity = Identity::from_phrase(&phrase);
    let devices = vec![Device { id: DeviceId([66; 16]), mls_key: [66; 32] }];
    let previous = if number == 1 { [0; 32] } else { [66; 32] };
    let list = sign(&identity, DeviceList { number, previous, devices, time_ms: 0 });
    let account = &stage.world.devices[CHLOE].account;
    let body = fuzzing::hello_of(account, chat, NEXT_NUMBER, &list).expect("a live group");
    let (said, head) = (chloe.insider.honest(&body), chloe.head(&stage));
    chloe.send(&mut stage, &body, &head, said);
    stage.wait(2);
    stage.seen()
}

fn list_forked() -> Outcome {
    list_of_chloe(SignedDeviceList::sign, 1)
}

fn list_unsigned() -> Outcome {
    let forge = |identity: &Identity, list| {
        let signed = SignedDeviceList::sign(&Identity::from_bytes(&[66; 32]), list);
        SignedDeviceList { identity: identity.key(), ..signed }
    };
    list_of_chloe(forge, 3)
}

/// Ben's message is written offline; Chloe, removed before, is added again meanwhile.
fn audience() -> Outcome {
    let mut stage = Stage::new();
    let (chat, chloe) = (stage.desk(ADA), stage.identity(CHLOE));
    stage.world.command(ADA, Command::Remove { chat, members: vec![chloe] });
    stage.wait(90);
    stage.misdeed();
    stage.race_add(CHLOE, "not for Chloe");
    stage.wait(5);
    if stage.reads(CHLOE, "not for Chloe") {
        return Outcome::Broken("it went out to who was added".to_owned());
    }
    stage.seen()
}
