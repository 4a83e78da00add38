//! Where conversations stand.

use crate::outcome::Wrong;
use crate::person::Person;
use crate::play::what_is;
use crate::world::World;
use std::collections::BTreeSet;
use undertone_core::Standing;
use undertone_core::io::ChatState;

impl World {
    /// A device that cannot follow says so, and has a reason.
    pub(super) fn judge_states(&mut self) {
        let mut found = Vec::new();
        for (who, person) in self.people.iter().enumerate() {
            for standing in person.standings.values() {
                if standing.state != ChatState::Stuck {
                    continue;
                }
                let what =
                    format!("{} in {}", person.name, what_is(standing.kind, &standing.title));
                if !person.told.stuck.contains_key(&standing.chat) {
                    found.push((Wrong::SilentStuck, what.clone()));
                }
                if !self.was_absent(who) && !self.is_copied(who) {
                    found.push((Wrong::Stuck, what));
                }
            }
        }
        self.all_wrong(found);
    }

    /// All who follow a group are in its newest epoch, and those who are in it follow it.
    pub(super) fn judge_rosters(&mut self) {
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
            let misplaced = match standing {
                None => self.absentee(who, group, sits, newest),
                Some(standing) => self.misplaced(who, sits, standing, newest),
            };
            found.extend(misplaced);
        }
        found
    }

    /// Whoever was invited has the group, unless the invitation was gone before they could read it, or
    /// before whoever invited them could send it, or one of the two lives twice.
    fn absentee(
        &self,
        who: usize,
        group: &[u8; 32],
        sits: bool,
        newest: u64,
    ) -> Option<(Wrong, String)> {
        let name = self.name(who);
        let expired =
            self.was_undone(who, group) || self.may_have_missed_invitation(who, group, newest);
        let text = format!("{name} was added to a group at epoch {newest} and does not have it");
        (sits && !expired && !self.was_put_back(who)).then_some((Wrong::NotJoined, text))
    }

    /// Whether an invitation to this group is among what a recovery has undone and nobody could put
    /// again: that alarm says so (ADR 0010).
    fn was_undone(&self, who: usize, group: &[u8; 32]) -> bool {
        self.server.recoveries > 0 && self.has_failed_to_join(who, group)
    }

    fn was_put_back(&self, who: usize) -> bool {
        self.people[who].restored_ms.is_some()
    }

    fn may_have_missed_invitation(&self, who: usize, group: &[u8; 32], newest: u64) -> bool {
        let Some(epoch) = self.watch.epoch(group, newest) else { return false };
        let seated = |person: &Person| epoch.seats.iter().any(|it| it.identity == person.identity);
        let members = self.people.iter().enumerate().filter(|(_, person)| seated(person));
        let lost = |member| self.was_absent(member) || self.is_copied(member);
        lost(who) || members.into_iter().any(|(member, _)| lost(member))
    }

    fn misplaced(
        &self,
        who: usize,
        sits: bool,
        standing: &Standing,
        newest: u64,
    ) -> Option<(Wrong, String)> {
        let name = self.name(who);
        let what = what_is(standing.kind, &standing.title);
        let number = standing.epoch.as_ref().map(|epoch| epoch.number);
        match standing.state {
            ChatState::Stuck => None,
            ChatState::Ended => {
                let text = format!("{name} is out of {what} and sits in its epoch {newest}");
                let group = &standing.group;
                let left = self.people[who].left.iter().any(|(of, _)| of == group);
                let excused = left
                    || self.has_retired(who, group)
                    || self.was_put_back(who)
                    || self.was_undone(who, group)
                    || self.may_have_missed_invitation(who, group, newest);
                (sits && !excused).then_some((Wrong::NotJoined, text))
            }
            _ if self.is_copied(who) => None,
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
}
