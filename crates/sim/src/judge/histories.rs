//! What stands in each history: once, in order, and for these eyes.

use crate::outcome::Wrong;
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};
use undertone_core::io::{HistoryRow, MessageState};

fn counts(row: &HistoryRow) -> bool {
    matches!(row.state, MessageState::Stored | MessageState::Received)
}

impl World {
    pub(super) fn judge_histories(&mut self) {
        let numbers: BTreeMap<&str, usize> =
            self.texts.iter().enumerate().map(|(at, text)| (text.text.as_str(), at)).collect();
        let mut found = Vec::new();
        for who in 0..self.people.len() {
            found.extend(self.judge_history(who, &numbers));
        }
        self.all_wrong(found);
    }

    fn judge_history(&self, who: usize, numbers: &BTreeMap<&str, usize>) -> Vec<(Wrong, String)> {
        let person = &self.people[who];
        let mut rows: Vec<_> = person.disk.rows().filter(|row| counts(row)).collect();
        rows.sort_by(|a, b| (a.chat, &a.order).cmp(&(b.chat, &b.order)));
        let (mut found, mut seen, mut last) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        for row in rows {
            let Some(&text) = numbers.get(row.text.as_str()) else {
                let words = format!("{} has {:?}, which nobody wrote", person.name, row.text);
                found.push((Wrong::Stray, words));
                continue;
            };
            if !seen.insert(text) {
                found.push((Wrong::Doubled, format!("text {text} with {}", person.name)));
            }
            found.extend(self.judge_row(who, row, text));
            let before = last.insert((row.chat, row.from), text);
            let turned = before.filter(|before| *before > text);
            found.extend(turned.and_then(|before| self.turned(who, before, text)));
        }
        found
    }

    fn turned(&self, who: usize, before: usize, text: usize) -> Option<(Wrong, String)> {
        let released = self.texts[before].released || self.texts[text].released;
        let words = format!("{} has text {before} before {text}", self.name(who));
        (!released).then_some((Wrong::Order, words))
    }

    fn judge_row(&self, who: usize, row: &HistoryRow, text: usize) -> Option<(Wrong, String)> {
        let person = &self.people[who];
        let wrote = &self.texts[text];
        let author = &self.people[wrote.author];
        if row.from != author.identity || row.own != (wrote.author == who) {
            let words = format!("text {text} of {} is another's with {}", author.name, person.name);
            return Some((Wrong::Stray, words));
        }
        let spot = person.spot(row);
        let epoch = spot.as_ref().and_then(|spot| self.watch.epoch(&spot.group, spot.epoch));
        let Some(epoch) = epoch else {
            let words = format!("text {text} stands with {} in an epoch nobody saw", person.name);
            return Some((Wrong::Stray, words));
        };
        let sits = epoch.seats.iter().any(|seat| seat.identity == person.identity);
        if !sits {
            let words = format!("{} reads text {text} of an epoch without a seat", person.name);
            return Some((Wrong::Leak, words));
        }
        let shown = wrote.audience.as_ref().is_some_and(|all| all.contains(&person.identity));
        let words = format!("{} reads text {text}, not shown to its author", person.name);
        (!row.own && !shown).then_some((Wrong::Leak, words))
    }
}
