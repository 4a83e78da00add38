//! The gate: without any one of the checks, some row has another outcome.

use crate::{Play, Played, Row, rows, stage};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
    thread,
};
use undertone_wire::checks::{Check, switch_off};

/// One check, and the first row that shows that it is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// What was switched off.
    pub check: Check,
    /// The row and what comes of it then; `None` when none has another outcome: then nothing holds
    /// this check.
    pub row: Option<(&'static str, String)>,
}

/// Switches off one check after the other, on two threads; in the order of [`Check::ALL`].
pub fn all() -> Vec<Missed> {
    stage::prepare();
    let rows = sound_rows();
    let next = Mutex::new(Check::ALL.iter().enumerate());
    let found = Mutex::new(Vec::new());
    let work = || {
        while let Some((index, check)) = { next.lock().expect("nobody panics here").next() } {
            let missed = Missed { check: *check, row: first_red(&rows, *check) };
            found.lock().expect("nobody panics here").push((index, missed));
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().expect("nobody panics here");
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, missed)| missed).collect()
}

/// The rows that are played here and come as expected while every check is in force.
pub fn sound_rows() -> Vec<Row> {
    let played = |row: &Row| matches!(row.play, Play::Here(_)) && row.id != "honest-month";
    rows().into_iter().filter(played).filter(|row| row.play().is_as_expected()).collect()
}

/// The first of these rows that has another outcome while this check is off.
pub fn first_red(rows: &[Row], check: Check) -> Option<(&'static str, String)> {
    rows.iter().find_map(|row| Some((row.id, red(*row, check)?)))
}

/// What comes of the row while this check is off, if that is something else. A panic is, too.
fn red(row: Row, check: Check) -> Option<String> {
    switch_off(Some(check));
    let played = catch_unwind(AssertUnwindSafe(|| row.play()));
    switch_off(None);
    match played {
        Ok(played) if played.is_as_expected() => None,
        Ok(Played { outcome, .. }) => outcome.map(|outcome| outcome.to_string()),
        Err(_) => Some("the client panics".to_owned()),
    }
}
