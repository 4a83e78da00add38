//! A counting message: what it changes here.

use super::state::PastMember;
use super::{Author, Conversation, Ctx, Intent, Past};
use crate::account::Task;
use crate::body::{Body, Content, Door, Hello, Invite, Lost, Packages};
use crate::head::HeadProof;
use crate::ids::Name;
use crate::io::{ChatState, Event, HistoryRow, MessageState, Role};
use crate::mutant::{Mutant, planted};
use crate::policy::{Change, LeaveProof, Removed};
use rand::Rng;
use std::collections::BTreeSet;
use undertone_crypto::mls::Member;
use undertone_wire::checks::{Check, is_off};
use undertone_wire::encode;

/// Longest random wait before an admin's client removes somebody who has left, in milliseconds.
pub(super) const LEAVER_WAIT_MS: u64 = 60_000;

/// One counting cell of somebody else's lane.
pub(super) struct Entry {
    /// The MLS epoch.
    pub epoch: u64,
    /// Effective tick.
    pub effective: u64,
    /// Slot in its lane.
    pub slot: u64,
    /// Who wrote it.
    pub author: Member,
    /// What it says.
    pub body: Body,
    /// The body as it was written.
    pub bytes: Vec<u8>,
    /// The author's signature over it.
    pub proof: HeadProof,
    /// When it was delivered.
    pub when: Arrival,
}

/// When a cell was delivered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// In its epoch.
    InTime,
    /// When its epoch had ended.
    Late,
    /// When its author's stay had ended too.
    OfAnotherStay,
}

/// Transcript order = (epoch, effective tick, leaf, slot), comparable byte by byte.
pub(super) fn order(epoch: u64, effective: u64, leaf: u32, slot: u64) -> Vec<u8> {
    [&epoch.to_be_bytes()[..], &effective.to_be_bytes(), &leaf.to_be_bytes(), &slot.to_be_bytes()]
        .concat()
}

impl Conversation {
    /// Takes a message into the transcript.
    pub(super) fn receive(&mut self, entry: Entry, ctx: &mut Ctx<'_>) {
        if !self.number_is_new(&entry, ctx) {
            return;
        }
        self.touch();
        if entry.when != Arrival::OfAnotherStay {
            self.hear(&entry.author, entry.effective, ctx);
        }
        if self.joined.insert(Author::from(&entry.author)) && self.state == ChatState::Requested {
            self.set_state(ChatState::Open, ctx);
        }
        let content = Content::from_parts(entry.body.kind, entry.body.content.as_slice());
        match content {
            Ok(Content::Text(text)) => self.receive_text(&entry, text.as_slice(), ctx),
            Ok(Content::Hello(hello)) => self.receive_hello(&entry, &hello, ctx),
            Ok(Content::Packages(packages)) => self.receive_packages(&entry, packages, ctx),
            Ok(Content::Invite(invite)) => self.receive_invite(&entry, *invite, ctx),
            Ok(Content::Leave(_)) => self.receive_leave(&entry, ctx),
            Ok(Content::Door(door)) => self.receive_door(&entry, door, ctx),
            Ok(Content::Lost(lost)) => self.receive_lost(&entry, &lost, ctx),
            Ok(Content::Unknown(_)) => {
                self.show(&entry, "(a kind of message that needs a newer version)".to_owned(), ctx);
            }
            Err(_) => self.show(&entry, "(a message that cannot be read)".to_owned(), ctx),
        }
    }

