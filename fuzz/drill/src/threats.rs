//! Threats of the list that are not one misdeed of the server or of a member.

mod confusion;
mod copies;
mod devices;
mod doors;
mod holdings;
mod strangers;

use crate::held::Held;
use crate::row::{Expected, Outcome, Play, Row, Who};

pub(crate) fn rows() -> Vec<Row> {
    [copies::ROWS, holdings::ROWS, devices::ROWS, strangers::ROWS, confusion::ROWS, doors::ROWS]
        .concat()
}

const fn here(
    id: &'static str,
    threats: &'static str,
    who: Who,
    what: &'static str,
    expected: Expected,
    play: fn() -> Outcome,
) -> Row {
    Row { id, threats, who, what, expected, play: Play::Here(play) }
}

/// Tests of other crates hold it.
const fn elsewhere(
    id: &'static str,
    threats: &'static str,
    who: Who,
    what: &'static str,
    effect: &'static str,
    tests: &'static [Held],
) -> Row {
    Row { id, threats, who, what, expected: Expected::NoEffect(effect), play: Play::Held(tests) }
}

/// Nothing comes of it unless this is said to be wrong.
fn nothing_unless(wrong: Option<String>) -> Outcome {
    wrong.map_or(Outcome::Nothing, Outcome::Broken)
}
