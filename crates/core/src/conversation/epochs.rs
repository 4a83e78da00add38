//! Epochs, the present one and those that have ended and still wait for a cell.

use super::lanes::At;
use super::state::{Epoch, Past};
use super::{Conversation, Ctx, Lane};
use undertone_crypto::mls::Member;

impl Conversation {
    pub(super) fn epoch_at(&self, at: At) -> &Epoch {
        match at {
            At::Now => &self.epoch,
            At::Past(index) => &self.past[index].epoch,
        }
    }

    pub(super) fn lane_mut(&mut self, at: At, leaf: u32) -> &mut Lane {
        let epoch = match at {
            At::Now => &mut self.epoch,
            At::Past(index) => &mut self.past[index].epoch,
        };
        epoch.lanes.get_mut(&leaf).expect("the lane that is being read exists")
    }

    pub(super) fn find_epoch(&self, number: u64) -> Option<At> {
        if number == self.epoch.number {
            return Some(At::Now);
        }
        self.past.iter().position(|past| past.epoch.number == number).map(At::Past)
    }

    /// Number, opening tick and own leaf.
    pub(super) fn facts(&self, at: At) -> (u64, u64, u32) {
        let epoch = self.epoch_at(at);
        (epoch.number, epoch.opened, epoch.own.leaf)
    }

    pub(super) fn author_at(&mut self, at: At, leaf: u32, ctx: &mut Ctx<'_>) -> Option<Member> {
        if let At::Past(index) = at {
            let Past { members, .. } = &self.past[index];
            return members.iter().find(|member| member.leaf == leaf).map(|m| Member::from(*m));
        }
        let live = self.live(ctx)?;
        live.members.iter().find(|member| member.leaf == leaf).cloned()
    }

    /// The name to show for the author of a lane.
    pub(super) fn author_name(&mut self, at: At, leaf: u32, ctx: &mut Ctx<'_>) -> String {
        let author = self.author_at(at, leaf, ctx);
        let name = author.map(|member| self.name_of(&member.identity, ctx));
        name.map_or_else(|| "a member".to_owned(), |name| name.to_string())
    }
}
