//! Listings that are another tag's.
//!
//! The log lists eight bytes of every tag. Whoever chooses both tags makes two of one prefix in
//! about 2^32 trials: the parts of a parcel lie at tags that their author has chosen. So a listing
//! is believed until the server proves that it is another tag's; then the next one of the prefix is
//! looked at. Every member gets the same proof, since the log is one: a part that no listing in time
//! is left for makes its head void (C04), or the message not count (L05), for all alike.
//!
//! Kept in memory only: after a restart the server proves it again.

use super::Ctx;
use crate::cells::{Counts, Listing};
use crate::parcel::ParcelRef;
use std::collections::BTreeMap;
use undertone_crypto::SlotKeys;
use undertone_wire::Tag;
use undertone_wire::checks::{Check, is_off};

/// Up to which tick the listings of a tag's prefix were proved to be other tags'.
///
/// Bounded by the tags that are looked up in the epochs that are read.
#[derive(Default)]
pub(super) struct Collisions(BTreeMap<Tag, u64>);

impl Collisions {
    /// Proved: what `tick` lists under the prefix of `tag` are other tags.
    pub(super) fn note(&mut self, tag: Tag, tick: u64) {
        let passed = self.0.entry(tag).or_default();
        *passed = tick.max(*passed);
    }

    /// The first listing above `after` of a slot's tag, as far as is known.
    pub(super) fn listed(&self, keys: &SlotKeys, after: u64, ctx: &mut Ctx<'_>) -> Option<Listing> {
        let passed = self.0.get(&keys.tag).copied().unwrap_or_default();
        ctx.cells.listed(keys, after.max(passed), ctx.log)
    }

    /// Whether every part is listed above `after` and not after its head, whose tick is `by`; `None`
    /// when one is not, false while that is not known of one.
    pub(super) fn all_listed(
        &self,
        parcel: &ParcelRef,
        after: u64,
        by: u64,
        ctx: &mut Ctx<'_>,
    ) -> Option<bool> {
        let mut known = true;
        for index in 0..parcel.parts() {
            let keys = parcel.keys(&ctx.me.server, index);
            let Some(listing) = self.listed(&keys, after, ctx) else {
                return is_off(Check::PartsInTime).then_some(false);
            };
            match listing.counts {
                Counts::At(tick) if tick > by && !is_off(Check::PartsInTime) => return None,
                Counts::At(_) => {}
                Counts::NotBefore(_) => known = false,
            }
        }
        Some(known)
    }
}
