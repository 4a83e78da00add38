//! What goes into the engine and what comes out of it.
//!
//! The driver's contract is *persist before release*: outputs are acted upon strictly in order, and
//! a [`Output::Persist`] is durable before any later output is. Everything else may be lost at any
//! moment; the engine, loaded from what was persisted, goes on from there.

use crate::ids::{ChatId, MessageId, Name};
use std::collections::BTreeMap;
use undertone_crypto::{IdentityKey, Secret};
use undertone_wire::{Answer, DigestPage, Request};

/// What happens to the engine.
#[derive(Debug)]
pub enum Input {
    /// A connection to the pinned server is open.
    Connected,
    /// It is gone; whatever was in flight may or may not have arrived.
    Disconnected,
    /// The server's answer to the request of that id.
    Answer {
        /// As in [`Output::Transmit`].
        id: u32,
        /// What the server says.
        answer: Answer,
    },
    /// The server pushes digests.
    Push(DigestPage),
    /// Somebody wants something.
    Command {
        /// Comes back in [`Output::Reply`].
        ticket: u64,
        /// What is wanted.
        command: Command,
    },
    /// The time of the last [`Output::Deadline`] has come.
    Wake,
}

/// What the driver does for the engine.
#[derive(Debug)]
pub enum Output {
    /// Make this durable, as one transaction, before any later output.
    Persist(Changes),
    /// Send this; it is lost without notice when the connection is.
    Transmit {
        /// Unique within the connection.
        id: u32,
        /// What is asked.
        request: Request,
    },
    /// Something that people want to know.
    Event(Event),
    /// The end of a command.
    Reply {
        /// The command's.
        ticket: u64,
        /// What came of it.
        result: Result<Reply, Refused>,
    },
    /// Call with [`Input::Wake`] at this time (Unix milliseconds); replaces the deadline before.
    Deadline(u64),
}

