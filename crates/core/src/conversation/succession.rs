//! A group that takes another's place: one chat goes on (DESIGN.md section 5, *Restart*).
//!
//! The old conversation gives its chat away and ends as a *retired* one: nobody sees it, but its id and
//! its epochs stay known, so that no invitation leads back to keys that were used. Texts that did not
//! count yet go along, with the people who were shown when they were written.

use super::read_to::ReadTo;
use super::roster::Roster;
use super::send::TEXT;
use super::{Conversation, Ctx, Outgoing, Reading};
use crate::account::refuse;
use crate::body::Succeeds;
use crate::ids::{ChatId, Name};
use crate::io::{ChatKind, ChatState, Refused, Role};
use crate::policy::Policy;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use undertone_crypto::IdentityKey;

/// Own texts of which is remembered when they were stored.
const OWN_MAX: usize = 64;
/// For so long an owner who begins a group anew, or a member who follows, waits for what is not read.
pub(crate) const READING_MS: u64 = 600_000;
/// An owner who asks again later than this begins to wait anew.
const ASKED_LATELY_MS: u64 = 86_400_000;

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
    /// As far as this device had read it when it could follow no more.
    #[serde(default)]
    pub(super) lost_at: Option<ReadTo>,
    /// Ticks of this device's newest texts in the group whose place it took.
    #[serde(default)]
    own_before: VecDeque<u64>,
    /// When its owner first asked to begin it anew and was told that it is not ready, by the engine's
    /// own time.
    #[serde(default)]
    asked_ms: Option<u64>,
    /// An invitation to its successor is being followed: nothing more is written here.
    #[serde(skip)]
    pub yields: bool,
}

/// The group whose place another took, as its members are told of it.
pub(crate) struct Predecessor {
    conversation: [u8; 32],
    read: ReadTo,
}

impl Predecessor {
    /// What an invitation says of it to this person.
    pub(crate) fn as_told(&self, identity: &IdentityKey) -> Succeeds {
        Succeeds { conversation: self.conversation, read_to: self.read.of(identity) }
    }
}

/// What a conversation hands on when another takes its place.
pub(crate) struct Estate {
    chat: ChatId,
    succeeds: [u8; 32],
    read: ReadTo,
    /// Whether everything that was listed for it is read.
    pub has_read_all: bool,
    rivals: BTreeSet<IdentityKey>,
    epochs_before: u64,
    /// Numbers of everything that stood in its queue.
    queued: Vec<u64>,
    texts: BTreeMap<u64, Outgoing>,
    next_outgoing: u64,
    names: BTreeMap<IdentityKey, Name>,
    /// Who was there, as far as is known here.
    pub roster: Option<Roster>,
    /// Ticks of this device's newest texts in the group that is succeeded.
    own: VecDeque<u64>,
    /// Of its newest texts in a successor of that group which ends too.
    own_between: usize,
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

impl Estate {
    /// How many of this device's newest texts somebody did not read who begins the group anew, and had
    /// read this device's up to the tick `read_to`.
    pub(crate) fn unread_by(&self, read_to: u64) -> usize {
        self.own.iter().filter(|tick| **tick > read_to).count() + self.own_between
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

    fn check_restart(&mut self, ctx: &Ctx<'_>) -> Result<(), Refused> {
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
        if self.is_live() && !self.is_read_out(ctx.log) && !self.was_asked_long_ago(ctx) {
            return Err(refuse(
                "not_ready",
                "This device has not read all of this group yet, or what it wrote last is under way.",
                "`undertone sync`, and again; ten minutes after you first asked it is begun anew even so.",
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

    /// Whether an owner has waited long enough for what is under way: a member who writes without pause
    /// or a server that withholds something must not keep them from leaving the group behind.
    fn was_asked_long_ago(&mut self, ctx: &Ctx<'_>) -> bool {
        let asked = self.succession.asked_ms.filter(|asked| *asked <= ctx.now_ms);
        let waited = asked.map_or(0, |asked| ctx.now_ms - asked);
        if asked.is_none() || waited >= ASKED_LATELY_MS {
            self.succession.asked_ms = Some(ctx.now_ms);
            self.touch();
            return false;
        }
        waited >= READING_MS
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

    /// Gives the chat away and ends, out of sight, as `hidden`.
    pub(crate) fn retire(&mut self, hidden: ChatId, ctx: &mut Ctx<'_>) -> Estate {
        let queued: BTreeSet<u64> = self.outgoing.keys().copied().collect();
        let has_read_all = self.has_read_all(ctx.log);
        let lost_at = self.succession.lost_at.take().filter(|_| !self.is_live());
        let read = lost_at.unwrap_or_else(|| self.read_to(ctx));
        self.take_back(u64::MAX);
        ctx.cells.forget_chat(self.chat);
        ctx.cells.cancel_gets(self.chat);
        let roster = self.roster(ctx);
        let queue = std::mem::take(&mut self.outgoing);
        let estate = Estate {
            chat: std::mem::replace(&mut self.chat, hidden),
            succeeds: self.conversation,
            read,
            has_read_all,
            rivals: owners(roster.as_ref()),
            epochs_before: self.succession.epoch_in_chat(self.epoch.number).saturating_add(1),
            queued: queued.into_iter().chain(std::mem::take(&mut self.dirty.outgoing)).collect(),
            texts: queue.into_iter().filter(|(_, outgoing)| outgoing.kind == TEXT).collect(),
            next_outgoing: self.next_outgoing,
            names: self.names.clone(),
            own: self.succession.own.clone(),
            own_between: 0,
            guests: self.guests(roster.as_ref()),
            roster,
        };
        self.reading = Reading::default();
        self.succession.retired = true;
        self.end(ctx);
        estate
    }

    /// As [`retire`](Self::retire), for another successor of the same group: what follows stands in
    /// that group's place.
    pub(crate) fn retire_for_rival(&mut self, hidden: ChatId, ctx: &mut Ctx<'_>) -> Estate {
        let Succession { succeeds, rivals, read, own_before, own, .. } = self.succession.clone();
        let estate = self.retire(hidden, ctx);
        let Some(succeeds) = succeeds else { return estate };
        Estate { succeeds, rivals, read, own: own_before, own_between: own.len(), ..estate }
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
            own_before: estate.own,
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
        let before_it = before.succession.clone();
        self.succession = Succession { retired: false, lost_at: None, asked_ms: None, ..before_it };
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
