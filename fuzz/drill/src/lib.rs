//! # The tamper drill: a table of what can be done to Undertone, and who notices
//!
//! A [`Row`] is one misdeed, by the server, by a member, by the host or by a thief, played with the
//! real engine of three devices and the real server over files in memory. It says what the row's
//! author expects: who notices, by what, within what bound, with what evidence; or that nothing comes
//! of it, and what was looked at; or that it cannot be noticed, and why. The drill fails where the
//! outcome is another one.
//!
//! `docs/drill-tamper.md` is the outcome, written by `cargo xtask drill tamper`. Rows whose proof is a
//! test of another crate (real processes, sockets, disks) name that test; whether it exists is tested
//! here, whether it passes is that test's business.
//!
//! **The gate.** Each check of [`undertone_wire::checks`] is switched off in turn; at least one row
//! must then have another outcome, or the check is not covered ([`mutations`]).

mod held;
mod member;
mod month;
pub mod mutations;
mod row;
mod server;
mod stage;
pub mod table;
mod threats;

pub use row::{Expected, Outcome, Play, Played, Row, Who};

/// All rows, by who does it.
pub fn rows() -> Vec<Row> {
    [server::rows(), member::rows(), threats::rows(), month::rows()].concat()
}

/// Plays every row that is played here, each on its own; in the order of [`rows`].
pub fn play_all() -> Vec<Played> {
    rows().into_iter().map(Row::play).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those that the drill is asked to show; the others are not due yet.
    const DUE: [&str; 19] = [
        "T02", "T03", "T04", "T05", "T06", "T08", "T09", "T10", "T11", "T12", "T13", "T14", "T17",
        "T18", "T19", "T22", "T23", "T26", "T27",
    ];

    #[test]
    fn every_threat_that_is_due_has_a_row() {
        let named: Vec<_> = rows().iter().flat_map(|row| row.threats.split(' ')).collect();
        for threat in DUE {
            assert!(named.contains(&threat), "{threat}");
        }
    }
}
