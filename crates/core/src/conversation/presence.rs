//! When a group's devices were last heard of, and what follows from silence (DESIGN.md sections 4, 5).
//!
//! Times are the server's clock at a tick. What counts as a sign is a counting cell or a winning
//! commit. Healthy devices refresh their keys weekly, so nobody looks silent who is only quiet.
//!
//! * A leaf that was silent for 90 days is removed by a device that has the right to, at a random
//!   time within a day. It is an ordinary removal: no member judges it by its own count of days,
//!   which may differ. The last owner is safe, since only another owner may remove an owner.
//! * A leaf is *invited* until its first cell. After seven days whoever may add may remove it and
//!   add the person again in one commit: the invitation was not followed, and its cells expire.
//!
//! What is kept is bounded by the leaves of the group.

use super::lanes::Ahead;
use super::roster::time_at;
use super::{Author, Conversation, Ctx, Intent};
use crate::io::ChatKind;
use crate::policy::{Change, Removed};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use undertone_crypto::IdentityKey;
use undertone_crypto::mls::Member;

const DAY_MS: u64 = 86_400_000;

/// Silence after which a leaf is removed.
const SILENT_MS: u64 = 90 * DAY_MS;
/// Longest random wait before that.
pub(super) const SPREAD_MS: u64 = DAY_MS;
/// Silence is looked for once in this time.
const LOOK_MS: u64 = 3_600_000;
/// Time that an invitation has to be followed.
const INVITED_MS: u64 = 7 * DAY_MS;

/// What is known of the devices of a conversation.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Presence {
    leaves: BTreeMap<Author, Heard>,
    /// When to look for silence again.
    #[serde(skip)]
    look_at_ms: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Heard {
    /// When the leaf came, as far as is known here.
    since_ms: u64,
    /// The newest sign of it, its coming included.
    last_ms: u64,
}

impl Presence {
    /// Members that were not known come now; others have gone.
    pub(super) fn follow<'a>(&mut self, members: impl Iterator<Item = &'a Member>, at_ms: u64) {
        let here: BTreeSet<_> = members.map(Author::from).collect();
        self.leaves.retain(|author, _| here.contains(author));
        for author in here {
            self.leaves.entry(author).or_insert(Heard { since_ms: at_ms, last_ms: at_ms });
        }
    }

    /// Forgets whose stay has ended.
    pub(super) fn retain(&mut self, stayed: &BTreeSet<Author>) {
        self.leaves.retain(|author, _| stayed.contains(author));
    }

    fn hear(&mut self, author: &Author, at_ms: u64) {
        if let Some(heard) = self.leaves.get_mut(author) {
            heard.last_ms = heard.last_ms.max(at_ms);
        }
    }

    /// When a device was heard of last, by the server's clock.
    pub(super) fn last_ms(&self, author: &Author) -> Option<u64> {
        self.leaves.get(author).map(|heard| heard.last_ms)
    }

    /// The devices that are here.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Author> {
        self.leaves.keys()
    }

    fn of(&self, member: &Member) -> Option<Heard> {
        self.leaves.get(&Author::from(member)).copied()
    }
}

impl Conversation {
    /// The epoch that has just opened has these members.
    pub(super) fn note_arrivals(&mut self, ctx: &mut Ctx<'_>) {
        let at_ms = time_at(self.epoch.opened, ctx);
        if let Some(live) = &self.live {
            self.presence.follow(live.members.iter(), at_ms);
            self.touch();
        }
    }

    /// A sign of a device: it stays.
    pub(super) fn hear(&mut self, member: &Member, tick: u64, ctx: &mut Ctx<'_>) {
        self.presence.hear(&Author::from(member), time_at(tick, ctx));
        self.end_asking(&member.identity, tick);
        self.intents.retain(|intent| {
            !matches!(intent, Intent::Remove { leaf, unheard: true, asked: false, left: None, .. }
                if *leaf == member.leaf)
        });
        self.touch();
    }

