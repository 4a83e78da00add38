//! Another server, or another key, in the place of the pinned one.

use super::{alarm, by_server};
use crate::held::held;
use crate::row::{Expected, Outcome, Play, Row, Who};
use crate::stage::{ADA, BEN, Stage};
use ed25519_dalek::SigningKey;
use undertone_hostile::world::Word;
use undertone_wire::{Answer, Info, KeySuccession, ServerKey};

pub(super) const ROWS: &[Row] = &[
    by_server(
        "key-of-another",
        "T04 T18",
        "says that its first key is another one",
        alarm(&["Ben"], "alarm wrong_server L01", 1, false),
        key_of_another,
    ),
    by_server(
        "key-not-named",
        "T04 T18",
        "names a new key that the old one never named",
        alarm(&["Ben"], "alarm server_key L02", 1, false),
        key_not_named,
    ),
    by_server(
        "head-by-another-key",
        "T18",
        "signs its log with another key",
        alarm(&["Ben"], "alarm bad_signature L03", 1, false),
        head_by_another_key,
    ),
    Row {
        id: "another-key-for-real",
        threats: "T18",
        who: Who::Host,
        what: "offers another TLS key, or the real certificate without its key; shows older keys, or \
               another successor",
        expected: Expected::NoEffect("the client ends the handshake and says `wrong_server`"),
        play: Play::Held(&[
            held(
                "crates/transport/tests/transport/pin.rs",
                "others_are_refused_whatever_their_certificate_says",
            ),
            held(
                "crates/transport/tests/transport/pin.rs",
                "the_real_certificate_without_its_key_is_refused",
            ),
            held(
                "crates/transport/tests/transport/pin.rs",
                "who_knows_the_newest_key_refuses_those_before_it_and_other_successors",
            ),
            held("crates/e2e/tests/stories/servers.rs", "another_server_in_its_place_gets_nothing"),
            held("crates/e2e/tests/stories/keys.rs", "who_has_met_the_new_key_refuses_the_old_one"),
        ]),
    },
];

fn other_key() -> SigningKey {
    SigningKey::from_bytes(&[43; 32])
}

fn public(key: &SigningKey) -> ServerKey {
    ServerKey(key.verifying_key().to_bytes())
}

/// Ben comes back, and the server says this of itself.
fn to_ben(lie: impl Fn(&mut Info) + 'static) -> Outcome {
    let mut stage = Stage::new();
    stage.away(BEN);
    stage.say(ADA, "one");
    stage.lie_to(BEN, move |_, word| match word {
        Word::Answer { id, request, answer: Answer::Info(mut info) } => {
            lie(&mut info);
            vec![Word::Answer { id, request, answer: Answer::Info(info) }]
        }
        true_word => vec![true_word],
    });
    stage.back(BEN);
    stage.wait(2);
    stage.seen()
}

fn key_of_another() -> Outcome {
    to_ben(|info| info.first_key = public(&other_key()))
}

fn key_not_named() -> Outcome {
    to_ben(|info| {
        let next = public(&other_key());
        info.succession = vec![KeySuccession { next, from_tick: 1, signature: [7; 64] }];
    })
}

fn head_by_another_key() -> Outcome {
    let mut stage = Stage::new();
    stage.lie_to(BEN, |_, word| match word {
        Word::Push(mut page) => {
            page.head = page.head.head.clone().sign(&other_key());
            vec![Word::Push(page)]
        }
        true_word => vec![true_word],
    });
    stage.say(ADA, "one");
    stage.wait(2);
    stage.seen()
}
