//! The drill as a program, for `cargo xtask drill tamper`.

use std::{env, fs, path::Path, process::ExitCode};
use undertone_drill::{Played, mutations, play_all, rows, table};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/drill-tamper.md");

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let asked = |word: &str| words.iter().any(|asked| asked == word);
    if words.iter().any(|word| !word.starts_with("--")) {
        return play_named(&words);
    }
    let played = play_all();
    let gate = asked("--mutations").then(mutations::all);
    let before = fs::read_to_string(DOCUMENT).unwrap_or_default();
    let document = table::document(&played, gate.as_deref(), &before);
    let stale = document != before;
    if stale && !asked("--check") {
        fs::write(Path::new(DOCUMENT), document).expect("docs can be written");
        println!("docs/drill-tamper.md was written");
    } else if stale {
        println!("docs/drill-tamper.md is stale: run `cargo xtask drill tamper`");
    }
    let unexpected = tell_rows(&played);
    let uncovered = gate.as_deref().map_or(0, tell_gate);
    let well = unexpected + uncovered == 0 && !(stale && asked("--check"));
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays these rows and says what came of each.
fn play_named(words: &[String]) -> ExitCode {
    let named = rows().into_iter().filter(|row| words.iter().any(|word| word == row.id));
    let played: Vec<_> = named.map(|row| row.play()).collect();
    played.iter().for_each(|played| println!("{}: {:?}", played.row.id, played.outcome));
    let well = !played.is_empty() && played.iter().all(Played::is_as_expected);
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell_rows(played: &[Played]) -> usize {
    let unexpected = played.iter().filter(|played| !played.is_as_expected());
    let count =
        unexpected.map(|played| println!("{}: {:?}", played.row.id, played.outcome)).count();
    println!("{} rows, {count} not as expected", played.len());
    count
}

fn tell_gate(gate: &[mutations::Missed]) -> usize {
    let uncovered = gate.iter().filter(|missed| missed.row.is_none());
    let count =
        uncovered.map(|missed| println!("{}: no row misses it", missed.check.word())).count();
    println!("{} checks switched off, {count} of them without a row that misses it", gate.len());
    count
}
