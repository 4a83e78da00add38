//! Every row comes out as expected.

use std::{sync::Mutex, thread};
use undertone_drill::rows;

#[test]
fn every_row_comes_out_as_expected() {
    let next = Mutex::new(rows().into_iter());
    let unexpected = Mutex::new(Vec::new());
    let work = || {
        while let Some(row) = { next.lock().expect("nobody panics here").next() } {
            let played = row.play();
            if !played.is_as_expected() {
                let text = format!("{}: {:?}", played.row.id, played.outcome);
                unexpected.lock().expect("nobody panics here").push(text);
            }
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let unexpected = unexpected.into_inner().expect("nobody panics here");
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}

#[test]
fn every_row_has_its_own_name() {
    let mut names: Vec<_> = rows().iter().map(|row| row.id).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