    /// A device's numbers count up by one in each of its stays. A number that was seen is a
    /// repetition by its author and is shown once; a missing number is a gap that the person is told
    /// of.
    fn number_is_new(&mut self, entry: &Entry, ctx: &mut Ctx<'_>) -> bool {
        if entry.when == Arrival::OfAnotherStay {
            return true;
        }
        let (author, number) = (Author::from(&entry.author), entry.body.number);
        let known = self.numbers.get(&author).copied();
        let repeats = known.is_some_and(|known| number <= known);
        let late = entry.when == Arrival::Late;
        if repeats && (late || !self.may_repeat_numbers(&author, ctx)) {
            return late;
        }
        self.numbers.insert(author, number);
        self.numbered_in.insert(author, entry.effective);
        let missing = known.map_or(0, |known| number.saturating_sub(known).saturating_sub(1));
        if missing > 0 && !self.waits_for(&author) && !is_off(Check::NumberGap) {
            let who = self.name_of(&entry.author.identity, ctx);
            let text = format!("{missing} message(s) from {who} are missing here.");
            ctx.news.event(Event::Gap { chat: self.chat, text });
        }
        true
    }

    /// Whether cells of a device are still awaited in an epoch that has ended; that gap is shown.
    fn waits_for(&self, author: &Author) -> bool {
        self.past.iter().any(|past| {
            let sits = |member: &&PastMember| member.author() == *author && !member.stay_ended;
            past.members.iter().filter(sits).any(|member| self.waits_in(past, member.leaf))
        })
    }

    /// Slots that are listed after the epoch's close will never be read: they hide no gap.
    fn waits_in(&self, past: &Past, leaf: u32) -> bool {
        let ahead = self.reading.lanes.get(&(past.epoch.number, leaf));
        let lane = past.epoch.lanes.get(&leaf);
        ahead.zip(lane).is_some_and(|(ahead, lane)| ahead.waits_within(past.closed, lane))
    }

    fn receive_text(&mut self, entry: &Entry, text: &[u8], ctx: &mut Ctx<'_>) {
        self.show(entry, String::from_utf8_lossy(text).into_owned(), ctx);
    }

    fn show(&mut self, entry: &Entry, text: String, ctx: &mut Ctx<'_>) {
        let row = HistoryRow {
            chat: self.chat,
            message: entry.body.id(&entry.author),
            author: entry.author.device.0,
            from: entry.author.identity,
            own: false,
            order: order(
                self.succession.epoch_in_chat(entry.epoch),
                entry.effective,
                entry.author.leaf,
                entry.slot,
            ),
            text,
            sent_ms: entry.body.sent_ms,
            stored_ms: ctx.log.time_of(entry.effective),
            state: MessageState::Received,
        };
        let message = row.message;
        if self.unsure.comes_again(&message) {
            return ctx.news.moved(row);
        }
        if entry.when == Arrival::InTime && self.may_have_ended_before(entry.effective, ctx) {
            self.unsure.note(message, entry.effective);
        }
        if planted(Mutant::ShownTwice) && entry.slot == 3 {
            let mut again = row.clone();
            again.message.0[0] ^= 0xff;
            ctx.news.received(again);
        }
        ctx.news.received(row);
    }

    fn receive_hello(&mut self, entry: &Entry, hello: &Hello, ctx: &mut Ctx<'_>) {
        let identity = entry.author.identity;
        if hello.list.identity != identity {
            return;
        }
        let name = Name::tamed_bytes(hello.name.as_slice());
        self.names.insert(identity, name.clone());
        ctx.contacts.learn(self.peer == Some(identity), &name, &hello.list, ctx.news);
        // Here at once, before anything more is sealed; elsewhere as soon as this step ends.
        self.check_listed(ctx);
    }

    fn receive_packages(&mut self, entry: &Entry, packages: Packages, ctx: &mut Ctx<'_>) {
        if self.peer == Some(entry.author.identity) {
            ctx.contacts.take_packages(&entry.author, packages, ctx.news);
        }
    }

    fn receive_invite(&mut self, entry: &Entry, invite: Invite, ctx: &mut Ctx<'_>) {
        if self.peer == Some(entry.author.identity) {
            let (from, tick) = (entry.author.identity, entry.effective);
            ctx.news.task(Task::Join { from, invite: Box::new(invite), tick });
        }
    }

