//! What a person asks of a conversation.

use super::{Conversation, Ctx, Intent};
use crate::account::refuse;
use crate::body::{Content, Leave, TEXT_BYTES_MAX};
use crate::ids::{MessageId, Name};
use crate::io::{ChatKind, ChatState, MessageState, Refused, Role};
use crate::policy::{Bench, Change, Policy, Removed};
use undertone_crypto::IdentityKey;
use undertone_crypto::mls::{LEAVES_MAX, Member};

impl Conversation {
    /// Queues a text.
    ///
    /// # Errors
    /// When it is empty or too long, or the conversation has ended or is stuck.
    pub(crate) fn send_text(
        &mut self,
        text: &str,
        salt: Option<[u8; 16]>,
        ctx: &mut Ctx<'_>,
    ) -> Result<(MessageId, MessageState), Refused> {
        self.check_writable()?;
        if text.trim().is_empty() {
            return Err(refuse("empty", "The message is empty.", "Write something."));
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(refuse(
                "too_long",
                &format!("The text is longer than {TEXT_BYTES_MAX} bytes."),
                "Send it as a file.",
            ));
        }
        let content = Content::Text(text.as_bytes().to_vec().into());
        let message = self.enqueue(salt, &content, ctx);
        Ok((message, self.outgoing_state(message).unwrap_or(MessageState::Queued)))
    }

    fn check_writable(&self) -> Result<(), Refused> {
        match self.state {
            ChatState::Ended => Err(refuse(
                "ended",
                "You are not in this conversation any more.",
                "Somebody who may add members can add you again.",
            )),
            ChatState::Stuck => Err(refuse(
                "stuck",
                "This device cannot follow the conversation; nothing is sent here.",
                "`undertone doctor` says why, and what to do.",
            )),
            ChatState::Open | ChatState::Requested if self.leaving => {
                Err(refuse("ended", "You are leaving this conversation.", "Nothing is to be done."))
            }
            ChatState::Open | ChatState::Requested => Ok(()),
        }
    }

    /// Wants contacts to come in.
    ///
    /// # Errors
    /// When one has no right to add, they are members already, or the group is full.
    pub(crate) fn want_members(
        &mut self,
        members: &[IdentityKey],
        ctx: &mut Ctx<'_>,
    ) -> Result<(), Refused> {
        self.check_group(Role::Admin, ctx)?;
        let inside: Vec<Member> = self.roster_of(ctx);
        let fresh: Vec<_> = members
            .iter()
            .filter(|identity| !inside.iter().any(|member| member.identity == **identity))
            .copied()
            .collect();
        if inside.len() + fresh.len() > LEAVES_MAX {
            let now = inside.len();
            return Err(refuse(
                "group_full",
                &format!("A group has at most {LEAVES_MAX} devices; this one has {now}."),
                "Begin a second group, or remove somebody first.",
            ));
        }
        let anew = self.anew_among(members, ctx)?;
        if fresh.is_empty() && anew.is_empty() {
            return Err(self.inside_already(members, ctx));
        }
        fresh.into_iter().for_each(|identity| self.want(Intent::Add(identity)));
        anew.into_iter().for_each(|identity| self.want(Intent::Readd(identity)));
        Ok(())
    }

    /// Of these people those who are inside and come anew: their invitation was not followed in time,
    /// or their device has lost the group.
    fn anew_among(
        &mut self,
        members: &[IdentityKey],
        ctx: &mut Ctx<'_>,
    ) -> Result<Vec<IdentityKey>, Refused> {
        let (late, roster) = (self.overdue(ctx), self.roster_of(ctx));
        let inside = |who: &IdentityKey| roster.iter().any(|member| member.identity == *who);
        let anew =
            |who: &&IdentityKey| late.contains_key(*who) || (inside(who) && self.is_asked_by(who));
        let anew: Vec<_> = members.iter().filter(anew).collect();
        for identity in &anew {
            let removals = self.removals_of(identity, ctx);
            self.check_right(&removals, ctx)?;
        }
        Ok(anew.into_iter().copied().collect())
    }

    fn inside_already(&mut self, members: &[IdentityKey], ctx: &mut Ctx<'_>) -> Refused {
        let invited = self.invited(ctx);
        if members.iter().any(|who| invited.contains_key(who)) {
            return refuse(
                "not_ready",
                "They are invited and have not come in yet.",
                "An invitation has seven days; after that the same command invites them anew.",
            );
        }
        refuse("not_found", "They are members already.", "Nothing is to be done.")
    }

    /// Wants people to go.
    ///
    /// # Errors
    /// When one has no right to remove them, or they are not here.
    pub(crate) fn want_removed(
        &mut self,
        people: &[IdentityKey],
        ctx: &mut Ctx<'_>,
    ) -> Result<(), Refused> {
        self.check_group(Role::Admin, ctx)?;
        let leaves: Vec<Member> = self
            .roster_of(ctx)
            .into_iter()
            .filter(|member| people.contains(&member.identity))
            .collect();
        if leaves.is_empty() {
            return Err(refuse("not_found", "They are not members.", "See `group members`."));
        }
        let removed =
            |member: &Member| Removed { leaf: member.leaf, identity: member.identity, left: None };
        let removes = leaves.iter().map(removed).collect();
        self.check_right(&Change { removes, ..Change::default() }, ctx)?;
        for Member { leaf, identity, .. } in leaves {
            let (left, asked, unheard, not_before_ms) = (None, true, false, 0);
            self.want(Intent::Remove { leaf, identity, left, asked, unheard, not_before_ms });
        }
        Ok(())
    }

