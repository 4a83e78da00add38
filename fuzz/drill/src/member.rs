//! A member with an altered client, who has all that membership gives: Chloe, unless said otherwise.

mod commits;
mod lanes;
mod twice;
mod words;

pub(crate) use twice::{NEXT_NUMBER, Twice};

use crate::row::{Expected, Outcome, Play, Row, Who, sign};
use crate::stage::{CHLOE, Stage};

pub(crate) fn rows() -> Vec<Row> {
    [commits::ROWS, lanes::ROWS, words::ROWS].concat()
}

const fn by_member(
    id: &'static str,
    threats: &'static str,
    what: &'static str,
    expected: Expected,
    play: fn() -> Outcome,
) -> Row {
    Row { id, threats, who: Who::Member, what, expected, play: Play::Here(play) }
}

/// All skip the cell, and the group goes on.
const fn skip(check: &'static str) -> Expected {
    Expected::Skipped { check }
}

/// Chloe does this, and her own device is away.
fn chloe(deed: impl FnOnce(&mut Stage, &mut Twice)) -> Stage {
    let mut stage = Stage::new();
    let mut chloe = Twice::of(&mut stage, CHLOE);
    stage.away(CHLOE);
    stage.misdeed();
    deed(&mut stage, &mut chloe);
    stage.wait(2);
    stage
}