    /// Whether nothing was heard of a leaf for so long that it is removed.
    pub(super) fn is_silent(&self, member: &Member, at_ms: u64) -> bool {
        let heard = self.presence.of(member);
        self.kind() == ChatKind::Group
            && heard.is_some_and(|heard| heard.last_ms.saturating_add(SILENT_MS) <= at_ms)
    }

    /// Wants silent leaves removed, where this device may. Only once everything is read that is
    /// listed: whoever was away for long has not heard of anybody either.
    pub(super) fn want_silent_removed(&mut self, ctx: &mut Ctx<'_>) {
        // By both clocks: a server whose clock leaps must not empty a group.
        let now_ms = ctx.log.time_ms().min(ctx.wall_ms);
        let waits = self.reading.lanes.values().any(Ahead::is_waiting);
        if self.kind() == ChatKind::Contact || now_ms < self.presence.look_at_ms || waits {
            return;
        }
        self.presence.look_at_ms = now_ms.saturating_add(LOOK_MS);
        let own = self.epoch.own.leaf;
        for member in self.silent(now_ms, ctx).into_iter().filter(|member| member.leaf != own) {
            self.want_one_silent_removed(&member, ctx);
        }
    }

    fn want_one_silent_removed(&mut self, member: &Member, ctx: &mut Ctx<'_>) {
        let (leaf, identity) = (member.leaf, member.identity);
        let wanted =
            |intent: &Intent| matches!(intent, Intent::Remove { leaf: of, .. } if *of == leaf);
        let removed = Removed { leaf, identity, left: None };
        let change = Change { removes: vec![removed], ..Change::default() };
        if self.intents.iter().any(wanted) || !self.may(&change, ctx) {
            return;
        }
        let not_before_ms = ctx.now_ms + ctx.rng.random_range(0..SPREAD_MS);
        let (left, asked, unheard) = (None, false, true);
        self.want(Intent::Remove { leaf, identity, left, asked, unheard, not_before_ms });
    }

    /// The members of whom nothing was heard for so long that they are removed.
    pub(crate) fn silent(&mut self, at_ms: u64, ctx: &mut Ctx<'_>) -> Vec<Member> {
        let members = self.roster_of(ctx).into_iter();
        members.filter(|member| self.is_silent(member, at_ms)).collect()
    }

    /// Whether this device itself was so silent that the others remove it.
    pub(super) fn is_own_silent(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let (own, now_ms) = (self.epoch.own.leaf, ctx.log.time_ms());
        self.silent(now_ms, ctx).iter().any(|member| member.leaf == own)
    }

    /// People who are invited and have not come in yet, and since when.
    pub(crate) fn invited(&mut self, ctx: &mut Ctx<'_>) -> BTreeMap<IdentityKey, u64> {
        let mut here: BTreeSet<_> = self.joined.iter().map(|author| author.identity).collect();
        here.insert(ctx.me.identity);
        let members = self.roster_of(ctx);
        let mut invited = BTreeMap::new();
        for member in members.iter().filter(|member| !here.contains(&member.identity)) {
            if let Some(heard) = self.presence.of(member) {
                let since = invited.entry(member.identity).or_insert(heard.since_ms);
                *since = heard.since_ms.min(*since);
            }
        }
        invited
    }

    /// Of those the ones who were invited so long ago that they may be invited anew.
    pub(crate) fn overdue(&mut self, ctx: &mut Ctx<'_>) -> BTreeMap<IdentityKey, u64> {
        let (mut invited, now_ms) = (self.invited(ctx), ctx.log.time_ms());
        invited.retain(|_, since_ms| since_ms.saturating_add(INVITED_MS) <= now_ms);
        invited
    }

    /// The removals by which a person is invited anew.
    pub(super) fn removals_of(&mut self, identity: &IdentityKey, ctx: &mut Ctx<'_>) -> Change {
        let members = self.roster_of(ctx);
        let leaves = members.iter().filter(|member| member.identity == *identity);
        let removed =
            |member: &Member| Removed { leaf: member.leaf, identity: *identity, left: None };
        Change { removes: leaves.map(removed).collect(), ..Change::default() }
    }
}
