//! Commits are intents (DESIGN.md section 4).
//!
//! A device makes one commit per epoch and moves it unchanged to the next control slot when a void
//! cell holds this one. When another's commit wins, the intent is built anew in the next epoch.
//! Removals go first; leavers are removed by whoever commits next.

use super::judge::CommitParcel;
use super::presence::SPREAD_MS;
use super::receive::LEAVER_WAIT_MS;
use super::{Conversation, Ctx, Intent, Pending};
use crate::cells::{Owner, Put};
use crate::head::{Claims, Payload, SignedHead};
use crate::io::Event;
use crate::mutant::{self, Mutant, planted};
use crate::parcel::{PARTS_MAX, ParcelRef, pack};
use crate::policy::{Added, Change, LeaveProof, Policy, Removed};
use rand::CryptoRng;
use undertone_crypto::cell::seal;
use undertone_crypto::mls::{CommitSpec, KeyPackageBytes};
use undertone_crypto::{IdentityKey, mls::PendingCommit};
use undertone_wire::{decode, encode};

/// Own messages after which one's keys are refreshed.
const HEAL_MESSAGES: u32 = 100;
/// Time after which one's keys are refreshed.
const HEAL_EVERY_MS: u64 = 7 * 86_400_000;
/// No voluntary commit so soon after another commit.
const QUIET_MS: u64 = 60_000;

/// What the next commit is to do.
#[derive(Default)]
struct Plan {
    change: Change,
    packages: Vec<KeyPackageBytes>,
    adds: Vec<IdentityKey>,
    policy: Option<Policy>,
}

/// Which intents one commit is made of.
#[derive(Clone, Copy)]
enum Wishes {
    All,
    Removals,
}

impl Wishes {
    fn holds(self, intent: &Intent) -> bool {
        matches!(self, Self::All) || intent.is_removal()
    }
}

impl Conversation {
    /// Makes the commit that is wanted, if one is and its time has come.
    pub(super) fn commit_if_due(&mut self, ctx: &mut Ctx<'_>) {
        if self.pending.is_some()
            || self.held
            || self.leaving
            || ctx.now_ms < self.pace.waits_until_ms(ctx.now_ms)
        {
            return;
        }
        self.want_healing(ctx);
        if !self.intents.iter().any(|intent| self.is_due(intent, ctx)) {
            return;
        }
        self.commit_wishes(ctx);
    }

    /// Makes one commit of all wishes; where that is refused, of the removals alone. One bad wish
    /// must not keep anybody in who is to go.
    fn commit_wishes(&mut self, ctx: &mut Ctx<'_>) {
        let Err(why) = self.try_commit(Wishes::All, ctx) else { return };
        let mixed = self.intents.iter().any(Intent::is_removal)
            && self.intents.iter().any(|intent| !intent.is_removal());
        if !mixed {
            return self.give_up(Wishes::All, &why, ctx);
        }
        if let Err(why) = self.try_commit(Wishes::Removals, ctx) {
            self.give_up(Wishes::Removals, &why, ctx);
        }
    }

    fn try_commit(&mut self, wishes: Wishes, ctx: &mut Ctx<'_>) -> Result<(), String> {
        let Some(plan) = self.plan(wishes, ctx) else { return Ok(()) };
        if !self.may(&plan.change, ctx) {
            return Err("you have no right to it any more".to_owned());
        }
        self.commit(plan, ctx)
    }

    /// When something has to be looked at again, by the engine's own clock.
    pub(crate) fn next_wake_ms(&self, now_ms: u64) -> Option<u64> {
        let closed = self.held || self.leaving || self.reading.control.is_some();
        if !self.is_live() || closed || self.succession.yields {
            return None;
        }
        if self.pending.is_some() {
            // It is held back until then, if a recovery may have undone it.
            let until_ms = self.pace.waits_until_ms(now_ms);
            return (until_ms > now_ms).then_some(until_ms);
        }
        let due = |intent: &Intent| match intent {
            Intent::Remove { not_before_ms, .. } => *not_before_ms,
            _ => 0,
        };
        let intents = self.intents.iter().map(due).min();
        let heal = self.pace.heal_at_ms.max(self.pace.last_commit_ms + QUIET_MS);
        let wake = intents.map_or(heal, |intents| intents.min(heal));
        Some(wake.max(self.pace.waits_until_ms(now_ms)))
    }

