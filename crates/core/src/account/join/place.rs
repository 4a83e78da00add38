//! Whether the place that a join leads to is free on this device: MLS has room for one state of a group.

use super::pending::{JoinId, PendingJoin, Source};
use crate::account::Account;
use crate::conversation::Conversation;
use crate::ids::ChatId;
use crate::io::ChatState;
use undertone_crypto::IdentityKey;

/// Where the conversation of a join stands on this device.
pub(super) enum Place {
    /// Nothing is in its way.
    Free,
    /// A stay that goes on, as far as is known yet.
    Held,
    /// A stay that cannot be followed any more and gives way.
    Stuck(ChatId),
    /// A stay that was over when the one in this chat began.
    Passed(ChatId),
    /// There is no way in, for this reason.
    Barred(&'static str),
}

impl Account {
    /// The place is taken by a stay that goes on, as far as it is read.
    pub(super) fn hold_join(&mut self, id: JoinId, join: &PendingJoin) {
        self.joins.held.insert(id);
        let stay = self.stays(join).find(|stay| stay.is_live());
        let Some((chat, read)) = stay.map(|it| (it.chat, it.is_read_out(&self.log))) else {
            return;
        };
        if !read {
            // The end of that stay may be listed already.
            self.joins.awaited.insert(chat);
        } else if !join.told {
            self.tell_held(chat, join);
        }
    }

    /// An invitation that waits is told of where it may wait long: whoever sent it is not seen in
    /// the conversation that holds its place.
    fn tell_held(&mut self, chat: ChatId, join: &PendingJoin) {
        if !self.is_member(chat, &join.from) {
            let mut told = join.clone();
            told.told = true;
            self.add_join(told);
            let who = self.contacts.name_of(&join.from);
            let text = format!(
                "{who} invites you to a group that you are in, and is not seen there. The \
                 invitation is followed if you are removed or leave."
            );
            self.alarm("join_waits", &text);
        }
    }

    /// Everything that this device has had in the conversation of a join.
    fn stays(&self, join: &PendingJoin) -> impl Iterator<Item = &Conversation> {
        let conversation = join.conversation;
        self.conversations.values().filter(move |stay| stay.conversation == conversation)
    }

    fn is_member(&mut self, chat: ChatId, identity: &IdentityKey) -> bool {
        let members = self.with(chat, |chat, ctx| chat.members(ctx)).unwrap_or_default();
        members.iter().any(|member| member.identity == *identity)
    }

    pub(super) fn place_for(&mut self, join: &PendingJoin) -> Place {
        let opening = join.opening().map_or(0, |opening| opening.tick);
        // What others have made under the same id bars nobody.
        let shared = |stay: &&Conversation| stay.is_live() || stay.had_member(&join.from);
        let passes = |stay: &&Conversation| opening <= stay.newest_epoch().opened;
        let passed = self.stays(join).find(|stay| shared(stay) && passes(stay));
        if let Some(stay) = passed {
            return match join.source {
                Source::Invite { .. } if stay.began_after(opening) => Place::Passed(stay.chat),
                _ => Place::Barred("it is not newer than what this device has seen of the group"),
            };
        }
        let stay = self.stays(join).find(|stay| stay.state != ChatState::Ended);
        let Some((chat, live)) = stay.map(|stay| (stay.chat, stay.is_live())) else {
            return Place::Free;
        };
        match join.source {
            Source::Answer { .. } => Place::Barred("it leads into a conversation that is not new"),
            Source::Invite { .. } if live => Place::Held,
            // Nobody else says that a group which they were never seen in is begun anew.
            Source::Invite { from } if self.is_member(chat, &from) => Place::Stuck(chat),
            Source::Invite { .. } => Place::Barred(
                "this device is stuck in that group and did not see the inviter there; somebody \
                 who was there can remove and add you",
            ),
        }
    }

    /// The newest MLS epoch of the earlier stays in which the inviter was a member. What others have
    /// made under the same id bars nobody.
    pub(super) fn newest_epoch_with(&self, join: &PendingJoin) -> Option<u64> {
        let known = self.stays(join).filter(|stay| stay.had_member(&join.from));
        known.map(|stay| stay.newest_epoch().number).max()
    }

    /// The chat of an earlier stay in the same group, of which the inviter was a member.
    pub(super) fn ended_chat(&self, conversation: &[u8; 32], from: &IdentityKey) -> Option<ChatId> {
        let mut others = self.conversations.values();
        let same =
            |other: &&Conversation| other.conversation == *conversation && other.had_member(from);
        others.find(same).map(|other| other.chat)
    }
}
