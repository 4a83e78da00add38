//! A group that takes another's place: one chat goes on (DESIGN.md section 5, *Restart*).
//!
//! The old conversation gives its chat away and ends as a *retired* one: nobody sees it, but its id and
//! its epochs stay known, so that no invitation leads back to keys that were used. Texts that did not
//! count yet go along, with the people who were shown when they were written.

use super::roster::Roster;
use super::send::TEXT;
use super::{Conversation, Ctx, Outgoing, Reading};
use crate::account::refuse;
use crate::body::Succeeds;
use crate::ids::{ChatId, Name};
use crate::io::{ChatKind, ChatState, Refused, Role};
use crate::log::LogFollower;
use crate::policy::Policy;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use undertone_crypto::IdentityKey;

/// Own texts of which is remembered when they were stored.
const OWN_MAX: usize = 64;

/// Where a conversation stands in the succession of its chat.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Succession {
    /// The MLS group whose place it took.
    succeeds: Option<[u8; 32]>,
    /// How far this device had read it.
    #[serde(default)]
    read: ReadTo,
    /// Owners of that group, who may have begun it anew at the same time.
    rivals: BTreeSet<IdentityKey>,
    /// When it took the place, by the server's clock.
    since_ms: u64,
    /// Whether this device founded it.
    founded: bool,
    /// Added to its epochs in the order of the chat's transcript.
    epochs_before: u64,
    /// Another conversation has its chat now.
    pub retired: bool,
    /// Ticks of this device's newest texts.
    own: VecDeque<u64>,
    /// An invitation to its successor is being followed: nothing more is written here.
    #[serde(skip)]
    pub yields: bool,
}

/// How far a device had read what others wrote in a group.
#[derive(Clone, Default, Serialize, Deserialize)]
struct ReadTo {
    /// Everybody's messages are read up to this tick.
    all: u64,
    /// Of some they are up to a later one.
    further: BTreeMap<IdentityKey, u64>,
}

/// The group whose place another took, as its members are told of it.
pub(crate) struct Predecessor {
    conversation: [u8; 32],
    read: ReadTo,
}

impl Predecessor {
    /// What an invitation says of it to this person.
    pub(crate) fn as_told(&self, identity: &IdentityKey) -> Succeeds {
        let ReadTo { all, further } = &self.read;
        let read_to = further.get(identity).copied().unwrap_or(*all);
        Succeeds { conversation: self.conversation, read_to }
    }
}

/// What a conversation hands on when another takes its place.
pub(crate) struct Estate {
    chat: ChatId,
    succeeds: [u8; 32],
    read: ReadTo,
    /// Whether everything that was listed for it is read.
    pub read_out: bool,
    rivals: BTreeSet<IdentityKey>,
    epochs_before: u64,
    /// Numbers of everything that stood in its queue.
    queued: Vec<u64>,
    texts: BTreeMap<u64, Outgoing>,
    next_outgoing: u64,
    names: BTreeMap<IdentityKey, Name>,
    /// Who was there, as far as is known here.
    pub roster: Option<Roster>,
    /// Ticks of this device's newest texts.
    pub own: VecDeque<u64>,
    /// People whom only this device has brought into it.
    pub guests: BTreeSet<IdentityKey>,
}

impl Succession {
    /// The MLS group whose place it took.
    pub(crate) fn succeeds(&self) -> Option<[u8; 32]> {
        self.succeeds
    }

    /// The group whose place it took, for those who are invited.
    pub(super) fn predecessor(&self) -> Option<Predecessor> {
        let read = self.read.clone();
        self.succeeds.map(|conversation| Predecessor { conversation, read })
    }

    /// Whether `identity` may have begun the same group anew at the same time: within `window_ms`.
    pub(crate) fn has_rival(&self, identity: &IdentityKey, now_ms: u64, window_ms: u64) -> bool {
        self.rivals.contains(identity) && now_ms <= self.since_ms.saturating_add(window_ms)
    }

    /// An epoch's number in the order of the chat: later groups stand after earlier ones.
    pub(super) fn epoch_in_chat(&self, epoch: u64) -> u64 {
        self.epochs_before.saturating_add(epoch)
    }

    pub(super) fn note_own(&mut self, tick: u64) {
        self.own.push_back(tick);
        if self.own.len() > OWN_MAX {
            self.own.pop_front();
        }
    }
}