    /// After a start: what is waited for longer than was ever meant was set by a clock that was wrong,
    /// and is due when the longest wait is over.
    pub(crate) fn set_waits_right(&mut self, now_ms: u64) {
        let at_most = |time: &mut u64, wait_ms: u64| {
            *time = (*time).min(now_ms.saturating_add(wait_ms));
        };
        at_most(&mut self.pace.last_commit_ms, 0);
        at_most(&mut self.pace.heal_at_ms, HEAL_EVERY_MS);
        for intent in &mut self.intents {
            match intent {
                // Others remove it; this device does when they do not wait for a time.
                Intent::Remove { not_before_ms: u64::MAX, .. } => {}
                Intent::Remove { not_before_ms, unheard: true, .. } => {
                    at_most(not_before_ms, SPREAD_MS);
                }
                Intent::Remove { not_before_ms, .. } => at_most(not_before_ms, LEAVER_WAIT_MS),
                _ => {}
            }
        }
    }

    fn want_healing(&mut self, ctx: &Ctx<'_>) {
        let quiet = ctx.now_ms >= self.pace.last_commit_ms + QUIET_MS;
        let worn = self.pace.own_messages >= HEAL_MESSAGES || ctx.now_ms >= self.pace.heal_at_ms;
        if quiet && worn && !self.intents.contains(&Intent::Heal) {
            self.intents.push(Intent::Heal);
            self.touch();
        }
    }

    fn is_due(&self, intent: &Intent, ctx: &Ctx<'_>) -> bool {
        match intent {
            Intent::Remove { not_before_ms, .. } => ctx.now_ms >= *not_before_ms,
            _ => true,
        }
    }

    /// Gathers what one commit can do; `None` when nothing is left to do.
    fn plan(&mut self, wishes: Wishes, ctx: &mut Ctx<'_>) -> Option<Plan> {
        let mut plan = Plan::default();
        let meant: Vec<_> = self.intents.iter().filter(|it| wishes.holds(it)).cloned().collect();
        for intent in meant {
            match intent {
                Intent::Remove { leaf, identity, left, .. } => {
                    let left = left.and_then(|left| decode::<LeaveProof>(&left).ok());
                    self.plan_removal(&mut plan, leaf, identity, left.map(Box::new), ctx);
                }
                Intent::Add(identity) => self.plan_add(&mut plan, identity, ctx),
                Intent::Readd(identity) => self.plan_readd(&mut plan, identity, ctx),
                Intent::Rename(name) => {
                    let policy = self.planned_policy(&plan, ctx)?;
                    plan.policy = Some(policy.with_name(name.as_str()));
                }
                Intent::SetRole(identity, role) => {
                    let policy = self.planned_policy(&plan, ctx)?;
                    plan.policy = Some(policy.with_role(identity, role));
                }
                Intent::Heal => {}
            }
        }
        if !self.intents.iter().any(|intent| wishes.holds(intent)) {
            return None;
        }
        plan.change.policy = plan.policy.as_ref().map(|policy| policy.to_bytes().into());
        Some(plan)
    }

    /// By the leaver's words where they hold, else by one's own right; an intent that neither carries
    /// is dropped, so that it stops nothing else.
    fn plan_removal(
        &mut self,
        plan: &mut Plan,
        leaf: u32,
        identity: IdentityKey,
        left: Option<Box<LeaveProof>>,
        ctx: &mut Ctx<'_>,
    ) {
        for left in [left, None] {
            let removed = Removed { leaf, identity, left };
            let alone = Change { removes: vec![removed.clone()], ..Change::default() };
            if self.may(&alone, ctx) {
                plan.change.removes.push(removed);
                return;
            }
        }
        self.drop_removal(leaf, ctx);
    }

