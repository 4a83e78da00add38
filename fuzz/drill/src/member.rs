//! A member with an altered client, who has all that membership gives: Chloe, unless said otherwise.

mod commits;
mod lanes;
mod twice;
mod words;

pub(crate) use twice::{NEXT_NUMBER, Twice};

use crate::row::{Expected, Outcome, Play, Row, Who, Within};

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

/// A sign at these devices, within so many seconds.
const fn sign(by: &'static [&'static str], what: &'static str, seconds: u64) -> Expected {
    Expected::Noticed { by, what, within: Within::Seconds(seconds), evidence: false }
}
