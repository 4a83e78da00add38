//! Invitations to a group that says to take another's place.
//!
//! It does, without asking, if this device is in the old group and knows the inviter as an owner
//! there. Otherwise the invitation leads into an ordinary new group.
//!
//! Two owners may begin one group anew at once. Then the successor with the lower conversation id
//! stays, on every device alike, in whatever order the invitations arrive; the other ends. Its
//! founder brings along whom only they have invited.

use super::{Account, PendingJoin};
use crate::conversation::{Conversation, Estate, READING_MS};
use crate::ids::ChatId;
use crate::io::Event;
use undertone_crypto::IdentityKey;

/// How long after a succession another owner's counts as at once: as long as an invitation to the
/// first may wait to be followed.
const AT_ONCE_MS: u64 = 7 * 86_400_000;

/// What a join means for the chats here.
pub(super) enum Heir {
    /// Nothing: it is a chat of its own.
    New,
    /// It takes the place of this one.
    Of(ChatId),
    /// It takes the place of this one, which another owner began at the same time.
    Beats(ChatId),
    /// The one that another owner began at the same time stays.
    Loses(ChatId),
}

impl Account {
    /// Judged by what this device knows of the old group.
    pub(super) fn heir(&mut self, join: &PendingJoin) -> Heir {
        let Some(old) = join.succeeds else { return Heir::New };
        let mut all = self.conversations.values();
        let lived = all.find(|it| it.conversation == old && it.may_be_succeeded());
        if let Some(chat) = lived.map(|it| it.chat) {
            let owned = self.with(chat, |it, ctx| {
                it.roster(ctx).is_some_and(|roster| roster.is_owned_by(&join.from))
            });
            return if owned == Some(true) { Heir::Of(chat) } else { Heir::New };
        }
        let now_ms = self.log.time_ms();
        let mut all = self.conversations.values();
        let rival = all.find(|it| {
            it.succession.succeeds() == Some(old)
                && it.may_be_succeeded()
                && it.succession.has_rival(&join.from, now_ms, AT_ONCE_MS)
        });
        match rival {
            None => Heir::New,
            Some(it) if join.conversation < it.conversation => Heir::Beats(it.chat),
            Some(it) => Heir::Loses(it.chat),
        }
    }

    /// Whether a join has to wait: for the group before it, if that is being joined too, or until the
    /// old group is read as far as it is listed. What is never delivered is not waited for for long.
    pub(super) fn heir_waits(&mut self, join: &PendingJoin) -> bool {
        let Some(old) = join.succeeds else { return false };
        let before = |other: &&PendingJoin| other.conversation == old && other.from == join.from;
        if self.joins.pending.values().any(|other| before(&other)) {
            return true;
        }
        let (Heir::Of(chat) | Heir::Beats(chat)) = self.heir(join) else { return false };
        let read = self.conversations.get(&chat).is_none_or(|old| old.is_read_out(&self.log));
        if read {
            return false;
        }
        self.joins.awaited.insert(chat);
        let Some(waiting) = self.joins.pending.get_mut(&join.id()) else { return false };
        let until = *waiting.reads_until_ms.get_or_insert(self.clock.now_ms() + READING_MS);
        until > self.clock.now_ms()
    }

    /// Nothing is written any more in groups whose successor is about to be joined.
    pub(super) fn hold_predecessors(&mut self) {
        let successors = self.joins.pending.values().filter(|join| join.succeeds.is_some());
        let successors: Vec<_> = successors.cloned().collect();
        let heirs = successors.iter().filter_map(|join| match self.heir(join) {
            Heir::Of(chat) | Heir::Beats(chat) => Some(chat),
            Heir::New | Heir::Loses(_) => None,
        });
        let ending: Vec<_> = heirs.collect();
        for (chat, conversation) in &mut self.conversations {
            conversation.succession.yields = ending.contains(chat);
        }
    }

    /// A conversation has gone on: whoever waits for it looks again.
    pub(in super::super) fn has_gone_on(&mut self, chat: ChatId) {
        let old = self.conversations.get(&chat);
        if self.joins.awaited.contains(&chat) && old.is_none_or(|old| old.is_read_out(&self.log)) {
            self.joins.awaited.remove(&chat);
            self.log_moved = true;
        }
    }

