//! One walk along the log: a verified head, and the right edge of its tree to extend it with.

use super::{Breach, Evidence};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_wire::checks::{Check, is_off};
use undertone_wire::merkle::{Frontier, empty_root};
use undertone_wire::{DigestPage, Head, HeadRef, SignedHead, TickDigest, encode};

/// What is kept of a head that was verified here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct HeadMark {
    /// Tick number.
    pub(crate) tick: u64,
    /// The server's time of that tick, Unix milliseconds.
    pub(crate) time_ms: u64,
    /// Leaves in the tree.
    pub(crate) size: u64,
    /// Root of the tree.
    pub(crate) root: [u8; 32],
}

impl HeadMark {
    /// The head of a log without ticks, at which nothing has to be asked.
    pub(super) fn beginning() -> Self {
        Self { tick: 0, time_ms: 0, size: 0, root: empty_root() }
    }

    /// Number, size and root.
    pub(crate) fn head_ref(&self) -> HeadRef {
        HeadRef { tick: self.tick, size: self.size, root: self.root }
    }
}

impl From<&Head> for HeadMark {
    fn from(head: &Head) -> Self {
        Self { tick: head.tick, time_ms: head.time_ms, size: head.size, root: head.root }
    }
}

#[derive(Clone)]
pub(super) struct Walker {
    /// The head with the server's signature; none before the first tick.
    signed: Option<SignedHead>,
    mark: HeadMark,
    frontier: Frontier,
}

impl Walker {
    /// Stands at a head of verified signature whose frontier a proof has shown.
    pub(super) fn at(signed: SignedHead, frontier: Frontier) -> Self {
        Self { mark: HeadMark::from(&signed.head), signed: Some(signed), frontier }
    }

    pub(super) fn from_parts(signed: SignedHead, frontier: Vec<[u8; 32]>) -> Option<Self> {
        let frontier = Frontier::from_parts(signed.head.size, frontier)?;
        (frontier.root() == signed.head.root).then(|| Self::at(signed, frontier))
    }

    /// Stands before the first tick.
    pub(super) fn at_beginning() -> Self {
        Self { signed: None, mark: HeadMark::beginning(), frontier: Frontier::default() }
    }

    /// The head with the server's signature; none before the first tick.
    pub(super) fn signed(&self) -> Option<&SignedHead> {
        self.signed.as_ref()
    }

    pub(super) fn mark(&self) -> &HeadMark {
        &self.mark
    }

    pub(super) fn frontier(&self) -> &[[u8; 32]] {
        self.frontier.parts().1
    }

    /// Walks over a page's ticks; `page.head` must have been verified. The walker at the page's
    /// head, and the marks of all its ticks.
    pub(super) fn walk(&self, page: &DigestPage) -> Result<(Self, Vec<HeadMark>), Breach> {
        let mut walker = self.clone();
        let mut marks = Vec::with_capacity(page.ticks.len());
        for tick in &page.ticks {
            walker.step(tick, &page.head.head)?;
            marks.push(walker.mark);
        }
        let head = &page.head.head;
        if head.to_ref() != walker.mark.head_ref() && !is_off(Check::RootComputed) {
            let signed = Some(encode(&page.head));
            let pair = Evidence::pair(walker.mark.head_ref(), head.to_ref(), signed);
            return Err(Breach::Root(pair));
        }
        if head.time_ms < walker.mark.time_ms {
            return Err(Breach::Time);
        }
        walker.signed = Some(page.head.clone());
        Ok((walker, marks))
    }

    fn step(&mut self, tick: &TickDigest, head: &Head) -> Result<(), Breach> {
        let follows = head.lets_follow(self.mark.tick, tick.tick, tick.time_ms);
        if !follows && !is_off(Check::TickOrder) {
            return Err(Breach::TickOrder);
        }
        if tick.time_ms < self.mark.time_ms && !is_off(Check::TimeForward) {
            return Err(Breach::Time);
        }
        if !tick.is_sorted() && !is_off(Check::PrefixOrder) {
            return Err(Breach::PrefixOrder);
        }
        tick.leaf_hashes().into_iter().for_each(|leaf| self.frontier.append(leaf));
        self.mark = HeadMark {
            tick: tick.tick,
            time_ms: tick.time_ms,
            size: self.frontier.size(),
            root: self.frontier.root(),
        };
        Ok(())
    }
}