    /// Whoever asked for the removal is told that the right to it is gone.
    fn drop_removal(&mut self, leaf: u32, ctx: &mut Ctx<'_>) {
        let of_leaf =
            |intent: &Intent| matches!(intent, Intent::Remove { leaf: of, .. } if *of == leaf);
        let asked = |intent: &Intent| matches!(intent, Intent::Remove { asked: true, .. });
        if self.intents.iter().any(|intent| of_leaf(intent) && asked(intent)) {
            let text = "Nobody was removed: you have no right to it any more.".to_owned();
            ctx.news.event(Event::Member { chat: self.chat, text });
        }
        self.intents.retain(|intent| !of_leaf(intent));
        self.touch();
    }

    fn planned_policy(&mut self, plan: &Plan, ctx: &mut Ctx<'_>) -> Option<Policy> {
        let present = self.live(ctx).map(|live| live.policy.clone());
        plan.policy.clone().or(present)
    }

    fn plan_add(&mut self, plan: &mut Plan, identity: IdentityKey, ctx: &mut Ctx<'_>) {
        match ctx.contacts.package_for(&identity, ctx.news) {
            Some((info, list_number, bytes)) => {
                let (device, mls_key) = (info.device, info.mls_key);
                plan.change.adds.push(Added { identity, device, mls_key, list_number });
                plan.packages.push(KeyPackageBytes(bytes));
                plan.adds.push(identity);
            }
            None => self.give_up_add(&identity, ctx),
        }
    }

    /// One commit takes the leaf out that never came in, or that has lost the group, and adds the
    /// person anew; whoever was heard of meanwhile stays.
    fn plan_readd(&mut self, plan: &mut Plan, identity: IdentityKey, ctx: &mut Ctx<'_>) {
        if !self.overdue(ctx).contains_key(&identity) && !self.is_asked_by(&identity) {
            return self.intents.retain(|intent| *intent != Intent::Readd(identity));
        }
        let removals = self.removals_of(&identity, ctx);
        let before = plan.adds.len();
        self.plan_add(plan, identity, ctx);
        if plan.adds.len() > before {
            plan.change.removes.extend(removals.removes);
        }
    }

    fn give_up_add(&mut self, identity: &IdentityKey, ctx: &mut Ctx<'_>) {
        let adds = [Intent::Add(*identity), Intent::Readd(*identity)];
        self.intents.retain(|intent| !adds.contains(intent));
        self.touch();
        let who = ctx.contacts.name_of(identity);
        let text = format!("{who} cannot be added yet: no key of theirs is known here.");
        ctx.news.event(Event::Member { chat: self.chat, text });
    }

    fn commit(&mut self, plan: Plan, ctx: &mut Ctx<'_>) -> Result<(), String> {
        let Some(aad) = ctx.log.signed_head().map(encode) else { return Ok(()) };
        let spec = CommitSpec {
            add: plan.packages,
            remove: plan.change.removes.iter().map(|removed| removed.leaf).collect(),
            policy: plan.policy.map(|policy| policy.to_bytes()),
            aad,
        };
        let Some(live) = self.live(ctx) else { return Ok(()) };
        let made = live.group.commit(ctx.mls, &ctx.me.leaf_key, spec);
        let commit = made.map_err(|refused| refused.to_string())?;
        self.stage(commit, plan.change, plan.adds, ctx)
    }

    /// What is wished for is refused: it is dropped, and the person is told what and why.
    fn give_up(&mut self, wishes: Wishes, why: &str, ctx: &mut Ctx<'_>) {
        let (dropped, kept) = self.intents.drain(..).partition(|intent| wishes.holds(intent));
        self.intents = kept;
        self.touch();
        for intent in dropped {
            if let Some(what) = self.undone(&intent, ctx) {
                let text = format!("{what}: {why}.");
                ctx.news.event(Event::Member { chat: self.chat, text });
            }
        }
    }

    /// What does not happen, in words; nobody asked for fresh keys.
    fn undone(&self, intent: &Intent, ctx: &Ctx<'_>) -> Option<String> {
        let name = |identity| self.name_of(identity, ctx);
        Some(match intent {
            Intent::Add(identity) => format!("{} was not added", name(identity)),
            Intent::Readd(identity) => format!("{} was not invited anew", name(identity)),
            Intent::Remove { identity, .. } => format!("{} was not removed", name(identity)),
            Intent::Rename(wanted) => format!("The group was not named {wanted}"),
            Intent::SetRole(identity, _) => format!("The role of {} stays", name(identity)),
            Intent::Heal => return None,
        })
    }

