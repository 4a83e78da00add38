//! What everybody must have at the quiet end.
//!
//! **Entitled** to a message is every person who sits in the epoch that the message counts in, but
//! its author. The epoch is read from the row's transcript order, its seats from what members saw
//! of that epoch while it lasted: somebody always did, since whoever ended it was in it.
//! Not owed: what fell into the epoch in which a person left by themselves, from then on (a leaver
//! forgets the group as soon as the leave is stored).
//!
//! **Not entitled** is whoever is neither in that epoch nor among those whom the author's device
//! showed as readers when the message was written (its roster, with those whom the author had asked
//! in and without those whom the author had asked out), or when its author released it.
//!
//! Where nothing can expire and nobody's profile was put back, nothing may be missing, not even with
//! a gap shown, and nothing may be stuck.

use crate::outcome::Wrong;
use crate::person::Person;
use crate::play::what_is;
use crate::told::Told;
use crate::world::{Text, World};
use std::collections::{BTreeMap, BTreeSet};
use undertone_core::io::{ChatState, Event, HistoryRow, MessageState};
use undertone_core::{ChatId, Seat, Standing};

/// Where a message stands, as its row's order says: the epoch first.
fn epoch_of(row: &HistoryRow) -> Option<u64> {
    row.order.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

fn counts(row: &HistoryRow) -> bool {
    matches!(row.state, MessageState::Stored | MessageState::Received)
}

impl World {
    /// Judges the quiet end.
    pub(crate) fn judge(&mut self) {
        self.refresh();
        self.check_promises();
        self.judge_progress();
        self.judge_states();
        self.judge_rosters();
        self.judge_histories();
        self.judge_texts();
        self.judge_gaps();
        self.judge_size();
    }

    /// Whether what a person has may differ from what they should have.
    fn excused(&self, who: usize) -> bool {
        self.plan.rolls_back(who)
    }

    fn judge_progress(&mut self) {
        if let Some(text) = self.unsettled() {
            self.wrong(Wrong::NoProgress, text);
        }
        for who in 0..self.people.len() {
            if let Some(asked) = self.people[who].asked.values().next() {
                let text = format!("{} gets no reply to {:?}", self.name(who), asked.wish);
                self.wrong(Wrong::NoProgress, text);
            }
        }
    }

    /// A device that cannot follow says so, and has a reason.
    fn judge_states(&mut self) {
        let mut found = Vec::new();
        for (who, person) in self.people.iter().enumerate() {
            for standing in person.standings.values() {
                if standing.state != ChatState::Stuck {
                    continue;
                }
                let what =
                    format!("{} in {}", person.name, what_is(standing.kind, &standing.title));
                if !person.told.stuck.contains(&standing.chat) {
                    found.push((Wrong::SilentStuck, what.clone()));
                }
                if !self.plan.may_expire() && !self.excused(who) {
                    found.push((Wrong::Stuck, what));
                }
            }
        }
        self.all_wrong(found);
    }

    fn all_wrong(&mut self, found: Vec<(Wrong, String)>) {
        for (wrong, text) in found {
            self.wrong(wrong, text);
        }
    }

    /// All who follow a group are in its newest epoch, and those who are in it follow it.
    fn judge_rosters(&mut self) {
        let groups: BTreeSet<[u8; 32]> =
            self.people.iter().flat_map(|it| it.standings.values().map(|it| it.group)).collect();
        let found = groups.iter().flat_map(|group| self.judge_roster(group)).collect();
        self.all_wrong(found);
    }

    fn judge_roster(&self, group: &[u8; 32]) -> Vec<(Wrong, String)> {
        let following = |person: &Person| {
            let standing = person.chat_of(group)?;
            let epoch = standing.epoch.as_ref()?;
            (standing.state == ChatState::Open).then_some(epoch.number)
        };
        let Some(newest) = self.people.iter().filter_map(following).max() else {
            return Vec::new();
        };
        let Some(epoch) = self.watch.epoch(group, newest) else { return Vec::new() };
        let mut found = Vec::new();
        for (who, person) in self.people.iter().enumerate() {
            let sits = epoch.seats.iter().any(|seat| seat.identity == person.identity);
            let standing = person.chat_of(group);
            if let Some(text) = self.misplaced(who, sits, standing, newest) {
                found.push(text);
            }
        }
        found
    }

    fn misplaced(
        &self,
        who: usize,
        sits: bool,
        standing: Option<&Standing>,
        newest: u64,
    ) -> Option<(Wrong, String)> {
        let name = self.name(who);
        if self.excused(who) {
            return None;
        }
        let Some(standing) = standing else {
            let text =
                format!("{name} was added to a group at epoch {newest} and does not have it");
            return (sits && !self.plan.may_expire()).then_some((Wrong::NotJoined, text));
        };
        let what = what_is(standing.kind, &standing.title);
        let number = standing.epoch.as_ref().map(|epoch| epoch.number);
        match standing.state {
            ChatState::Stuck => None,
            ChatState::Ended => {
                let text = format!("{name} is out of {what} and sits in its epoch {newest}");
                let left = self.people[who].left.iter().any(|(of, _)| *of == standing.group);
                (sits && !left && !self.plan.may_expire()).then_some((Wrong::NotJoined, text))
            }
            ChatState::Open | ChatState::Requested if number != Some(newest) => {
                let text = format!("{name} is in epoch {number:?} of {what}, others in {newest}");
                Some((Wrong::Split, text))
            }
            ChatState::Open | ChatState::Requested => {
                let text = format!("{name} follows {what} without a seat");
                (!sits).then_some((Wrong::Split, text))
            }
        }
    }

    /// What stands in each history: once, in order, and for these eyes.
    fn judge_histories(&mut self) {
        let numbers: BTreeMap<&str, usize> =
            self.texts.iter().enumerate().map(|(at, text)| (text.text.as_str(), at)).collect();
        let mut found = Vec::new();
        for (who, person) in self.people.iter().enumerate() {
            let mut seen = BTreeSet::new();
            let mut rows: Vec<_> = person.disk.rows().filter(|row| counts(row)).collect();
            rows.sort_by(|a, b| (a.chat, &a.order).cmp(&(b.chat, &b.order)));
            let mut last = BTreeMap::new();
            for row in rows {
                let Some(&text) = numbers.get(row.text.as_str()) else { continue };
                if !seen.insert(text) {
                    found.push((Wrong::Doubled, format!("text {text} with {}", person.name)));
                }
                let before = last.insert((row.chat, row.from), text);
                found.extend(self.judge_row(who, row, text));
                let turned = before.filter(|before| *before > text);
                found.extend(turned.and_then(|before| self.turned(who, before, text)));
            }
        }
        self.all_wrong(found);
    }

    fn turned(&self, who: usize, before: usize, text: usize) -> Option<(Wrong, String)> {
        let released = self.texts[before].released || self.texts[text].released;
        let author = self.texts[text].author;
        let words = format!("{} has text {before} before {text}", self.name(who));
        (!released && !self.excused(author)).then_some((Wrong::Order, words))
    }

    fn judge_row(&self, who: usize, row: &HistoryRow, text: usize) -> Option<(Wrong, String)> {
        let person = &self.people[who];
        let wrote = &self.texts[text];
        if wrote.author == who || self.excused(wrote.author) {
            return None;
        }
        let shown = wrote.audience.as_ref().is_some_and(|all| all.contains(&person.identity));
        if !shown {
            let text = format!("{} reads text {text}, not shown to its author", person.name);
            return Some((Wrong::Leak, text));
        }
        let epoch = self.watch.epoch(&wrote.group, epoch_of(row)?)?;
        let sits = epoch.seats.iter().any(|seat| seat.identity == person.identity);
        let words = format!("{} reads text {text} of an epoch without a seat", person.name);
        (!sits).then_some((Wrong::Leak, words))
    }

    /// Each message is where it should be.
    fn judge_texts(&mut self) {
        let mut found = Vec::new();
        for number in 0..self.texts.len() {
            found.extend(self.judge_text(number));
        }
        self.all_wrong(found);
    }

    fn judge_text(&self, number: usize) -> Vec<(Wrong, String)> {
        let text = &self.texts[number];
        if self.excused(text.author) {
            return Vec::new();
        }
        let author = &self.people[text.author];
        let own = author.disk.rows().find(|row| row.own && row.text == text.text);
        let Some(own) = own else {
            let words = format!("text {number} of {}", author.name);
            return text.accepted.then_some((Wrong::Dropped, words)).into_iter().collect();
        };
        let standing = author.standings.get(&own.chat);
        let state = standing.map(|standing| standing.state);
        match own.state {
            MessageState::Stored => self.judge_stored(number, own),
            MessageState::Failed if state != Some(ChatState::Ended) && !self.was_out(text) => {
                vec![(Wrong::Dropped, format!("text {number} failed in a conversation that lives"))]
            }
            MessageState::Queued if state == Some(ChatState::Open) => {
                vec![(Wrong::NoProgress, format!("text {number} of {} is queued", author.name))]
            }
            _ => Vec::new(),
        }
    }

    /// Whether the author of a message has been out of its group for a while.
    fn was_out(&self, text: &Text) -> bool {
        let author = &self.people[text.author].identity;
        !self.watch.stays(&text.group, author, 0..=u64::MAX)
            || self.people[text.author].left.iter().any(|(group, _)| *group == text.group)
    }

    fn judge_stored(&self, number: usize, own: &HistoryRow) -> Vec<(Wrong, String)> {
        let text = &self.texts[number];
        let epoch = epoch_of(own).and_then(|epoch| self.watch.epoch(&text.group, epoch));
        let seats = epoch.map(|epoch| epoch.seats.as_slice()).unwrap_or_default();
        let author = self.people[text.author].identity;
        let others = seats.iter().filter(|seat| seat.identity != author);
        others.filter_map(|seat| self.judge_reader(number, own, seat)).collect()
    }

    fn judge_reader(
        &self,
        number: usize,
        own: &HistoryRow,
        seat: &Seat,
    ) -> Option<(Wrong, String)> {
        let text = &self.texts[number];
        let who = self.people.iter().position(|person| person.identity == seat.identity)?;
        let (reader, author) = (&self.people[who], &self.people[text.author]);
        let row = reader.disk.rows().find(|row| !row.own && row.text == text.text);
        if let Some(row) = row {
            let words = format!(
                "text {number} stands elsewhere with {} than with {}",
                reader.name, author.name
            );
            return (row.order != own.order).then_some((Wrong::Split, words));
        }
        let epoch = epoch_of(own)?;
        let chat = reader.chat_of(&text.group);
        let stuck = chat.is_some_and(|chat| chat.state == ChatState::Stuck);
        // Who was stuck and is back has been told that something is missing, once for all of it.
        let told = chat.is_some_and(|chat| {
            let told = &reader.told;
            told.misses(chat.chat, &author.name) || told.stuck.contains(&chat.chat)
        });
        let expired =
            self.plan.may_expire() && (told || chat.is_none_or(|it| it.state != ChatState::Open));
        let skipped = self.is_skipped(who, &text.group, epoch)
            && chat.is_some_and(|chat| reader.told.of_skipped_stay(chat.chat));
        if stuck || expired || skipped || self.excused(who) || self.has_left(who, text, epoch) {
            return None;
        }
        let state = chat.map(|chat| chat.state);
        let words = format!(
            "text {number} of {} (epoch {epoch}) is not with {} ({state:?})",
            author.name, reader.name
        );
        Some((Wrong::Lost, words))
    }

    /// Whether this person sat in that epoch in a stay of which their device has followed nothing.
    fn is_skipped(&self, who: usize, group: &[u8; 32], epoch: u64) -> bool {
        let (identity, entered) = (&self.people[who].identity, &self.people[who].entered);
        let mut entered = entered.range((*group, 0)..=(*group, u64::MAX)).map(|(_, seen)| *seen);
        let joins = |seen: u64| epoch.min(seen)..=epoch.max(seen);
        !entered.any(|seen| self.watch.stays(group, identity, joins(seen)))
    }

    fn has_skipped(&self, who: usize, chat: ChatId) -> bool {
        let person = &self.people[who];
        let Some(group) = person.standings.get(&chat).map(|standing| standing.group) else {
            return false;
        };
        let mut sat = self.watch.epochs_with(&group, &person.identity);
        sat.any(|epoch| self.is_skipped(who, &group, epoch))
    }

    /// Whether this person had left when a message of that epoch came, and was not back.
    fn has_left(&self, who: usize, text: &Text, epoch: u64) -> bool {
        let person = &self.people[who];
        let mut left = person.left.iter().filter(|(of, at)| *of == text.group && *at <= epoch);
        left.any(|(group, at)| self.watch.stays(group, &person.identity, *at..=epoch))
    }

    /// Where nothing can expire nothing is ever missing, but for stays that were over too soon.
    fn judge_gaps(&mut self) {
        if self.plan.may_expire() {
            return;
        }
        let mut found = Vec::new();
        for (who, person) in self.people.iter().enumerate() {
            let gaps = person.told.gaps.iter();
            let gaps = gaps.flat_map(|(chat, gaps)| gaps.iter().map(move |gap| (*chat, gap)));
            let skipped = |chat, gap: &str| Told::is_of_stay(gap) && self.has_skipped(who, chat);
            let gaps = gaps.filter(|(chat, gap)| !self.excused(who) && !skipped(*chat, gap));
            found.extend(gaps.map(|(_, gap)| (Wrong::FalseGap, format!("{}: {gap}", person.name))));
        }
        self.all_wrong(found);
    }

    /// Stored state is bounded by what people did: see [`size_max`].
    fn judge_size(&mut self) {
        let mut found = Vec::new();
        for person in &self.people {
            let conversations = person.standings.len();
            let seats: usize = person
                .standings
                .values()
                .filter_map(|it| it.epoch.as_ref())
                .map(|it| it.seats.len())
                .sum();
            for (space, (count, bytes)) in person.disk.size() {
                let (count_max, bytes_max) = size_max(conversations, seats, self.texts.len());
                if count > count_max || bytes > bytes_max {
                    let text =
                        format!("{}: {count} records, {bytes} bytes in {space}", person.name);
                    found.push((Wrong::Unbounded, text));
                }
            }
        }
        self.all_wrong(found);
    }

    pub(crate) fn check_shown_once(&mut self, who: usize, event: &Event) {
        let Event::Message { chat, message } = event else { return };
        let times = self.people[who].told.messages.get(&(*chat, *message));
        if times.is_some_and(|times| *times > 1) && !self.excused(who) {
            let row = self.people[who].disk.row(*chat, *message);
            let text = row.map(|row| row.text.chars().take(20).collect::<String>());
            self.wrong(Wrong::Doubled, format!("{} is shown {text:?} again", self.name(who)));
        }
    }

    /// Honest people on an honest server cause no alarm; what expired may be told as one.
    pub(crate) fn check_alarm(&mut self, who: usize, event: &Event) {
        let Event::Alarm { code, text } = event else { return };
        let codes = ["join_failed", "head_denied"];
        let expired = self.plan.may_expire() && codes.contains(&code.as_str());
        if !expired && !self.excused(who) {
            let text = format!("{}: {code}: {text}", self.name(who));
            self.wrong(Wrong::FalseAlarm, text);
        }
    }
}

/// Records and bytes that one space of a profile may hold at most.
fn size_max(conversations: usize, seats: usize, texts: usize) -> (usize, usize) {
    let count = 200 + 100 * conversations + 10 * seats + 10 * texts;
    (count, 4_000 * count)
}
