//! Groups that take each other's place: which group a row of a chat stands in.
//!
//! The transcript of a chat goes on when its group is begun anew; a row's order counts the epochs of
//! the groups before. How many those are may differ between devices, so places are compared by group
//! and epoch.

use crate::person::Person;
use crate::told::Lost;
use crate::wishes::Change;
use crate::world::World;
use std::fmt;
use undertone_core::io::{ChatState, Command, HistoryRow};
use undertone_core::{ChatId, Standing};
use undertone_crypto::IdentityKey;

/// Bytes of an order before which the epoch stands.
const EPOCH: usize = 8;

/// A group that has or had a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    pub group: [u8; 32],
    /// Added to its epochs.
    pub before: u64,
    /// The newest tick that the device had seen when it took the chat.
    pub seen: u64,
    /// Whether this device has begun it.
    pub founded: bool,
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub group: [u8; 32],
    pub epoch: u64,
    /// Effective tick, leaf and slot.
    pub place: Vec<u8>,
}

impl Spot {
    /// The effective tick.
    pub(crate) fn tick(&self) -> u64 {
        self.place.first_chunk().map_or(0, |tick| u64::from_be_bytes(*tick))
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = u16::from_be_bytes([self.group[0], self.group[1]]);
        write!(f, "{group:04x}/{}/{:?}", self.epoch, self.place)
    }
}

impl Person {
    /// A conversation was seen: its group has the chat now.
    pub(crate) fn note_group(&mut self, standing: &Standing) {
        let groups = self.lineage.entry(standing.chat).or_default();
        if groups.last().is_none_or(|stage| stage.group != standing.group) {
            let (group, before, seen) = (standing.group, standing.epochs_before, self.seen);
            let founded = standing.epoch.as_ref().is_some_and(|epoch| epoch.number == 0);
            groups.push(Stage { group, before, seen, founded });
        }
    }

    /// Where a row of this person's history stands; `None` when it stands nowhere yet.
    pub(crate) fn spot(&self, row: &HistoryRow) -> Option<Spot> {
        let (epoch, place) = row.order.split_first_chunk::<EPOCH>()?;
        let epoch = u64::from_be_bytes(*epoch);
        let mut groups = self.lineage.get(&row.chat)?.iter().rev();
        let stage = groups.find(|stage| stage.before <= epoch)?;
        let epoch = epoch - stage.before;
        Some(Spot { group: stage.group, epoch, place: place.to_vec() })
    }

    /// When chats that have had this group were said to be lost.
    pub(crate) fn losses_of(&self, group: &[u8; 32]) -> impl Iterator<Item = Lost> {
        let lost = self.chats_of(group).filter_map(|chat| self.told.stuck.get(&chat));
        lost.flatten().copied()
    }

    /// Whether this device has begun this group.
    pub(crate) fn has_founded(&self, group: &[u8; 32]) -> bool {
        let mut stages = self.lineage.values().flatten();
        stages.any(|stage| stage.founded && stage.group == *group)
    }

    /// The chats that have had this group.
    pub(crate) fn chats_of(&self, group: &[u8; 32]) -> impl Iterator<Item = ChatId> {
        let had = |stages: &Vec<Stage>| stages.iter().any(|stage| stage.group == *group);
        self.lineage.iter().filter(move |(_, stages)| had(stages)).map(|(chat, _)| *chat)
    }

    /// What took a group's place with this person.
    pub(crate) fn after(&self, group: &[u8; 32]) -> Option<&Stage> {
        self.lineage.values().find_map(|groups| {
            let at = groups.iter().position(|stage| stage.group == *group)?;
            groups.get(at + 1)
        })
    }
}

impl World {
    /// Whether another group has taken this one's place with this person.
    pub(crate) fn has_retired(&self, who: usize, group: &[u8; 32]) -> bool {
        self.people[who].after(group).is_some()
    }

    /// Whether somebody's chat has had more than one group.
    pub(crate) fn has_gone_on(&self, who: usize, chat: ChatId) -> bool {
        self.people[who].lineage.get(&chat).is_some_and(|groups| groups.len() > 1)
    }

    /// The conversation that a group of the script is for somebody: the one that lives, if it was
    /// begun anew.
    pub(crate) fn standing_in(&self, who: usize, group: usize) -> Option<&Standing> {
        let groups = self.groups.get(&group)?.iter().rev();
        let mut standings = groups.filter_map(|group| self.people[who].chat_of(group));
        let newest = standings.next()?;
        let lives = |it: &&Standing| it.state != ChatState::Ended;
        Some(Some(newest).filter(lives).or_else(|| standings.find(lives)).unwrap_or(newest))
    }

    /// Somebody has begun a group anew: everybody who was in it is invited, as far as is said.
    pub(crate) fn on_restarted(
        &mut self,
        who: usize,
        number: usize,
        old: [u8; 32],
        (chat, left): (ChatId, &[IdentityKey]),
    ) {
        let mut taken = self.audience_before(who, &old);
        taken.retain(|whom| !left.contains(whom));
        self.follow_restart(who, number, chat, taken);
    }

    fn follow_restart(&mut self, who: usize, number: usize, chat: ChatId, taken: Vec<IdentityKey>) {
        let account = self.people[who].account.as_mut();
        let Some(standing) = account.and_then(|account| account.standing(chat)) else { return };
        let group = standing.group;
        self.groups.entry(number).or_default().push(group);
        self.people[who].standings.insert(chat, standing);
        for whom in taken {
            self.wish(who, group, Change::In(whom));
        }
    }

    /// Whether a group was begun anew although the device died before it could say so.
    pub(crate) fn has_begun_anew(&self, who: usize, command: &Command, old: &[u8; 32]) -> bool {
        let Command::Restart { chat, .. } = command else { return false };
        self.people[who].standings.get(chat).is_some_and(|standing| standing.group != *old)
    }

    /// It has taken along whoever sat in the last epoch that it was seen in, as far as it has a
    /// conversation with them.
    pub(crate) fn on_unheard_restart(
        &mut self,
        who: usize,
        number: usize,
        old: [u8; 32],
        command: &Command,
    ) {
        let Command::Restart { chat, .. } = command else { return };
        let person = &self.people[who];
        let entered = person.entered.iter().filter(|(group, _)| *group == old);
        let epoch = entered
            .max_by_key(|(_, epoch)| *epoch)
            .and_then(|(group, epoch)| self.watch.epoch(group, *epoch));
        let seats = epoch.map(|epoch| epoch.seats.as_slice()).unwrap_or_default();
        let lives = |whom: &IdentityKey| {
            let contact = person.contact_with(whom);
            contact.is_some_and(|it| matches!(it.state, ChatState::Open | ChatState::Requested))
        };
        let taken = seats.iter().map(|seat| seat.identity).filter(lives).collect();
        self.follow_restart(who, number, *chat, taken);
    }

    /// The others who were in a group as a device saw it last, without those who were asked out.
    fn audience_before(&self, who: usize, old: &[u8; 32]) -> Vec<IdentityKey> {
        let own = self.people[who].identity;
        let people = self.audience(who, old).into_iter();
        people.filter(|whom| *whom != own && self.sat_last(who, old, whom)).collect()
    }

    /// Whether somebody sits in the epoch in which a device stood last.
    fn sat_last(&self, who: usize, group: &[u8; 32], whom: &IdentityKey) -> bool {
        let number = self.epoch_number(who, group);
        self.watch.sat(group, whom, number..=number)
    }
}