impl Conversation {
    /// Roster of a group that its owner begins anew, as far as it is known here: a device that is
    /// stuck knows what it knew then.
    ///
    /// # Errors
    /// When this is no group of one's own, or it is being begun anew already.
    pub(crate) fn roster_to_restart(&mut self, ctx: &mut Ctx<'_>) -> Result<Roster, Refused> {
        self.check_restart(ctx)?;
        let roster = self.roster(ctx).ok_or_else(|| {
            refuse(
                "stuck",
                "Who is in this group is not known here any more.",
                "Create a group: `undertone group create NAME MEMBER…`.",
            )
        })?;
        if !roster.is_owned_by(&ctx.me.identity) {
            let hint = "Ask one of them to begin it anew.";
            return Err(refuse("not_allowed", "Only owners may do this.", hint));
        }
        Ok(roster)
    }

    fn check_restart(&self, ctx: &Ctx<'_>) -> Result<(), Refused> {
        if self.kind() == ChatKind::Contact {
            return Err(refuse(
                "not_allowed",
                "This is a conversation of two people.",
                "Begin it anew with a fresh link: `undertone link`.",
            ));
        }
        if self.state == ChatState::Ended || self.leaving {
            return Err(refuse(
                "ended",
                "You are not in this group any more.",
                "Create a group: `undertone group create NAME MEMBER…`.",
            ));
        }
        if self.is_live() && !self.may_be_left(ctx) {
            return Err(refuse(
                "not_ready",
                "This device has not read all of this group yet, or what it wrote last is under way.",
                "`undertone sync`, and again.",
            ));
        }
        // Whoever did not hear the answer asks again.
        let begins = self.succession.founded && self.epoch.number == 0;
        if begins && self.is_live() && !self.intents.is_empty() {
            return Err(refuse(
                "not_ready",
                "This group is being begun anew just now.",
                "`undertone sync`, and see `undertone group members CHAT`.",
            ));
        }
        Ok(())
    }

    /// Control slots of this epoch that hold nothing that counts, while a change of one's own waits.
    pub(crate) fn void_slots(&self) -> u64 {
        if self.pending.is_some() { self.epoch.control.index() } else { 0 }
    }

    /// People whose removal was asked for here and has not won.
    pub(crate) fn unwanted(&self) -> impl Iterator<Item = &IdentityKey> {
        self.intents.iter().filter_map(|intent| match intent {
            super::Intent::Remove { identity, asked: true, .. } => Some(identity),
            _ => None,
        })
    }

    /// Whether an owner's successor may take this group's place.
    pub(crate) fn may_be_succeeded(&self) -> bool {
        self.kind() == ChatKind::Group && self.state != ChatState::Ended && !self.leaving
    }

    /// Whether everything is read that is listed for this group and that the server delivers, and
    /// everything of one's own that left this device is decided.
    pub(crate) fn is_read_out(&self, log: &LogFollower) -> bool {
        let number = self.epoch.number;
        let mut lanes = self.reading.lanes.range((number, 0)..=(number, u32::MAX));
        let fetching = lanes.any(|(_, ahead)| ahead.is_fetching());
        let idle = self.reading.control.is_none() && !self.is_undecided();
        !self.is_live() || (self.is_searched(log) && idle && !fetching)
    }

    /// Whether an owner may leave this group behind: what would be sent again in its successor must
    /// not have counted here. Of what the server withholds that cannot be waited for.
    fn may_be_left(&self, ctx: &Ctx<'_>) -> bool {
        let undecided_change = self.reading.control.is_some();
        let settled = undecided_change || !self.is_undecided();
        self.is_searched(ctx.log) && settled && !ctx.cells.is_fetching_for(self.chat)
    }

    /// Whether the lanes were searched for new slots up to the newest head.
    fn is_searched(&self, log: &LogFollower) -> bool {
        let walked = log.walked();
        log.caught_up() && self.reading.scanned.get(&self.epoch.number) == Some(&walked)
    }

    /// Whether a message of one's own stands in a slot that is not read.
    fn is_undecided(&self) -> bool {
        self.outgoing.values().any(|outgoing| outgoing.placed().is_some())
    }

    /// Gives the chat away and ends, out of sight, as `hidden`.
    pub(crate) fn retire(&mut self, hidden: ChatId, ctx: &mut Ctx<'_>) -> Estate {
        let queued: BTreeSet<u64> = self.outgoing.keys().copied().collect();
        let read_out = self.is_live() && self.is_read_out(ctx.log);
        let read = self.read_to(read_out, ctx);
        self.take_back(u64::MAX);
        ctx.cells.forget_chat(self.chat);
        ctx.cells.cancel_gets(self.chat);
        let roster = self.roster(ctx);
        let queue = std::mem::take(&mut self.outgoing);
        let estate = Estate {
            chat: std::mem::replace(&mut self.chat, hidden),
            succeeds: self.conversation,
            read,
            read_out,
            rivals: owners(roster.as_ref()),
            epochs_before: self.succession.epoch_in_chat(self.epoch.number).saturating_add(1),
            queued: queued.into_iter().chain(std::mem::take(&mut self.dirty.outgoing)).collect(),
            texts: queue.into_iter().filter(|(_, outgoing)| outgoing.kind == TEXT).collect(),
            next_outgoing: self.next_outgoing,
            names: self.names.clone(),
            own: self.succession.own.clone(),
            guests: self.guests(roster.as_ref()),
            roster,
        };
        self.reading = Reading::default();
        self.succession.retired = true;
        self.end(ctx);
        estate
    }

