//! Who is in an epoch and in which role, and how a change of it is told.
//!
//! Every change of membership, role or name is shown on every device that reads it; no server can
//! suppress it. Who went and came in one commit is told too.

use super::judge::Win;
use super::{Author, Conversation, Ctx};
use crate::ids::Name;
use crate::io::{Event, Role};
use crate::policy::Policy;
use std::collections::{BTreeMap, BTreeSet};
use undertone_crypto::IdentityKey;
use undertone_crypto::mls::Member;
use undertone_wire::checks::{Check, is_off};

/// Members and policy of one epoch.
pub(crate) struct Roster {
    pub members: Vec<Member>,
    pub policy: Policy,
}

/// How a change is told.
struct Telling<'a> {
    before: &'a Roster,
    after: &'a Roster,
    /// Whose doing it is.
    who: &'a str,
    /// The committer's leaf, which is another after its own commit; none where no commit was read.
    committer: Option<u32>,
    /// The server's clock.
    at_ms: u64,
}

impl Conversation {
    /// As far as is known here; `None` once this device is out.
    pub(crate) fn roster(&mut self, ctx: &mut Ctx<'_>) -> Option<Roster> {
        let live = self.live(ctx)?;
        Some(Roster { members: live.members.clone(), policy: live.policy.clone() })
    }

    /// Tells what a commit has changed.
    pub(super) fn tell_changes(&mut self, before: &Roster, win: &Win, ctx: &mut Ctx<'_>) {
        let Some(after) = self.roster(ctx) else { return };
        let author = before.members.iter().find(|member| member.leaf == win.author);
        let who = author.map(|author| self.subject(&author.identity, ctx));
        let who = who.unwrap_or_else(|| "Somebody".to_owned());
        let (who, committer) = (who.as_str(), Some(win.author));
        let at_ms = time_at(win.closing, ctx);
        self.tell(&Telling { before, after: &after, who, committer, at_ms }, ctx);
        let title = String::from_utf8_lossy(after.policy.name.as_slice()).into_owned();
        if title != self.title {
            self.title = title;
            let view = self.view(ctx.contacts);
            ctx.news.event(Event::Chat(view));
        }
    }

    /// Tells how this group differs from the one whose place it takes.
    pub(crate) fn tell_succession(&mut self, before: &Roster, who: &str, ctx: &mut Ctx<'_>) {
        let Some(after) = self.roster(ctx) else { return };
        let at_ms = ctx.log.time_ms();
        self.tell(&Telling { before, after: &after, who, committer: None, at_ms }, ctx);
    }

    fn tell(&self, telling: &Telling<'_>, ctx: &mut Ctx<'_>) {
        if is_off(Check::RosterTold) {
            return;
        }
        let mut texts = self.comings_and_goings(telling, ctx);
        texts.extend(self.device_changes(telling, ctx));
        texts.extend(self.policy_changes(telling, ctx));
        for text in texts {
            ctx.news.event(Event::Member { chat: self.chat, text });
        }
    }

    fn comings_and_goings(&self, telling: &Telling<'_>, ctx: &Ctx<'_>) -> Vec<String> {
        let Telling { before, after, who, .. } = telling;
        let (old, new) = (before.people(), after.people());
        let added = new.difference(&old).map(|identity| {
            let name = self.object(identity, ctx);
            match after.policy.role(identity) {
                Role::Member => format!("{who} added {name}."),
                role => format!("{who} added {name}, who is {}.", role_word(role)),
            }
        });
        let removed = old.difference(&new).map(|identity| self.removed(identity, telling, ctx));
        added.chain(removed).collect()
    }

    /// A removal in words; with the reason where it was silence.
    fn removed(&self, identity: &IdentityKey, telling: &Telling<'_>, ctx: &Ctx<'_>) -> String {
        let (who, name) = (telling.who, self.object(identity, ctx));
        let mut leaves = telling.before.of(identity);
        let silent = leaves.all(|member| self.is_silent(member, telling.at_ms));
        match (silent, *identity == ctx.me.identity) {
            (false, _) => format!("{who} removed {name}."),
            (true, false) => {
                format!("{who} removed {name}: nothing was heard of them for 90 days.")
            }
            (true, true) => format!(
                "{who} removed you: nothing was heard of this device for 90 days. Somebody who \
                 may add members can add you again."
            ),
        }
    }

