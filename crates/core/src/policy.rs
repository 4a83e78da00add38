//! The policy of a conversation, and the right of a member to a change (DESIGN.md sections 4, 5).
//!
//! Policy lives in the MLS group context: the server cannot grant anything, and every client judges
//! every commit by the same bytes. A right is judged from the signed *declared change* alone,
//! before MLS looks at the commit, so that all members come to the same verdict.

use crate::body::{Body, Content, Leave};
use crate::head::HeadProof;
use crate::io::{ChatKind, Role};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};
use undertone_crypto::mls::{LEAVES_MAX, Member};
use undertone_crypto::{DeviceId, IdentityKey};
use undertone_wire::{decode, encode};

/// What the group context says of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Policy {
    /// 1: a contact of two people; 2: a group.
    pub kind: u8,
    /// The group's name, UTF-8; empty for a contact.
    pub name: VLBytes,
    /// Roles above member, sorted by identity.
    pub roles: Vec<RoleEntry>,
}

/// One person's role.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct RoleEntry {
    /// Who.
    pub identity: IdentityKey,
    /// 1: admin; 2: owner.
    pub role: u8,
}

impl Policy {
    /// Of two people; nobody has a role, so nobody else can ever be added.
    pub(crate) fn contact() -> Self {
        Self { kind: 1, name: Vec::new().into(), roles: Vec::new() }
    }

    /// Of a new group.
    pub(crate) fn group(name: &str, owner: IdentityKey) -> Self {
        let roles = vec![RoleEntry { identity: owner, role: 2 }];
        Self { kind: 2, name: name.as_bytes().to_vec().into(), roles }
    }

    /// Reads a group context's bytes; what nobody can read grants nothing.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let policy: Self = decode(bytes).ok()?;
        let sorted = policy.roles.windows(2).all(|pair| pair[0].identity < pair[1].identity);
        let known = policy.roles.iter().all(|entry| matches!(entry.role, 1 | 2));
        (matches!(policy.kind, 1 | 2) && sorted && known).then_some(policy)
    }

    /// The bytes for the group context.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Contact or group.
    pub(crate) fn chat_kind(&self) -> ChatKind {
        if self.kind == 1 { ChatKind::Contact } else { ChatKind::Group }
    }

    /// A person's role.
    pub(crate) fn role(&self, identity: &IdentityKey) -> Role {
        match self.roles.iter().find(|entry| entry.identity == *identity).map(|entry| entry.role) {
            Some(2) => Role::Owner,
            Some(_) => Role::Admin,
            None => Role::Member,
        }
    }

    /// The same policy with another role for one person.
    pub(crate) fn with_role(&self, identity: IdentityKey, role: Role) -> Self {
        let mut roles: BTreeMap<_, _> =
            self.roles.iter().map(|entry| (entry.identity, entry.role)).collect();
        match role {
            Role::Member => roles.remove(&identity),
            Role::Admin => roles.insert(identity, 1),
            Role::Owner => roles.insert(identity, 2),
        };
        let roles = roles.into_iter().map(|(identity, role)| RoleEntry { identity, role });
        Self { roles: roles.collect(), ..self.clone() }
    }

    /// The same policy under another name.
    pub(crate) fn with_name(&self, name: &str) -> Self {
        Self { name: name.as_bytes().to_vec().into(), ..self.clone() }
    }

    /// People with the role of owner.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &IdentityKey> {
        self.roles.iter().filter(|entry| entry.role == 2).map(|entry| &entry.identity)
    }
}

/// What a commit's author says that the commit does. All of it, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Change {
    /// Leaves that come in.
    pub adds: Vec<Added>,
    /// Leaves that go.
    pub removes: Vec<Removed>,
    /// The new policy, if it changes.
    pub policy: Option<VLBytes>,
}

/// A leaf that comes in.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes,
)]
pub(crate) struct Added {
    /// Whose.
    pub identity: IdentityKey,
    /// Which of their devices.
    pub device: DeviceId,
    /// That device's MLS signature key.
    pub mls_key: [u8; 32],
    /// Number of the device list that names it.
    pub list_number: u64,
}

/// A leaf that goes.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct Removed {
    /// Its index in the tree.
    pub leaf: u32,
    /// Whose.
    pub identity: IdentityKey,
    /// When its owner asked for it: the proof.
    pub left: Option<Box<LeaveProof>>,
}

