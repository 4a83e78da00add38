//! Writing messages: the queue, the slots, and going back after a squatted one.

use super::receive::order;
use super::{Conversation, Ctx, Intent, Outgoing, OutgoingState, Placed};
use crate::account::Task;
use crate::body::{Body, Content, Leave};
use crate::cells::{Owner, Put};
use crate::head::{Claims, Payload, SignedHead};
use crate::ids::MessageId;
use crate::io::{ChatState, Event, HistoryRow, MessageState};
use crate::mutant::{Mutant, planted};
use crate::parcel::{MESSAGE_PARTS_MAX, pack};
use rand::RngCore;
use std::collections::BTreeSet;
use undertone_crypto::IdentityKey;
use undertone_crypto::cell::seal;
use undertone_wire::{decode, encode};

/// Slots that one device may have unacknowledged in one lane; a protocol constant.
const UNACKNOWLEDGED_MAX: usize = 32;

/// Kind of a text in a body.
pub(super) const TEXT: u16 = 1;
/// Kind of a leave message in a body.
const LEAVE: u16 = 5;

impl Conversation {
    /// Puts a message into the queue; it goes out by itself.
    pub(crate) fn enqueue(
        &mut self,
        salt: Option<[u8; 16]>,
        content: &Content,
        ctx: &mut Ctx<'_>,
    ) -> MessageId {
        self.enqueue_after(salt, content, Vec::new(), ctx)
    }

    /// As [`enqueue`](Self::enqueue); the message leaves when these parcels are stored.
    pub(crate) fn enqueue_after(
        &mut self,
        salt: Option<[u8; 16]>,
        content: &Content,
        after: Vec<[u8; 16]>,
        ctx: &mut Ctx<'_>,
    ) -> MessageId {
        let salt = salt.unwrap_or_else(|| fresh_salt(ctx));
        let audience = self.audience(ctx);
        let seq = self.next_outgoing;
        self.next_outgoing += 1;
        let mut outgoing = Outgoing::new(ctx.me, salt, content, ctx.wall_ms, audience);
        let message = outgoing.message;
        outgoing.after = after;
        self.outgoing.insert(seq, outgoing);
        self.dirty.outgoing.insert(seq);
        self.touch();
        self.show_own(seq, MessageState::Queued, None, ctx);
        message
    }

    /// The people who are shown as reading what is written now: everybody in the epoch, and those
    /// whom one is about to add; not those whom one is about to remove.
    fn audience(&mut self, ctx: &mut Ctx<'_>) -> BTreeSet<IdentityKey> {
        let mut people = self.people(ctx);
        for intent in &self.intents {
            match intent {
                Intent::Add(identity) => drop(people.insert(*identity)),
                Intent::Remove { identity, asked: true, .. }
                    if !planted(Mutant::SealPastRemoval) =>
                {
                    people.remove(identity);
                }
                _ => {}
            }
        }
        people
    }

    pub(super) fn people(&mut self, ctx: &mut Ctx<'_>) -> BTreeSet<IdentityKey> {
        let live = self.live(ctx);
        let members = live.map(|live| live.members.as_slice()).unwrap_or_default();
        members.iter().map(|member| member.identity).collect()
    }

