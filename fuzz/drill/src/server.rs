//! A server that lies: it has the true key, and the real log behind it.

mod answers;
mod identity;
mod log;
mod segments;
mod views;
mod withholding;

use crate::row::{Expected, Outcome, Play, Row, Who, Within, sign};
use undertone_hostile::engine::sign_head;
use undertone_wire::{Answer, DigestPage};

pub(crate) fn rows() -> Vec<Row> {
    [answers::ROWS, log::ROWS, segments::ROWS, views::ROWS, withholding::ROWS, identity::ROWS]
        .concat()
}

/// A misdeed of the server.
const fn by_server(
    id: &'static str,
    threats: &'static str,
    what: &'static str,
    expected: Expected,
    play: fn() -> Outcome,
) -> Row {
    Row { id, threats, who: Who::Server, what, expected, play: Play::Here(play) }
}

/// An alarm at these devices, after so many words of the server.
const fn alarm(
    by: &'static [&'static str],
    what: &'static str,
    words: usize,
    evidence: bool,
) -> Expected {
    Expected::Noticed { by, what, within: Within::Words(words), evidence }
}

/// A page, changed and signed anew.
fn changed(page: &DigestPage, change: impl FnOnce(&mut DigestPage)) -> DigestPage {
    let mut page = page.clone();
    change(&mut page);
    sign_head(&mut page.head);
    page
}

fn nothing() -> Answer {
    Answer::None { colliding: Vec::new() }
}
