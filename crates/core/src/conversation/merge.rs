//! The end of an epoch: the winning commit is merged, and what did not count is taken back.

use super::collisions::Collisions;
use super::judge::Win;
use super::lanes::At;
use super::roster::Roster;
use super::state::{Epoch, PastMember};
use super::{Author, Conversation, Ctx, Intent, Live, Past};
use crate::account::{Invitation, Task};
use crate::body::NamedMember;
use crate::io::{ChatState, Event};
use crate::mutant::{Mutant, planted};
use std::collections::BTreeSet;
use undertone_crypto::{EpochLog, IdentityKey};
use undertone_wire::HeadRef;

impl Conversation {
    /// Merges the winner; false while the closing head is not known yet.
    pub(super) fn merge(&mut self, win: &Win, ctx: &mut Ctx<'_>) -> bool {
        let Some(opening) = ctx.log.head_at(win.closing) else {
            ctx.log.want_head_at(win.closing);
            return false;
        };
        let Some(before) = self.roster(ctx) else { return false };
        if let Err(why) = self.merge_in_mls(win, ctx) {
            self.become_stuck(&why, ctx);
            return false;
        }
        self.keep_commit(ctx);
        self.settle_pending(win, opening, ctx);
        self.take_back(win.closing);
        self.settle_unsure(win.closing);
        ctx.cells.forget_chat(self.chat);
        ctx.cells.hold_lane(self.chat, false);
        self.pace.last_commit_ms = ctx.now_ms;
        self.tell_changes(&before, win, ctx);
        if win.theirs.as_ref().is_some_and(|theirs| !theirs.shows_log) {
            self.tell_hidden_log(At::Now, win.author, ctx);
        }
        let inside = self.live.as_ref().is_some_and(|live| live.group.is_active());
        if inside {
            self.open_epoch(opening, win, &before, ctx);
        } else {
            self.end(ctx);
        }
        inside
    }

    fn merge_in_mls(&mut self, win: &Win, ctx: &mut Ctx<'_>) -> Result<(), String> {
        let live = self.live(ctx).ok_or("its MLS state is missing")?;
        let merged = match &win.theirs {
            None => live.group.merge_pending(ctx.mls),
            Some(theirs) => live.group.merge(ctx.mls, &theirs.commit).map(|_| ()),
        };
        let merged = match &win.theirs {
            Some(theirs) if planted(Mutant::DoubleMerge) => {
                live.group.merge(ctx.mls, &theirs.commit).map(|_| ())
            }
            _ => merged,
        };
        merged.map_err(|refused| format!("MLS cannot merge the commit ({refused})"))?;
        let Live { group, .. } = *self.live.take().ok_or("its MLS state is missing")?;
        self.live = Some(Box::new(Live::new(group)));
        Ok(())
    }

    /// The epoch that MLS is in now, opened by `opening`.
    fn next_epoch(&mut self, opening: HeadRef, ctx: &mut Ctx<'_>) -> Option<Epoch> {
        let server = ctx.me.server;
        let live = self.live.as_ref()?;
        let exported = live.group.exporter(ctx.mls).ok()?;
        let log = EpochLog::derive(&exported, &server, &opening);
        let (number, own) = (live.group.epoch(), live.group.own_leaf());
        Some(Epoch::open(number, opening, &log, &live.members, own))
    }

    fn open_epoch(&mut self, opening: HeadRef, win: &Win, before: &Roster, ctx: &mut Ctx<'_>) {
        match self.next_epoch(opening, ctx) {
            Some(next) => {
                let ended = std::mem::replace(&mut self.epoch, next);
                let reads_on = Self::reads_on(ended.opened, win.closing, ctx);
                self.keep_past(ended, win.closing, before, reads_on);
            }
            None => return self.become_stuck("its next epoch cannot be derived", ctx),
        }
        self.forget_secrets(ctx);
        self.forget_ended_stays(before, win.author);
        self.note_arrivals(ctx);
        if let Some(author) = before.members.iter().find(|member| member.leaf == win.author) {
            self.hear(author, win.closing, ctx);
        }
        self.drop_rivals(before, ctx);
        self.drop_fulfilled(before, win.author, ctx);
        self.check_listed(ctx);
        self.touch();
    }

    /// A device that comes back counts from one again, even when it went and came in one commit.
    fn forget_ended_stays(&mut self, before: &Roster, committer: u32) {
        let Some(live) = &self.live else { return };
        if planted(Mutant::StaleNumbers) {
            return;
        }
        let after = &live.members;
        let stayed: BTreeSet<_> = before.stayed(after, committer).map(Author::from).collect();
        self.numbers.retain(|author, _| stayed.contains(author));
        self.numbered_in.retain(|author, _| stayed.contains(author));
        self.joined.retain(|author| stayed.contains(author));
        self.presence.retain(&stayed);
        for member in self.past.iter_mut().flat_map(|past| &mut past.members) {
            member.stay_ended |= !stayed.contains(&member.author());
        }
    }

