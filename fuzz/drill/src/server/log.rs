//! A log that is not append-only, or not what it is signed to be.

use super::{alarm, by_server, changed};
use crate::row::{Expected, Outcome, Row};
use crate::stage::{ADA, BEN, CHLOE, Stage};
use undertone_hostile::world::Word;
use undertone_wire::{Answer, DigestPage, Prefix, Request};

pub(super) const ROWS: &[Row] = &[
    by_server(
        "head-unsigned",
        "T11",
        "forges a head without its key's signature",
        alarm(&["Ben"], "alarm bad_signature L03", 1, false),
        head_unsigned,
    ),
    by_server(
        "root-forged",
        "T11",
        "signs a root that is not that of its ticks",
        alarm(&["Ben"], "alarm log_forged L07", 1, true),
        root_forged,
    ),
    by_server(
        "prefix-omitted",
        "T11",
        "leaves a prefix out of the digest that one client gets",
        alarm(&["Ben"], "alarm log_forged L07", 1, true),
        prefix_omitted,
    ),
    by_server(
        "prefix-added",
        "T11",
        "lists a cell to one client that is not there",
        alarm(&["Ben"], "alarm log_forged L07", 1, true),
        prefix_added,
    ),
    by_server(
        "prefixes-unsorted",
        "T11",
        "lists a tick's prefixes in another order",
        alarm(&["Ben"], "alarm log_disorder L05", 1, false),
        prefixes_unsorted,
    ),
    by_server(
        "tick-replayed",
        "T11",
        "pushes a tick once more",
        alarm(&["Ben"], "alarm log_disorder L04", 2, false),
        tick_replayed,
    ),
    by_server(
        "tick-skipped",
        "T11",
        "leaves out a whole tick",
        alarm(&["Ben"], "alarm log_disorder L04", 1, false),
        tick_skipped,
    ),
    by_server(
        "old-head-replayed",
        "T11",
        "answers with a true head of the past that it signed then",
        alarm(&["Ben"], "alarm log_rollback L09", 2, true),
        old_head_replayed,
    ),
    by_server(
        "old-heartbeat",
        "T11",
        "sends an old head as a sign of life",
        alarm(&["Ben"], "alarm log_rollback L09", 1, true),
        old_heartbeat,
    ),
    by_server(
        "proof-forged",
        "T11",
        "proves by a forged path that its newest tree continues the older one",
        alarm(&["Ben"], "alarm split_view L10", 2, true),
        proof_forged,
    ),
    by_server(
        "frontier-forged",
        "T11",
        "shows a right edge of the tree that is not that of the head",
        alarm(&["Ben"], "alarm split_view L10", 2, true),
        frontier_forged,
    ),
    by_server(
        "time-back",
        "T11",
        "lets its time run backwards",
        alarm(&["Ben"], "alarm log_disorder L06", 1, false),
        time_back,
    ),
    by_server(
        "time-ahead",
        "",
        "lets its time run ten years ahead",
        Expected::NoEffect(
            "messages are read at once and in order; only their times are wrong (and what lies on \
             the server may expire for clients, which they tell as for any expiry)",
        ),
        time_ahead,
    ),
];

/// Ada says something while Ben listens, and the server changes what it pushes to him.
fn pushes_to_ben(mut lie: impl FnMut(DigestPage) -> Vec<DigestPage> + 'static) -> Outcome {
    let mut stage = Stage::new();
    stage.lie_to(BEN, move |_, word| match word {
        Word::Push(page) => lie(page).into_iter().map(Word::Push).collect(),
        true_word => vec![true_word],
    });
    stage.say(ADA, "one");
    stage.say(ADA, "two");
    stage.wait(2);
    stage.seen()
}

fn head_unsigned() -> Outcome {
    pushes_to_ben(|mut page| {
        page.head.head.time_ms += 1;
        vec![page]
    })
}

fn root_forged() -> Outcome {
    pushes_to_ben(|page| vec![changed(&page, |page| page.head.head.root = [7; 32])])
}

