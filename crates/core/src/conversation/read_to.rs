//! How far a group is read here, for whoever has to know before it is left behind.
//!
//! A cell that is listed and not read holds back what may be said: everybody learns, of their own
//! messages, the tick before the first one that was not read. Slots share ticks, and so the tick of the
//! last message that was read says nothing of the next one.

use super::lanes::{Ahead, At, LaneOf};
use super::state::Lane;
use super::{Conversation, Ctx};
use crate::log::LogFollower;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use undertone_crypto::IdentityKey;

/// How far a device had read what others wrote in a group.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct ReadTo {
    /// Everybody's messages are read up to this tick,
    all: u64,
    /// but those of these people up to another.
    #[serde(default)]
    people: BTreeMap<IdentityKey, u64>,
}

impl ReadTo {
    /// Up to which tick this person's messages are read.
    pub(super) fn of(&self, identity: &IdentityKey) -> u64 {
        self.people.get(identity).copied().unwrap_or(self.all)
    }

    /// Up to this tick and no further; where nobody knows whose lane it is, of nobody's messages.
    fn hold(&mut self, whose: Option<IdentityKey>, tick: u64) {
        match whose {
            Some(identity) => {
                let known = self.people.entry(identity).or_insert(tick);
                *known = tick.min(*known);
            }
            None => self.all = tick.min(self.all),
        }
    }
}

impl Conversation {
    /// Whether everything is read that is listed for this group and that the server delivers, and
    /// everything of one's own that left this device is decided.
    pub(crate) fn is_read_out(&self, log: &LogFollower) -> bool {
        let fetching = self.unread_lanes().any(|unread| unread.ahead.is_fetching());
        !self.is_live() || (self.is_searched(log) && !self.is_undecided() && !fetching)
    }

    /// Whether everything is read that is listed for this group.
    pub(super) fn has_read_all(&self, log: &LogFollower) -> bool {
        self.is_live() && self.is_searched(log) && self.unread_lanes().next().is_none()
    }

    /// Whether the lanes were searched for new slots up to the newest head, in an epoch of which no end
    /// is in sight.
    fn is_searched(&self, log: &LogFollower) -> bool {
        let searched = self.reading.scanned.get(&self.epoch.number) == Some(&log.walked());
        log.caught_up() && searched && self.reading.limit.is_none()
    }

    /// Whether a message of one's own stands in a slot that is not read.
    fn is_undecided(&self) -> bool {
        self.outgoing.values().any(|outgoing| outgoing.placed().is_some())
    }

    /// Lanes in which a slot is listed that belongs to its epoch and is not read.
    fn unread_lanes(&self) -> impl Iterator<Item = Unread<'_>> {
        self.reading.lanes.iter().filter_map(|(of, ahead)| {
            let (lane, closed) = self.lane_of(*of)?;
            let first = ahead.first_unread(lane)?;
            (first <= closed).then_some(Unread { of: *of, ahead, first })
        })
    }

    /// A lane and the closing tick of its epoch.
    fn lane_of(&self, (number, leaf): LaneOf) -> Option<(&Lane, u64)> {
        let at = self.find_epoch(number)?;
        let closed = match at {
            At::Now => u64::MAX,
            At::Past(index) => self.past[index].closed,
        };
        self.epoch_at(at).lanes.get(&leaf).map(|lane| (lane, closed))
    }

    /// How far what each member wrote here is read.
    pub(super) fn read_to(&mut self, ctx: &mut Ctx<'_>) -> ReadTo {
        let members = self.roster(ctx).map(|roster| roster.members).unwrap_or_default();
        let now = members.iter().map(|member| ((self.epoch.number, member.leaf), member.identity));
        let past = self.past.iter().flat_map(|past| {
            let number = past.epoch.number;
            past.members.iter().map(move |member| ((number, member.leaf), member.identity))
        });
        let people: BTreeMap<LaneOf, IdentityKey> = now.chain(past).collect();
        let mut read = ReadTo { all: self.searched_to(), people: BTreeMap::new() };
        for unread in self.unread_lanes() {
            let (whose, to) = (people.get(&unread.of).copied(), unread.first.saturating_sub(1));
            read.hold(whose, to.min(read.all));
        }
        for (of, lane) in self.unsearched_lanes() {
            read.hold(people.get(&of).copied(), lane.effective.saturating_sub(1));
        }
        read
    }

    /// The tick up to which the present epoch was searched, as far as that is known.
    fn searched_to(&self) -> u64 {
        let searched = self.reading.scanned.get(&self.epoch.number).copied();
        let searched = searched.unwrap_or(self.epoch.opened);
        self.reading.limit.map_or(searched, |limit| limit.min(searched)).max(self.epoch.opened)
    }

    /// Lanes of epochs that were not searched since the start: how far they were read is all that is
    /// known of them.
    fn unsearched_lanes(&self) -> impl Iterator<Item = (LaneOf, &Lane)> {
        let past = self.past.iter().map(|past| &past.epoch);
        let unsearched = past
            .chain([&self.epoch])
            .filter(|epoch| !self.reading.scanned.contains_key(&epoch.number));
        unsearched
            .flat_map(|epoch| epoch.lanes.iter().map(|(leaf, lane)| ((epoch.number, *leaf), lane)))
    }
}

/// A lane in which a slot is listed and not read.
struct Unread<'a> {
    of: LaneOf,
    ahead: &'a Ahead,
    /// The tick of that slot, or one before it.
    first: u64,
}
