//! Commits: made, judged on a copy, merged.
//!
//! OpenMLS persists the generation that a commit used up as soon as it has been processed. So a commit
//! is judged on a copy of the store that is thrown away; once the caller has decided, and has read
//! the lanes that the commit closes, it is processed again and merged in one step.

use super::{
    Backend, Group, KeyPackageBytes, Mls, Refused, key_package,
    message::{private_message, sender_leaf, to_bytes},
    profile::{self, LEAVES_MAX},
};
use crate::{DeviceId, IdentityKey, LeafKey};
use openmls::{
    group::{MlsGroup, QueuedProposal, StagedCommit},
    prelude::{
        ContentType, KeyPackage, LeafNodeIndex, ProcessedMessageContent, Proposal,
        ProposalOrRefType, ProtocolMessage,
    },
};

/// What a commit is to do. Nothing in it at all is a commit that only heals.
#[derive(Clone, Debug, Default)]
pub struct CommitSpec {
    /// Devices to add.
    pub add: Vec<KeyPackageBytes>,
    /// Leaves to remove.
    pub remove: Vec<u32>,
    /// The policy to have from then on, if it is to change.
    pub policy: Option<Vec<u8>>,
    /// Authenticated data.
    pub aad: Vec<u8>,
}

/// A commit of ours that waits for its fate; its secrets lie in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCommit {
    /// For the members: an `MLSMessage` with a `PrivateMessage`.
    pub commit: Vec<u8>,
    /// For those it adds: an `MLSMessage` with a `Welcome`, without the ratchet tree; the tree is
    /// [`Group::tree`] after the merge.
    pub welcome: Option<Vec<u8>>,
}

/// What a commit of somebody else does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The leaf of its author.
    pub committer: u32,
    /// Whom it adds: person, device, signing key, in the order of its proposals.
    pub add: Vec<(IdentityKey, DeviceId, [u8; 32])>,
    /// The leaves that it removes, in the order of its proposals.
    pub remove: Vec<u32>,
    /// The policy from then on, if it sets one.
    pub policy: Option<Vec<u8>>,
    /// Authenticated data.
    pub aad: Vec<u8>,
    /// Whether this device is out after it.
    pub removes_me: bool,
}

impl Group {
    /// Makes a commit, always with an update path, and keeps it pending.
    ///
    /// # Errors
    /// [`Refused::Pending`], [`Refused::Full`], [`Refused::CannotRemove`], [`Refused::KeyPackage`];
    /// [`Refused::Commit`] when OpenMLS finds the proposals at odds with each other or the group.
    pub fn commit(
        &mut self,
        mls: &mut Mls,
        key: &LeafKey,
        spec: CommitSpec,
    ) -> Result<PendingCommit, Refused> {
        self.check_spec(&spec)?;
        let validated = |bytes: &KeyPackageBytes| key_package::validated(&mls.crypto, &bytes.0);
        let packages: Vec<_> = spec.add.iter().map(validated).collect::<Result<_, _>>()?;
        packages.iter().try_for_each(|package| profile::who_of(package.leaf_node()).map(|_| ()))?;
        self.attempt(mls, |inner, backend| build(inner, backend, key, spec, packages))
    }

    /// Drops the pending commit, if there is one.
    ///
    /// # Errors
    /// [`Refused::Store`] only.
    pub fn clear_pending(&mut self, mls: &mut Mls) -> Result<(), Refused> {
        self.attempt(mls, |inner, backend| Ok(inner.clear_pending_commit(backend.store)?))
    }

    /// Merges the pending commit: it has won.
    ///
    /// # Errors
    /// [`Refused::NotPending`] when there is none.
    pub fn merge_pending(&mut self, mls: &mut Mls) -> Result<(), Refused> {
        if !self.has_pending() {
            return Err(Refused::NotPending);
        }
        self.attempt(mls, |inner, backend| {
            inner.merge_pending_commit(backend).map_err(Refused::internal)
        })
    }

    /// What somebody's commit would do, found out on a copy of the group that is thrown away: nothing
    /// is persisted or changed, not even the generation that it used up. It works while a commit of
    /// our own is pending.
    ///
    /// # Errors
    /// [`Refused::OwnMessage`] for a commit that claims to be ours; else why it cannot be followed.
    pub fn judge(&self, mls: &Mls, commit: &[u8]) -> Result<Staged, Refused> {
        let message = self.commit_message(commit)?;
        let scratch = mls.store.scratch();
        let backend = Backend { store: &scratch, crypto: &mls.crypto };
        let mut copy = Self::load_from(&backend, self.inner.group_id())?;
        stage(&mut copy.inner, &backend, message).map(|(staged, _)| staged)
    }

    /// Processes somebody's commit again and merges it; a pending commit of our own is dropped. When
    /// it removes this device, nothing can be decrypted afterwards: read the epoch's lanes before.
    ///
    /// # Errors
    /// As for [`Group::judge`].
    pub fn merge(&mut self, mls: &mut Mls, commit: &[u8]) -> Result<Staged, Refused> {
        let message = self.commit_message(commit)?;
        self.attempt(mls, |inner, backend| {
            let (staged, commit) = stage(inner, backend, message)?;
            inner.merge_staged_commit(backend, commit).map_err(Refused::internal)?;
            Ok(staged)
        })
    }