    /// Wants another name.
    ///
    /// # Errors
    /// When one has no right to it.
    pub(crate) fn want_name(&mut self, name: &Name, ctx: &mut Ctx<'_>) -> Result<(), Refused> {
        self.check_group(Role::Admin, ctx)?;
        self.want(Intent::Rename(name.clone()));
        Ok(())
    }

    /// Wants another role for a member.
    ///
    /// # Errors
    /// When one has no right to it, or the group would lose its last owner.
    pub(crate) fn want_role(
        &mut self,
        member: IdentityKey,
        role: Role,
        ctx: &mut Ctx<'_>,
    ) -> Result<(), Refused> {
        self.check_group(Role::Owner, ctx)?;
        let policy = self.policy_of(ctx);
        let next = policy.with_role(member, role);
        let roster = self.roster_of(ctx);
        let inside = |owner: &IdentityKey| roster.iter().any(|other| other.identity == *owner);
        if !next.owners().any(inside) {
            return Err(refuse(
                "not_allowed",
                "A group keeps at least one owner.",
                "Make somebody else an owner first.",
            ));
        }
        if !inside(&member) {
            return Err(refuse("not_found", "They are not a member.", "See `group members`."));
        }
        self.want(Intent::SetRole(member, role));
        Ok(())
    }

    /// Leaves: a signed message says so, and this device forgets the group once that is stored.
    ///
    /// # Errors
    /// When it is a contact, or the last owner would leave others behind.
    pub(crate) fn leave(&mut self, ctx: &mut Ctx<'_>) -> Result<(), Refused> {
        self.check_group(Role::Member, ctx)?;
        self.check_writable()?;
        let (policy, roster) = (self.policy_of(ctx), self.roster_of(ctx));
        let alone = roster.len() == 1;
        let mut others = policy.owners().filter(|owner| **owner != ctx.me.identity);
        let owned = others.any(|owner| roster.iter().any(|member| member.identity == *owner));
        let last = policy.role(&ctx.me.identity) == Role::Owner && !owned;
        if last && !alone {
            return Err(refuse(
                "not_allowed",
                "You are the only owner of this group.",
                "Make somebody else an owner first: `undertone group role CHAT MEMBER owner`.",
            ));
        }
        // Whatever one wished for here is for the others to do.
        self.intents.clear();
        self.enqueue(None, &Content::Leave(Leave { stay: [0; 32] }), ctx);
        self.leaving = true;
        self.touch();
        Ok(())
    }

    /// Wants something once: a leaf is removed once, whatever the reasons; of two roles for one
    /// person the later one counts.
    pub(super) fn want(&mut self, intent: Intent) {
        match &intent {
            Intent::Remove { .. } if self.join_removals(&intent) => return self.touch(),
            Intent::SetRole(person, _) => self
                .intents
                .retain(|other| !matches!(other, Intent::SetRole(of, _) if of == person)),
            Intent::Rename(_) => {
                self.intents.retain(|other| !matches!(other, Intent::Rename(_)));
            }
            other if self.intents.contains(other) => return,
            _ => {}
        }
        self.intents.push(intent);
        self.touch();
    }

    /// Makes one of two reasons to remove a leaf; false when there is no other.
    fn join_removals(&mut self, more: &Intent) -> bool {
        let Intent::Remove {
            leaf: of,
            left: words,
            asked: also,
            unheard: silent,
            not_before_ms: soon,
            ..
        } = more
        else {
            return false;
        };
        for intent in &mut self.intents {
            if let Intent::Remove { leaf, left, asked, unheard, not_before_ms, .. } = intent
                && leaf == of
            {
                if words.is_some() {
                    left.clone_from(words);
                }
                *asked |= also;
                *unheard &= silent;
                *not_before_ms = (*soon).min(*not_before_ms);
                return true;
            }
        }
        false
    }

    /// Refuses in contacts, and below a role.
    pub(super) fn check_group(&mut self, least: Role, ctx: &mut Ctx<'_>) -> Result<(), Refused> {
        if self.kind() == ChatKind::Contact {
            return Err(refuse(
                "not_allowed",
                "This is a conversation of two people.",
                "Create a group: `undertone group create NAME MEMBER…`.",
            ));
        }
        self.check_writable()?;
        if self.role_of_own(ctx) >= least {
            return Ok(());
        }
        let who = if least == Role::Owner { "owners" } else { "owners and admins" };
        Err(refuse("not_allowed", &format!("Only {who} may do this."), "Ask one of them."))
    }

    pub(super) fn check_right(
        &mut self,
        change: &Change,
        ctx: &mut Ctx<'_>,
    ) -> Result<(), Refused> {
        if self.may(change, ctx) {
            return Ok(());
        }
        Err(refuse("not_allowed", "You have no right to this change.", "Ask an owner."))
    }

    pub(crate) fn role_of_own(&mut self, ctx: &mut Ctx<'_>) -> Role {
        self.policy_of(ctx).role(&ctx.me.identity)
    }

    /// Whether this device has the right to all of `change`.
    pub(super) fn may(&mut self, change: &Change, ctx: &mut Ctx<'_>) -> bool {
        let (policy, members) = (self.policy_of(ctx), self.roster_of(ctx));
        let bench = Bench { policy: &policy, members: &members, conversation: &self.conversation };
        bench.may(self.epoch.own.leaf, change)
    }

    pub(super) fn roster_of(&mut self, ctx: &mut Ctx<'_>) -> Vec<Member> {
        self.live(ctx).map(|live| live.members.clone()).unwrap_or_default()
    }

    fn policy_of(&mut self, ctx: &mut Ctx<'_>) -> Policy {
        self.live(ctx).map_or_else(Policy::contact, |live| live.policy.clone())
    }
}