fn prefix_omitted() -> Outcome {
    pushes_to_ben(|page| {
        vec![changed(&page, |page| {
            page.ticks[0].prefixes.pop();
        })]
    })
}

fn prefix_added() -> Outcome {
    let add = |page: &mut DigestPage| page.ticks[0].prefixes.push(Prefix(u64::MAX));
    pushes_to_ben(move |page| vec![changed(&page, add)])
}

/// A tick of two cells whose list is turned around, under a root that fits the turned list.
fn prefixes_unsorted() -> Outcome {
    let mut stage = Stage::new();
    stage.lie_to(BEN, |server, word| match word {
        Word::Push(page) if page.ticks[0].prefixes.len() > 1 => {
            let page = super::views::refitted(server, &page, |tick| tick.prefixes.reverse());
            vec![Word::Push(page)]
        }
        true_word => vec![true_word],
    });
    stage.say(ADA, &"a long story ".repeat(400));
    stage.wait(2);
    stage.seen()
}

fn tick_replayed() -> Outcome {
    pushes_to_ben(|page| vec![page.clone(), page])
}

fn tick_skipped() -> Outcome {
    let mut first = true;
    pushes_to_ben(move |page| if std::mem::take(&mut first) { Vec::new() } else { vec![page] })
}

/// Ben comes back, and is shown this in the place of the newest head.
fn proofs_to_ben(mut lie: impl FnMut(&Answer, &mut Past) -> Answer + 'static) -> Outcome {
    let mut stage = Stage::new();
    let old = stage.world.server.newest().head.tick - 3;
    stage.say(ADA, "one");
    stage.away(BEN);
    stage.say(CHLOE, "two");
    stage.lie_to(BEN, move |server, word| match word {
        Word::Answer { id, request: request @ Request::Proof { .. }, answer } => {
            let mut past = Past { then: server.proof(0, old) };
            let answer = lie(&answer, &mut past);
            vec![Word::Answer { id, request, answer }]
        }
        true_word => vec![true_word],
    });
    stage.back(BEN);
    stage.wait(2);
    stage.seen()
}

/// What the server said of its log some ticks ago.
struct Past {
    then: Answer,
}

fn old_head_replayed() -> Outcome {
    proofs_to_ben(|_, past| past.then.clone())
}

fn old_heartbeat() -> Outcome {
    let mut stage = Stage::new();
    let old = stage.world.server.newest();
    stage.say(ADA, "one");
    stage.misdeed();
    stage.push(BEN, DigestPage { ticks: Vec::new(), head: old });
    stage.seen()
}

fn proof_forged() -> Outcome {
    proofs_to_ben(|answer, _| {
        let Answer::Proof(mut proof) = answer.clone() else { return answer.clone() };
        proof.path.iter_mut().for_each(|node| *node = [7; 32]);
        Answer::Proof(proof)
    })
}

fn frontier_forged() -> Outcome {
    proofs_to_ben(|answer, _| {
        let Answer::Proof(mut proof) = answer.clone() else { return answer.clone() };
        proof.frontier.iter_mut().for_each(|node| *node = [7; 32]);
        Answer::Proof(proof)
    })
}

fn time_back() -> Outcome {
    let mut stage = Stage::new();
    stage.say(ADA, "one");
    let mut page = stage.world.server.heartbeat(stage.world.now_ms);
    stage.misdeed();
    page.head.head.time_ms -= 3_600_000;
    super::sign_head(&mut page.head);
    stage.push(BEN, page);
    stage.seen()
}

fn time_ahead() -> Outcome {
    const TEN_YEARS_MS: u64 = 10 * 365 * 86_400_000;
    let mut stage = Stage::new();
    stage.misdeed();
    stage.world.ahead_ms = TEN_YEARS_MS;
    for text in ["one", "two"] {
        stage.say(ADA, text);
    }
    stage.wait(120);
    if !(stage.reads(BEN, "one") && stage.reads(CHLOE, "two")) {
        return Outcome::Broken("a message does not arrive".to_owned());
    }
    stage.seen()
}