    fn check_spec(&self, spec: &CommitSpec) -> Result<(), Refused> {
        if !self.is_active() {
            return Err(Refused::Inactive);
        }
        if self.has_pending() {
            return Err(Refused::Pending);
        }
        let sits = |leaf| self.inner.member_at(LeafNodeIndex::new(leaf)).is_some();
        let bad = spec.remove.iter().find(|leaf| **leaf == self.own_leaf() || !sits(**leaf));
        if let Some(leaf) = bad {
            return Err(Refused::CannotRemove { leaf: *leaf });
        }
        check_size(&self.inner, spec.add.len(), spec.remove.len())
    }

    fn commit_message(&self, bytes: &[u8]) -> Result<ProtocolMessage, Refused> {
        let message = private_message(bytes)?;
        if message.content_type() != ContentType::Commit {
            return Err(Refused::NotCommit);
        }
        if message.group_id() != self.inner.group_id() {
            return Err(Refused::WrongGroup);
        }
        let current = message.epoch() == self.inner.epoch();
        current.then_some(message).ok_or(Refused::WrongEpoch)
    }
}

fn check_size(group: &MlsGroup, added: usize, removed: usize) -> Result<(), Refused> {
    let leaves = (group.members().count() + added).saturating_sub(removed);
    if leaves > LEAVES_MAX { Err(Refused::Full { leaves }) } else { Ok(()) }
}

fn build(
    group: &mut MlsGroup,
    backend: &Backend<'_>,
    key: &LeafKey,
    spec: CommitSpec,
    packages: Vec<KeyPackage>,
) -> Result<PendingCommit, Refused> {
    group.set_aad(spec.aad);
    let mut builder = group
        .commit_builder()
        .consume_proposal_store(false)
        .force_self_update(true)
        .propose_adds(packages)
        .propose_removals(spec.remove.into_iter().map(LeafNodeIndex::new));
    if let Some(policy) = spec.policy {
        let extensions = profile::extensions(&policy)?;
        builder = builder.propose_group_context_extensions(extensions).map_err(Refused::commit)?;
    }
    let bundle = builder
        .load_psks(backend.store)
        .map_err(Refused::commit)?
        .build(backend.crypto, backend.crypto, key, |_| true)
        .map_err(Refused::commit)?
        .stage_commit(backend)
        .map_err(Refused::internal)?;
    let (commit, welcome, _) = bundle.into_messages();
    let welcome = welcome.as_ref().map(to_bytes).transpose()?;
    Ok(PendingCommit { commit: to_bytes(&commit)?, welcome })
}

/// Processes a commit and checks that it is one that Undertone uses.
fn stage(
    group: &mut MlsGroup,
    backend: &Backend<'_>,
    message: ProtocolMessage,
) -> Result<(Staged, StagedCommit), Refused> {
    let processed = group.process_message(backend, message)?;
    let committer = sender_leaf(&processed)?;
    let aad = processed.aad().to_vec();
    let commit = match processed.into_content() {
        ProcessedMessageContent::StagedCommitMessage(commit) => *commit,
        ProcessedMessageContent::OwnPrivateMessage | ProcessedMessageContent::OwnPendingCommit => {
            return Err(Refused::OwnMessage);
        }
        ProcessedMessageContent::UnresolvedAppDataCommit(_) => return Err(Refused::Proposal),
        _ => return Err(Refused::NotCommit),
    };
    check_path(group, committer, &commit)?;
    let staged = describe(committer.u32(), aad, &commit)?;
    check_size(group, staged.add.len(), staged.remove.len())?;
    Ok((staged, commit))
}

/// The committer's new leaf must name the same person, device and signing key as the old one, and one
/// must be able to seal to it.
fn check_path(
    group: &MlsGroup,
    committer: LeafNodeIndex,
    commit: &StagedCommit,
) -> Result<(), Refused> {
    let new = commit.update_path_leaf_node().ok_or(Refused::NoPath)?;
    let old = group.member_at(committer).ok_or(Refused::UnknownSender)?;
    let same = profile::who_of(new)? == profile::who(&old.credential, &old.signature_key)?;
    if !profile::has_key(new) {
        return Err(Refused::KeyPackage);
    }
    same.then_some(()).ok_or(Refused::Credential)
}

fn describe(committer: u32, aad: Vec<u8>, commit: &StagedCommit) -> Result<Staged, Refused> {
    let removes_me = commit.self_removed();
    let (add, remove) = (Vec::new(), Vec::new());
    let mut staged = Staged { committer, add, remove, policy: None, aad, removes_me };
    commit.queued_proposals().try_for_each(|queued| note(&mut staged, queued))?;
    Ok(staged)
}

fn note(staged: &mut Staged, queued: &QueuedProposal) -> Result<(), Refused> {
    if queued.proposal_or_ref_type() != ProposalOrRefType::Proposal {
        return Err(Refused::Proposal);
    }
    match queued.proposal() {
        Proposal::Add(add) => {
            let package = add.key_package();
            if !profile::fits(package) {
                return Err(Refused::KeyPackage);
            }
            staged.add.push(profile::who_of(package.leaf_node())?);
        }
        Proposal::Remove(remove) => staged.remove.push(remove.removed().u32()),
        Proposal::GroupContextExtensions(context) => {
            staged.policy = Some(profile::policy_in(context.extensions())?);
        }
        _ => return Err(Refused::Proposal),
    }
    Ok(())
}
