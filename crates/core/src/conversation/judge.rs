//! *Void or stuck*: the verdict on one control cell (DESIGN.md section 4).
//!
//! The checks C01–C09 come first and need nothing but public structure and the signed declared
//! change; a cell that fails one of them is void, for every member alike. From C10 on the commit
//! *has won*: whatever fails then leaves this device stuck, and is never skipped. MLS judges on a
//! discarded copy, so that a crash between verdict and merge changes nothing.

use super::collisions::Collisions;
use super::control::ControlRead;
use super::fault::Fault;
use super::witness::shows_its_log;
use super::{Ctx, Live};
use crate::head::{Payload, SignedHead};
use crate::mutant::{Mutant, planted};
use crate::parcel::{Gathering, PARTS_MAX, ParcelRef};
use crate::policy::{Added, Bench, Change};
use std::collections::BTreeSet;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};
use undertone_crypto::SlotKeys;
use undertone_crypto::cell::open;
use undertone_crypto::mls::Staged;
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{decode, encode};

/// What a commit's parcel holds.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub(crate) struct CommitParcel {
    /// What the commit is said to do.
    pub change: Change,
    /// The MLS commit, a `PrivateMessage`.
    pub commit: VLBytes,
}

/// The check that a void cell failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Void {
    /// C01: the outer seal does not open.
    Seal,
    /// C02: the content is not a head.
    Head,
    /// C03: the payload is not a parcel of at most 512 parts.
    Payload,
    /// C04: a part is not listed after the epoch opened and up to the head's tick.
    Parts,
    /// C05: the parts are not those that the root commits to, or not a commit's parcel.
    Root,
    /// C06: the signing leaf is not of this epoch.
    Leaf,
    /// C07: the leaf did not sign this for this slot.
    Signature,
    /// C08: the declared change is not the one that was signed.
    Change,
    /// C09: the leaf has no right to the declared change.
    Right,
}

impl Fault for Void {
    fn number(self) -> &'static str {
        match self {
            Self::Seal => "C01",
            Self::Head => "C02",
            Self::Payload => "C03",
            Self::Parts => "C04",
            Self::Root => "C05",
            Self::Leaf => "C06",
            Self::Signature => "C07",
            Self::Change => "C08",
            Self::Right => "C09",
        }
    }

    fn switch(self) -> Option<Check> {
        match self {
            Self::Seal => Some(Check::ControlSeal),
            Self::Head => Some(Check::ControlHead),
            Self::Payload => Some(Check::ControlPayload),
            Self::Leaf => Some(Check::ControlLeaf),
            Self::Parts | Self::Root | Self::Signature | Self::Change | Self::Right => None,
        }
    }
}

/// What becomes of a control cell.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// Skipped by all alike.
    Void(Void),
    /// It has won, and this device cannot follow it.
    Stuck(Halt),
    /// It has won.
    Won(Box<Win>),
}

/// Why this device cannot follow a commit.
#[derive(Clone, Debug)]
pub(super) enum Halt {
    /// MLS, or this device, fails on it; in words.
    Unfollowed(String),
    /// It was made in this device's name by another.
    Copied,
}

/// A commit that has won its epoch.
#[derive(Clone, Debug)]
pub(super) struct Win {
    /// The epoch's closing tick.
    pub closing: u64,
    /// Leaf of its author.
    pub author: u32,
    /// What another's commit holds; `None` when it is this device's pending one.
    pub theirs: Option<Theirs>,
}

/// A commit that another device made.
#[derive(Clone, Debug)]
pub(super) struct Theirs {
    /// The MLS bytes.
    pub commit: Vec<u8>,
    /// Whether it shows a head that the server signed.
    pub shows_log: bool,
}

/// How far judging came.
pub(super) enum Judgement {
    /// Parts of the parcel have to be fetched first.
    NeedParts,
    /// There is a verdict.
    Done(Verdict),
}

/// Ticks that bound the verdict.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// When the epoch opened.
    pub opened: u64,
    /// The cell's first listing.
    pub listed: u64,
    /// The closing tick if this cell wins.
    pub closing: u64,
}

/// One control cell before its judge.
pub(super) struct Case<'a> {
    pub live: &'a mut Live,
    pub conversation: &'a [u8; 32],
    pub keys: &'a SlotKeys,
    pub bounds: Bounds,
    /// The parcel of one's own pending commit, as on the wire.
    pub pending: Option<Vec<u8>>,
    pub collisions: &'a Collisions,
}