    /// Keeps the commit with its parcel and Welcome, and puts its head into the control slot.
    fn stage(
        &mut self,
        commit: PendingCommit,
        change: Change,
        adds: Vec<IdentityKey>,
        ctx: &mut Ctx<'_>,
    ) -> Result<(), String> {
        let hash = change.hash();
        let payload = encode(&CommitParcel { change, commit: commit.commit.into() });
        let packed = match pack(&payload, PARTS_MAX, &ctx.me.server, ctx.rng) {
            Ok(packed) => packed,
            Err(too_large) => {
                if let Some(live) = self.live(ctx) {
                    let cleared = live.group.clear_pending(ctx.mls);
                    debug_assert!(cleared.is_ok(), "clearing changes memory only");
                }
                return Err(too_large.to_string());
            }
        };
        ctx.cells.put_parts(packed.parts, packed.reference.local_id());
        self.pending = Some(Pending {
            slot: self.epoch.control.index(),
            parcel: encode(&packed.reference),
            change: hash,
            welcome: commit.welcome,
            adds,
        });
        self.put_pending(ctx);
        Ok(())
    }

    /// A void cell holds the slot: the same commit stands in the next one.
    pub(super) fn move_pending(&mut self, ctx: &mut Ctx<'_>) {
        let next = self.epoch.control.index();
        if let Some(pending) = &mut self.pending {
            pending.slot = next;
            self.put_pending(ctx);
        }
    }

    fn put_pending(&mut self, ctx: &mut Ctx<'_>) {
        let Some(pending) = &self.pending else { return };
        let Some(parcel) = pending.parcel() else { return };
        let after = vec![parcel.local_id()];
        let keys = self.epoch.control.keys(&ctx.me.server).clone();
        let leaf = self.epoch.own.leaf;
        let claims = Claims { leaf, place: 0, change: pending.change, body: [0; 32] };
        let payload = Payload::Parcel(parcel);
        let head = SignedHead::sign(&ctx.me.leaf_key, &keys.tag, claims, payload);
        let mut again = mutant::same_again();
        let rng: &mut dyn CryptoRng =
            if planted(Mutant::SameNonce) { &mut again } else { &mut *ctx.rng };
        let cell = seal(&keys, &encode(&head), rng).expect("a head fits a cell");
        let slot = self.epoch.control.index();
        let owner = Owner::Control { chat: self.chat, epoch: self.epoch.number, slot };
        ctx.cells.put(Put { tag: keys.tag, write: keys.write, cell, owner, after });
        self.touch();
    }

    /// One's own commit lost the race: its bytes are dead, its intents live on.
    pub(super) fn drop_pending(&mut self, ctx: &mut Ctx<'_>) {
        let Some(pending) = self.pending.take() else { return };
        self.pace.lose(ctx.now_ms);
        if let Some(parcel) = pending.parcel() {
            self.forget_parcel(&parcel, ctx);
        }
        self.touch();
    }

    /// A planted bug: one's own commit is forgotten, and its wishes are committed anew.
    pub(crate) fn forget_commit(&mut self, ctx: &mut Ctx<'_>) {
        self.drop_pending(ctx);
        if let Some(live) = self.live(ctx) {
            let cleared = live.group.clear_pending(ctx.mls);
            debug_assert!(cleared.is_ok(), "clearing changes memory only");
        }
        let slot = self.epoch.control.keys(&ctx.me.server).tag;
        ctx.cells.forget(&slot);
    }

    /// The parts need not be stored any more.
    pub(super) fn forget_parcel(&self, parcel: &ParcelRef, ctx: &mut Ctx<'_>) {
        for index in 0..parcel.parts() {
            ctx.cells.forget(&parcel.keys(&ctx.me.server, index).tag);
        }
    }

    /// After a commit of one's own: when to refresh the keys next.
    pub(super) fn healed(&mut self, now_ms: u64) {
        self.pace.own_messages = 0;
        self.pace.lost = 0;
        self.pace.heal_at_ms = now_ms + HEAL_EVERY_MS;
        self.intents.retain(|intent| *intent != Intent::Heal);
    }
}