    /// Seals as many queued messages as may be under way.
    pub(super) fn seal_queue(&mut self, ctx: &mut Ctx<'_>) {
        let closed = self.removal_is_wanted() || !self.unlisted.is_empty();
        let people = self.people(ctx);
        // Those whom it is for are on their way in: they read nothing that is written before.
        let adding = |intent: &Intent| matches!(intent, Intent::Add(_));
        let nobody_yet = people.len() == 1 && self.intents.iter().any(adding);
        let nobody_yet = nobody_yet || self.holds_texts();
        for seq in self.outgoing.keys().copied().collect::<Vec<_>>() {
            let full = self.unacknowledged() >= UNACKNOWLEDGED_MAX;
            if !self.is_live() || full || self.next_slot_is_listed(ctx) {
                return;
            }
            // A leave is about one's leaf as it is: nothing holds it up but a commit of one's own,
            // which would change the leaf.
            let leaves = self.outgoing[&seq].kind == LEAVE;
            let waits = if leaves { self.pending.is_some() } else { closed };
            let unread = self.outgoing[&seq].kind == TEXT && nobody_yet;
            if waits || unread {
                continue;
            }
            if !matches!(self.outgoing[&seq].state, OutgoingState::Queued) {
                continue;
            }
            let seen = people.is_subset(&self.outgoing[&seq].audience);
            if seen || planted(Mutant::ChangedAudience) {
                self.seal_message(seq, ctx);
            } else {
                self.wait_for_author(seq, ctx);
            }
        }
    }

    /// Texts wait in a contact's conversation that begins anew until the other side is in it: they may
    /// begin another one meanwhile, and go there with the queue.
    fn holds_texts(&self) -> bool {
        let anew = self.peer.is_some() && self.succession.succeeds().is_some();
        anew && self.state == ChatState::Requested
    }

    /// Messages written after a removal was asked for wait until it has won.
    fn removal_is_wanted(&self) -> bool {
        let asked = |intent: &Intent| matches!(intent, Intent::Remove { asked: true, .. });
        self.intents.iter().any(asked) && !planted(Mutant::SealPastRemoval)
    }

    /// Whether the next slot for writing is taken already: its cell is read first. Somebody may have
    /// squatted it; or this profile was copied or put back, has written there before, and would use
    /// one generation of its secrets for two plaintexts.
    fn next_slot_is_listed(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let keys = self.epoch.own.next.keys(&ctx.me.server);
        self.reading.collisions.listed(keys, self.epoch.opened, ctx).is_some()
    }

    fn unacknowledged(&self) -> usize {
        self.outgoing.values().filter(|outgoing| outgoing.placed().is_some()).count()
    }

    /// People have joined since it was written: it waits without blocking later ones.
    fn wait_for_author(&mut self, seq: u64, ctx: &mut Ctx<'_>) {
        let outgoing = self.outgoing.get_mut(&seq).expect("a message of the queue");
        if outgoing.kind != TEXT {
            // What a device says of itself is for whoever is there.
            return self.seal_message(seq, ctx);
        }
        outgoing.state = OutgoingState::Waiting;
        self.dirty.outgoing.insert(seq);
        self.show_own(seq, MessageState::Waiting, None, ctx);
    }

