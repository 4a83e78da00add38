//! What everybody must have at the quiet end.
//!
//! **Entitled** to a message is every person who sits in the epoch that the message counts in, but
//! its author. The epoch is read from the row's transcript order, its seats from what members saw
//! of that epoch while it lasted: somebody always did, since whoever ended it was in it.
//! Not owed: what fell into the epoch in which a person left by themselves, from then on (a leaver
//! forgets the group as soon as the leave is stored); what was stored in a group that the reader's
//! own device had seen begun anew by then, of which the author is told.
//!
//! **Not entitled** is whoever is neither in that epoch nor among those whom the author's device
//! showed as readers when the message was written (its roster, with those whom the author had asked
//! in and without those whom the author had asked out), or when its author released it.
//!
//! **Excuses are as small as their causes.** What was gone from the server before a device had the
//! time to read it is missing with a word of it, and only that (`presence`). Whoever's profile was put
//! back is excused from then on, and only if both lives met and the device says so.
//!
//! Each file judges one thing: `states` where conversations stand, `texts` every message from its
//! author's side, `histories` every history, `notices` what was told, `size` what is kept.

mod histories;
mod notices;
mod size;
mod states;
mod texts;

use crate::outcome::Wrong;
use crate::world::World;

impl World {
    /// Judges the quiet end.
    pub(crate) fn judge(&mut self) {
        self.refresh();
        self.look_at_health();
        self.check_promises();
        self.judge_progress();
        self.judge_states();
        self.judge_rosters();
        self.judge_histories();
        self.judge_texts();
        self.judge_gaps();
        self.judge_copies();
        self.judge_health();
        self.judge_size();
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

    /// Whether this person's profile was put back, and their device has noticed that it lives twice:
    /// it sends nothing any more where that is so.
    fn is_copied(&self, who: usize) -> bool {
        let person = &self.people[who];
        person.restored_ms.is_some() && person.told.copied
    }

    fn all_wrong(&mut self, found: Vec<(Wrong, String)>) {
        for (wrong, text) in found {
            self.wrong(wrong, text);
        }
    }
}