    /// A lane is read strictly in order, and all before this epoch.
    fn read_to(&mut self, read_out: bool, ctx: &mut Ctx<'_>) -> ReadTo {
        if read_out {
            return ReadTo { all: ctx.log.walked(), further: BTreeMap::new() };
        }
        let mut read = ReadTo { all: self.epoch.opened, further: BTreeMap::new() };
        let members = self.roster(ctx).map(|roster| roster.members).unwrap_or_default();
        for member in members {
            let tick = self.epoch.lanes.get(&member.leaf).map_or(0, |lane| lane.effective);
            if tick > read.all {
                read.further.insert(member.identity, tick);
            }
        }
        read
    }

    /// As [`retire`](Self::retire), for another successor of the same group: what follows stands in
    /// this one's place.
    pub(crate) fn retire_for_rival(&mut self, hidden: ChatId, ctx: &mut Ctx<'_>) -> Estate {
        let Succession { succeeds, rivals, .. } = self.succession.clone();
        let estate = self.retire(hidden, ctx);
        let succeeds = succeeds.unwrap_or(estate.succeeds);
        Estate { succeeds, rivals, ..estate }
    }

    fn guests(&self, roster: Option<&Roster>) -> BTreeSet<IdentityKey> {
        if !self.succession.founded {
            return BTreeSet::new();
        }
        let inside = roster.map(Roster::people).unwrap_or_default();
        let coming = self.intents.iter().filter_map(|intent| match intent {
            super::Intent::Add(identity) => Some(*identity),
            _ => None,
        });
        inside.into_iter().chain(coming).collect()
    }

    /// Takes the chat over. The hello of a conversation is the first that it queues, and never a text:
    /// the texts keep their numbers, and with them their order.
    pub(crate) fn inherit(&mut self, estate: Estate, founded: bool, ctx: &mut Ctx<'_>) {
        self.chat = estate.chat;
        self.succession = Succession {
            succeeds: Some(estate.succeeds),
            read: estate.read,
            rivals: estate.rivals,
            since_ms: ctx.log.time_ms(),
            founded,
            epochs_before: estate.epochs_before,
            ..Succession::default()
        };
        self.dirty.outgoing.extend(self.outgoing.keys().copied().chain(estate.queued));
        self.outgoing.extend(estate.texts);
        self.next_outgoing = self.next_outgoing.max(estate.next_outgoing);
        for (identity, name) in estate.names {
            self.names.entry(identity).or_insert(name);
        }
        self.touch();
    }

    /// Goes on in the chat of an earlier stay in the same group.
    pub(crate) fn resume(&mut self, before: &Self) {
        self.succession = Succession { retired: false, ..before.succession.clone() };
        self.rename_chat(before.chat);
    }

    /// A rival who was a member and is no owner any more has no say.
    pub(super) fn drop_rivals(&mut self, before: &Roster, ctx: &mut Ctx<'_>) {
        let Some(after) = self.roster(ctx) else { return };
        let was_here = |rival: &IdentityKey| before.of(rival).next().is_some();
        self.succession.rivals.retain(|rival| !was_here(rival) || after.is_owned_by(rival));
    }
}

fn owners(roster: Option<&Roster>) -> BTreeSet<IdentityKey> {
    let owned = |roster: &Roster| {
        let people = roster.people().into_iter();
        people.filter(|identity| roster.policy.role(identity) == Role::Owner).collect()
    };
    roster.map(owned).unwrap_or_default()
}

impl Roster {
    /// The policy of a successor with these people: name and roles of whoever comes along.
    pub(crate) fn policy_of_successor(&self, people: &BTreeSet<IdentityKey>) -> Policy {
        let roles = self.policy.roles.iter().filter(|entry| people.contains(&entry.identity));
        Policy { roles: roles.cloned().collect(), ..self.policy.clone() }
    }
}

#[cfg(test)]
impl Succession {
    /// As if this group took that one's place.
    pub(crate) fn claim_for_tests(&mut self, succeeds: [u8; 32]) {
        self.succeeds = Some(succeeds);
    }
}