    fn device_changes(&self, telling: &Telling<'_>, ctx: &Ctx<'_>) -> Vec<String> {
        let Telling { before, after, who, committer, .. } = telling;
        let changed = before.device_changes(after).into_iter();
        let changed = changed.map(|(identity, verb)| {
            format!("{who} {verb} a device of {}.", self.object(&identity, ctx))
        });
        let back = committer.map(|committer| before.came_back(after, committer));
        let back = back.unwrap_or_default().into_iter();
        let back = back.map(|it| format!("{who} invited {} anew.", self.object(&it, ctx)));
        changed.chain(back).collect()
    }

    fn policy_changes(&self, telling: &Telling<'_>, ctx: &Ctx<'_>) -> Vec<String> {
        let Telling { before, after, who, .. } = telling;
        let (old, new) = (before.people(), after.people());
        let mut texts = Vec::new();
        for identity in new.intersection(&old) {
            let role = after.policy.role(identity);
            if before.policy.role(identity) != role {
                let role = role_word(role);
                texts.push(format!("{who} made {} {role}.", self.object(identity, ctx)));
            }
        }
        if before.policy.name != after.policy.name {
            let name = Name::tamed_bytes(after.policy.name.as_slice());
            texts.push(format!("{who} named the group {name}."));
        }
        texts
    }

    pub(crate) fn subject(&self, identity: &IdentityKey, ctx: &Ctx<'_>) -> String {
        if *identity == ctx.me.identity { "You".to_owned() } else { self.object(identity, ctx) }
    }

    fn object(&self, identity: &IdentityKey, ctx: &Ctx<'_>) -> String {
        if *identity == ctx.me.identity {
            return "you".to_owned();
        }
        self.name_of(identity, ctx).to_string()
    }
}

/// The server's clock at a tick; where its head is not kept any more, the newest one.
pub(super) fn time_at(tick: u64, ctx: &Ctx<'_>) -> u64 {
    ctx.log.time_of(tick).unwrap_or_else(|| ctx.log.time_ms())
}

impl Roster {
    /// A person's leaves.
    pub(crate) fn of(&self, identity: &IdentityKey) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.identity == *identity)
    }

    /// Whether this person is a member and an owner.
    pub(crate) fn is_owned_by(&self, identity: &IdentityKey) -> bool {
        self.policy.role(identity) == Role::Owner && self.of(identity).next().is_some()
    }

    /// Devices that came or went of people who were there before and are there after.
    fn device_changes(&self, after: &Self) -> Vec<(IdentityKey, &'static str)> {
        let (old, new) = (self.people(), after.people());
        let devices = |roster: &Self| -> BTreeSet<_> {
            let members = roster.members.iter();
            let stayed = members.filter(|m| old.contains(&m.identity) && new.contains(&m.identity));
            stayed.map(|member| (member.identity, member.device)).collect()
        };
        let (before, now) = (devices(self), devices(after));
        let added = now.difference(&before).map(|(identity, _)| (*identity, "added"));
        let removed = before.difference(&now).map(|(identity, _)| (*identity, "removed"));
        added.chain(removed).collect()
    }

    /// People of whom a device went and came in one commit.
    fn came_back(&self, after: &Self, committer: u32) -> BTreeSet<IdentityKey> {
        let stayed: BTreeSet<_> =
            self.stayed(&after.members, committer).map(Author::from).collect();
        let before: BTreeSet<_> = self.members.iter().map(Author::from).collect();
        let now = after.members.iter().map(Author::from);
        let back = now.filter(|author| before.contains(author) && !stayed.contains(author));
        back.map(|author| author.identity).collect()
    }

    /// Members that were neither removed nor added: a leaf's encryption key is another after every
    /// return, and otherwise only after a commit of its own.
    pub(super) fn stayed<'a>(
        &'a self,
        after: &'a [Member],
        committer: u32,
    ) -> impl Iterator<Item = &'a Member> {
        let now: BTreeMap<_, _> = after.iter().map(|member| (member.leaf, member)).collect();
        self.members.iter().filter(move |member| {
            now.get(&member.leaf).is_some_and(|now| {
                let same = now.key_hash == member.key_hash || member.leaf == committer;
                same && Author::from(*now) == Author::from(*member)
            })
        })
    }

    pub(crate) fn people(&self) -> BTreeSet<IdentityKey> {
        self.members.iter().map(|member| member.identity).collect()
    }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Owner => "an owner",
        Role::Admin => "an admin",
        Role::Member => "a member",
    }
}