/// What people and scripts ask for.
#[derive(Clone, Debug)]
pub enum Command {
    /// A contact link.
    CreateLink {
        /// When it ends, Unix milliseconds.
        expires_ms: u64,
        /// For many strangers, each of whom waits as a request; otherwise for one person, once.
        reusable: bool,
    },
    /// The links made here.
    ListLinks,
    /// Makes a link worthless.
    RevokeLink {
        /// As [`LinkView::id`].
        id: String,
    },
    /// First contact by somebody's link, with a first message if wanted.
    Accept {
        /// The `undertone:` URI.
        link: String,
        /// Shown to the other side with the answer.
        message: Option<String>,
    },
    /// Strangers who wrote to a reusable link and wait.
    Requests,
    /// Let a stranger in.
    AcceptRequest {
        /// As [`RequestView::id`].
        id: ChatId,
    },
    /// Forget a stranger's request; they are told nothing.
    DeclineRequest {
        /// As [`RequestView::id`].
        id: ChatId,
    },
    /// All conversations.
    Chats,
    /// A text to a conversation.
    Send {
        /// Where.
        chat: ChatId,
        /// What.
        text: String,
        /// The caller's own key: the same key again sends nothing twice.
        key: Option<String>,
        /// Release it although people have joined since it was written.
        anyway: bool,
    },
    /// A new group with these contacts.
    CreateGroup {
        /// Its name.
        name: Name,
        /// Contacts to invite.
        members: Vec<IdentityKey>,
    },
    /// Invite contacts to a group.
    Add {
        /// The group.
        chat: ChatId,
        /// Contacts.
        members: Vec<IdentityKey>,
    },
    /// Remove people from a group.
    Remove {
        /// The group.
        chat: ChatId,
        /// Members.
        members: Vec<IdentityKey>,
    },
    /// Begin a group anew: one's own that is stuck, or that somebody keeps from changing.
    Restart {
        /// The group.
        chat: ChatId,
        /// Members who do not come along.
        without: Vec<IdentityKey>,
    },
    /// Leave a group.
    Leave {
        /// The group.
        chat: ChatId,
    },
    /// Give a group another name.
    Rename {
        /// The group.
        chat: ChatId,
        /// Its new name.
        name: Name,
    },
    /// Give a member another role.
    SetRole {
        /// The group.
        chat: ChatId,
        /// The member.
        member: IdentityKey,
        /// The role.
        role: Role,
    },
    /// Who is in a conversation.
    Members {
        /// Which.
        chat: ChatId,
    },
    /// The names of all who are or were in a conversation.
    Names {
        /// Which.
        chat: ChatId,
    },
    /// Name a contact as one likes; counts before the name they chose.
    RenameContact {
        /// The contact's conversation.
        chat: ChatId,
        /// The name.
        name: Name,
    },
    /// The safety number of a contact; with `confirm`, mark as compared.
    Verify {
        /// The contact's conversation.
        chat: ChatId,
        /// Mark the contact as verified.
        confirm: bool,
    },
    /// This device and its state.
    Whoami,
    /// What a person should know about this profile's health; cheap, for whoever waits asks often.
    Health,
    /// What there is to do about groups; looks into each of them.
    GroupCares,
    /// Become a new device of the same person, after this profile was copied or put back. All
    /// conversations are begun anew.
    BecomeNewDevice {
        /// The identity's secret.
        identity: Secret,
    },
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done; nothing to tell.
    Done,
    /// The link, for the other person's eyes alone.
    Link(LinkView),
    /// Links made here.
    Links(Vec<LinkView>),
    /// Strangers who wait.
    Requests(Vec<RequestView>),
    /// A conversation (new ones are not open at once).
    Chat(ChatView),
    /// The group that has another's place now.
    Restarted {
        /// The chat, which is the same.
        chat: ChatView,
        /// Members who could not be taken along.
        left: Vec<LeftBehind>,
    },
    /// All conversations, in no particular order.
    Chats(Vec<ChatView>),
    /// A message and its state.
    Message {
        /// Its id.
        message: MessageId,
        /// Its state.
        state: MessageState,
    },
    /// Who is in a conversation.
    Members(Vec<MemberView>),
    /// People's names, as named here, else as known.
    Names(BTreeMap<IdentityKey, Name>),
    /// A safety number.
    Safety {
        /// Sixty digits.
        code: String,
        /// Whether it has been compared.
        verified: bool,
    },
    /// This device.
    Whoami {
        /// One's own name.
        name: Name,
        /// One's own identity.
        identity: IdentityKey,
        /// This device's id.
        device: [u8; 16],
    },
    /// The profile's health.
    Health(Health),
    /// Groups about which there is something to do.
    GroupCares(Vec<GroupCare>),
}

/// What a person should know about a profile's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether a connection is open.
    pub connected: bool,
    /// Newest tick that this device has verified.
    pub tick: u64,
    /// The server's clock at that tick, Unix milliseconds.
    pub server_ms: u64,
    /// Own messages that have not gone out yet.
    pub queued: usize,
    /// Own messages that wait for a decision.
    pub waiting: usize,
    /// All that was asked for and is not decided on the server yet, changes of groups included.
    pub unsettled: usize,
    /// Cells and invitations that are being read: a catch-up is complete when there are none.
    pub reading: usize,
    /// Cells that the server lists and does not deliver.
    pub withheld: usize,
    /// Cells that did not count since the start, by the number of the check that they failed.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Conversations that this device cannot follow.
    pub stuck: Vec<ChatId>,
    /// Whether the server said last that it can store nothing: its disk is full or failing. What is
    /// queued is offered again by itself.
    pub server_full: bool,
    /// Why nothing is sent any more, if so: the alarm's code and text.
    pub halted: Option<(String, String)>,
    /// Whether this profile was copied or put back: nothing is sent before it is a new device.
    pub copied: bool,
    /// The newest recovery from a backup that the server has declared.
    pub recovery: Option<RecoveryView>,
}