impl Case<'_> {
    /// Judges what `read` holds.
    pub(super) fn judge(self, read: &mut ControlRead, ctx: &mut Ctx<'_>) -> Judgement {
        match self.try_judge(read, ctx) {
            Ok(Some(verdict)) => Judgement::Done(verdict),
            Ok(None) => Judgement::NeedParts,
            Err(void) => Judgement::Done(match void.stops("the commit") {
                Some(why) => Verdict::Stuck(Halt::Unfollowed(why)),
                None => Verdict::Void(void),
            }),
        }
    }

    fn try_judge(self, read: &mut ControlRead, ctx: &mut Ctx<'_>) -> Result<Option<Verdict>, Void> {
        let cell = read.cell.as_ref().ok_or(Void::Seal)?;
        let content = open(self.keys, cell).map_err(|_| Void::Seal)?;
        let head = SignedHead::parse(&content).ok_or(Void::Head)?;
        let parcel = self.parcel_of(&head)?;
        if !read.listings_fit {
            read.listings_fit = self.check_listings(&parcel, ctx)?;
        }
        if !read.listings_fit {
            return Ok(None);
        }
        if self.is_pending(&head, &parcel) {
            return Ok(Some(self.won(head.claims.leaf, None)));
        }
        let parts = read.parts.get_or_insert_with(|| Gathering::new(parcel));
        if parts.missing().next().is_some() {
            return Ok(None);
        }
        let payload = parts.payload(&ctx.me.server).map_err(|_| Void::Root)?;
        let payload: CommitParcel = decode(&payload).map_err(|_| Void::Root)?;
        self.check_author(&head)?;
        if is_off(Check::RightFirst)
            && let stuck @ Verdict::Stuck(_) = self.follow(&head, &payload, ctx)
        {
            return Ok(Some(stuck));
        }
        self.check_change(&head, &payload.change)?;
        Ok(Some(self.follow(&head, &payload, ctx)))
    }

    fn parcel_of(&self, head: &SignedHead) -> Result<ParcelRef, Void> {
        match &head.payload {
            Payload::Parcel(parcel) if (1..=PARTS_MAX).contains(&parcel.parts()) => {
                Ok(parcel.clone())
            }
            _ => Err(Void::Payload),
        }
    }

    /// Parts are stored before the head is; a late part makes the head void for everybody. False
    /// while that is not known of all.
    fn check_listings(&self, parcel: &ParcelRef, ctx: &mut Ctx<'_>) -> Result<bool, Void> {
        let Bounds { opened, listed, .. } = self.bounds;
        self.collisions.all_listed(parcel, opened, listed, ctx).ok_or(Void::Parts)
    }

    /// One's own commit is recognised by its payload: MLS cannot read one's own ciphertext.
    fn is_pending(&self, head: &SignedHead, parcel: &ParcelRef) -> bool {
        if planted(Mutant::IgnoreTaken) && self.pending.is_some() {
            return true;
        }
        if planted(Mutant::OwnUnknown) {
            return false;
        }
        self.pending.as_ref().is_some_and(|pending| *pending == encode(parcel))
            && head.claims.leaf == self.live.group.own_leaf()
            && self.check_author(head).is_ok()
    }

    fn check_author(&self, head: &SignedHead) -> Result<(), Void> {
        let mut members = self.live.members.iter();
        let author = members.find(|member| member.leaf == head.claims.leaf).ok_or(Void::Leaf)?;
        let genuine = head.verify(&author.mls_key, &self.keys.tag);
        (genuine || is_off(Check::CommitSignature)).then_some(()).ok_or(Void::Signature)
    }

    fn check_change(&self, head: &SignedHead, change: &Change) -> Result<(), Void> {
        if change.hash() != head.claims.change && !is_off(Check::CommitChange) {
            return Err(Void::Change);
        }
        let Live { policy, members, .. } = &*self.live;
        let bench = Bench { policy, members, conversation: self.conversation };
        let may = bench.may(head.claims.leaf, change) || is_off(Check::CommitRight);
        may.then_some(()).ok_or(Void::Right)
    }

    /// C10–C12: the commit has won; can this device follow it?
    fn follow(&self, head: &SignedHead, payload: &CommitParcel, ctx: &mut Ctx<'_>) -> Verdict {
        let author = head.claims.leaf;
        if author == self.live.group.own_leaf() && !is_off(Check::OwnCommit) {
            return Verdict::Stuck(Halt::Copied);
        }
        if planted(Mutant::SkipUnfollowed) && (author + self.live.group.own_leaf()) % 2 == 1 {
            return Verdict::Void(Void::Root);
        }
        let knows = |added: &Added| ctx.contacts.known_name(&added.identity).is_some();
        if planted(Mutant::VoidUnknown) && !payload.change.adds.iter().all(knows) {
            return Verdict::Void(Void::Right);
        }
        let commit = payload.commit.as_slice();
        let staged = match self.live.group.judge(ctx.mls, commit) {
            Ok(staged) => staged,
            Err(refused) => {
                let why = format!("MLS refuses the commit ({refused})");
                return Verdict::Stuck(Halt::Unfollowed(why));
            }
        };
        if !matches(&staged, author, &payload.change) && !is_off(Check::CommitMatches) {
            let why = "the commit does something else than it declares".to_owned();
            return Verdict::Stuck(Halt::Unfollowed(why));
        }
        let shows_log = shows_its_log(&staged.aad, ctx);
        self.won(author, Some(Theirs { commit: commit.to_vec(), shows_log }))
    }

    fn won(&self, author: u32, theirs: Option<Theirs>) -> Verdict {
        Verdict::Won(Box::new(Win { closing: self.bounds.closing, author, theirs }))
    }
}

/// Whether a commit does what was declared: all of it, and nothing else.
fn matches(staged: &Staged, author: u32, change: &Change) -> bool {
    let declared: BTreeSet<_> = change.adds.iter().map(key_of).collect();
    let added: BTreeSet<_> = staged.add.iter().copied().collect();
    let removes: BTreeSet<_> = change.removes.iter().map(|removed| removed.leaf).collect();
    let removed: BTreeSet<_> = staged.remove.iter().copied().collect();
    let policy = change.policy.as_ref().map(|policy| policy.as_slice());
    let counts =
        staged.add.len() == change.adds.len() && staged.remove.len() == change.removes.len();
    staged.committer == author
        && counts
        && declared == added
        && removes == removed
        && policy == staged.policy.as_deref()
}

fn key_of(added: &Added) -> (undertone_crypto::IdentityKey, undertone_crypto::DeviceId, [u8; 32]) {
    (added.identity, added.device, added.mls_key)
}
