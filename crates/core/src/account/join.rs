//! Joining a conversation by a Welcome: an answer to a link, or an invitation by a contact.
//!
//! A join waits for three things: the bytes (parcels), the log's agreement with the head that opens
//! the epoch, and the listings since that head. It outlasts restarts.

use super::{Account, LoadError, from_bytes, to_bytes};
use crate::body::{Invite, NamedMember};
use crate::cells::Owner;
use crate::conversation::{Conversation, Welcomed};
use crate::ids::{ChatId, Name};
use crate::io::{ChatKind, ChatState, Event, HistoryRow, MessageState};
use crate::link::{Answer, FirstMessage};
use crate::log::Foreign;
use crate::parcel::{Gathering, PARTS_MAX, ParcelRef};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use undertone_crypto::IdentityKey;
use undertone_wire::{Cell, HeadRef, decode, encode};

/// Wait before parts that were not there are asked for again, in milliseconds; it doubles each time.
const RETRY_MS: u64 = 2_000;
/// Attempts after which a join is given up: parts are stored before an honest invitation tells of them.
const RETRIES_MAX: u32 = 8;
/// Joins under way that one contact may have caused.
const PER_CONTACT_MAX: usize = 64;

/// Names a join: a conversation's id is chosen by whoever invites, so it names nothing alone.
pub(crate) type JoinId = [u8; 32];

/// Where a join came from.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Source {
    /// An answer to this link.
    Answer { link: [u8; 16] },
    /// A contact's invitation.
    Invite { from: IdentityKey },
}

/// A Welcome that was not used yet.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PendingJoin {
    pub conversation: [u8; 32],
    source: Source,
    opening: Vec<u8>,
    welcome: Piece,
    tree: Piece,
    answer: Option<Vec<u8>>,
    names: Vec<u8>,
    tick: u64,
    from: IdentityKey,
    #[serde(skip)]
    retries: u32,
    /// When parts that were not there are asked for again.
    #[serde(skip)]
    retry_at_ms: Option<u64>,
}

#[derive(Clone, Serialize, Deserialize)]
enum Piece {
    Bytes(Vec<u8>),
    Parcel(Vec<u8>),
}

/// All joins under way.
#[derive(Default)]
pub(super) struct Joins {
    pending: BTreeMap<JoinId, PendingJoin>,
    gathering: BTreeMap<(JoinId, u8), Gathering>,
    rewinding: BTreeSet<JoinId>,
    /// Contacts whose KeyPackages of this device are used up.
    replenish: BTreeSet<IdentityKey>,
}

impl PendingJoin {
    pub(super) fn from_answer(answer: &Answer, source: Source, tick: u64) -> Self {
        Self {
            conversation: answer.conversation,
            source,
            opening: encode(&answer.opening),
            welcome: Piece::Bytes(answer.welcome.as_slice().to_vec()),
            tree: Piece::Bytes(answer.tree.as_slice().to_vec()),
            answer: Some(encode(answer)),
            names: encode(&Vec::<NamedMember>::new()),
            tick,
            from: answer.list.identity,
            retries: 0,
            retry_at_ms: None,
        }
    }

    fn from_invite(from: IdentityKey, invite: &Invite) -> Self {
        Self {
            conversation: invite.conversation,
            source: Source::Invite { from },
            opening: encode(&invite.opening),
            welcome: Piece::Parcel(encode(&invite.welcome)),
            tree: Piece::Parcel(encode(&invite.tree)),
            answer: None,
            names: encode(&invite.names),
            tick: 0,
            from,
            retries: 0,
            retry_at_ms: None,
        }
    }

    /// Who caused it, and for what.
    pub(super) fn id(&self) -> JoinId {
        let hash = Sha256::new().chain_update(b"undertone join 1").chain_update(self.from.0);
        hash.chain_update(self.conversation).finalize().into()
    }

    pub(super) fn opening(&self) -> Option<HeadRef> {
        decode(&self.opening).ok()
    }

    /// The answer that it came by.
    pub(super) fn answer(&self) -> Option<Answer> {
        self.answer.as_ref().and_then(|bytes| decode(bytes).ok())
    }
}

impl Joins {
    pub(super) fn load(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let join: PendingJoin = from_bytes(bytes)?;
        self.pending.insert(join.id(), join);
        Ok(())
    }

    /// A contact whose KeyPackages were used up when the profile was closed.
    pub(super) fn load_replenish(&mut self, from: IdentityKey) {
        self.replenish.insert(from);
    }

    pub(super) fn needs_listings_from(&self) -> Option<u64> {
        self.pending.values().filter_map(PendingJoin::opening).map(|opening| opening.tick).min()
    }

