//! Writing and reading the letters of first contact.
//!
//! A letter has at most [`MESSAGE_PARTS_MAX`] parts: the Welcome and the tree of two people with the
//! longest first message fill little more than half of that, and whoever holds an address can write thousands.

use super::Account;
use crate::cells::{Owner, Put};
use crate::link::{Letter, LetterKind, Post};
use crate::log::LogFollower;
use crate::parcel::{Gathering, MESSAGE_PARTS_MAX, TooLarge, pack};
use undertone_crypto::cell::{open, seal};
use undertone_crypto::{Secret, SlotKeys};
use undertone_wire::{Cell, ServerId, Tag, decode, encode};

/// A letter that is being read.
pub(super) struct LetterRead {
    keys: SlotKeys,
    kind: LetterKind,
    parts: Option<Gathering>,
    /// How often parts were not there.
    absences: u32,
    /// The round in which that was last counted.
    counted_in: u64,
}

/// Rounds after which a letter whose parts are neither listed nor there is junk.
const ABSENCES_MAX: u32 = 8;

/// How far reading a letter came.
pub(super) enum Step {
    /// These parts are needed.
    Parts(Vec<(u32, Tag)>),
    /// Nothing can be done before more arrives.
    Wait,
    /// Here it is.
    Payload(Vec<u8>),
    /// It is not a letter of the expected kind.
    Junk,
}

impl LetterRead {
    /// Begins to read the letter of `kind` at `post`.
    pub(super) fn new(secret: &Secret, server: &ServerId, post: Post, kind: LetterKind) -> Self {
        Self { keys: post.keys(secret, server), kind, parts: None, absences: 0, counted_in: 0 }
    }

    /// Its address.
    pub(super) fn tag(&self) -> Tag {
        self.keys.tag
    }

    /// What is not here yet: the cell (by its tick), or parts (whenever they were listed).
    pub(super) fn wanted(
        &self,
        tick: u64,
        server: &ServerId,
        log: &LogFollower,
    ) -> Vec<(Option<u32>, Tag, Option<u64>)> {
        match &self.parts {
            None => vec![(None, self.tag(), Some(tick))],
            Some(parts) => {
                let tag = |index| parts.reference().keys(server, index).tag;
                let wanted = |index| {
                    let tag = tag(index);
                    (Some(index), tag, log.listed_in(tag.prefix(), 0))
                };
                parts.missing().map(wanted).collect()
            }
        }
    }

    /// Parts were not there; true when that was so often enough.
    pub(super) fn count_absence(&mut self, round: u64) -> bool {
        self.absences += u32::from(std::mem::replace(&mut self.counted_in, round) != round);
        self.absences > ABSENCES_MAX
    }

    /// Its cell has arrived.
    pub(super) fn cell(&mut self, cell: &Cell, server: &ServerId) -> Step {
        let content = open(&self.keys, cell).ok();
        let letter = content.and_then(|content| decode::<Letter>(&content).ok());
        match letter {
            Some(Letter { kind, parcel })
                if kind == self.kind && (1..=MESSAGE_PARTS_MAX).contains(&parcel.parts()) =>
            {
                let wanted = (0..parcel.parts()).map(|at| (at, parcel.keys(server, at).tag));
                let wanted = wanted.collect();
                self.parts = Some(Gathering::new(parcel));
                Step::Parts(wanted)
            }
            _ => Step::Junk,
        }
    }

    /// A part has arrived.
    pub(super) fn part(&mut self, index: u32, cell: Cell, server: &ServerId) -> Step {
        let Some(parts) = &mut self.parts else { return Step::Wait };
        parts.take(index, cell);
        if parts.missing().next().is_some() {
            return Step::Wait;
        }
        parts.payload(server).map_or(Step::Junk, Step::Payload)
    }
}

impl Account {
    /// Puts a letter and its parts into the outbox.
    pub(super) fn post_letter(
        &mut self,
        link: [u8; 16],
        secret: &Secret,
        post: Post,
        kind: LetterKind,
        payload: &[u8],
    ) -> Result<(), TooLarge> {
        let packed = pack(payload, MESSAGE_PARTS_MAX, &self.me.server, &mut self.rng)?;
        let parcel = packed.reference.local_id();
        self.cells.put_parts(packed.parts, parcel);
        let keys = post.keys(secret, &self.me.server);
        let letter = encode(&Letter { kind, parcel: packed.reference });
        let cell = seal(&keys, &letter, &mut self.rng).expect("a letter's head fits a cell");
        let owner = Owner::Link { link, post, index: None };
        let after = vec![parcel];
        self.cells.put(Put { tag: keys.tag, write: keys.write, cell, owner, after });
        Ok(())
    }

    /// Asks for the parts of a letter.
    pub(super) fn fetch_parts(&mut self, link: [u8; 16], post: Post, parts: Vec<(u32, Tag)>) {
        for (index, tag) in parts {
            let listed = self.log.listed_in(tag.prefix(), 0);
            self.cells.get(tag, listed, Owner::Link { link, post, index: Some(index) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parcel::ParcelRef;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;
    use undertone_crypto::cell::CONTENT_MAX;

    /// What becomes of an answer whose cell names a parcel of this many parts.
    fn read(parts: usize) -> Step {
        let (secret, server) = (Secret::from_bytes([1; 32]), ServerId([2; 32]));
        let length = u32::try_from(parts * CONTENT_MAX).expect("few parts");
        let parcel = ParcelRef { seed: [3; 32], length, root: [4; 32] };
        let letter = encode(&Letter { kind: LetterKind::Answer, parcel });
        let keys = Post::Answer.keys(&secret, &server);
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let cell = seal(&keys, &letter, &mut rng).expect("a letter's head fits a cell");
        LetterRead::new(&secret, &server, Post::Answer, LetterKind::Answer).cell(&cell, &server)
    }

    #[test]
    fn a_letter_is_no_larger_than_a_message() {
        assert!(matches!(read(64), Step::Parts(parts) if parts.len() == 64));
        assert!(matches!(read(65), Step::Junk));
    }
}
