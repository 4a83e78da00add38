//! Each message is where it should be.

use crate::lineage::{Spot, Stage};
use crate::outcome::Wrong;
use crate::person::Person;
use crate::wishes::Change;
use crate::world::{Text, World};
use undertone_core::Seat;
use undertone_core::io::{ChatState, HistoryRow, MessageState, Role};

/// Longer texts have parts.
const CELL_BYTES: usize = 1_500;

impl World {
    pub(super) fn judge_texts(&mut self) {
        let mut found = Vec::new();
        for number in 0..self.texts.len() {
            found.extend(self.judge_text(number));
        }
        self.all_wrong(found);
    }

    fn judge_text(&self, number: usize) -> Vec<(Wrong, String)> {
        let text = &self.texts[number];
        let author = &self.people[text.author];
        let own = author.disk.rows().find(|row| row.own && row.text == text.text);
        let Some(own) = own else {
            // The disk that had it was taken away.
            let dropped = text.accepted && author.restored_ms.is_none();
            let words = format!("text {number} of {}", author.name);
            return dropped.then_some((Wrong::Dropped, words)).into_iter().collect();
        };
        let standing = author.standings.get(&own.chat);
        let state = standing.map(|standing| standing.state);
        match own.state {
            MessageState::Stored => self.judge_stored(number, own),
            MessageState::Failed if state != Some(ChatState::Ended) && !self.was_out(text) => {
                vec![(Wrong::Dropped, format!("text {number} failed in a conversation that lives"))]
            }
            MessageState::Queued
                if state == Some(ChatState::Open) && !self.is_copied(text.author) =>
            {
                vec![(Wrong::NoProgress, format!("text {number} of {} is queued", author.name))]
            }
            _ => Vec::new(),
        }
    }

    /// Whether the author of a message was out of its group at some time after writing it, or had
    /// asked to be.
    fn was_out(&self, text: &Text) -> bool {
        let author = &self.people[text.author];
        let stays = self.watch.stays(&text.group, &author.identity, text.epoch..=u64::MAX);
        // In a group that has taken this one's place as well.
        let chats = author.chats_of(&text.group).filter_map(|chat| author.lineage.get(&chat));
        let mut later = chats.flatten().filter(|stage| stage.group != text.group);
        let put_out = later.any(|stage| self.was_put_out(text.author, stage));
        let mut left = author.left.iter();
        !stays || put_out || left.any(|(group, at)| *group == text.group && *at >= text.epoch)
    }

    /// Whether this person sat in an epoch of a group and, in a later one, did not.
    fn was_put_out(&self, who: usize, stage: &Stage) -> bool {
        let identity = &self.people[who].identity;
        let first = self.watch.epochs_with(&stage.group, identity).next();
        first.is_some_and(|first| !self.watch.stays(&stage.group, identity, first..=u64::MAX))
    }

    fn judge_stored(&self, number: usize, own: &HistoryRow) -> Vec<(Wrong, String)> {
        let text = &self.texts[number];
        let author = &self.people[text.author];
        let seen = author.spot(own).and_then(|spot| {
            let epoch = self.watch.epoch(&spot.group, spot.epoch)?;
            Some((spot, epoch.seats.as_slice()))
        });
        // Where it stands nowhere is for its author's history to say.
        let Some((spot, seats)) = seen else { return Vec::new() };
        let others = seats.iter().filter(|seat| seat.identity != author.identity);
        others.filter_map(|seat| self.judge_reader(number, (own, &spot), seat)).collect()
    }

