//! Who asks to be let into a group again, and who can do that.

use super::{Conversation, Ctx};
use crate::io::{Event, Role};
use crate::link::Offer;
use std::collections::BTreeMap;
use undertone_crypto::IdentityKey;

impl Conversation {
    /// Members with the right to take this person's leaf out and add them again, as far as is known.
    pub(crate) fn helpers(&mut self, ctx: &mut Ctx<'_>) -> Vec<IdentityKey> {
        let Some(roster) = self.roster(ctx) else { return Vec::new() };
        let own = roster.policy.role(&ctx.me.identity);
        let can = |who: &IdentityKey| match roster.policy.role(who) {
            Role::Owner => true,
            Role::Admin => own == Role::Member,
            Role::Member => false,
        };
        let others = roster.people().into_iter().filter(|who| *who != ctx.me.identity);
        others.filter(can).collect()
    }

    /// In a contact: whether the device that makes this offer was heard here after a time of the
    /// server's clock.
    pub(crate) fn has_heard(&self, offer: &Offer, after_ms: u64) -> bool {
        let (identity, device) = (offer.list.identity, offer.device);
        let mut heard = self.joined.iter().filter(|author| {
            (author.identity, author.device) == (identity, device)
                && offer.list.names(author.device, &author.mls_key)
        });
        heard.any(|author| self.presence.last_ms(author).is_some_and(|last| last > after_ms))
    }

    /// In a contact: whether the device that makes this offer sits here.
    pub(crate) fn has_seated(&self, offer: &Offer) -> bool {
        let mut seated = self.presence.leaves();
        seated.any(|author| {
            author.device == offer.device && offer.list.names(author.device, &author.mls_key)
        })
    }

    /// In a contact: whether the other side was heard, and not since a time of the server's clock.
    pub(crate) fn was_heard_before(&self, at_ms: u64) -> bool {
        let theirs = self.joined.iter().filter(|author| Some(author.identity) == self.peer);
        let last = theirs.filter_map(|author| self.presence.last_ms(author)).max();
        last.is_some_and(|last| last < at_ms)
    }

    /// Notes that somebody is asked, through this conversation with them; false when they were before.
    pub(crate) fn note_asked(&mut self, helper: IdentityKey, through: [u8; 32]) -> bool {
        let fresh = self.asked.insert(helper, Through(through)) != Some(Through(through));
        if fresh {
            self.touch();
        }
        fresh
    }

    /// Whoever was asked is asked anew.
    pub(crate) fn forget_asked(&mut self) {
        self.asked.clear();
        self.touch();
    }

    /// A member's device, or one that was a member's, has lost this group.
    pub(crate) fn on_asked(&mut self, from: IdentityKey, tick: u64, ctx: &mut Ctx<'_>) {
        let inside = self.roster(ctx).is_some_and(|roster| roster.of(&from).next().is_some());
        // Whoever was never here has lost nothing.
        if !inside && !self.names.contains_key(&from) {
            return;
        }
        let asked_before = inside && self.askers.insert(from, tick).is_some();
        self.touch();
        if asked_before {
            return;
        }
        let who = self.name_of(&from, ctx);
        let what = match (inside, self.role_of_own(ctx) >= Role::Admin) {
            (true, true) => {
                "has lost this group and asks to come back. Add them again to let it in."
            }
            (true, false) => {
                "has lost this group and asks to come back. Somebody who may add members can let it in."
            }
            (false, _) => "asks to come back to this group, of which they are no member any more.",
        };
        let text = format!("{who}'s device {what}");
        ctx.news.event(Event::Member { chat: self.chat, text });
    }

    /// Whether somebody's device has asked to come back and has not been heard of since.
    pub(super) fn is_asked_by(&self, identity: &IdentityKey) -> bool {
        self.askers.contains_key(identity)
    }

    /// People whose devices ask to come back.
    pub(crate) fn askers(&self) -> impl Iterator<Item = &IdentityKey> {
        self.askers.keys()
    }

    /// A sign of somebody at `tick`: what they asked for before is done.
    pub(super) fn end_asking(&mut self, identity: &IdentityKey, tick: u64) {
        if self.askers.get(identity).is_some_and(|asked| *asked < tick) {
            self.askers.remove(identity);
            self.touch();
        }
    }
}

/// The conversation through which somebody was asked.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Through(#[serde(with = "serde_bytes")] [u8; 32]);

/// Whom this device has asked.
pub(super) type Asked = BTreeMap<IdentityKey, Through>;
