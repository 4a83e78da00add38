//! The document: what was done, and what came of it.

use crate::held::Held;
use crate::mutations::Missed;
use crate::row::{Expected, Outcome, Play, Played, Who, Within};
use std::fmt::Write;

/// Where the part on the gate begins.
const GATE: &str = "## What each check is for\n";

const HEAD: &str = "\
<!-- Written by `cargo xtask drill tamper`; edits are lost. -->

# The tamper drill

Each row is one misdeed, played with the real engine of three devices (Ada, who owns a group; Ben, an
admin of it; Chloe, a member) and the real server, or held by the tests that it names. `cargo xtask
drill tamper` plays all rows and writes this table; `--check` says whether it is up to date, and
`--mutations` also runs the gate below. `cargo xtask test` plays the rows too.

*Noticed* is what a person is told: an alarm by its word (`alarm …`), a marked gap, a refusal, a line in
the chat; *skipped* means that all members alike pass over a cell, by the check of that number, which
`doctor` counts. *Within* is the bound that the row is held to: words of the server to that device
(answers and pushes), or seconds. *Evidence*: two contradicting heads under the server's signature stay
in the profile, and the device stays stopped across restarts. Who has raised an alarm about the server
sends nothing more.

What a drill like this cannot show: that there is no misdeed besides those listed. What no client can
notice is listed as such, with the reason.
";

/// The whole document; the part on the gate is kept from `before` where it was not run.
pub fn document(played: &[Played], gate: Option<&[Missed]>, before: &str) -> String {
    let kept = before.find(GATE).map_or("", |at| &before[at..]);
    let gate = gate.map_or_else(|| kept.to_owned(), gate_part);
    let mut text = HEAD.to_owned();
    for who in [Who::Server, Who::Member, Who::Thief, Who::Host, Who::Nobody] {
        let rows: Vec<_> = played.iter().filter(|played| played.row.who == who).collect();
        write!(text, "\n## {}\n\n", title(who)).expect("a text grows");
        text += "| row | threat | what is done | what comes of it | within | evidence |\n";
        text += "|---|---|---|---|---|---|\n";
        rows.into_iter().for_each(|played| text += &line(played));
    }
    format!("{text}\n{gate}")
}

fn title(who: Who) -> &'static str {
    match who {
        Who::Server => "The server, with its true key",
        Who::Member => "A member with an altered client",
        Who::Thief => "Whoever has a device or its disk",
        Who::Host => "Whoever hosts the server or stands in the way",
        Who::Nobody => "Strangers, and nobody at all",
    }
}

fn line(played: &Played) -> String {
    let row = &played.row;
    let (what, within, evidence) = match (&row.play, &played.outcome) {
        (Play::Held(tests), _) => (held(row.expected, tests), "", ""),
        (_, Some(outcome)) if played.is_as_expected() => came(row.expected, outcome),
        (_, Some(outcome)) => (format!("**not as expected**: {outcome}"), "", ""),
        (_, None) => (String::new(), "", ""),
    };
    let within = match row.expected {
        Expected::Noticed { within: bound, .. } if within.is_empty() => bound_in_words(bound),
        _ => within.to_owned(),
    };
    format!("| `{}` | {} | {} | {what} | {within} | {evidence} |\n", row.id, row.threats, row.what)
}

fn came(expected: Expected, outcome: &Outcome) -> (String, &'static str, &'static str) {
    match (expected, outcome) {
        (Expected::Noticed { evidence, .. }, _) => {
            (outcome.to_string(), "", if evidence { "two heads" } else { "" })
        }
        (Expected::Skipped { .. }, _) => (format!("{outcome}; the group goes on"), "", ""),
        (Expected::Hidden(why), _) => (format!("**cannot be noticed**: {why}"), "", ""),
        (Expected::NoEffect(why), _) => (format!("no effect: {why}"), "", ""),
    }
}

fn bound_in_words(within: Within) -> String {
    match within {
        Within::Words(1) => "1 word".to_owned(),
        Within::Words(words) => format!("{words} words"),
        Within::Seconds(1) => "1 s".to_owned(),
        Within::Seconds(seconds) => format!("{seconds} s"),
    }
}

fn held(expected: Expected, tests: &[Held]) -> String {
    let effect = match expected {
        Expected::NoEffect(effect) | Expected::Hidden(effect) => effect,
        _ => "",
    };
    let tests: Vec<_> = tests.iter().map(|held| format!("`{}`", held.test)).collect();
    format!("{effect}; held by {}", tests.join(", "))
}

fn gate_part(gate: &[Missed]) -> String {
    let mut text = format!(
        "{GATE}\nEach check was switched off in a test build, and the rows above were played: this is the \
         first that then has\nanother outcome. Where somebody still notices, the check is held twice.\n\n\
         | check | what is checked | row | what comes of it then |\n|---|---|---|---|\n"
    );
    for Missed { check, row } in gate {
        let (row, then) = match row {
            Some((row, then)) => (format!("`{row}`"), then.as_str()),
            None => ("**none**".to_owned(), ""),
        };
        let (word, what) = (check.word(), check.what());
        writeln!(text, "| `{word}` | {what} | {row} | {then} |").expect("a text grows");
    }
    text
}