    /// Gives a message its number, its MLS bytes and its first slot.
    fn seal_message(&mut self, seq: u64, ctx: &mut Ctx<'_>) {
        let Some(head) = ctx.log.signed_head().map(encode) else { return };
        let number = self.next_number;
        let body = self.body_of(seq, number, ctx);
        let bytes = encode(&body);
        let Some(live) = self.live(ctx) else { return };
        let sealed = live.group.encrypt(ctx.mls, &ctx.me.leaf_key, &head, &bytes);
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(refused) => return self.become_stuck(&format!("MLS cannot seal ({refused})"), ctx),
        };
        self.next_number += 1;
        let (payload, parcel) = carry(sealed, ctx);
        let place = self.epoch.own.place;
        self.epoch.own.place += 1;
        let placed = Placed {
            slot: 0,
            place,
            number,
            body: Body::commitment(&bytes),
            payload: encode(&payload),
            parcel,
        };
        self.place(seq, placed, ctx);
    }

    fn body_of(&self, seq: u64, number: u64, ctx: &mut Ctx<'_>) -> Body {
        let outgoing = &self.outgoing[&seq];
        let leaves = outgoing.kind == LEAVE;
        let content = if leaves { self.own_leave() } else { outgoing.content.clone() };
        Body {
            conversation: self.conversation,
            device_list: ctx.me.list.list.number,
            salt: outgoing.salt,
            number,
            sent_ms: outgoing.sent_ms,
            kind: outgoing.kind,
            content: content.into(),
            blinding: Body::blinding(ctx.rng),
        }
    }

    /// The words that one leaves, about this very stay.
    fn own_leave(&self) -> Vec<u8> {
        let leaf = self.epoch.own.leaf;
        let members = self.live.as_ref().map(|live| live.members.as_slice()).unwrap_or_default();
        let own = members.iter().find(|member| member.leaf == leaf);
        encode(&Leave { stay: own.map_or([0; 32], |own| own.key_hash) })
    }

    /// Writes a message into the next slot of one's own lane.
    fn place(&mut self, seq: u64, mut placed: Placed, ctx: &mut Ctx<'_>) {
        let keys = self.epoch.own.next.keys(&ctx.me.server).clone();
        let leaf = self.epoch.own.leaf;
        placed.slot = self.epoch.own.next.index();
        let payload: Payload = decode(&placed.payload).expect("written by ourselves");
        let claims = Claims { leaf, place: placed.place, change: [0; 32], body: placed.body };
        let head = SignedHead::sign(&ctx.me.leaf_key, &keys.tag, claims, payload);
        let cell = seal(&keys, &encode(&head), ctx.rng).expect("a head fits a cell");
        let owner =
            Owner::Lane { chat: self.chat, epoch: self.epoch.number, leaf, slot: placed.slot };
        let mut after = self.outgoing[&seq].after.clone();
        after.extend(placed.parcel);
        ctx.cells.put(Put { tag: keys.tag, write: keys.write, cell, owner, after });
        self.epoch.own.next.step();
        let outgoing = self.outgoing.get_mut(&seq).expect("a message of the queue");
        outgoing.state = OutgoingState::Sealed(placed);
        self.dirty.outgoing.insert(seq);
        self.touch();
    }

    /// The slot was squatted: that message and all later ones stand again in the next slots, with
    /// the same MLS bytes. Their old cells stay in the outbox: a slot once taken is always filled.
    pub(super) fn go_back(&mut self, slot: u64, ctx: &mut Ctx<'_>) {
        let at = |outgoing: &Outgoing| outgoing.placed().map(|placed| (placed.slot, placed.place));
        let squatted = self.outgoing.values().filter_map(at).find(|(taken, _)| *taken == slot);
        let Some((_, first)) = squatted else { return };
        let mut moved: Vec<(u64, Placed)> = self
            .outgoing
            .iter()
            .filter_map(|(seq, outgoing)| Some((*seq, outgoing.placed()?.clone())))
            .filter(|(_, placed)| placed.place >= first)
            .collect();
        moved.sort_by_key(|(_, placed)| placed.place);
        for (seq, placed) in moved {
            self.place(seq, placed, ctx);
        }
    }

    /// One's own message counts: it is stored.
    pub(super) fn own_counts(&mut self, seq: u64, effective: u64, slot: u64, ctx: &mut Ctx<'_>) {
        let own = self.live.as_ref().and_then(|live| live.own()).cloned();
        if let Some(own) = own {
            self.hear(&own, effective, ctx);
        }
        let number = self.succession.epoch_in_chat(self.epoch.number);
        let at = order(number, effective, self.epoch.own.leaf, slot);
        self.show_own(seq, MessageState::Stored, Some((at, effective)), ctx);
        let outgoing = self.count_out(seq, effective, ctx);
        self.dirty.outgoing.insert(seq);
        self.pace.own_messages += 1;
        self.touch();
        if outgoing.as_ref().is_some_and(|outgoing| outgoing.kind == TEXT) {
            self.succession.note_own(effective);
        }
        if outgoing.is_some_and(|outgoing| outgoing.kind == LEAVE) {
            ctx.news.task(Task::Left { chat: self.chat });
        }
    }

    /// A planted bug: the answer to a PUT is taken for a verdict.
    pub(crate) fn believe_answer(&mut self, epoch: u64, slot: u64, ctx: &mut Ctx<'_>) {
        let stands = |out: &Outgoing| out.placed().is_some_and(|placed| placed.slot == slot);
        let found = self.outgoing.iter().find(|(_, out)| stands(out)).map(|(seq, _)| *seq);
        if let Some(seq) = found.filter(|_| epoch == self.epoch.number) {
            self.own_counts(seq, ctx.log.walked(), slot, ctx);
        }
    }

    /// A planted bug: what was sealed and not read yet is sealed anew, in the same slots.
    pub(crate) fn write_from_where_it_is_read(&mut self) {
        self.take_back(self.epoch.closing);
        if let Some(lane) = self.epoch.lanes.get(&self.epoch.own.leaf) {
            self.epoch.own.next = lane.next.clone();
            self.epoch.own.place = lane.place;
        }
        self.touch();
    }

    /// A message that counts leaves the queue, unless its epoch may have ended before.
    fn count_out(&mut self, seq: u64, effective: u64, ctx: &Ctx<'_>) -> Option<Outgoing> {
        let unsure = self.may_have_ended_before(effective, ctx);
        let outgoing = self.outgoing.get_mut(&seq)?;
        match outgoing.placed().map(|placed| placed.number).filter(|_| unsure) {
            Some(number) => {
                let counted = outgoing.clone();
                outgoing.state = OutgoingState::Counted { number, effective };
                Some(counted)
            }
            None => self.outgoing.remove(&seq),
        }
    }

    /// Before the next epoch: what did not count up to the tick `closing` goes back into the queue,
    /// and its numbers too.
    pub(super) fn take_back(&mut self, closing: u64) {
        if planted(Mutant::NoReseal) {
            return;
        }
        self.settle_counted(closing);
        for (seq, outgoing) in &mut self.outgoing {
            if let Some(number) = outgoing.number() {
                if !planted(Mutant::KeepNumbers) {
                    self.next_number = self.next_number.min(number);
                }
                outgoing.state = OutgoingState::Queued;
                self.dirty.outgoing.insert(*seq);
            }
        }
    }

    /// What counted up to the tick `closing` is stored for good.
    fn settle_counted(&mut self, closing: u64) {
        let counts = |outgoing: &Outgoing| matches!(outgoing.state, OutgoingState::Counted { effective, .. } if effective <= closing);
        let settled: Vec<u64> =
            self.outgoing.iter().filter(|(_, it)| counts(it)).map(|(seq, _)| *seq).collect();
        for seq in settled {
            self.outgoing.remove(&seq);
            self.dirty.outgoing.insert(seq);
        }
    }

    /// Nothing will be sent here any more.
    pub(crate) fn fail_queue(&mut self, ctx: &mut Ctx<'_>) {
        self.settle_counted(u64::MAX);
        let messages = self.outgoing.values().map(|outgoing| outgoing.message).collect();
        ctx.news.task(Task::Failed { messages });
        for seq in self.outgoing.keys().copied().collect::<Vec<_>>() {
            self.show_own(seq, MessageState::Failed, None, ctx);
            self.outgoing.remove(&seq);
            self.dirty.outgoing.insert(seq);
        }
    }

    /// The author has seen who is here now and sends all the same.
    pub(crate) fn release(&mut self, message: MessageId, ctx: &mut Ctx<'_>) {
        let people = self.people(ctx);
        let mut waiting = self.outgoing.iter_mut().filter(|(_, out)| out.message == message);
        let Some((&seq, outgoing)) = waiting.next() else { return };
        if matches!(outgoing.state, OutgoingState::Waiting) {
            outgoing.audience = people;
            outgoing.sent_ms = ctx.wall_ms;
            outgoing.state = OutgoingState::Queued;
            self.dirty.outgoing.insert(seq);
            self.show_own(seq, MessageState::Queued, None, ctx);
        }
    }

    /// How far an own message is that is not stored.
    pub(crate) fn outgoing_state(&self, message: MessageId) -> Option<MessageState> {
        let outgoing = self.outgoing.values().find(|outgoing| outgoing.message == message)?;
        Some(match outgoing.state {
            OutgoingState::Waiting => MessageState::Waiting,
            OutgoingState::Counted { .. } => return None,
            _ => MessageState::Queued,
        })
    }

    /// How many own messages go out by themselves, and how many wait for their author.
    pub(crate) fn queue_lengths(&self) -> (usize, usize) {
        let texts = self.outgoing.values().filter(|it| it.kind == TEXT && !it.has_counted());
        let waiting = |outgoing: &&Outgoing| matches!(outgoing.state, OutgoingState::Waiting);
        let (waiting, queued): (Vec<_>, Vec<_>) = texts.partition(waiting);
        (queued.len(), waiting.len())
    }

    /// What was asked for here and is not decided on the server yet: messages of every kind, and
    /// changes of the group.
    pub(crate) fn unsettled(&self) -> usize {
        if !self.is_live() {
            return 0;
        }
        let waits = |outgoing: &&Outgoing| matches!(outgoing.state, OutgoingState::Waiting);
        let open = |outgoing: &&Outgoing| !waits(outgoing) && !outgoing.has_counted();
        let held = self.holds_texts();
        let goes_out = |outgoing: &&Outgoing| !(held && outgoing.kind == TEXT);
        let messages = self.outgoing.values().filter(open).filter(goes_out).count();
        // Nobody waits for the refreshing of keys, nor for a leaver to be taken out.
        let asked = |intent: &&Intent| {
            let unasked = matches!(
                intent,
                Intent::Heal
                    | Intent::Remove { left: Some(_), .. }
                    | Intent::Remove { unheard: true, .. }
            );
            !unasked
        };
        let changes = self.intents.iter().filter(asked).count();
        messages + changes + usize::from(self.pending.is_some())
    }

    /// Shows an own text in the history; what a device says of itself is not shown.
    fn show_own(
        &self,
        seq: u64,
        state: MessageState,
        stored: Option<(Vec<u8>, u64)>,
        ctx: &mut Ctx<'_>,
    ) {
        let Some(outgoing) = self.outgoing.get(&seq).filter(|outgoing| outgoing.kind == TEXT)
        else {
            return;
        };
        let Ok(Content::Text(text)) = Content::from_parts(TEXT, &outgoing.content) else { return };
        let (order, tick) = match stored {
            Some((order, tick)) => (order, Some(tick)),
            None => ([&[0xff; 8][..], &seq.to_be_bytes()].concat(), None),
        };
        ctx.news.row(HistoryRow {
            chat: self.chat,
            message: outgoing.message,
            author: ctx.me.device.0,
            from: ctx.me.identity,
            own: true,
            order,
            text: String::from_utf8_lossy(text.as_slice()).into_owned(),
            sent_ms: outgoing.sent_ms,
            stored_ms: tick.and_then(|tick| ctx.log.time_of(tick)),
            state,
        });
        ctx.news.event(Event::State { chat: self.chat, message: outgoing.message, state });
    }
}

/// Inline where it fits, else as a parcel whose parts are stored first.
fn carry(sealed: Vec<u8>, ctx: &mut Ctx<'_>) -> (Payload, Option<[u8; 16]>) {
    if sealed.len() <= SignedHead::INLINE_MAX {
        return (Payload::Inline(sealed.into()), None);
    }
    let packed = pack(&sealed, MESSAGE_PARTS_MAX, &ctx.me.server, ctx.rng)
        .expect("contents are bounded below a message's parcel");
    let parcel = packed.reference.local_id();
    ctx.cells.put_parts(packed.parts, parcel);
    (Payload::Parcel(packed.reference), Some(parcel))
}

fn fresh_salt(ctx: &mut Ctx<'_>) -> [u8; 16] {
    let mut salt = [0; 16];
    ctx.rng.fill_bytes(&mut salt);
    salt
}
