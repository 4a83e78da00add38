//! Answers that are not what they should be.

use super::{alarm, by_server, sign_head};
use crate::row::{Expected, Outcome, Row};
use crate::stage::{ADA, BEN, CHLOE, Stage};
use undertone_hostile::{engine::Server, world::Word};
use undertone_wire::{Answer, Cell, Request};

pub(super) const ROWS: &[Row] = &[
    by_server(
        "cell-altered",
        "T11",
        "flips a bit of a cell that it delivers",
        alarm(&["Ben"], "alarm bad_receipt L15", 5, false),
        cell_altered,
    ),
    by_server(
        "cell-of-another",
        "T11",
        "delivers another's cell, with that cell's true proof",
        alarm(&["Ben"], "alarm bad_receipt L15", 5, false),
        cell_of_another,
    ),
    by_server(
        "cells-swapped",
        "T11",
        "swaps the answers to two requests",
        alarm(&["Ben"], "alarm bad_receipt L15", 5, false),
        cells_swapped,
    ),
    by_server(
        "cell-path-forged",
        "T11",
        "delivers a cell with a path into its tick that leads elsewhere",
        alarm(&["Ben"], "alarm bad_receipt L15", 5, false),
        cell_path_forged,
    ),
    by_server(
        "log-path-forged",
        "T11",
        "delivers a cell with a path into the log that leads elsewhere",
        alarm(&["Ben"], "alarm bad_receipt L15", 5, false),
        log_path_forged,
    ),
    by_server(
        "stored-forged",
        "T11",
        "acknowledges a cell with the receipt of another",
        alarm(&["Ada"], "alarm bad_receipt L15", 1, false),
        stored_forged,
    ),
    by_server(
        "taken-forged",
        "T11",
        "says of a free address that it is taken, and cannot prove it",
        alarm(&["Ada"], "alarm bad_receipt L15", 1, false),
        taken_forged,
    ),
    by_server(
        "two-writers",
        "T11",
        "accepts two writers for one address: both are told that theirs is stored",
        alarm(&["Ben"], "alarm bad_receipt L15", 6, false),
        two_writers,
    ),
    by_server(
        "answer-to-nothing",
        "T04",
        "answers a request that was never made, and one twice",
        Expected::NoEffect("the messages are read once, nothing is told"),
        answer_to_nothing,
    ),
    by_server(
        "answer-of-another-kind",
        "T04",
        "answers the request for a cell with something that is no cell",
        alarm(&["Ben"], "alarm bad_answer L14", 5, false),
        answer_of_another_kind,
    ),
];

/// Ada and Chloe have written while Ben was away; he comes back to this lie about cells.
fn to_ben(lie: impl FnMut(&Server, u32, &Request, Answer) -> Vec<Word> + 'static) -> Outcome {
    let mut stage = Stage::new();
    stage.away(BEN);
    stage.say(ADA, "the truth");
    stage.say(CHLOE, "and nothing else");
    cells_to_ben(&mut stage, lie);
    stage.back(BEN);
    stage.wait(5);
    stage.seen()
}

fn cells_to_ben(
    stage: &mut Stage,
    mut lie: impl FnMut(&Server, u32, &Request, Answer) -> Vec<Word> + 'static,
) {
    stage.lie_to(BEN, move |server, word| match word {
        Word::Answer { id, request: request @ Request::Get { .. }, answer } => {
            lie(server, id, &request, answer)
        }
        true_word => vec![true_word],
    });
}

fn say(id: u32, request: &Request, answer: Answer) -> Vec<Word> {
    vec![Word::Answer { id, request: request.clone(), answer }]
}

fn cell_altered() -> Outcome {
    to_ben(|_, id, request, answer| {
        let Answer::Found { cell, proof } = answer else { return say(id, request, answer) };
        let mut bytes = *cell.as_bytes();
        bytes[1_000] ^= 1;
        say(id, request, Answer::Found { cell: Cell::from_array(bytes), proof })
    })
}

fn cell_of_another() -> Outcome {
    let mut first = None;
    to_ben(move |_, id, request, answer| {
        let kept = first.get_or_insert_with(|| answer.clone()).clone();
        if kept == answer { Vec::new() } else { say(id, request, kept) }
    })
}

fn cells_swapped() -> Outcome {
    let mut held: Option<(u32, Answer)> = None;
    to_ben(move |_, id, request, answer| match held.take() {
        None => {
            held = Some((id, answer));
            Vec::new()
        }
        Some((other_id, other)) => {
            [say(other_id, request, answer), say(id, request, other)].concat()
        }
    })
}

fn cell_path_forged() -> Outcome {
    to_ben(|_, id, request, answer| {
        let Answer::Found { cell, mut proof } = answer else { return say(id, request, answer) };
        proof.cell.path.push([7; 32]);
        say(id, request, Answer::Found { cell, proof })
    })
}

fn log_path_forged() -> Outcome {
    to_ben(|_, id, request, answer| {
        let Answer::Found { cell, mut proof } = answer else { return say(id, request, answer) };
        proof.path.iter_mut().for_each(|node| *node = [7; 32]);
        say(id, request, Answer::Found { cell, proof })
    })
}

/// What Ada is answered to a PUT.
fn to_adas_put(mut lie: impl FnMut(&Server, Answer) -> Answer + 'static) -> Outcome {
    let mut stage = Stage::new();
    stage.lie_to(ADA, move |server, word| match word {
        Word::Answer { id, request: request @ Request::Put { .. }, answer } => {
            let answer = lie(server, answer);
            vec![Word::Answer { id, request, answer }]
        }
        true_word => vec![true_word],
    });
    stage.say(ADA, "is it stored?");
    stage.wait(5);
    stage.seen()
}

fn stored_forged() -> Outcome {
    to_adas_put(|_, answer| {
        let Answer::Stored(mut receipt) = answer else { return answer };
        receipt.leaf.cells_root = [7; 32];
        Answer::Stored(receipt)
    })
}

fn taken_forged() -> Outcome {
    to_adas_put(|_, answer| {
        let Answer::Stored(mut receipt) = answer else { return answer };
        let cell = Cell::from_array([7; 2048]).hash();
        sign_head(&mut receipt.head);
        Answer::Taken { cell, receipt }
    })
}

/// Ada and Ben change the group at once; Ben's change comes second, and is acknowledged.
fn two_writers() -> Outcome {
    let mut stage = Stage::new();
    stage.lie_to(BEN, |_, word| match word {
        Word::Answer { id, request, answer: Answer::Taken { receipt, .. } } => {
            vec![Word::Answer { id, request, answer: Answer::Stored(receipt) }]
        }
        true_word => vec![true_word],
    });
    stage.race("Ada's", "Ben's");
    stage.wait(5);
    stage.seen()
}

fn answer_to_nothing() -> Outcome {
    let mut stage = Stage::new();
    stage.lie_to(BEN, |_, word| {
        let Word::Answer { id, request, answer } = &word else { return vec![word] };
        let stray =
            Word::Answer { id: id + 9_000, request: request.clone(), answer: answer.clone() };
        vec![stray, word.clone(), word]
    });
    stage.say(ADA, "the truth");
    stage.say(BEN, "indeed");
    stage.wait(5);
    let times = [stage.times_read(BEN, "the truth"), stage.times_read(BEN, "indeed")];
    if times != [1, 1] {
        return Outcome::Broken(format!("read {times:?} times"));
    }
    stage.seen()
}

fn answer_of_another_kind() -> Outcome {
    to_ben(|_, id, request, _| say(id, request, Answer::Streaming))
}
