//! What was said, and by whom it must, may or must not be read.

use super::change::{CHLOE, Change};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;

/// For each player.
type Players = Vec<bool>;

/// One round.
struct Round {
    writers: Players,
    /// In the group before the round and after it.
    members: (Players, Players),
}

/// Who does what in a round that begins.
pub(super) struct Begun {
    pub(super) writers: Players,
    pub(super) newcomers: Players,
}

/// What was said in all rounds.
pub(super) struct Record {
    members: Players,
    rounds: Vec<Round>,
}

impl Record {
    pub(super) fn new(players: usize) -> Self {
        Self { members: vec![true; players], rounds: Vec::new() }
    }

    /// Notes a round.
    pub(super) fn begin(&mut self, round: u64, change: Option<&Change>) -> Begun {
        debug_assert_eq!(round, self.rounds.len() as u64, "rounds come one by one");
        let before = self.members.clone();
        match change {
            Some(Change::AddChloe) => self.members[CHLOE] = true,
            Some(Change::RemoveChloe) => self.members[CHLOE] = false,
            Some(Change::Rename(..)) | None => {}
        }
        let after = self.members.clone();
        let each = |is: fn(bool, bool) -> bool| {
            before.iter().zip(&after).map(|(before, after)| is(*before, *after)).collect()
        };
        // Who comes or goes in a round says nothing in it: nobody could tell whether it counts.
        let writers: Players = each(|before, after| before && after);
        let newcomers = each(|before, after| !before && after);
        self.rounds.push(Round { writers: writers.clone(), members: (before, after) });
        Begun { writers, newcomers }
    }

    /// How many messages were said.
    pub(super) fn messages(&self) -> u64 {
        self.rounds.iter().flat_map(|it| &it.writers).filter(|writes| **writes).count() as u64
    }

    /// Whether these lines are what this reader must have of this author: all from rounds in which
    /// the reader was a member throughout, none from those in which not at all, each once, in order.
    /// In a round with a change either may have come first.
    pub(super) fn judge(&self, reader: usize, author: usize, lines: &[&str]) -> Result<()> {
        let numbers = lines.iter().map(|line| number(line)).collect::<Result<Vec<_>>>()?;
        ensure!(numbers.is_sorted_by(|one, next| one < next), "doubled or reordered");
        let read: BTreeSet<usize> = numbers.into_iter().collect();
        for (number, round) in self.rounds.iter().enumerate() {
            let (before, after) = (round.members.0[reader], round.members.1[reader]);
            let must = round.writers[author] && before && after;
            let may = round.writers[author] && (before || after);
            ensure!(!must || read.contains(&number), "line {number} is lost");
            ensure!(may || !read.contains(&number), "line {number} is not for this reader");
        }
        ensure!(read.iter().all(|number| *number < self.rounds.len()), "more than was said");
        Ok(())
    }
}

/// The text of a round.
pub(super) fn line(round: u64) -> String {
    format!("line {round}")
}

fn number(line: &str) -> Result<usize> {
    let number = line.strip_prefix("line ").and_then(|number| number.parse().ok());
    number.with_context(|| format!("nobody said {line:?}"))
}

#[test]
fn the_judge_of_the_kills_sees_what_is_lost_doubled_reordered_or_leaked() {
    let mut record = Record::new(3);
    record.begin(0, None);
    record.begin(1, Some(&Change::RemoveChloe));
    record.begin(2, None);
    let well = |reader, lines: &[&str]| record.judge(reader, 0, lines).is_ok();
    assert!(well(1, &["line 0", "line 1", "line 2"]));
    assert!(well(CHLOE, &["line 0"]) && well(CHLOE, &["line 0", "line 1"]));
    for wrong in [
        &["line 0", "line 1"][..],
        &["line 0", "line 1", "line 1", "line 2"],
        &["line 1", "line 0", "line 2"],
        &["line 0", "line 1", "line 2", "line 3"],
        &["line 0", "line 1", "line 2", "lime"],
    ] {
        assert!(!well(1, wrong), "{wrong:?}");
    }
    assert!(!well(CHLOE, &["line 0", "line 2"]) && !well(CHLOE, &["line 1"]));
    assert_eq!(record.messages(), 7);
}
