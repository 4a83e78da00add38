//! One MLS group of this device.

use super::{
    Backend, Member, Mls, Refused,
    profile::{self, LEAVES_MAX, SUITE},
};
use crate::{DeviceId, IdentityKey, LeafKey, Secret, xwing};
use openmls::{
    group::{GroupId, MlsGroup, PastEpochDeletion, ProcessedWelcome},
    prelude::{LeafNodeIndex, MlsMessageBodyIn, MlsMessageIn, RatchetTreeIn, Welcome},
};
use sha2::{Digest, Sha256};
use std::fmt;
use tls_codec::{DeserializeBytes as _, Serialize as _};

/// The handle of one group. Its state lies in the [`Mls`] that made it; every call must be given that
/// one. A call that fails leaves no trace, neither in the handle nor in the store. After
/// [`Mls::rollback`] the handle is ahead of the store and must be loaded again.
pub struct Group {
    pub(super) inner: MlsGroup,
}

impl Group {
    /// Makes a group whose only leaf is this device's, in epoch 0.
    ///
    /// # Errors
    /// [`Refused::GroupExists`], [`Refused::Internal`].
    pub fn create(
        mls: &mut Mls,
        key: &LeafKey,
        identity: IdentityKey,
        device: DeviceId,
        id: &[u8; 32],
        policy: &[u8],
    ) -> Result<Self, Refused> {
        let id = GroupId::from_slice(id);
        if MlsGroup::load(&mls.store, &id)?.is_some() {
            return Err(Refused::GroupExists);
        }
        let extensions = profile::extensions(policy)?;
        let credential = profile::credential(key, identity, device);
        mls.attempt(|backend| {
            let config = profile::join_config();
            let inner = MlsGroup::builder()
                .with_group_id(id)
                .ciphersuite(SUITE)
                .lifetime(profile::lifetime())
                .with_capabilities(profile::capabilities())
                .with_group_context_extensions(extensions)
                .with_wire_format_policy(config.wire_format_policy())
                .set_past_epoch_deletion_policy(openmls::group::PastEpochDeletionPolicy::KeepAll)
                .sender_ratchet_configuration(profile::ratchet())
                .build(backend, key, credential)
                .map_err(Refused::internal)?;
            Ok(Self { inner })
        })
    }

    /// The group of this id, as it was when last stored.
    ///
    /// # Errors
    /// [`Refused::UnknownGroup`], or [`Refused::Store`] when its records are of no use.
    pub fn load(mls: &Mls, id: &[u8; 32]) -> Result<Self, Refused> {
        Self::load_from(&mls.backend(), &GroupId::from_slice(id))
    }

    /// Joins by a Welcome, of which `tree` is the ratchet tree of the group that it leads into.
    ///
    /// # Errors
    /// [`Refused::NotInvited`] when none of our key packages is meant; [`Refused::GroupExists`] when
    /// an older state of the group is here ([`Group::forget`] it first); else what is wrong with it.
    pub fn join(
        mls: &mut Mls,
        key: &LeafKey,
        welcome: &[u8],
        tree: &[u8],
    ) -> Result<Self, Refused> {
        let welcome = parse_welcome(welcome)?;
        let tree = RatchetTreeIn::tls_deserialize_exact_bytes(tree);
        let tree = tree.map_err(|_| Refused::Malformed)?;
        mls.attempt(|backend| {
            let group = Self { inner: join(backend, welcome, tree)? };
            let own = group.checked_members()?.into_iter().find(|m| m.leaf == group.own_leaf());
            let ours = own.is_some_and(|own| own.mls_key == key.key());
            ours.then_some(group).ok_or(Refused::Credential)
        })
    }

    /// Erases the group and all its secrets.
    ///
    /// # Errors
    /// [`Refused::Store`] only.
    pub fn forget(mut self, mls: &mut Mls) -> Result<(), Refused> {
        mls.attempt(|backend| Ok(self.inner.delete(backend.store)?))
    }

    /// The group's id.
    pub fn id(&self) -> [u8; 32] {
        let id = self.inner.group_id().as_slice();
        id.try_into().expect("checked when the group was made, joined or loaded")
    }

    /// The number of the current epoch.
    pub fn epoch(&self) -> u64 {
        self.inner.epoch().as_u64()
    }

    /// The leaf of this device.
    pub fn own_leaf(&self) -> u32 {
        self.inner.own_leaf_index().u32()
    }

    /// Whether this device still is a member.
    pub fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    /// Whether a commit of our own waits to be merged or cleared.
    pub fn has_pending(&self) -> bool {
        self.inner.pending_commit().is_some()
    }

    /// The members of the current epoch, by leaf.
    pub fn members(&self) -> Vec<Member> {
        self.checked_members().expect("checked whenever members come in, and when loaded")
    }

    /// Who sits at `leaf` in the current epoch.
    pub fn member(&self, leaf: u32) -> Option<Member> {
        let member = self.inner.member_at(LeafNodeIndex::new(leaf))?;
        Some(to_member(&member).expect("checked whenever members come in, and when loaded"))
    }

    /// The policy in the group context.
    pub fn policy(&self) -> Vec<u8> {
        profile::policy_in(self.inner.extensions()).expect("checked whenever it comes in")
    }

    /// The ratchet tree, as [`Group::join`] wants it.
    ///
    /// # Panics
    /// Never: a tree of at most 250 leaves is far below the codec's limit.
    pub fn tree(&self) -> Vec<u8> {
        let tree = self.inner.export_ratchet_tree().tls_serialize_detached();
        tree.expect("a tree of 250 leaves is far below the codec's limit of 2^30 bytes")
    }

