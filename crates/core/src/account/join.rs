//! Joining a conversation by a Welcome: an answer to a link, or an invitation by a contact.
//!
//! A join waits for four things: the bytes (parcels), the log's agreement with the head that opens
//! the epoch, the listings since that head, and its place: an invitation often arrives before one's
//! own removal was read, and is followed once that stay has ended. It outlasts restarts.
//!
//! Of two invitations by one person to one group, the one with the later opening is followed. None
//! leads back: neither to an opening nor to an MLS epoch that a stay on this device has passed, for
//! there its keys were used already. A stay that was over before it could be followed is a gap, and
//! shown as one.

mod heir;
mod pending;
mod place;

pub(super) use pending::{JoinId, Joins, PendingJoin, Source};

use super::{Account, LoadError, from_bytes, to_bytes};
use crate::body::{Invite, NamedMember};
use crate::cells::Owner;
use crate::conversation::{Conversation, Welcomed};
use crate::ids::{ChatId, Name};
use crate::io::{ChatKind, Event, HistoryRow, MessageState};
use crate::link::{Answer, FirstMessage};
use crate::log::Foreign;
use crate::parcel::Gathering;
use heir::Heir;
use pending::Retry;
use place::Place;
use undertone_crypto::IdentityKey;
use undertone_wire::{Cell, HeadRef, decode};

/// Joins under way that one contact may have caused.
const PER_CONTACT_MAX: usize = 64;

/// The record that says that a contact's KeyPackages are used up.
fn replenish_key(from: &IdentityKey) -> Vec<u8> {
    [b"n", &from.0[..]].concat()
}

impl Account {
    /// A join that was under way when the profile was closed.
    pub(super) fn load_join(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let join: PendingJoin = from_bytes(bytes)?;
        self.joins.pending.insert(join.id(), join);
        Ok(())
    }

    /// A contact has added this device to a group.
    /// `tick` is the effective tick of the invitation: it names no later state of the log.
    pub(super) fn begin_join(&mut self, from: IdentityKey, invite: Invite, tick: u64) {
        let join = PendingJoin::from_invite(from, &invite);
        let others = |other: &&PendingJoin| other.from == from && !join.leads_where(other);
        let mut others = self.joins.pending.values().filter(others);
        if invite.opening.tick > tick || others.nth(PER_CONTACT_MAX - 1).is_some() {
            return self.tell_failed_join(&from, "it is not sound");
        }
        self.admit(join);
    }

    /// Takes the place of what the same person said of the same conversation before: the later
    /// invitation says that the stay before is over.
    pub(super) fn admit(&mut self, mut join: PendingJoin) {
        let tick = |join: &PendingJoin| join.opening().map(|opening| opening.tick);
        if self.joins.pending.contains_key(&join.id()) {
            return;
        }
        let later = self.joins.rivals(&join).find(|rival| tick(rival) > tick(&join)).cloned();
        if let Some(mut later) = later {
            later.skips = true;
            return self.add_join(later);
        }
        let rivals: Vec<_> = self.joins.rivals(&join).map(PendingJoin::id).collect();
        for rival in rivals {
            join.skips = true;
            self.forget_join(&rival);
        }
        self.add_join(join);
    }

    pub(super) fn add_join(&mut self, join: PendingJoin) {
        let id = join.id();
        self.news.record("link", [b"j", &id[..]].concat(), Some(to_bytes(&join)));
        self.joins.pending.insert(id, join);
        self.log_moved = true;
    }

    /// Goes on with every join as far as possible.
    pub(super) fn advance_joins(&mut self) {
        if self.copied {
            return;
        }
        self.joins.end_waits(self.clock.now_ms());
        self.hold_predecessors();
        for id in self.joins.pending.keys().copied().collect::<Vec<_>>() {
            if let Some(join) = self.joins.pending.get(&id).cloned() {
                self.advance_join(&id, &join);
            }
        }
        self.replenish();
    }

    /// Whether it would bring back what is back by now.
    fn is_overtaken(&self, join: &PendingJoin) -> bool {
        let (Source::Answer { link }, Some(answer)) = (join.source, join.answer()) else {
            return false;
        };
        let peer = answer.list.identity;
        match self.links.link(&link) {
            None => true,
            Some(_) => self.is_way_back(&link, &peer) && !self.may_come_back(&peer, join.tick),
        }
    }

