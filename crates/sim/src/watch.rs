//! What is watched at every step.

use crate::outcome::{Violation, Wrong};
use crate::person::Person;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use undertone_core::{Seat, Standing};
use undertone_wire::{Cell, CellHash, Tag};

/// Where in a cell its nonce stands (`undertone_crypto::cell`).
const NONCE: std::ops::Range<usize> = 32..56;

/// One epoch of one group, as the first member in it saw it.
#[derive(Clone, Debug)]
pub(crate) struct SeenEpoch {
    /// When it opened: the closing tick of the one before.
    pub opened: u64,
    authenticator: Vec<u8>,
    pub title: String,
    pub seats: Vec<Seat>,
}

/// What has been seen so far.
#[derive(Default)]
pub(crate) struct Watch {
    /// Steps of the script that were played.
    pub played: usize,
    /// Happenings so far.
    pub happened: u64,
    /// When the server sent its newest head last.
    pub beat_ms: u64,
    epochs: BTreeMap<([u8; 32], u64), SeenEpoch>,
    sealed: BTreeMap<(usize, Tag), CellHash>,
    nonces: BTreeMap<(Tag, Vec<u8>), CellHash>,
    /// Who put a cell first: nobody else has sealed it.
    sealers: BTreeMap<(Tag, CellHash), usize>,
    hash: Sha256,
}

impl SeenEpoch {
    /// Whether a device of this person sits in it.
    fn seats_one_of(&self, whom: &undertone_crypto::IdentityKey) -> bool {
        self.seats.iter().any(|seat| seat.identity == *whom)
    }
}

impl Watch {
    /// A device puts a cell.
    pub(crate) fn on_put(&mut self, who: usize, tag: Tag, cell: &Cell) -> Option<Violation> {
        let hash = cell.hash();
        self.hash.update(tag.0);
        self.hash.update(hash.0);
        let nonce = cell.as_bytes()[NONCE].to_vec();
        let sealed = *self.nonces.entry((tag, nonce)).or_insert(hash);
        if sealed != hash {
            let text = format!("person {who} put a cell whose key and nonce sealed another");
            return Some(Violation { wrong: Wrong::NonceTwice, text });
        }
        // A commit that was merged is put again by whoever followed it, where the slot may once have
        // been lost with a commit of one's own.
        if *self.sealers.entry((tag, hash)).or_insert(who) != who {
            return None;
        }
        let before = *self.sealed.entry((who, tag)).or_insert(hash);
        (before != hash).then(|| Violation {
            wrong: Wrong::SlotTwice,
            text: format!("person {who} put two cells under one tag"),
        })
    }

    /// The first cell that somebody put under a tag.
    pub(crate) fn first_put(&self, who: usize, tag: &Tag) -> Option<CellHash> {
        self.sealed.get(&(who, *tag)).copied()
    }

    /// A device shows where a conversation stands.
    pub(crate) fn on_standing(&mut self, name: &str, standing: &Standing) -> Option<Violation> {
        let epoch = standing.epoch.as_ref()?;
        let seen = self.epochs.entry((standing.group, epoch.number)).or_insert_with(|| SeenEpoch {
            opened: epoch.opened,
            authenticator: epoch.authenticator.clone(),
            title: standing.title.clone(),
            seats: epoch.seats.clone(),
        });
        let same = seen.authenticator == epoch.authenticator
            && seen.seats == epoch.seats
            && seen.opened == epoch.opened
            && seen.title == standing.title;
        (!same).then(|| Violation {
            wrong: Wrong::Split,
            text: format!(
                "{name} sees another epoch {} of {} than others: opened {} not {}, {} seats not {}",
                epoch.number,
                standing.title,
                epoch.opened,
                seen.opened,
                epoch.seats.len(),
                seen.seats.len()
            ),
        })
    }

    /// An epoch that some member was in.
    pub(crate) fn epoch(&self, group: &[u8; 32], number: u64) -> Option<&SeenEpoch> {
        self.epochs.get(&(*group, number))
    }

    /// The epochs of a group in which somebody sits, as far as they were seen.
    pub(crate) fn epochs_with(
        &self,
        group: &[u8; 32],
        whom: &undertone_crypto::IdentityKey,
    ) -> impl Iterator<Item = u64> {
        let epochs = self.epochs.range((*group, 0)..=(*group, u64::MAX));
        epochs.filter(move |(_, epoch)| epoch.seats_one_of(whom)).map(|((_, number), _)| *number)
    }

    /// These epochs of a group, as far as they were seen.
    pub(crate) fn epochs_in(
        &self,
        group: &[u8; 32],
        numbers: std::ops::RangeInclusive<u64>,
    ) -> impl Iterator<Item = (u64, &SeenEpoch)> {
        // An empty range is one that begins behind its end.
        let (first, last) = (*numbers.start(), *numbers.end().max(numbers.start()));
        let epochs = self.epochs.range((*group, first)..=(*group, last));
        epochs.filter(move |_| !numbers.is_empty()).map(|((_, number), epoch)| (*number, epoch))
    }

    /// Whether somebody sits in one of these epochs.
    pub(crate) fn sat(
        &self,
        group: &[u8; 32],
        whom: &undertone_crypto::IdentityKey,
        numbers: std::ops::RangeInclusive<u64>,
    ) -> bool {
        self.epochs_in(group, numbers).any(|(_, epoch)| epoch.seats_one_of(whom))
    }

    /// The newest epoch of a group in which a device was seen.
    pub(crate) fn newest_entered(&self, group: &[u8; 32], who: &Person) -> Option<&SeenEpoch> {
        let entered = who.entered.range((*group, 0)..=(*group, u64::MAX)).next_back()?;
        self.epochs.get(entered)
    }

    /// Whether somebody sits in an epoch of a group that opened before that tick.
    pub(crate) fn sat_by(
        &self,
        group: &[u8; 32],
        whom: &undertone_crypto::IdentityKey,
        tick: u64,
    ) -> bool {
        let mut epochs = self.epochs_in(group, 0..=u64::MAX);
        epochs.any(|(_, epoch)| epoch.opened < tick && epoch.seats_one_of(whom))
    }

    /// Whether somebody sits in all of these epochs, as far as they were seen.
    pub(crate) fn stays(
        &self,
        group: &[u8; 32],
        whom: &undertone_crypto::IdentityKey,
        numbers: std::ops::RangeInclusive<u64>,
    ) -> bool {
        if numbers.is_empty() {
            return false;
        }
        self.epochs_in(group, numbers).all(|(_, epoch)| epoch.seats_one_of(whom))
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_wire::CELL_LEN;

    #[test]
    fn a_commit_that_another_sealed_may_be_put_again_where_ones_own_has_lost() {
        let (tag, own, others) = (Tag([1; 32]), [1; CELL_LEN], [2; CELL_LEN]);
        let (own, others) = (Cell::from_array(own), Cell::from_array(others));
        let mut watch = Watch::default();
        assert_eq!(watch.on_put(1, tag, &others), None);
        assert_eq!(watch.on_put(0, tag, &own), None);
        assert_eq!(watch.on_put(0, tag, &others), None);
        let again = watch.on_put(0, tag, &Cell::from_array([3; CELL_LEN]));
        assert_eq!(again.map(|it| it.wrong), Some(Wrong::SlotTwice));
    }
}
