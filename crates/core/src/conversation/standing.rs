//! Where a conversation stands on this device.
//!
//! Two devices of one group can be held against each other by this: same epoch number, same
//! authenticator, same members, or the group has come apart. The simulator does so after every
//! step; nothing in the engine decides by it.

use super::{Conversation, Ctx};
use crate::ids::ChatId;
use crate::io::{ChatKind, ChatState, Role};
use crate::policy::Policy;
use undertone_crypto::IdentityKey;
use undertone_crypto::mls::Member;

/// Where a conversation stands on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its id on this device.
    pub chat: ChatId,
    /// The MLS group's id: the same for all members.
    pub group: [u8; 32],
    /// Contact or group.
    pub kind: ChatKind,
    /// In a contact: the other person.
    pub peer: Option<IdentityKey>,
    /// A group's name; empty for a contact.
    pub title: String,
    /// Whether messages flow.
    pub state: ChatState,
    /// Own messages and wishes that the server's log has not decided yet.
    pub unsettled: usize,
    /// Added to its epochs in the transcript's order: a group that takes another's place stands after
    /// it.
    pub epochs_before: u64,
    /// The epoch that this device is in; `None` once it is out of the group.
    pub epoch: Option<StandingEpoch>,
}

/// One epoch as a member sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingEpoch {
    /// The MLS epoch.
    pub number: u64,
    /// The tick that opened it: the closing tick of the epoch before.
    pub opened: u64,
    /// The epoch authenticator (RFC 9420 section 8.7).
    pub authenticator: Vec<u8>,
    /// The members, by leaf.
    pub seats: Vec<Seat>,
}

/// A leaf and who sits there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seat {
    /// The leaf's index.
    pub leaf: u32,
    /// The person.
    pub identity: IdentityKey,
    /// The device.
    pub device: [u8; 16],
    /// The person's role.
    pub role: Role,
}

impl Seat {
    fn new(member: &Member, policy: &Policy) -> Self {
        let role = policy.role(&member.identity);
        Self { leaf: member.leaf, identity: member.identity, device: member.device.0, role }
    }
}

impl Conversation {
    /// See the module's head.
    pub(crate) fn standing(&mut self, ctx: &mut Ctx<'_>) -> Standing {
        let (number, opened) = (self.epoch.number, self.epoch.opened);
        // The group of an ended stay may be here again, by a later one.
        let live = if self.state == ChatState::Ended { None } else { self.live(ctx) };
        let epoch = live.map(|live| StandingEpoch {
            number,
            opened,
            authenticator: live.group.authenticator(),
            seats: live.members.iter().map(|member| Seat::new(member, &live.policy)).collect(),
        });
        Standing {
            chat: self.chat,
            group: self.conversation,
            kind: self.kind(),
            peer: self.peer,
            title: self.title.clone(),
            state: self.state,
            unsettled: self.unsettled(),
            epochs_before: self.succession.epoch_in_chat(0),
            epoch,
        }
    }
}
