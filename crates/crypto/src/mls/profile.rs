//! What an Undertone group is, among all that MLS allows: one suite, one kind of credential, one
//! extension (the policy), encrypted handshakes, at most [`LEAVES_MAX`] leaves.

use super::Refused;
use crate::{DeviceId, IdentityKey, LeafKey, xwing};
use openmls::{
    group::PURE_CIPHERTEXT_WIRE_FORMAT_POLICY,
    prelude::{
        BasicCredential, Capabilities, Ciphersuite, Credential, CredentialType, CredentialWithKey,
        Extension, ExtensionType, Extensions, GroupContext, KeyPackage, LeafNode, Lifetime,
        MlsGroupJoinConfig, PastEpochDeletionPolicy, RequiredCapabilitiesExtension,
        SenderRatchetConfiguration, UnknownExtension,
    },
};
use tls_codec::{Serialize as _, TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

/// Most leaves of one group (DESIGN.md section 4, "Pace").
pub const LEAVES_MAX: usize = 250;

/// `MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519`, 0x004D.
pub(super) const SUITE: Ciphersuite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;

/// The group context extension that holds the policy; from the range for private use.
pub(super) const POLICY_EXTENSION: u16 = 0xF055;

/// Messages that may arrive after a later one of their sender. Lanes are read in order, so OpenMLS's
/// default is enough.
const OUT_OF_ORDER_MAX: u32 = 5;

/// How far ahead a message may be; a constant of the protocol, as all members must agree on it.
const FORWARD_MAX: u32 = 1000;

/// Who sits at a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The leaf's index.
    pub leaf: u32,
    /// The person, as the credential says; whether the person's device list agrees is for the
    /// caller to check.
    pub identity: IdentityKey,
    /// The device, as the credential says.
    pub device: DeviceId,
    /// The key with which the leaf signs.
    pub mls_key: [u8; 32],
    /// SHA-256 of the leaf's encryption key: another after every commit of its own, and after every
    /// return to the group.
    pub key_hash: [u8; 32],
}

/// The content of every `BasicCredential`.
#[derive(Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
struct Who {
    identity: IdentityKey,
    device: DeviceId,
}

pub(super) fn credential(
    key: &LeafKey,
    identity: IdentityKey,
    device: DeviceId,
) -> CredentialWithKey {
    let content = undertone_wire::encode(&Who { identity, device });
    CredentialWithKey {
        credential: BasicCredential::new(content).into(),
        signature_key: key.key().as_slice().into(),
    }
}

/// Reads who somebody is from a leaf's credential and signature key.
pub(super) fn who(
    credential: &Credential,
    signature_key: &[u8],
) -> Result<(IdentityKey, DeviceId, [u8; 32]), Refused> {
    let basic = BasicCredential::try_from(credential.clone()).map_err(|_| Refused::Credential)?;
    let who: Who = undertone_wire::decode(basic.identity()).map_err(|_| Refused::Credential)?;
    let key = signature_key.try_into().map_err(|_| Refused::Credential)?;
    Ok((who.identity, who.device, key))
}

pub(super) fn who_of(leaf: &LeafNode) -> Result<(IdentityKey, DeviceId, [u8; 32]), Refused> {
    who(leaf.credential(), leaf.signature_key().as_slice())
}

/// Whether one can seal to the leaf. A leaf whose key is none would keep all others from committing.
pub(super) fn has_key(leaf: &LeafNode) -> bool {
    // OpenMLS shows the key in its serialised form alone.
    let key = leaf.encryption_key().tls_serialize_detached();
    let key = key.ok().and_then(|bytes| undertone_wire::decode::<VLBytes>(&bytes).ok());
    key.is_some_and(|key| xwing::is_key(key.as_slice()))
}

/// Whether a key package fits an Undertone group, its signatures apart.
pub(super) fn fits(package: &KeyPackage) -> bool {
    package.ciphersuite() == SUITE
        && *package.life_time() == lifetime()
        && xwing::is_key(package.hpke_init_key().as_slice())
        && has_key(package.leaf_node())
}

/// The clock has no say in who may be added: OpenMLS would compare a lifetime with the wall clock, and
/// two members could differ. What expires are the offers that carry key packages.
pub(super) fn lifetime() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

pub(super) fn capabilities() -> Capabilities {
    Capabilities::builder()
        .ciphersuites(vec![SUITE])
        .extensions(vec![ExtensionType::LastResort, ExtensionType::Unknown(POLICY_EXTENSION)])
        .proposals(Vec::new())
        .credentials(vec![CredentialType::Basic])
        .build()
}

/// The whole of a group's extensions: the policy, and that every member understands it.
pub(super) fn extensions(policy: &[u8]) -> Result<Extensions<GroupContext>, Refused> {
    let required = RequiredCapabilitiesExtension::new(
        &[ExtensionType::Unknown(POLICY_EXTENSION)],
        &[],
        &[CredentialType::Basic],
    );
    let policy = UnknownExtension(policy.to_vec());
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required),
        Extension::Unknown(POLICY_EXTENSION, policy),
    ])
    .map_err(Refused::internal)
}

/// The policy, if `found` is what [`extensions`] makes and nothing more.
pub(super) fn policy_in(found: &Extensions<GroupContext>) -> Result<Vec<u8>, Refused> {
    let policy = found.unknown(POLICY_EXTENSION).ok_or(Refused::Extensions)?;
    if *found == extensions(&policy.0)? { Ok(policy.0.clone()) } else { Err(Refused::Extensions) }
}

pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::KeepAll)
        .use_ratchet_tree_extension(false)
        .number_of_resumption_psks(0)
        .sender_ratchet_configuration(ratchet())
        .build()
}

pub(super) fn ratchet() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(OUT_OF_ORDER_MAX, FORWARD_MAX)
}