    fn advance_join(&mut self, id: &JoinId, join: &PendingJoin) {
        if self.is_overtaken(join) {
            self.forget_join(id);
            return;
        }
        let place = self.place_for(join);
        self.joins.held.remove(id);
        match place {
            Place::Barred(why) => return self.drop_join(id, why),
            // Whoever names a state of the log that never was tells of no stay.
            Place::Passed(chat) if self.opening_is_known(join) => return self.pass_stay(id, chat),
            Place::Passed(_) => return,
            Place::Held => self.hold_join(*id, join),
            Place::Free | Place::Stuck(_) => {}
        }
        // Fetched even while the place is held: cells expire.
        let (welcome, tree) = (self.piece(join, 0), self.piece(join, 1));
        let (Some(welcome), Some(tree)) = (welcome, tree) else { return };
        if !self.opening_is_known(join) || matches!(place, Place::Held) {
            return;
        }
        if let Heir::Loses(chat) = self.heir(join) {
            return self.lose_to(chat, join);
        }
        if self.heir_waits(join) {
            return;
        }
        if let Place::Stuck(chat) = place {
            self.with(chat, Conversation::end);
        }
        self.join(join, &welcome, &tree);
    }

    /// New KeyPackages for contacts whose invitations used some; once for all of them, and none is
    /// erased while another invitation is under way.
    fn replenish(&mut self) {
        for from in self.joins.replenish.clone() {
            if self.joins.pending.values().any(|join| join.from == from) {
                continue;
            }
            self.joins.replenish.remove(&from);
            self.news.record("account", replenish_key(&from), None);
            if let Some(contact) = self.contacts.chat_with(&from) {
                self.send_packages(contact);
            }
        }
    }

    /// The bytes of a join's Welcome (0) or tree (1), once they are here.
    fn piece(&mut self, join: &PendingJoin, what: u8) -> Option<Vec<u8>> {
        let enclosed = join.enclosed(what);
        if enclosed.is_some() {
            return enclosed;
        }
        let id = join.id();
        let Some(parcel) = join.parcel(what) else {
            self.drop_join(&id, "the invitation cannot be read");
            return None;
        };
        let server = self.me.server;
        let fresh = || Gathering::new(parcel);
        let gathering = self.joins.gathering.entry((id, what)).or_insert_with(fresh);
        let missing: Vec<u32> = gathering.missing().collect();
        if missing.is_empty() {
            let payload = gathering.payload(&server).ok();
            if payload.is_none() {
                self.drop_join(&id, "the invitation's bytes are not those that it names");
            }
            return payload;
        }
        if join.retry_at_ms.is_none() {
            for index in missing {
                let tag = gathering.reference().keys(&server, index).tag;
                self.cells.get(tag, None, Owner::Join { join: id, what, index });
            }
        }
        None
    }

    pub(super) fn on_join_part(&mut self, id: JoinId, what: u8, index: u32, cell: Cell) {
        if let Some(gathering) = self.joins.gathering.get_mut(&(id, what)) {
            gathering.take(index, cell);
            self.log_moved |= gathering.missing().next().is_none();
        }
    }

    /// Whether the head that opens the epoch is in one's own log, with all listings since.
    fn opening_is_known(&mut self, join: &PendingJoin) -> bool {
        let Some(opening) = join.opening() else {
            self.drop_join(&join.id(), "its opening head cannot be read");
            return false;
        };
        let kept = opening.tick >= self.log.retained_from();
        match self.log.compare(opening) {
            Foreign::Conflict => {
                // One unsigned head of a stranger proves nothing against the server.
                self.drop_join(&join.id(), "it names another log than this device has seen");
            }
            Foreign::Ahead => {}
            Foreign::Consistent if kept => return true,
            // A segment has skipped its head; nothing is believed before that is here.
            Foreign::Unknown if kept => self.log.want_head_at(opening.tick),
            Foreign::Consistent | Foreign::Unknown => self.rewind_for(join.id(), opening),
        }
        false
    }