    /// An epoch whose lanes wait for a listed cell is kept until it arrives or expires.
    fn keep_past(&mut self, ended: Epoch, closed: u64, before: &Roster, reads_on: bool) {
        self.reading.control = None;
        let waits = self.reading.lanes.iter().any(|((number, leaf), ahead)| {
            let lane = ended.lanes.get(leaf).filter(|_| *number == ended.number);
            lane.is_some_and(|lane| ahead.waits_within(closed, lane))
        });
        if waits || reads_on {
            let members = before.members.iter().map(PastMember::from).collect();
            self.past.push(Past { epoch: ended, closed, members });
        } else {
            self.reading.lanes.retain(|(number, _), _| *number != ended.number);
            self.reading.scanned.remove(&ended.number);
        }
        if self.past.is_empty() {
            self.reading.collisions = Collisions::default();
        }
    }

    /// One's own commit has won, or is dead.
    fn settle_pending(&mut self, win: &Win, opening: HeadRef, ctx: &mut Ctx<'_>) {
        if win.theirs.is_some() {
            return self.drop_pending(ctx);
        }
        let Some(pending) = self.pending.take() else { return };
        self.healed(ctx.now_ms);
        self.touch();
        let welcome = pending.welcome.filter(|_| !planted(Mutant::LostWelcome));
        if let Some(welcome) = welcome {
            let Some(live) = &self.live else { return };
            let tree = live.group.tree();
            let members = live.members.clone();
            let named = members.iter().map(|member| self.named(&member.identity, ctx));
            ctx.news.task(Task::Invite(Box::new(Invitation {
                conversation: self.conversation,
                succeeds: self.succession.predecessor(),
                to: pending.adds,
                welcome,
                tree,
                opening,
                names: named.collect(),
            })));
        }
    }

    fn named(&self, identity: &IdentityKey, ctx: &Ctx<'_>) -> NamedMember {
        // A name that was given here is nobody else's business.
        let claimed = ctx.contacts.claimed_name(identity);
        let name = claimed.or_else(|| self.names.get(identity).cloned());
        let name = name.map(|name| name.as_str().as_bytes().to_vec()).unwrap_or_default();
        NamedMember { identity: *identity, name: name.into() }
    }

    /// Intents that have come true, or can not any more. Who went and came in one commit sits at the
    /// same leaf again, and nobody asked for that stay to end.
    fn drop_fulfilled(&mut self, before: &Roster, committer: u32, ctx: &mut Ctx<'_>) {
        let Some(live) = self.live(ctx) else { return };
        let members = live.members.clone();
        let policy = live.policy.clone();
        let inside = |identity: &IdentityKey| members.iter().any(|m| m.identity == *identity);
        let stayed: BTreeSet<_> = before
            .stayed(&members, committer)
            .map(|member| (member.leaf, member.identity))
            .collect();
        self.intents.retain(|intent| match intent {
            Intent::Add(identity) => !inside(identity),
            Intent::Remove { leaf, identity, .. } => stayed.contains(&(*leaf, *identity)),
            Intent::Readd(identity) => stayed.iter().any(|(_, person)| person == identity),
            Intent::Rename(name) => policy.name.as_slice() != name.as_str().as_bytes(),
            Intent::SetRole(identity, role) => inside(identity) && policy.role(identity) != *role,
            Intent::Heal => true,
        });
    }

    /// This device is out: nothing more is read or sent, and the group's secrets are erased.
    pub(crate) fn end(&mut self, ctx: &mut Ctx<'_>) {
        self.fail_queue(ctx);
        self.pending = None;
        self.intents.clear();
        self.past.clear();
        self.reading = super::Reading::default();
        if let Some(live) = self.live(ctx) {
            let people = live.members.iter().map(|member| member.identity).collect();
            self.last_people.clone_from(&people);
        }
        let group = self.live.take().map(|live| live.group);
        let forgotten = group.map_or(Ok(()), |group| group.forget(ctx.mls));
        if let Err(refused) = forgotten {
            let text = format!("The group's secrets could not be erased ({refused}).");
            ctx.news.event(Event::Alarm { code: "erasure".to_owned(), text });
        }
        ctx.cells.forget_chat(self.chat);
        ctx.cells.cancel_gets(self.chat);
        self.set_state(ChatState::Ended, ctx);
        self.touch();
    }
}