    fn receive_door(&mut self, entry: &Entry, door: Door, ctx: &mut Ctx<'_>) {
        if self.peer == Some(entry.author.identity) {
            ctx.contacts.take_door(&entry.author.identity, door, ctx.news);
        }
    }

    fn receive_lost(&mut self, entry: &Entry, lost: &Lost, ctx: &mut Ctx<'_>) {
        if self.peer == Some(entry.author.identity) {
            let (from, tick) = (entry.author.identity, entry.effective);
            ctx.news.task(Task::Lost { from, conversation: lost.conversation, tick });
        }
    }

    /// The leaver's words are kept: whoever commits next removes the leaf, an admin's client within
    /// a random minute.
    fn receive_leave(&mut self, entry: &Entry, ctx: &mut Ctx<'_>) {
        let who = self.name_of(&entry.author.identity, ctx);
        let text = format!("{who} has left.");
        ctx.news.event(Event::Member { chat: self.chat, text });
        let admin = self.role_of_own(ctx) >= Role::Admin;
        let soon = ctx.now_ms + ctx.rng.random_range(0..LEAVER_WAIT_MS);
        let not_before_ms = if admin { soon } else { u64::MAX };
        let body = entry.bytes.clone().into();
        let left = LeaveProof { head: entry.proof.clone(), body };
        if !self.still_sits(&entry.author, &left, ctx) {
            return;
        }
        self.want(Intent::Remove {
            leaf: entry.author.leaf,
            identity: entry.author.identity,
            left: Some(encode(&left)),
            asked: false,
            unheard: false,
            not_before_ms,
        });
    }

    /// Whether a leaver is still here, and the words are about this stay.
    fn still_sits(&mut self, author: &Member, left: &LeaveProof, ctx: &mut Ctx<'_>) -> bool {
        let conversation = self.conversation;
        let Some(live) = self.live(ctx) else { return false };
        let now = live.members.iter().find(|member| member.leaf == author.leaf);
        now.is_some_and(|now| now.identity == author.identity && left.is_by(now, &conversation))
    }

    /// Somebody's device list has changed, in whatever conversation that was learned.
    pub(crate) fn recheck_lists(&mut self, ctx: &mut Ctx<'_>) {
        if self.is_live() {
            self.check_listed(ctx);
        }
    }

    /// A leaf outside the newest device list known never voids a commit; but nothing more is sent
    /// to it: it is shown, and removed by whoever may.
    pub(super) fn check_listed(&mut self, ctx: &mut Ctx<'_>) {
        let Some(live) = self.live(ctx) else { return };
        let members = live.members.clone();
        let unlisted: Vec<Member> =
            members.into_iter().filter(|member| !ctx.contacts.lists(member)).collect();
        for member in &unlisted {
            if !self.unlisted.contains(&Author::from(member)) {
                self.tell_unlisted(member, ctx);
                self.want_unlisted_removed(member, ctx);
            }
        }
        let unlisted: BTreeSet<_> = unlisted.iter().map(Author::from).collect();
        if unlisted != self.unlisted {
            self.unlisted = unlisted;
            self.touch();
        }
    }

    fn tell_unlisted(&self, member: &Member, ctx: &mut Ctx<'_>) {
        let who = self.name_of(&member.identity, ctx);
        let text = format!(
            "A device takes part in the name of {who} that {who}'s device list does not name. \
             Nothing is sent here while it does."
        );
        ctx.news.event(Event::Alarm { code: "unlisted_device".to_owned(), text });
    }

    fn want_unlisted_removed(&mut self, member: &Member, ctx: &mut Ctx<'_>) {
        let removed = Removed { leaf: member.leaf, identity: member.identity, left: None };
        let change = Change { removes: vec![removed], ..Change::default() };
        if self.may(&change, ctx) {
            self.want(Intent::Remove {
                leaf: member.leaf,
                identity: member.identity,
                left: None,
                asked: false,
                unheard: false,
                not_before_ms: 0,
            });
        }
    }
}