    /// The chat that shows a conversation: its own, or that of the group which has taken its place.
    pub(super) fn shown_in(&self, chat: ChatId) -> ChatId {
        let mut shown = chat;
        // No chain of successions is longer.
        for _ in 0..self.conversations.len() {
            let old = self.conversations.get(&shown).filter(|it| it.succession.retired);
            let heir = old.and_then(|old| {
                let mut all = self.conversations.values();
                all.find(|it| it.succession.succeeds() == Some(old.conversation))
            });
            let Some(heir) = heir else { break };
            shown = heir.chat;
        }
        shown
    }

    /// The other successor stays.
    pub(super) fn lose_to(&mut self, chat: ChatId, join: &PendingJoin) {
        self.forget_join(&join.id());
        if join.skips {
            self.tell_skipped(chat);
        }
        let who = self.contacts.name_of(&join.from);
        let text = format!(
            "{who} began this group anew at the same time. This group stays; the other one ends."
        );
        self.news.event(Event::Member { chat, text });
    }

    /// The group that was joined goes on in the chat of the one whose place it takes; what is told of
    /// that, and who is to be brought along.
    pub(super) fn take_place(
        &mut self,
        joined: &mut Conversation,
        join: &PendingJoin,
    ) -> Option<Handover> {
        let (chat, for_rival) = match self.heir(join) {
            Heir::Of(chat) => (chat, false),
            Heir::Beats(chat) => (chat, true),
            Heir::New | Heir::Loses(_) => return None,
        };
        let mut estate = self.retire(chat, for_rival).ok()?;
        let roster = estate.roster.take();
        let guests = std::mem::take(&mut estate.guests).into_iter().collect();
        self.tell_unread(chat, &estate, join);
        if !estate.has_read_all {
            self.tell_not_read(chat, &self.contacts.name_of(&join.from).to_string());
        }
        if for_rival {
            self.tell_between(chat, join);
        }
        joined.inherit(estate, false, &mut self.ctx());
        Some(Handover { roster, guests })
    }

    /// This device had left the old group for the successor that ends, before the other owner did.
    fn tell_between(&mut self, chat: ChatId, join: &PendingJoin) {
        let who = self.contacts.name_of(&join.from);
        let text = format!(
            "{who} began this group anew at the same time, and that one stays. What others wrote \
             when the group was begun anew may be missing here."
        );
        self.news.event(Event::Gap { chat, text });
    }

    /// One's own texts that the inviter's device has not read in the old group: it could not follow
    /// any more, or had left it by then, as others may have.
    fn tell_unread(&mut self, chat: ChatId, estate: &Estate, join: &PendingJoin) {
        let unread = estate.unread_by(join.read_to);
        if unread > 0 {
            let who = self.contacts.name_of(&join.from);
            let text = format!(
                "{who} had not read {unread} message(s) of yours when the group was begun anew, and \
                 others may not have: send them again where it matters."
            );
            self.news.event(Event::Gap { chat, text });
        }
    }

    /// Tells what the succession has changed, and brings along whom only this device had invited.
    pub(super) fn tell_handover(&mut self, chat: ChatId, from: &IdentityKey, done: &Handover) {
        let who = self.contacts.name_of(from).to_string();
        let text = format!("{who} began this group anew.");
        self.news.event(Event::Member { chat, text });
        self.with(chat, |group, ctx| {
            if let Some(before) = &done.roster {
                group.tell_succession(before, &who, ctx);
            }
        });
        let inside = self.with(chat, |group, ctx| group.roster(ctx)).flatten();
        let inside = inside.map(|roster| roster.people()).unwrap_or_default();
        let missing = done.guests.iter().filter(|guest| !inside.contains(*guest)).copied();
        let missing: Vec<_> = missing.collect();
        for guest in missing {
            let asked = self.add_members(chat, &[guest]);
            if asked.is_err() {
                let name = self.contacts.name_of(&guest);
                let text = format!("{name} was in the group that ends and is not in this one.");
                self.news.event(Event::Member { chat, text });
            }
        }
    }
}

/// What is left to do when a chat has been handed over.
pub(super) struct Handover {
    roster: Option<crate::conversation::Roster>,
    guests: Vec<IdentityKey>,
}
