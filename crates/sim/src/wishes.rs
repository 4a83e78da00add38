//! What people asked of their groups, and what the world has seen of it.
//!
//! A wish is open until the epochs that were seen say that it came true, until the device said that it
//! comes to nothing, or until whoever wished went themselves. What the engine holds to be undecided
//! is not asked here.

use crate::world::World;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use undertone_core::io::{ChatState, Role};
use undertone_core::{ChatId, Standing};
use undertone_crypto::IdentityKey;

/// What is to become of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Somebody comes.
    In(IdentityKey),
    /// Somebody goes.
    Out(IdentityKey),
    /// It has this name.
    Named(String),
    /// Somebody has this role.
    Role(IdentityKey, Role),
}

/// A change that a device has taken on.
#[derive(Clone, Debug)]
pub(crate) struct Wished {
    pub group: [u8; 32],
    pub change: Change,
    /// In which epoch it was asked.
    pub epoch: u64,
    /// The device said that it comes to nothing.
    pub given_up: bool,
}

impl Change {
    /// Whether the later of two wishes of one person takes the place of the earlier.
    fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(_), Self::Named(_)) => true,
            (Self::Role(one, _), Self::Role(other, _)) => one == other,
            _ => false,
        }
    }
}

impl World {
    /// A device has taken a wish on.
    pub(crate) fn wish(&mut self, who: usize, group: [u8; 32], change: Change) {
        let epoch = self.epoch_number(who, &group);
        let wishes = &mut self.people[who].wishes;
        wishes.retain(|before| before.group != group || !change.replaces(&before.change));
        wishes.push(Wished { group, change, epoch, given_up: false });
    }

    pub(crate) fn epoch_number(&self, who: usize, group: &[u8; 32]) -> u64 {
        let standing = self.people[who].chat_of(group);
        standing.and_then(|standing| standing.epoch.as_ref()).map_or(0, |epoch| epoch.number)
    }

    /// A wish that came to nothing is said so.
    pub(crate) fn on_membership(&mut self, who: usize, chat: ChatId, text: &str) {
        let Some(group) = self.people[who].standings.get(&chat).map(|it| it.group) else { return };
        let names: Vec<_> =
            self.people.iter().map(|person| (person.identity, person.name.clone())).collect();
        let about = |identity: &IdentityKey, what: &str| {
            let name = names.iter().find(|(of, _)| of == identity);
            name.is_some_and(|(_, name)| text.starts_with(&format!("{name} {what}")))
        };
        let role_stays = |identity: &IdentityKey| {
            let name = names.iter().find(|(of, _)| of == identity);
            name.is_some_and(|(_, name)| text.starts_with(&format!("The role of {name} stays")))
        };
        for wished in self.people[who].wishes.iter_mut().filter(|it| it.group == group) {
            wished.given_up |= match &wished.change {
                Change::In(whom) => {
                    ["was not added", "cannot be added yet"].iter().any(|it| about(whom, it))
                }
                Change::Out(whom) => {
                    about(whom, "was not removed") || text.starts_with("Nobody was removed")
                }
                Change::Named(title) => {
                    text.starts_with(&format!("The group was not named {title}"))
                }
                Change::Role(whom, _) => role_stays(whom),
            };
        }
    }

    /// The people whom a device shows as readers of what is written now: everybody in the epoch, with
    /// those whom its owner has asked in and without those whom they have asked out.
    pub(crate) fn audience(&self, who: usize, group: &[u8; 32]) -> BTreeSet<IdentityKey> {
        let person = &self.people[who];
        let epoch = person.chat_of(group).and_then(|standing| standing.epoch.as_ref());
        let Some(epoch) = epoch else { return BTreeSet::new() };
        let mut people: BTreeSet<_> = epoch.seats.iter().map(|seat| seat.identity).collect();
        for wished in person.wishes.iter().filter(|it| it.group == *group) {
            let open = self.is_open(who, wished, epoch.number);
            match &wished.change {
                Change::In(whom) if open => drop(people.insert(*whom)),
                Change::Out(whom) if open => drop(people.remove(whom)),
                _ => {}
            }
        }
        people
    }

    /// Whether a wish is undecided in the epoch `now` of whoever wished it.
    fn is_open(&self, who: usize, wished: &Wished, now: u64) -> bool {
        let (group, since) = (&wished.group, wished.epoch..=now);
        let stays = |it: &IdentityKey| self.watch.stays(group, it, since.clone());
        if wished.given_up || !stays(&self.people[who].identity) {
            return false;
        }
        match &wished.change {
            Change::In(whom) => !self.watch.sat(group, whom, since),
            Change::Out(whom) => stays(whom),
            Change::Named(title) => {
                !self.watch.epochs_in(group, since).any(|(_, epoch)| epoch.title == *title)
            }
            Change::Role(whom, role) => stays(whom) && !self.has_had(group, whom, *role, since),
        }
    }

    fn has_had(
        &self,
        group: &[u8; 32],
        whom: &IdentityKey,
        role: Role,
        epochs: RangeInclusive<u64>,
    ) -> bool {
        let mut epochs = self.watch.epochs_in(group, epochs);
        epochs.any(|(_, epoch)| {
            epoch.seats.iter().any(|seat| seat.identity == *whom && seat.role == role)
        })
    }

    /// What somebody asked for and what has neither come true nor been given up, in words.
    pub(crate) fn unmet(&self) -> Option<String> {
        let mut people = self.people.iter().enumerate();
        people.find_map(|(who, person)| {
            let mut wishes = person.wishes.iter();
            let wished = wishes.find(|wished| self.is_unmet(who, wished));
            let wish = wished.map(|it| format!("{} waits for {:?}", person.name, it.change));
            wish.or_else(|| self.unheard_leave(who))
        })
    }

    fn is_unmet(&self, who: usize, wished: &Wished) -> bool {
        let Some(standing) = self.follows(who, &wished.group) else { return false };
        let left = self.people[who].left.iter();
        let leaves = left.into_iter().any(|(of, at)| *of == wished.group && *at >= wished.epoch);
        let now = standing.epoch.as_ref().map_or(0, |epoch| epoch.number);
        !leaves && self.is_open(who, wished, now)
    }

    /// Where somebody stands in a group that they follow.
    pub(crate) fn follows(&self, who: usize, group: &[u8; 32]) -> Option<&Standing> {
        let standing = self.people[who].chat_of(group)?;
        (standing.state == ChatState::Open && standing.epoch.is_some()).then_some(standing)
    }

    /// Somebody has left, and those who may take them out have not.
    fn unheard_leave(&self, who: usize) -> Option<String> {
        let person = &self.people[who];
        let left = person.left.iter().find(|(group, at)| {
            let ended = person.chat_of(group).is_some_and(|it| it.state == ChatState::Ended);
            let retired = self.has_retired(who, group);
            let newest = self.newest_followed(group).filter(|_| ended && !retired);
            newest.is_some_and(|newest| self.watch.stays(group, &person.identity, *at..=newest))
        });
        left.map(|_| format!("{} has left and sits in the group", person.name))
    }

    /// The newest epoch that somebody follows who may change the group.
    fn newest_followed(&self, group: &[u8; 32]) -> Option<u64> {
        let of = |who: usize| {
            let epoch = self.follows(who, group)?.epoch.as_ref()?;
            let own = |seat: &&undertone_core::Seat| seat.identity == self.people[who].identity;
            let may = epoch.seats.iter().find(own).is_some_and(|seat| seat.role >= Role::Admin);
            may.then_some(epoch.number)
        };
        (0..self.people.len()).filter_map(of).max()
    }
}
