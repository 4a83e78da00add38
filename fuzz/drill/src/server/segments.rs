//! Closed segments of the log that do not say what their ticks said.

use super::{alarm, by_server};
use crate::row::{Outcome, Row};
use crate::stage::{ADA, BEN, Stage};
use undertone_hostile::world::Word;
use undertone_wire::{Answer, SegmentAnswer};

pub(super) const ROWS: &[Row] = &[
    by_server(
        "segment-entry-omitted",
        "T11",
        "leaves an entry out of the segment that a returning client gets",
        alarm(&["Ben"], "alarm log_forged L11", 3, false),
        entry_omitted,
    ),
    by_server(
        "segment-of-no-log",
        "T11",
        "shows a segment that its log does not commit to",
        alarm(&["Ben"], "alarm log_forged L11", 3, false),
        of_no_log,
    ),
    by_server(
        "segment-lies",
        "T11",
        "closes a segment that lists something else than its ticks",
        alarm(&["Ben"], "alarm log_forged L12", 1, false),
        lies,
    ),
];

/// Ben comes back after more ticks than he walks one by one.
fn to_returning_ben(lie: impl Fn(&mut SegmentAnswer) + 'static) -> Outcome {
    let mut stage = Stage::new();
    // A segment begins with the next tick.
    stage.wait(200);
    stage.away(BEN);
    (0..300).for_each(|number| stage.noise(number));
    stage.say(ADA, "one");
    stage.wait(61);
    stage.noise(300);
    stage.lie_to(BEN, move |_, word| match word {
        Word::Answer { id, request, answer: Answer::Segment(mut segment) } => {
            lie(&mut segment);
            vec![Word::Answer { id, request, answer: Answer::Segment(segment) }]
        }
        true_word => vec![true_word],
    });
    stage.back(BEN);
    stage.wait(2);
    stage.seen()
}

fn entry_omitted() -> Outcome {
    to_returning_ben(|segment| {
        segment.entries.pop();
    })
}

fn of_no_log() -> Outcome {
    to_returning_ben(|segment| segment.path.iter_mut().for_each(|node| *node = [7; 32]))
}

fn lies() -> Outcome {
    let mut stage = Stage::new();
    stage.say(ADA, "one");
    stage.wait(61);
    stage.lie_to(BEN, |server, word| match word {
        Word::Push(page) if page.ticks.iter().any(|tick| !tick.closed.is_empty()) => {
            let page = super::views::refitted(server, &page, |tick| {
                tick.closed.iter_mut().for_each(|segment| segment.entries_hash = [7; 32]);
            });
            vec![Word::Push(page)]
        }
        true_word => vec![true_word],
    });
    stage.wait(11);
    stage.say(ADA, "two");
    stage.wait(2);
    stage.seen()
}