    /// Asked again with the next step while too many others wait.
    fn rewind_for(&mut self, id: JoinId, opening: HeadRef) {
        if !self.joins.rewinding.contains(&id) && self.log.rewind(opening) {
            self.joins.rewinding.insert(id);
        }
    }

    /// The server does not show the head of this tick, and a join may wait for it.
    pub(super) fn opening_denied(&mut self, tick: u64) {
        let of = |join: &&PendingJoin| join.opening().is_some_and(|opening| opening.tick == tick);
        let denied: Vec<_> = self.joins.pending.values().filter(of).map(PendingJoin::id).collect();
        let why = "the server does not show the state of the log that it begins with";
        denied.iter().for_each(|id| self.drop_join(id, why));
    }

    /// The log does not have the head that a join's epoch opens with.
    pub(super) fn join_failed(&mut self, opening: HeadRef, expired: bool) {
        let of = |join: &&PendingJoin| join.opening() == Some(opening);
        let failed: Vec<_> = self.joins.pending.values().filter(of).map(PendingJoin::id).collect();
        let why = if expired {
            "the invitation is older than the server keeps cells"
        } else {
            "the invitation names a state of the log that does not exist"
        };
        failed.iter().for_each(|id| self.drop_join(id, why));
    }

    /// Parts of a join are not there. Its other parts make way in the queue meanwhile, and whoever
    /// found no room there goes on.
    pub(super) fn retry_join(&mut self, id: &JoinId) {
        match self.joins.retry(id, self.clock.now_ms()) {
            Retry::Waits => {}
            Retry::Begins => {
                self.cells.cancel_join(id);
                self.log_moved = true;
            }
            Retry::GivenUp => self.drop_join(id, "what it tells of is not there"),
        }
    }

    pub(super) fn drop_join(&mut self, id: &JoinId, why: &str) {
        if let Some(join) = self.forget_join(id) {
            if let Source::Answer { link } = join.source {
                self.link_was_used(link);
            }
            self.tell_failed_join(&join.from, why);
        }
    }

    fn tell_failed_join(&mut self, from: &IdentityKey, why: &str) {
        let whose = self.contacts.known_name(from).map(|name| format!(" from {name}"));
        let whose = whose.unwrap_or_default();
        self.alarm("join_failed", &format!("An invitation{whose} could not be followed: {why}."));
    }

    /// Nothing that is under way is followed.
    pub(super) fn drop_joins(&mut self, why: &str) {
        for id in self.joins.pending.keys().copied().collect::<Vec<_>>() {
            self.drop_join(&id, why);
        }
    }

    /// It leads to a stay that was over before the one in `chat` began.
    fn pass_stay(&mut self, id: &JoinId, chat: ChatId) {
        self.forget_join(id);
        self.tell_skipped(chat);
    }

    /// One or several stays before the one in `chat` could not be followed; told where it is shown.
    fn tell_skipped(&mut self, chat: ChatId) {
        let chat = self.shown_in(chat);
        let text = "You were in this group before, and were out of it again before this device \
                    could follow: whatever was written then is missing here.";
        self.news.event(Event::Gap { chat, text: text.to_owned() });
    }

    fn forget_join(&mut self, id: &JoinId) -> Option<PendingJoin> {
        // A join that ends may be what replenishing waited for.
        self.log_moved = true;
        self.joins.gathering.retain(|(of, _), _| of != id);
        self.joins.held.remove(id);
        self.cells.cancel_join(id);
        self.news.record("link", [b"j", &id[..]].concat(), None);
        let join = self.joins.pending.remove(id)?;
        if self.joins.rewinding.remove(id) {
            self.forget_rewind(&join);
        }
        Some(join)
    }

    /// Unless another join needs the same listings.
    fn forget_rewind(&mut self, join: &PendingJoin) {
        let Some(opening) = join.opening() else { return };
        let mut others = self.joins.rewinding.iter().filter_map(|id| self.joins.pending.get(id));
        if !others.any(|other| other.opening() == Some(opening)) {
            self.log.forget_rewind(opening);
        }
    }