/// A server's recovery from a backup, as this device has followed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryView {
    /// The last tick that survived.
    pub after: u64,
    /// The first tick after the recovery.
    pub until: u64,
    /// Lost cells that this device has put again since it was started.
    pub put_again: usize,
    /// Lost cells that it still has to put again.
    pub pending: usize,
}

/// What there is to do about a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupCare {
    /// Which.
    pub chat: ChatId,
    /// Its name here.
    pub name: Name,
    /// It goes on no more, and this person is an owner who may begin it anew.
    pub restart: Option<Standstill>,
    /// Members who did not follow their invitation in seven days, with its time by the server's clock
    /// (Unix milliseconds); empty where this person may not invite them anew.
    pub overdue: Vec<(Name, u64)>,
    /// Members of whom nothing was heard for ninety days.
    pub silent: Vec<Name>,
    /// People whose devices have lost the group and ask to come back; empty where this person may not
    /// let them in.
    pub asking: Vec<Name>,
}

/// Why a group goes on no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standstill {
    /// This device cannot follow it.
    Stuck,
    /// Somebody fills its control slots with cells that count for nobody, and a change waits.
    Squatted,
}

/// A member who could not be taken along to a successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftBehind {
    /// Who.
    pub identity: IdentityKey,
    /// As named here, else as known.
    pub name: Name,
    /// Why, for people.
    pub why: &'static str,
}

/// A stranger who wrote to a reusable link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// The conversation that it would become.
    pub id: ChatId,
    /// The name that they give themselves.
    pub name: Name,
    /// Their identity.
    pub identity: IdentityKey,
    /// Their first words.
    pub message: Option<String>,
    /// The server's clock when it came, Unix milliseconds.
    pub stored_ms: u64,
}

/// A contact link made here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkView {
    /// To name it by.
    pub id: String,
    /// The URI, as long as it is of use.
    pub uri: Option<String>,
    /// When it ends, Unix milliseconds.
    pub expires_ms: u64,
    /// Whether it serves many people.
    pub reusable: bool,
    /// `storing`, `open`, `used`, `expired` or `revoked`.
    pub state: &'static str,
}

/// A conversation in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatView {
    /// Its id on this device.
    pub chat: ChatId,
    /// Its name here.
    pub name: Name,
    /// `contact` or `group`.
    pub kind: ChatKind,
    /// Where it stands.
    pub state: ChatState,
    /// For a contact: whether the safety number has been compared.
    pub verified: bool,
    /// For a contact: whether the name was given or confirmed here; such a name goes before one
    /// that somebody gives themselves.
    pub named_here: bool,
    /// For a contact: who.
    pub contact: Option<IdentityKey>,
}

/// The kinds of conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ChatKind {
    /// Two people.
    Contact,
    /// A group.
    Group,
}

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ChatState {
    /// The other side has not joined yet.
    Requested,
    /// Messages flow.
    Open,
    /// This device cannot follow; nothing is sent.
    Stuck,
    /// This device was removed, or left.
    Ended,
}

/// Roles in a group.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Role {
    /// Writes.
    Member,
    /// Also adds, removes and renames.
    Admin,
    /// Also gives roles.
    Owner,
}

/// A member of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberView {
    /// Who.
    pub identity: IdentityKey,
    /// As named here, else as known.
    pub name: Name,
    /// Their role.
    pub role: Role,
    /// `joined` or `invited`.
    pub joined: bool,
    /// Of whom is invited: since when, by the server's clock (Unix milliseconds), as far as is known.
    pub invited_since_ms: Option<u64>,
    /// Whether it is oneself.
    pub own: bool,
}

/// States of a message, in the words of the interface.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum MessageState {
    /// Will go out by itself.
    Queued,
    /// Waits for its author: people have joined since it was written.
    Waiting,
    /// The server holds it and it counts.
    Stored,
    /// Never went out and never will: the conversation ended.
    Failed,
    /// Somebody else's.
    Received,
}