    fn judge_reader(
        &self,
        number: usize,
        (own, spot): (&HistoryRow, &Spot),
        seat: &Seat,
    ) -> Option<(Wrong, String)> {
        let text = &self.texts[number];
        let who = self.people.iter().position(|person| person.identity == seat.identity)?;
        let (reader, author) = (&self.people[who], &self.people[text.author]);
        let row = reader.disk.rows().find(|row| !row.own && row.text == text.text);
        if let Some(row) = row {
            let there = reader.spot(row);
            let words = format!(
                "text {number} stands at {} with {}, at {spot} with {}",
                there.as_ref().map_or_else(|| "no place".to_owned(), Spot::to_string),
                reader.name,
                author.name
            );
            // An author who lost the conversation before they saw it count has sealed it once more in
            // the next; it stays where it stood first with whoever read it then.
            let meanwhile = text.written_ms..=own.stored_ms.unwrap_or(u64::MAX);
            let again = there.as_ref().is_some_and(|there| {
                let mut losses = author.losses_of(&there.group);
                losses.any(|lost| meanwhile.contains(&lost.from_ms))
                    || self.is_undone(text.author, there)
            });
            return (there.as_ref() != Some(spot) && !again).then_some((Wrong::Split, words));
        }
        let chat = reader.chat_of(&spot.group);
        let stuck = chat.is_some_and(|chat| chat.state == ChatState::Stuck);
        let excused = stuck
            || self.has_expired(who, text.author, (own, spot))
            || self.is_of_skipped_stay(who, spot)
            || self.is_of_ended_group(who, text.author, spot)
            || self.is_copied(who)
            || self.has_left(who, spot);
        let state = chat.map(|chat| chat.state);
        let words = format!(
            "text {number} of {} (epoch {}) is not with {} ({state:?})",
            author.name, spot.epoch, reader.name
        );
        (!excused).then_some((Wrong::Lost, words))
    }

    /// Whether a message stood in a tick that the server has lost and of which its author was told
    /// nothing: put again, it counts in a new tick for whoever had not read it (ADR 0010).
    fn is_undone(&self, author: usize, there: &Spot) -> bool {
        let tick = there.tick();
        self.server.has_undone(tick) && !self.people[author].receipts.contains(&tick)
    }

    /// Whether a message was gone before this reader could have it, and they know: by a gap of this
    /// author, or because their device could not follow for a while, which is said once for all of it.
    fn has_expired(&self, who: usize, author: usize, (own, spot): (&HistoryRow, &Spot)) -> bool {
        let reader = &self.people[who];
        // Whoever never came in was not told by the one who had added them, or could not read it.
        let absent = || {
            let inviters = self.inviters_of(who, &spot.group);
            [who, author].into_iter().chain(inviters).any(|it| self.was_absent(it))
        };
        let Some(chat) = reader.chat_of(&spot.group) else { return absent() };
        let missed = own.stored_ms.is_some_and(|at_ms| self.may_have_missed(who, at_ms))
            || self.may_lack_parts(who, own);
        let told = reader.told.misses(chat.chat, self.name(author));
        let entered = reader.entered.contains(&(spot.group, spot.epoch));
        (missed && (told || chat.state != ChatState::Open))
            || (self.was_absent(who) && self.was_lost_to(who, own, (spot, missed, entered)))
            || (chat.state == ChatState::Ended && absent() && !entered)
    }

    /// Whether this person was told that their device could not follow the group, and the message fell
    /// into what that tells of: the time until it was begun anew, and before it what could not be had.
    fn was_lost_to(
        &self,
        who: usize,
        own: &HistoryRow,
        (spot, missed, entered): (&Spot, bool, bool),
    ) -> bool {
        let stored_ms = own.stored_ms.unwrap_or_default();
        let unread = || missed || !entered || self.was_absent_at(who, stored_ms);
        let mut losses = self.people[who].losses_of(&spot.group);
        losses.any(|lost| stored_ms < lost.until_ms && (lost.from_ms <= stored_ms || unread()))
    }