    fn join(&mut self, join: &PendingJoin, welcome: &[u8], tree: &[u8]) {
        let Some(opening) = join.opening() else { return };
        let names: Vec<NamedMember> = decode(&join.names).unwrap_or_default();
        let answer = join.answer();
        let peer = answer.as_ref().map(|answer| answer.list.identity);
        if let (Some(answer), Some(peer)) = (&answer, peer) {
            let name = Name::tamed_bytes(answer.name.as_slice());
            self.contacts.learn_before_joining(peer, &name, &answer.list);
        }
        let conversation = join.conversation;
        let after = self.newest_epoch_with(join);
        let welcomed =
            Welcomed { conversation, welcome, tree, opening, after, peer, names: &names };
        let joined = Conversation::join(&welcomed, &mut self.ctx());
        match joined {
            Ok(joined) => self.joined(join, joined, answer.as_ref()),
            Err(why) => self.drop_join(&join.id(), &why),
        }
    }

    fn joined(&mut self, join: &PendingJoin, mut joined: Conversation, answer: Option<&Answer>) {
        self.forget_join(&join.id());
        let before = self.ended_chat(&join.conversation, &join.from);
        let handover = match before.and_then(|chat| self.conversations.get(&chat)) {
            Some(before) => {
                joined.resume(before);
                None
            }
            None => self.take_place(&mut joined, join),
        };
        joined.by_peer = answer.map(|_| join.tick);
        let anew = answer.is_some_and(|answer| self.come_back(&mut joined, join, answer));
        let kind = joined.kind();
        let chat = self.adopt(joined);
        if join.skips {
            self.tell_skipped(chat);
        }
        match join.source {
            Source::Answer { link } => {
                if let Some(answer) = answer {
                    self.meet(chat, answer, join.tick);
                }
                self.link_was_used(link);
                if let Some(answer) = answer.filter(|_| anew) {
                    self.end_asking(&answer.list.identity);
                    self.tell_begun_anew(chat, &answer.list.identity, false);
                }
            }
            // Their next invitation needs a fresh KeyPackage of this device.
            Source::Invite { from } => {
                self.joins.replenish.insert(from);
                self.news.record("account", replenish_key(&from), Some(Vec::new()));
            }
        }
        let Some(view) = self.conversations.get(&chat).map(|chat| chat.view(&self.contacts)) else {
            return;
        };
        if let Some(handover) = handover {
            self.tell_handover(chat, &join.from, &handover);
        } else if kind == ChatKind::Group {
            let text = format!("You were added to {}.", view.name);
            self.news.event(Event::Member { chat, text });
        }
        self.news.event(Event::Chat(view));
    }

    /// A contact's conversation that this device had lost goes on in its chat.
    fn come_back(
        &mut self,
        joined: &mut Conversation,
        join: &PendingJoin,
        answer: &Answer,
    ) -> bool {
        let (Source::Answer { link }, peer) = (join.source, answer.list.identity) else {
            return false;
        };
        self.is_way_back(&link, &peer)
            && self.may_come_back(&peer, join.tick)
            && self.hand_over(&peer, joined)
    }

    /// The other side of a link is a contact now; their first words are shown.
    fn meet(&mut self, chat: ChatId, answer: &Answer, tick: u64) {
        let name = Name::tamed_bytes(answer.name.as_slice());
        let identity = answer.list.identity;
        self.contacts.add(identity, &name, chat, &answer.list, &mut self.news);
        self.send_packages(chat);
        if let Some(message) = &answer.message {
            self.show_first_received(chat, answer, message, tick);
        }
    }

    fn show_first_received(
        &mut self,
        chat: ChatId,
        answer: &Answer,
        message: &FirstMessage,
        tick: u64,
    ) {
        let id = message.id(&answer.list.identity, &answer.device);
        self.news.received(HistoryRow {
            chat,
            message: id,
            author: answer.device.0,
            from: answer.list.identity,
            own: false,
            order: vec![0],
            text: String::from_utf8_lossy(message.text.as_slice()).into_owned(),
            sent_ms: message.sent_ms,
            stored_ms: self.log.time_of(tick),
            state: MessageState::Received,
        });
    }
}