/// Why a command was refused. Nothing was changed by it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// A stable word for programs: `not_found`, `link_used`, `link_expired`, `wrong_server`,
    /// `bad_link`, `not_allowed`, `too_long`, `empty`, `group_full`, `roster_changed`, `ended`,
    /// `stuck`, `not_ready`, `other_version`, `copied_profile`.
    pub code: &'static str,
    /// What happened, for people.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Something that people want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody else's message can be read: the row of this name, which stands in the changes of the same
    /// step. A message may come twice; whoever keeps the rows announces it when its row is first written,
    /// and then once.
    Message(RowName),
    /// One's own message has another state.
    State {
        /// Where.
        chat: ChatId,
        /// Which.
        message: MessageId,
        /// The new state.
        state: MessageState,
    },
    /// A conversation appeared or has another state or name.
    Chat(ChatView),
    /// A stranger waits.
    Request(RequestView),
    /// Membership changed.
    Member {
        /// Where.
        chat: ChatId,
        /// One sentence: who did what.
        text: String,
    },
    /// Something is missing here.
    Gap {
        /// Where.
        chat: ChatId,
        /// One sentence: whose messages.
        text: String,
    },
    /// The server, or somebody, does what must not be.
    Alarm {
        /// A stable word.
        code: String,
        /// What was noticed and what it means.
        text: String,
    },
    /// This device cannot follow a conversation any more.
    Stuck {
        /// Which.
        chat: ChatId,
        /// Why.
        text: String,
    },
    /// The log has been followed to its newest head.
    CaughtUp {
        /// That head's tick.
        tick: u64,
    },
    /// First contact failed for good.
    LinkFailed {
        /// The chat that `accept` had begun.
        chat: ChatId,
        /// A stable word: `link_used`, `link_expired`, `bad_link`.
        code: &'static str,
    },
}

/// What one step changes on disk: one value, committed once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The engine's own state, by space and key; `None` erases.
    pub records: BTreeMap<(&'static str, Vec<u8>), Option<Vec<u8>>>,
    /// Rows of history: new, or in another state.
    pub messages: Vec<HistoryRow>,
    /// Rows of others, after those, that stand at another place now: where they stood did not count.
    pub moved: Vec<HistoryRow>,
}

impl Changes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.messages.is_empty() && self.moved.is_empty()
    }
}

/// The spaces of [`Changes::records`]; what stands in them is given back at load.
pub const SPACES: [&str; 8] = ["account", "chat", "out", "link", "mls", "cell", "log", "archive"];

/// What names a row of the history.
///
/// A device id alone names nobody: its owner chooses it, and may choose another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowName {
    /// Where.
    pub chat: ChatId,
    /// Which message.
    pub message: MessageId,
    /// The author.
    pub from: IdentityKey,
    /// The author's device.
    pub author: [u8; 16],
}

/// One message as the history keeps it, under its [`name`](Self::name). One's own changes its state and
/// place; somebody else's is what it was when it came, and is moved at most ([`Changes::moved`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Where.
    pub chat: ChatId,
    /// Which.
    pub message: MessageId,
    /// The author's device.
    pub author: [u8; 16],
    /// The author.
    pub from: IdentityKey,
    /// Whether one wrote it oneself.
    pub own: bool,
    /// Transcript order (epoch, effective tick, leaf, slot), comparable byte by byte; one's own
    /// messages that are not stored yet sort after everything.
    pub order: Vec<u8>,
    /// The text.
    pub text: String,
    /// The author's clock, Unix milliseconds.
    pub sent_ms: u64,
    /// The server's clock at the tick that stored it.
    pub stored_ms: Option<u64>,
    /// Its state.
    pub state: MessageState,
}

impl HistoryRow {
    /// What names it.
    pub fn name(&self) -> RowName {
        let Self { chat, message, from, author, .. } = *self;
        RowName { chat, message, from, author }
    }

    /// As [`Changes::moved`] says of it: it stands where `there` does, and says what it said.
    pub fn move_to(&mut self, there: Self) {
        (self.order, self.stored_ms) = (there.order, there.stored_ms);
    }
}