/// A leaver's own signed words.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct LeaveProof {
    /// The head of the leaver's cell.
    pub head: HeadProof,
    /// The opened body.
    pub body: VLBytes,
}

impl LeaveProof {
    /// Whether `member` really said in `conversation` that they leave.
    pub(crate) fn is_by(&self, member: &Member, conversation: &[u8; 32]) -> bool {
        let opened = Body::commitment(self.body.as_slice()) == self.head.claims.body;
        let Ok(body) = decode::<Body>(self.body.as_slice()) else { return false };
        let content = Content::from_parts(body.kind, body.content.as_slice());
        // The words are about this stay: after coming back the leaf has another key.
        let leaves =
            matches!(content, Ok(Content::Leave(Leave { stay })) if stay == member.key_hash);
        opened
            && leaves
            && self.head.claims.leaf == member.leaf
            && body.conversation == *conversation
            && self.head.verify(&member.mls_key)
    }
}

impl Change {
    /// The hash that the commit's head signs.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(encode(self)).into()
    }
}

/// What a commit is judged against: the epoch that it was made in.
pub(crate) struct Bench<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The members of the epoch.
    pub members: &'a [Member],
    /// The MLS group.
    pub conversation: &'a [u8; 32],
}

impl Bench<'_> {
    fn has_role(&self, identity: &IdentityKey) -> bool {
        self.policy.role(identity) > Role::Member
    }

    fn is_inside(&self, identity: &IdentityKey) -> bool {
        self.members.iter().any(|member| member.identity == *identity)
    }

    fn member(&self, leaf: u32) -> Option<&Member> {
        self.members.iter().find(|member| member.leaf == leaf)
    }

    /// Whether the member at `author` has the right to all of `change`.
    ///
    /// Pure, and a function of the epoch and the change alone: it never looks at device lists,
    /// clocks or settings, which may differ between members.
    pub(crate) fn may(&self, author: u32, change: &Change) -> bool {
        let Some(author) = self.member(author) else { return false };
        let leaves: BTreeSet<_> = change.removes.iter().map(|removed| removed.leaf).collect();
        // MLS keeps one removal of a leaf; a second one would be declared and not done.
        let once = leaves.len() == change.removes.len();
        let room = self.members.len() + change.adds.len() <= LEAVES_MAX + leaves.len();
        once && room
            && change.adds.iter().all(|added| self.may_add(author, added))
            && change.removes.iter().all(|removed| self.may_remove(author, removed))
            && change.policy.as_ref().is_none_or(|new| self.may_set(author, new.as_slice()))
    }

    fn may_add(&self, author: &Member, added: &Added) -> bool {
        let own = added.identity == author.identity;
        let group = self.policy.chat_kind() == ChatKind::Group;
        // Whoever bears a role from an earlier stay gets it back with the seat: an owner decides.
        let least = if self.has_role(&added.identity) { Role::Owner } else { Role::Admin };
        own || (group && self.policy.role(&author.identity) >= least)
    }

    fn may_remove(&self, author: &Member, removed: &Removed) -> bool {
        let Some(member) = self.member(removed.leaf) else { return false };
        if member.identity != removed.identity {
            return false;
        }
        if let Some(left) = &removed.left {
            return left.is_by(member, self.conversation);
        }
        let own = member.identity == author.identity;
        let role = self.policy.role(&author.identity);
        let above = role == Role::Owner || role > self.policy.role(&member.identity);
        let group = self.policy.chat_kind() == ChatKind::Group;
        own || (group && role >= Role::Admin && above)
    }

    /// Admins give another name; owners also give roles; a contact's policy never changes.
    fn may_set(&self, author: &Member, new: &[u8]) -> bool {
        let Some(new) = Policy::parse(new) else { return false };
        let role = self.policy.role(&author.identity);
        let same_kind = new.kind == self.policy.kind && self.policy.kind == 2;
        let owned = new.owners().any(|owner| self.is_inside(owner));
        let roles = new.roles == self.policy.roles || role == Role::Owner;
        same_kind && owned && roles && role >= Role::Admin
    }
}

#[cfg(test)]
mod tests;
