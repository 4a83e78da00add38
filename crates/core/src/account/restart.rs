//! Groups that take another's place (DESIGN.md section 5, *Restart*).
//!
//! An owner replaces a group that is stuck or squatted by a successor with the members who can be
//! invited, and names those who cannot. The chat is handed over in one step, and so in one
//! transaction: there is never a moment at which both groups or neither has it.

use super::groups::unknown_chat;
use super::{Account, refuse};
use crate::conversation::{Conversation, Estate, Roster};
use crate::ids::ChatId;
use crate::io::{Event, LeftBehind, Refused, Reply};
use rand::RngCore;
use std::collections::BTreeSet;
use undertone_crypto::IdentityKey;

impl Account {
    /// Begins a group anew, with its members except `without` and those whose removal was asked for.
    pub(super) fn restart_group(
        &mut self,
        chat: ChatId,
        without: &[IdentityKey],
    ) -> Result<Reply, Refused> {
        let roster = self.with(chat, |old, ctx| old.roster_to_restart(ctx));
        let roster = roster.ok_or_else(unknown_chat)??;
        let wanted = self.wanted(chat, &roster, without);
        let (taken, left) = self.invitable(&wanted);
        if taken.is_empty() && !left.is_empty() {
            return Err(nobody(&left));
        }
        let mut people: BTreeSet<_> = taken.iter().copied().collect();
        people.insert(self.me.identity);
        let policy = roster.policy_of_successor(&people);
        let mut group = Conversation::found_group(&policy, &mut self.ctx())?;
        if !taken.is_empty() {
            group.want_members(&taken, &mut self.ctx())?;
        }
        let estate = self.retire(chat, false)?;
        if !estate.has_read_all {
            self.tell_not_read(chat, "you");
        }
        group.inherit(estate, true, &mut self.ctx());
        self.adopt(group);
        Ok(self.tell_restart(chat, left))
    }

    /// The others who are to come along.
    fn wanted(&self, chat: ChatId, roster: &Roster, without: &[IdentityKey]) -> Vec<IdentityKey> {
        let unwanted: BTreeSet<_> =
            self.conversations.get(&chat).into_iter().flat_map(Conversation::unwanted).collect();
        let stays = |who: &IdentityKey| {
            *who != self.me.identity && !without.contains(who) && !unwanted.contains(who)
        };
        roster.people().into_iter().filter(stays).collect()
    }

    /// Who can be invited, and who cannot, for which reason.
    fn invitable(&mut self, people: &[IdentityKey]) -> (Vec<IdentityKey>, Vec<LeftBehind>) {
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for identity in people {
            match self.obstacle(identity) {
                None => taken.push(*identity),
                Some(why) => {
                    let name = self.contacts.name_of(identity);
                    left.push(LeftBehind { identity: *identity, name, why });
                }
            }
        }
        (taken, left)
    }

    fn obstacle(&self, identity: &IdentityKey) -> Option<&'static str> {
        let Some(chat) = self.contacts.chat_with(identity) else {
            return Some("they are no contact of yours");
        };
        if !self.conversations.get(&chat).is_some_and(Conversation::is_live) {
            return Some("your conversation with them cannot be used");
        }
        let ready = self.contacts.has_package(identity);
        if ready { None } else { Some("no key of theirs is known here yet") }
    }

    /// Takes the conversation of a chat out of sight, under an id of its own.
    pub(super) fn retire(&mut self, chat: ChatId, for_rival: bool) -> Result<Estate, Refused> {
        let mut old = self.conversations.remove(&chat).ok_or_else(unknown_chat)?;
        let mut hidden = ChatId([0; 16]);
        self.rng.fill_bytes(&mut hidden.0);
        let mut ctx = self.ctx();
        let estate = if for_rival {
            old.retire_for_rival(hidden, &mut ctx)
        } else {
            old.retire(hidden, &mut ctx)
        };
        self.adopt(old);
        Ok(estate)
    }

    /// The old group ends here with something unread.
    pub(super) fn tell_not_read(&mut self, chat: ChatId, who: &str) {
        let text = format!(
            "This device had not read all of the group when {who} began it anew: what others wrote \
             there last may be missing here."
        );
        self.news.event(Event::Gap { chat, text });
    }

    fn tell_restart(&mut self, chat: ChatId, left: Vec<LeftBehind>) -> Reply {
        let text = "You began this group anew.".to_owned();
        self.news.event(Event::Member { chat, text });
        for LeftBehind { name, why, .. } in &left {
            let text = format!("{name} could not be taken along: {why}.");
            self.news.event(Event::Member { chat, text });
        }
        let view = self.conversations[&chat].view(&self.contacts);
        self.news.event(Event::Chat(view.clone()));
        Reply::Restarted { chat: view, left }
    }
}

fn nobody(left: &[LeftBehind]) -> Refused {
    let each = left.iter().map(|it| format!("{} ({})", it.name, it.why));
    let each = each.collect::<Vec<_>>().join(", ");
    refuse(
        "not_ready",
        &format!("Nobody could be taken along: {each}."),
        "Become contacts with them first (`undertone link`), or let their devices come online.",
    )
}