    /// Welcomes that were not used yet.
    pub(super) fn under_way(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn next_wake_ms(&self) -> Option<u64> {
        self.pending.values().filter_map(|join| join.retry_at_ms).min()
    }

    /// The waits that are over.
    fn end_waits(&mut self, now_ms: u64) {
        for join in self.pending.values_mut() {
            join.retry_at_ms = join.retry_at_ms.filter(|at| *at > now_ms);
        }
    }

    /// Something was not there; asked for again soon.
    /// False when it was tried often enough.
    fn retry(&mut self, id: &JoinId, now_ms: u64) -> bool {
        let Some(join) = self.pending.get_mut(id) else { return true };
        // All parts of one round come back at once: they are one attempt.
        if join.retry_at_ms.is_none() {
            join.retries += 1;
            join.retry_at_ms = Some(now_ms + (RETRY_MS << join.retries.min(8)));
        }
        join.retries <= RETRIES_MAX
    }
}

/// The record that says that a contact's KeyPackages are used up.
fn replenish_key(from: &IdentityKey) -> Vec<u8> {
    [b"n", &from.0[..]].concat()
}

impl Account {
    /// A contact has added this device to a group.
    /// `tick` is the effective tick of the invitation: it names no later state of the log.
    pub(super) fn begin_join(&mut self, from: IdentityKey, invite: Invite, tick: u64) {
        let mut known = self.joins.pending.values().filter(|join| join.from == from);
        if invite.opening.tick > tick || known.nth(PER_CONTACT_MAX - 1).is_some() {
            return self
                .alarm("join_failed", "An invitation could not be followed: it is not sound.");
        }
        let inside = self.conversations.values().any(|other| {
            other.conversation == invite.conversation && other.state != ChatState::Ended
        });
        if !inside {
            self.add_join(PendingJoin::from_invite(from, &invite));
        }
    }

    pub(super) fn add_join(&mut self, join: PendingJoin) {
        let id = join.id();
        self.news.record("link", [b"j", &id[..]].concat(), Some(to_bytes(&join)));
        self.joins.pending.insert(id, join);
        self.log_moved = true;
    }

    /// Goes on with every join as far as possible.
    pub(super) fn advance_joins(&mut self) {
        self.joins.end_waits(self.now_ms);
        for id in self.joins.pending.keys().copied().collect::<Vec<_>>() {
            let Some(join) = self.joins.pending.get(&id).cloned() else { continue };
            let welcome = self.piece(&join, 0);
            let tree = self.piece(&join, 1);
            let (Some(welcome), Some(tree)) = (welcome, tree) else { continue };
            if self.opening_is_known(&join) {
                self.join(&join, &welcome, &tree);
            }
        }
        self.replenish();
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
        let parcel = match if what == 0 { &join.welcome } else { &join.tree } {
            Piece::Bytes(bytes) => return Some(bytes.clone()),
            Piece::Parcel(parcel) => decode::<ParcelRef>(parcel).ok(),
        };
        let id = join.id();
        let parcel = parcel.filter(|parcel| (1..=PARTS_MAX).contains(&parcel.parts()));
        let Some(parcel) = parcel else {
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
        match self.log.compare(opening) {
            Foreign::Conflict => {
                // One unsigned head of a stranger proves nothing against the server.
                self.drop_join(&join.id(), "it names another log than this device has seen");
                return false;
            }
            Foreign::Ahead => return false,
            Foreign::Consistent | Foreign::Unknown | Foreign::Unsigned => {}
        }
        if opening.tick >= self.log.retained_from() {
            return opening.tick <= self.log.walked();
        }
        if self.joins.rewinding.insert(join.id()) {
            self.log.rewind(opening);
        }
        false
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

    /// Parts of a join are not there.
    pub(super) fn retry_join(&mut self, id: &JoinId) {
        if !self.joins.retry(id, self.now_ms) {
            self.drop_join(id, "what it tells of is not there");
        }
    }

    pub(super) fn drop_join(&mut self, id: &JoinId, why: &str) {
        if let Some(join) = self.forget_join(id) {
            if let Source::Answer { link } = join.source {
                self.link_was_used(link);
            }
            self.alarm("join_failed", &format!("An invitation could not be followed: {why}."));
        }
    }

    fn forget_join(&mut self, id: &JoinId) -> Option<PendingJoin> {
        // A join that ends may be what replenishing waited for.
        self.log_moved = true;
        self.joins.gathering.retain(|(of, _), _| of != id);
        self.joins.rewinding.remove(id);
        self.news.record("link", [b"j", &id[..]].concat(), None);
        self.joins.pending.remove(id)
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
        let welcomed = Welcomed { conversation, welcome, tree, opening, peer, names: &names };
        let joined = Conversation::join(&welcomed, &mut self.ctx());
        match joined {
            Ok(joined) => self.joined(join, joined, answer.as_ref()),
            Err(why) => self.drop_join(&join.id(), &why),
        }
    }

    fn joined(&mut self, join: &PendingJoin, mut joined: Conversation, answer: Option<&Answer>) {
        self.forget_join(&join.id());
        if let Some(before) = self.ended_chat(&join.conversation, &join.from) {
            joined.rename_chat(before);
        }
        let kind = joined.kind();
        let chat = self.adopt(joined);
        match join.source {
            Source::Answer { link } => {
                if let Some(answer) = answer {
                    self.meet(chat, answer, join.tick);
                }
                self.link_was_used(link);
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
        if kind == ChatKind::Group {
            let text = format!("You were added to {}.", view.name);
            self.news.event(Event::Member { chat, text });
        }
        self.news.event(Event::Chat(view));
    }

    /// The chat of an earlier stay in the same group, of which the inviter was a member.
    fn ended_chat(&self, conversation: &[u8; 32], from: &IdentityKey) -> Option<ChatId> {
        let mut others = self.conversations.values();
        let same =
            |other: &&Conversation| other.conversation == *conversation && other.had_member(from);
        others.find(same).map(|other| other.chat)
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
        self.news.row(HistoryRow {
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
        self.news.event(Event::Message { chat, message: id });
    }
}