    /// Who may have invited somebody to a group: whoever asked them in, and whoever began it.
    pub(super) fn inviters_of(&self, whom: usize, group: &[u8; 32]) -> impl Iterator<Item = usize> {
        let identity = self.people[whom].identity;
        let asked = move |person: &Person| {
            let mut wishes = person.wishes.iter().filter(|wished| wished.group == *group);
            wishes.any(|wished| wished.change == Change::In(identity))
        };
        let people = self.people.iter().enumerate();
        let inviters = people.filter(move |(_, it)| asked(it) || it.has_founded(group));
        inviters.map(|(inviter, _)| inviter)
    }

    /// Whether an invitation of somebody who may have asked this person into a group could not be
    /// followed, and they know it.
    pub(super) fn has_failed_to_join(&self, who: usize, group: &[u8; 32]) -> bool {
        let told = &self.people[who].told;
        self.inviters_of(who, group).any(|inviter| told.of_failed_join(self.name(inviter)))
    }

    /// The parts of a long text are stored before its head, and may be gone before it.
    pub(super) fn may_lack_parts(&self, who: usize, own: &HistoryRow) -> bool {
        let long = own.text.len() > CELL_BYTES;
        long && own.stored_ms.is_some_and(|at_ms| self.lacks_parts(who, at_ms, own.sent_ms))
    }

    /// Whether this person sat in that epoch in a stay of which their device has followed nothing, and
    /// they know that: by a word of it, or because the invitation is among what they are told is gone.
    fn is_of_skipped_stay(&self, who: usize, spot: &Spot) -> bool {
        if !self.is_skipped(who, &spot.group, spot.epoch) {
            return false;
        }
        let told = &self.people[who].told;
        let chat = self.people[who].chat_of(&spot.group);
        chat.is_some_and(|chat| told.of_skipped_stay(chat.chat))
            || self.has_failed_to_join(who, &spot.group)
            || ((told.of_expired() || told.of_begun_anew()) && self.was_absent(who))
    }

    /// Whether this person's device had gone on to another group in this one's place before it could
    /// see the message, and one of the two is told so: the author, or whoever began the group anew. Some
    /// authors cannot be: see [`Self::is_left_behind`].
    fn is_of_ended_group(&self, who: usize, author: usize, spot: &Spot) -> bool {
        let (reader, author) = (&self.people[who], &self.people[author]);
        let told = |person: &Person| {
            person.chats_of(&spot.group).any(|chat| person.told.of_ended_group(chat))
        };
        reader.after(&spot.group).is_some_and(|next| {
            let behind = next.seen < spot.tick() && self.is_left_behind(author, spot, next);
            told(author) || (next.founded && told(reader)) || behind
        })
    }

    /// Whether an author had not followed when others went on: they sat nowhere in the other group by
    /// then, had asked to be out of the old one, or knew nobody as an owner of it who has begun that
    /// other one. For the last two it is a chat of its own (docs/simulator.md).
    fn is_left_behind(&self, author: &Person, spot: &Spot, next: &Stage) -> bool {
        let taken = self.watch.sat_by(&next.group, &author.identity, spot.tick());
        let left = author.left.iter().any(|(group, _)| *group == spot.group);
        let founders = self.people.iter().filter(|it| it.has_founded(&next.group));
        let newest = self.watch.newest_entered(&spot.group, author);
        let owns = |founder: &Person| {
            let seats = newest.map(|epoch| epoch.seats.as_slice()).unwrap_or_default();
            let mut seats = seats.iter().filter(|seat| seat.identity == founder.identity);
            seats.any(|seat| seat.role == Role::Owner)
        };
        let followed = author.after(&spot.group).is_some();
        !followed && (!taken || left || !founders.into_iter().any(owns))
    }

    /// Whether this person had left when a message of that epoch came, and was not back.
    fn has_left(&self, who: usize, spot: &Spot) -> bool {
        let person = &self.people[who];
        let mut left = person.left.iter().filter(|(of, at)| *of == spot.group && *at <= spot.epoch);
        left.any(|(group, at)| self.watch.stays(group, &person.identity, *at..=spot.epoch))
    }
}