    /// The epoch's secret for [`EpochLog::derive`](crate::EpochLog::derive): the plain MLS exporter
    /// with the label `undertone log 1` and no context. It can be called again all epoch long, so
    /// the outer layer's forward secrecy is by epoch.
    ///
    /// # Errors
    /// [`Refused::Inactive`] once this device was removed.
    pub fn exporter(&self, mls: &Mls) -> Result<Secret, Refused> {
        let secret = self.inner.export_secret(&mls.crypto, "undertone log 1", &[], 32);
        let secret = zeroize::Zeroizing::new(secret.map_err(|_| Refused::Inactive)?);
        let bytes = secret.as_slice().try_into().map_err(Refused::internal)?;
        Ok(Secret::from_bytes(bytes))
    }

    /// The epoch authenticator (RFC 9420 section 8.7): equal on two devices iff they are in the same
    /// epoch of the same group. It is no secret of any message, and nothing is derived from it.
    pub fn authenticator(&self) -> Vec<u8> {
        self.inner.epoch_authenticator().as_slice().to_vec()
    }

    /// Erases the message secrets of all epochs before `epoch`.
    ///
    /// Secrets of past epochs are kept until this is called, and OpenMLS writes all of them with every
    /// message: 5 kB for each past epoch of two people, 300 kB for each of a hundred. So call it
    /// with the current epoch at every merge, unless a cell of an older one is still to come.
    ///
    /// # Errors
    /// [`Refused::Store`] only.
    pub fn forget_epochs_before(&mut self, mls: &mut Mls, epoch: u64) -> Result<(), Refused> {
        let kept = usize::try_from(self.epoch().saturating_sub(epoch)).unwrap_or(usize::MAX);
        // Only a rule by time takes a number too. This one never applies: all epochs that this
        // program stores have a timestamp.
        let rule = PastEpochDeletion::delete_all_without_timestamps().max_past_epochs(kept);
        self.attempt(mls, |inner, backend| {
            inner.delete_past_epoch_secrets(backend, rule).map_err(Refused::internal)
        })
    }

    pub(super) fn load_from(backend: &Backend<'_>, id: &GroupId) -> Result<Self, Refused> {
        let inner = MlsGroup::load(backend.store, id)?.ok_or(Refused::UnknownGroup)?;
        let group = Self { inner };
        group.check()?;
        Ok(group)
    }

    /// Takes one step, or none: when `step` fails, store and handle are as before.
    pub(super) fn attempt<T>(
        &mut self,
        mls: &mut Mls,
        step: impl FnOnce(&mut MlsGroup, &Backend<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let savepoint = mls.store.savepoint();
        let outcome = step(&mut self.inner, &mls.backend());
        // OpenMLS changes the handle and the store together. Most failures come before either, and
        // a flood of noise must not make us read the whole group again each time.
        if outcome.is_err() && mls.store.restore(savepoint) {
            *self = Self::load_from(&mls.backend(), &self.inner.group_id().clone())?;
        }
        outcome
    }

    /// What must hold of every group that is used here.
    fn check(&self) -> Result<(), Refused> {
        let id: Result<[u8; 32], _> = self.inner.group_id().as_slice().try_into();
        id.map_err(|_| Refused::Malformed)?;
        if self.inner.ciphersuite() != SUITE {
            return Err(Refused::Welcome { reason: "another cipher suite".to_owned() });
        }
        profile::policy_in(self.inner.extensions())?;
        let leaves = self.checked_members()?.len();
        if leaves > LEAVES_MAX { Err(Refused::Full { leaves }) } else { Ok(()) }
    }

    fn checked_members(&self) -> Result<Vec<Member>, Refused> {
        self.inner.members().map(|member| to_member(&member)).collect()
    }
}

fn to_member(member: &openmls::group::Member) -> Result<Member, Refused> {
    let (identity, device, mls_key) = profile::who(&member.credential, &member.signature_key)?;
    let key_hash = Sha256::digest(&member.encryption_key).into();
    Ok(Member { leaf: member.index.u32(), identity, device, mls_key, key_hash })
}

fn parse_welcome(bytes: &[u8]) -> Result<Welcome, Refused> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes);
    match message.map_err(|_| Refused::Malformed)?.extract() {
        MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
        _ => Err(Refused::Malformed),
    }
}

/// A Welcome with a pre-shared key, or with a tree of its own that would take the place of ours, is
/// none of Undertone's.
fn join(backend: &Backend<'_>, welcome: Welcome, tree: RatchetTreeIn) -> Result<MlsGroup, Refused> {
    let processed = ProcessedWelcome::new_from_welcome(backend, &profile::join_config(), welcome)?;
    let info = processed.unverified_group_info();
    if !processed.psks().is_empty() || info.extensions().ratchet_tree().is_some() {
        return Err(Refused::Extensions);
    }
    let staged = openmls::group::JoinBuilder::new(backend, processed)
        .with_ratchet_tree(tree)
        .skip_lifetime_validation()
        .build()?;
    let group = Group { inner: staged.into_group(backend)? };
    group.check()?;
    if !group.inner.members().all(|member| xwing::is_key(&member.encryption_key)) {
        return Err(Refused::KeyPackage);
    }
    Ok(group.inner)
}

/// Neither members nor names nor keys: only how far it has come.
impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group(epoch {}, …)", self.epoch())
    }
}
