//! What people were told: everything that is so, and nothing that is not.

use crate::lineage::Stage;
use crate::outcome::Wrong;
use crate::told::Told;
use crate::world::World;
use undertone_core::ChatId;
use undertone_core::io::{ChatState, Event};

impl World {
    /// Whether this person sat in that epoch in a stay of which their device has followed nothing.
    pub(super) fn is_skipped(&self, who: usize, group: &[u8; 32], epoch: u64) -> bool {
        let (identity, entered) = (&self.people[who].identity, &self.people[who].entered);
        let mut entered = entered.range((*group, 0)..=(*group, u64::MAX)).map(|(_, seen)| *seen);
        let joins = |seen: u64| epoch.min(seen)..=epoch.max(seen);
        !entered.any(|seen| self.watch.stays(group, identity, joins(seen)))
    }

    fn has_skipped(&self, who: usize, chat: ChatId) -> bool {
        let person = &self.people[who];
        let groups = person.lineage.get(&chat).into_iter().flatten();
        groups.into_iter().any(|Stage { group, .. }| {
            let mut sat = self.watch.epochs_with(group, &person.identity);
            sat.any(|epoch| self.is_skipped(who, group, epoch))
        })
    }

    /// Whether some stay of this person, in whatever group, is one that their device did not follow: who
    /// invited them to it may be known to it no more, and an unknown word is not believed.
    fn has_skipped_any(&self, who: usize) -> bool {
        let identity = &self.people[who].identity;
        self.groups.values().flatten().any(|group| {
            let mut sat = self.watch.epochs_with(group, identity);
            sat.any(|epoch| self.is_skipped(who, group, epoch))
        })
    }

    /// Nothing is said to be missing that cannot be: only what may have expired unread, stays that
    /// were over too soon, and what was written to a group that had been begun anew.
    pub(super) fn judge_gaps(&mut self) {
        let mut found = Vec::new();
        for (who, person) in self.people.iter().enumerate() {
            let gaps = person.told.gaps.iter();
            let gaps = gaps.flat_map(|(chat, gaps)| gaps.iter().map(move |gap| (*chat, gap)));
            let gaps = gaps.filter(|(chat, gap)| !self.is_true_gap(who, *chat, gap));
            found.extend(gaps.map(|(_, gap)| (Wrong::FalseGap, format!("{}: {gap}", person.name))));
        }
        self.all_wrong(found);
    }

    fn is_true_gap(&self, who: usize, chat: ChatId, gap: &str) -> bool {
        let skipped = Told::is_of_stay(gap) && self.has_skipped(who, chat);
        let ended = Told::is_of_ended_group(gap) && self.has_gone_on(who, chat);
        skipped
            || ended
            || self.anybody_was_absent()
            || self.is_copied(who)
            || self.may_lack_half(who, chat, gap)
    }

    /// Whether a gap is about the author of a long text in that chat, who may have been away with half of
    /// it sent.
    fn may_lack_half(&self, who: usize, chat: ChatId, gap: &str) -> bool {
        let stages = self.people[who].lineage.get(&chat).into_iter().flatten();
        let groups: Vec<_> = stages.map(|stage| stage.group).collect();
        let mut authors = self.people.iter().filter(|author| Told::is_of_author(gap, &author.name));
        authors.any(|author| {
            let mut own = author.disk.rows().filter(|row| row.own);
            own.any(|own| {
                let here = author.spot(own).is_some_and(|spot| groups.contains(&spot.group));
                here && self.may_lack_parts(who, own)
            })
        })
    }

    pub(crate) fn check_shown_once(&mut self, who: usize, event: &Event) {
        let Event::Message(row) = event else { return };
        let times = self.people[who].told.messages.get(row);
        if times.is_some_and(|times| *times > 1) {
            let row = self.people[who].disk.row(row.chat, row.message);
            let text = row.map(|row| row.text.chars().take(20).collect::<String>());
            self.wrong(Wrong::Doubled, format!("{} is shown {text:?} again", self.name(who)));
        }
    }

    /// Honest people on an honest server cause no alarm; what expired may be told as one, a recovery
    /// is told once, and a profile that lives twice says so.
    pub(crate) fn check_alarm(&mut self, who: usize, event: &Event) {
        let Event::Alarm { code, text } = event else { return };
        let told = self.people[who].told.alarms.iter().filter(|(of, _)| of == code).count();
        let excused = match code.as_str() {
            // An invitation that a recovery has undone names a head that nobody can show (ADR 0010).
            "join_failed" | "head_denied" => {
                let older = text.contains("not newer than what this device has seen");
                let skipped = older && self.has_skipped_any(who);
                skipped || self.anybody_was_absent() || self.server.recoveries > 0
            }
            // Whoever cannot be followed any more cannot be told that they were added.
            "invite" => self.anybody_was_absent() || self.anybody_is_copied(),
            "server_recovered" => told <= self.server.recoveries,
            "copied_profile" => self.people[who].restored_ms.is_some(),
            _ => false,
        };
        if !excused {
            let text = format!("{}: {code}: {text}", self.name(who));
            self.wrong(Wrong::FalseAlarm, text);
        }
    }

    fn anybody_is_copied(&self) -> bool {
        (0..self.people.len()).any(|who| self.is_copied(who))
    }

    /// A profile that was put back and then wrote where its other life had written says so.
    pub(super) fn judge_copies(&mut self) {
        let mut found = Vec::new();
        for person in self.people.iter().filter(|person| !person.told.copied) {
            let met = |(tag, first): &&_| self.server.holds(tag, first);
            let met = person.collided.iter().filter(met).count();
            if person.restored_ms.is_some() && met > 0 {
                let text = format!("{}: {met} cells of another life, and no word", person.name);
                found.push((Wrong::CopyUnsaid, text));
            }
        }
        self.all_wrong(found);
    }

    /// What a device says of itself at the quiet end.
    pub(super) fn judge_health(&mut self) {
        let mut found = Vec::new();
        let newest = self.server.newest();
        for (who, person) in self.people.iter().enumerate() {
            let Some(health) = &person.health else { continue };
            let name = &person.name;
            let live = |chat| {
                let state = person.standings.get(&chat).map(|it| it.state);
                state == Some(ChatState::Stuck)
            };
            let stuck: Vec<_> = health.stuck.iter().copied().filter(|chat| live(*chat)).collect();
            if health.tick != newest {
                let text = format!("{name} has walked to {}, not {newest}", health.tick);
                found.push((Wrong::NoProgress, text));
            }
            if health.reading > 0 {
                let text = format!("{name} reads {} things for ever", health.reading);
                found.push((Wrong::NoProgress, text));
            }
            let withheld = health.withheld > 0 && !self.anybody_was_absent();
            if withheld {
                let text = format!("{name} waits for {} cells", health.withheld);
                found.push((Wrong::NoProgress, text));
            }
            if health.halted.is_some() && !self.is_copied(who) {
                found.push((Wrong::FalseAlarm, format!("{name} sends nothing any more")));
            }
            if stuck.len() != health.stuck.len() {
                found.push((Wrong::SilentStuck, format!("{name} miscounts what is stuck")));
            }
        }
        self.all_wrong(found);
    }
}
