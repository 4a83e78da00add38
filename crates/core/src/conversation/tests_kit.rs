//! What a member of a conversation knows, for tests and fuzz targets that play a malicious one.

#![cfg_attr(
    not(test),
    allow(dead_code, reason = "the fuzz targets need less of it than the tests")
)]

pub(crate) use super::judge::CommitParcel;

use super::Conversation;
use crate::policy::{Added, Policy};
use std::collections::BTreeMap;
use undertone_crypto::mls::Member;
use undertone_crypto::{IdentityKey, Slot};

/// Everything that a member can compute of an epoch.
pub(crate) struct Secrets {
    pub members: Vec<Member>,
    pub policy: Policy,
    pub own_leaf: u32,
    control: Slot,
    lanes: BTreeMap<u32, (Slot, u64)>,
}

impl Conversation {
    pub(crate) fn secrets(&self) -> Secrets {
        let live = self.live.as_ref().expect("the group is loaded");
        let lane =
            |(leaf, lane): (&u32, &super::Lane)| (*leaf, (lane.next.slot().clone(), lane.place));
        Secrets {
            members: live.members.clone(),
            policy: live.policy.clone(),
            own_leaf: self.epoch.own.leaf,
            control: self.epoch.control.slot().clone(),
            lanes: self.epoch.lanes.iter().map(lane).collect(),
        }
    }

    pub(crate) fn want_for_tests(&mut self, identity: IdentityKey, _: &mut super::Ctx<'_>) {
        self.intents.push(super::Intent::Add(identity));
    }

    /// What makes the ids of the messages that are on their way.
    pub(crate) fn salts(&self) -> Vec<[u8; 16]> {
        let texts = self.outgoing.values().filter(|outgoing| outgoing.kind == 1);
        texts.map(|outgoing| outgoing.salt).collect()
    }

    /// As if the texts on their way counted in a time that a restored server may have lost.
    pub(crate) fn count_for_tests(&mut self) {
        for outgoing in self.outgoing.values_mut().filter(|outgoing| outgoing.kind == 1) {
            outgoing.state = super::OutgoingState::Counted { number: 2, effective: 1 };
        }
    }

    pub(crate) fn group_mut(&mut self) -> &mut undertone_crypto::mls::Group {
        &mut self.live.as_mut().expect("the group is loaded").group
    }
}

impl Secrets {
    pub(crate) fn leaf_of(&self, identity: &IdentityKey) -> u32 {
        let member = self.members.iter().find(|member| member.identity == *identity);
        member.expect("a member").leaf
    }

    /// The next control slot.
    pub(crate) fn control(&self) -> &Slot {
        &self.control
    }

    /// The next slot of a lane that is not read.
    pub(crate) fn lane(&self, leaf: u32) -> &Slot {
        &self.lanes[&leaf].0
    }

    pub(crate) fn place_of_own(&self) -> u64 {
        self.place_of(self.own_leaf)
    }

    /// Counting cells before the next slot of a lane.
    pub(crate) fn place_of(&self, leaf: u32) -> u64 {
        self.lanes[&leaf].1
    }

    /// A declared change that every member has the right to: a leaf of one's own.
    pub(crate) fn own_add(&self) -> Added {
        let own = self.members.iter().find(|member| member.leaf == self.own_leaf);
        let Member { identity, device, mls_key, .. } = *own.expect("oneself");
        Added { identity, device, mls_key, list_number: 1 }
    }
}
