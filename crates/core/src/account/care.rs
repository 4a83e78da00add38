//! What there is to do about groups, as `doctor` shows it.

use super::Account;
use crate::conversation::{Conversation, Ctx};
use crate::ids::Name;
use crate::io::{ChatKind, ChatState, GroupCare, Reply, Role, Standstill};

/// Control cells of one epoch that count for nobody, beside a change that waits, from which on
/// somebody is said to fill the slots on purpose.
const SQUATTED: u64 = 16;

impl Account {
    pub(super) fn group_cares(&mut self) -> Reply {
        let groups = self.conversations.values().filter(|it| it.kind() == ChatKind::Group);
        let present = groups.filter(|it| it.state != ChatState::Ended).map(|it| it.chat);
        let present: Vec<_> = present.collect();
        let cares = present.into_iter().filter_map(|chat| self.with(chat, Conversation::care));
        Reply::GroupCares(cares.filter(GroupCare::is_any).collect())
    }
}

impl GroupCare {
    fn is_any(&self) -> bool {
        let nobody = self.overdue.is_empty() && self.silent.is_empty() && self.asking.is_empty();
        self.restart.is_some() || !nobody
    }
}

impl Conversation {
    fn care(&mut self, ctx: &mut Ctx<'_>) -> GroupCare {
        let (chat, name) = (self.chat, self.view(ctx.contacts).name);
        let role = self.role_of_own(ctx);
        let restart = self.standstill().filter(|_| role == Role::Owner);
        let (mut overdue, mut silent, mut asking) = (Vec::new(), Vec::new(), Vec::new());
        if self.is_live() {
            overdue = self.invite_anew(ctx);
            let now_ms = ctx.log.time_ms();
            let leaves = self.silent(now_ms, ctx).into_iter();
            let others = leaves.filter(|member| member.identity != ctx.me.identity);
            silent = others.map(|member| self.name_of(&member.identity, ctx)).collect();
            if role >= Role::Admin {
                asking = self.askers().map(|who| self.name_of(who, ctx)).collect();
            }
        }
        GroupCare { chat, name, restart, overdue, silent, asking }
    }

    fn standstill(&self) -> Option<Standstill> {
        match self.state {
            ChatState::Stuck => Some(Standstill::Stuck),
            ChatState::Open if self.void_slots() >= SQUATTED => Some(Standstill::Squatted),
            _ => None,
        }
    }

    fn invite_anew(&mut self, ctx: &mut Ctx<'_>) -> Vec<(Name, u64)> {
        if self.role_of_own(ctx) < Role::Admin {
            return Vec::new();
        }
        let overdue = self.overdue(ctx).into_iter();
        overdue.map(|(who, since_ms)| (self.name_of(&who, ctx), since_ms)).collect()
    }
}
