//! What a server does not say.

use super::{alarm, by_server, nothing, sign};
use crate::held::held;
use crate::row::{Expected, Outcome, Play, Row, Who};
use crate::stage::{ADA, BEN, CHLOE, Stage};
use std::{cell::RefCell, collections::BTreeSet, rc::Rc};
use undertone_core::io::MessageState;
use undertone_hostile::world::{Fate, Word};
use undertone_wire::{Answer, Refusal, RefusalKind, Request, Tag};

pub(super) const ROWS: &[Row] = &[
    by_server(
        "cell-withheld",
        "T11",
        "lists a message's cell and does not deliver it",
        sign(&["Ben"], "gap", 10),
        cell_withheld,
    ),
    by_server(
        "cell-denied",
        "T11",
        "says of a fresh cell that it has expired",
        sign(&["Ben"], "gap", 10),
        cell_denied,
    ),
    by_server(
        "cell-silent",
        "T11",
        "answers everything but the request for one cell",
        sign(&["Ben"], "gap", 120),
        cell_silent,
    ),
    by_server(
        "change-withheld",
        "T06 T11",
        "lists a change of the group and does not deliver it",
        sign(&["Ben"], "alarm withheld", 10),
        change_withheld,
    ),
    by_server(
        "part-withheld",
        "T11",
        "withholds one part of a long message",
        sign(&["Ben"], "gap", 10),
        part_withheld,
    ),
    by_server(
        "change-part-withheld",
        "T06 T11",
        "withholds one part of a change of the group",
        sign(&["Ben"], "alarm withheld", 10),
        change_part_withheld,
    ),
    by_server(
        "part-taken",
        "T11",
        "stores other bytes at an address that nobody else can know",
        alarm(&["Ada"], "alarm part_taken", 8, false),
        part_taken,
    ),
    by_server(
        "refused-for-good",
        "",
        "refuses to store a message, for good",
        alarm(&["Ada"], "alarm refused", 1, false),
        refused_for_good,
    ),
    by_server(
        "stalled",
        "",
        "takes everything and answers nothing",
        Expected::NoEffect(
            "what is written stays `queued` and goes out when there is a server again",
        ),
        stalled,
    ),
    Row {
        id: "stalled-for-real",
        threats: "",
        who: Who::Server,
        what: "opens connections and says nothing on them",
        expected: Expected::NoEffect("the client gives the connection up and tries anew"),
        play: Play::Held(&[
            held(
                "crates/e2e/tests/stories/network.rs",
                "a_server_that_says_nothing_does_not_hold_anybody_for_ever",
            ),
            held("crates/transport/tests/transport/talk.rs", "a_silent_server_is_given_up"),
        ]),
    },
];

type Tags = Rc<RefCell<BTreeSet<Tag>>>;

/// Ben comes back to what was written without him; the first request for a cell that nobody has
/// asked for before is answered so, and each repetition of it.
fn first_get(
    write: impl FnOnce(&mut Stage),
    nth: usize,
    answer: impl Fn() -> Option<Answer> + 'static,
) -> Stage {
    let mut stage = Stage::new();
    stage.away(BEN);
    write(&mut stage);
    let asked: Tags = Rc::default();
    let mut victim = None;
    stage.lie_to(BEN, move |_, word| {
        let Word::Answer { id, request: request @ Request::Get { tag, .. }, .. } = &word else {
            return vec![word];
        };
        if asked.borrow_mut().insert(*tag) && asked.borrow().len() == nth {
            victim = Some(*tag);
        }
        if victim != Some(*tag) {
            return vec![word];
        }
        let lie = |answer| Word::Answer { id: *id, request: request.clone(), answer };
        answer().map(lie).into_iter().collect()
    });
    stage.back(BEN);
    stage
}

fn one(stage: &mut Stage) {
    stage.say(ADA, "one");
}

fn long(stage: &mut Stage) {
    stage.say(ADA, &"a long story ".repeat(400));
}

fn change(stage: &mut Stage) {
    stage.rename(ADA, "Newsroom");
}

fn cell_withheld() -> Outcome {
    let mut stage = first_get(one, 1, || Some(nothing()));
    stage.wait(10);
    stage.seen()
}

fn cell_denied() -> Outcome {
    let refusal = || Refusal { kind: RefusalKind::Expired, message: Vec::new().into() };
    let mut stage = first_get(one, 1, move || Some(Answer::Refused(refusal())));
    stage.wait(10);
    stage.seen()
}

fn cell_silent() -> Outcome {
    let mut stage = first_get(one, 1, || None);
    for _ in 0..12 {
        stage.wait(10);
        stage.whisper(ADA, BEN, "are you there?");
    }
    stage.seen()
}

/// The group must not go on without the change.
fn waits(mut stage: Stage) -> Outcome {
    stage.wait(10);
    if stage.title(BEN) != "Desk" {
        return Outcome::Broken("the change was read all the same".to_owned());
    }
    stage.say(BEN, "into the old epoch");
    stage.wait(10);
    if stage.reads(ADA, "into the old epoch") {
        return Outcome::Broken("Ben wrote into an epoch that is over".to_owned());
    }
    stage.seen()
}

fn change_withheld() -> Outcome {
    waits(first_get(change, 1, || Some(nothing())))
}

fn change_part_withheld() -> Outcome {
    waits(first_get(change, 2, || Some(nothing())))
}

fn part_withheld() -> Outcome {
    let mut stage = first_get(long, 2, || Some(nothing()));
    stage.wait(10);
    stage.seen()
}

/// A server sees write keys, so it can fill an address before its owner does.
fn part_taken() -> Outcome {
    let mut stage = Stage::new();
    stage.misdeed();
    stage.world.fate =
        Some(Box::new(|who, _| if who == ADA { Fate::TooLate } else { Fate::Arrives }));
    stage.say(ADA, &"a long story ".repeat(400));
    stage.wait(5);
    stage.seen()
}

fn refused_for_good() -> Outcome {
    let mut stage = Stage::new();
    stage.lie_to(ADA, |_, word| match word {
        Word::Answer { id, request: request @ Request::Put { .. }, .. } => {
            let refusal = Refusal { kind: RefusalKind::Token, message: Vec::new().into() };
            vec![Word::Answer { id, request, answer: Answer::Refused(refusal) }]
        }
        true_word => vec![true_word],
    });
    stage.say(ADA, "one");
    stage.seen()
}

fn stalled() -> Outcome {
    let mut stage = Stage::new();
    stage.lie(|_, _| Vec::new());
    stage.say(ADA, "one");
    stage.wait(300);
    if stage.state(ADA, "one") != Some(MessageState::Queued) {
        return Outcome::Broken("not queued any more".to_owned());
    }
    let quiet = stage.seen();
    stage.world.lie = None;
    [ADA, BEN, CHLOE].into_iter().for_each(|who| stage.reconnect(who));
    stage.wait(5);
    if !stage.reads(BEN, "one") {
        return Outcome::Broken("it did not arrive afterwards".to_owned());
    }
    quiet
}
