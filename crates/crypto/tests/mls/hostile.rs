//! Mallory is a member with a program of her own: raw OpenMLS, which lets her send what Undertone's
//! clients never do. None of it may be followed, and none may leave a trace.

use crate::people::{GROUP, POLICY, Person, adding, healing};
use openmls::{
    group::{MlsGroup, MlsGroupJoinConfig, StagedWelcome},
    prelude::{
        BasicCredential, Capabilities, Ciphersuite, CredentialType, CredentialWithKey, Extension,
        ExtensionType, Extensions, ExternalSender, GroupContext, KeyPackage, LeafNodeParameters,
        Lifetime, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsMessageBodyIn, MlsMessageIn,
        MlsMessageOut, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, RatchetTreeIn,
        RequiredCapabilitiesExtension, UnknownExtension, WireFormatPolicy,
    },
};
use openmls_libcrux_crypto::Provider;
use openmls_traits::{OpenMlsProvider, signatures::Signer as _};
use tls_codec::{DeserializeBytes as _, Serialize as _};
use undertone_crypto::{Blame, Group, KeyPackageBytes, Refused, inspect_key_package};

const SUITE: Ciphersuite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;
const POLICY_EXTENSION: u16 = 0xF055;

struct Mallory {
    provider: Provider,
    person: Person,
}

/// What a key package is made of; the fields that Mallory plays with.
struct Recipe {
    suite: Ciphersuite,
    credential: Vec<u8>,
    lifetime: Lifetime,
}

type Change = fn(Recipe) -> Recipe;

impl Mallory {
    fn new() -> Self {
        let provider = Provider::new().expect("randomness");
        Self { provider, person: Person::new("Mallory") }
    }

    fn recipe(&self) -> Recipe {
        let credential = [&self.person.identity.key().0[..], &self.person.device.0].concat();
        Recipe { suite: SUITE, credential, lifetime: Lifetime::init(0, u64::MAX) }
    }

    fn credential(&self, content: Vec<u8>) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(content).into(),
            signature_key: self.person.key.key().as_slice().into(),
        }
    }

    fn key_package(&self, recipe: Recipe) -> KeyPackage {
        let capabilities = Capabilities::builder()
            .ciphersuites(vec![recipe.suite])
            .extensions(vec![ExtensionType::LastResort, ExtensionType::Unknown(POLICY_EXTENSION)])
            .credentials(vec![CredentialType::Basic])
            .build();
        let bundle = KeyPackage::builder()
            .key_package_lifetime(recipe.lifetime)
            .leaf_node_capabilities(capabilities)
            .build(
                recipe.suite,
                &self.provider,
                &self.person.key,
                self.credential(recipe.credential),
            );
        bundle.expect("a key package").into_key_package()
    }

    fn join(&self, welcome: &[u8], tree: &[u8], wire: WireFormatPolicy) -> MlsGroup {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(welcome).expect("a message");
        let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
            panic!("a Welcome");
        };
        let config = MlsGroupJoinConfig::builder().wire_format_policy(wire).build();
        let tree = RatchetTreeIn::tls_deserialize_exact_bytes(tree).expect("a tree");
        StagedWelcome::build_from_welcome(&self.provider, &config, welcome)
            .expect("the Welcome is for her")
            .with_ratchet_tree(tree)
            .build()
            .expect("the group is fine")
            .into_group(&self.provider)
            .expect("joining")
    }
}

fn bytes(message: &MlsMessageOut) -> Vec<u8> {
    message.tls_serialize_detached().expect("bytes")
}

fn package_bytes(package: KeyPackage) -> KeyPackageBytes {
    KeyPackageBytes(bytes(&MlsMessageOut::from(package)))
}

/// Ada's group with Mallory at leaf 1.
fn infiltrated(wire: WireFormatPolicy) -> ((Person, Group), (Mallory, MlsGroup)) {
    let (mut ada, mallory) = (Person::new("Ada"), Mallory::new());
    let mut adas = ada.create();
    let package = package_bytes(mallory.key_package(mallory.recipe()));
    let pending = ada.push(&mut adas, adding([package]));
    let welcome = pending.welcome.expect("she was added");
    let hers = mallory.join(&welcome, &adas.tree(), wire);
    ada.persist();
    ((ada, adas), (mallory, hers))
}

/// Nobody follows `commit`, and trying leaves no trace.
fn refuses(ada: &mut Person, adas: &mut Group, commit: &[u8]) -> Refused {
    let judged = adas.judge(&ada.mls, commit).expect_err("it must be refused");
    let merged = adas.merge(&mut ada.mls, commit).expect_err("it must be refused");
    assert_eq!(judged, merged);
    assert_eq!(ada.mls.take_changes(), []);
    assert_eq!(adas.epoch(), 1);
    let (hello, commit) = (ada.say(adas, "still here"), ada.commit(adas, healing()).commit);
    assert!(!hello.is_empty() && !commit.is_empty());
    adas.clear_pending(&mut ada.mls).expect("dropping");
    judged
}

/// A commit that Mallory builds with `fill`.
macro_rules! commit {
    ($mallory:expr, $group:expr, |$builder:ident| $filled:expr) => {{
        let $builder = $group.commit_builder();
        let bundle = $filled
            .load_psks($mallory.provider.storage())
            .expect("no keys")
            .build(
                $mallory.provider.rand(),
                $mallory.provider.crypto(),
                &$mallory.person.key,
                |_| true,
            )
            .expect("building")
            .stage_commit(&$mallory.provider)
            .expect("staging");
        bytes(&bundle.into_messages().0)
    }};
}

#[test]
fn a_handshake_in_the_clear_is_refused() {
    let ((mut ada, mut adas), (mallory, mut hers)) =
        infiltrated(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY);
    let commit = commit!(mallory, hers, |builder| builder.force_self_update(true));
    assert_eq!(refuses(&mut ada, &mut adas, &commit), Refused::NotPrivate);
    assert_eq!(adas.decrypt(&mut ada.mls, &commit), Err(Refused::NotPrivate));
}

#[test]
fn a_proposal_by_itself_is_refused() {
    let ((mut ada, mut adas), (mallory, mut hers)) =
        infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let proposal = hers.leave_group(&mallory.provider, &mallory.person.key).expect("a proposal");
    let proposal = bytes(&proposal);
    assert_eq!(refuses(&mut ada, &mut adas, &proposal), Refused::NotCommit);
    assert_eq!(adas.decrypt(&mut ada.mls, &proposal), Err(Refused::NotApplication));
}

#[test]
fn a_commit_of_a_proposal_by_reference_is_refused() {
    let ((mut ada, mut adas), (mallory, mut hers)) =
        infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let newcomer = package_bytes(Person::new("Dora").with_package());
    let message = MlsMessageIn::tls_deserialize_exact_bytes(&newcomer.0).expect("a message");
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
        panic!("a key package");
    };
    let package = package.validate(mallory.provider.crypto(), Default::default()).expect("fine");
    hers.propose_add_member(&mallory.provider, &mallory.person.key, &package).expect("proposing");
    let commit = commit!(mallory, hers, |builder| builder.force_self_update(true));
    let refused = refuses(&mut ada, &mut adas, &commit);
    assert!(matches!(refused, Refused::Commit { .. }), "{refused:?}");
    assert_eq!(refused.blame(), Blame::Peer);
}

#[test]
fn a_commit_without_a_path_is_refused() {
    let ((mut ada, mut adas), (mallory, mut hers)) =
        infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let dora = Person::new("Dora").with_package();
    let commit = commit!(mallory, hers, |builder| builder.propose_adds([dora]));
    assert_eq!(refuses(&mut ada, &mut adas, &commit), Refused::NoPath);
}

fn required() -> Extension {
    Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(
        &[ExtensionType::Unknown(POLICY_EXTENSION)],
        &[],
        &[CredentialType::Basic],
    ))
}

fn policy() -> Extension {
    Extension::Unknown(POLICY_EXTENSION, UnknownExtension(POLICY.to_vec()))
}

#[test]
fn foreign_group_extensions_are_refused() {
    let outsider = ExternalSender::new(
        [1; 32].as_slice().into(),
        BasicCredential::new(b"outsider".to_vec()).into(),
    );
    let wider = RequiredCapabilitiesExtension::new(
        &[ExtensionType::Unknown(POLICY_EXTENSION), ExtensionType::ExternalSenders],
        &[],
        &[CredentialType::Basic],
    );
    let wider = Extension::RequiredCapabilities(wider);
    let sets: [Vec<Extension>; 4] = [
        vec![wider.clone(), policy(), Extension::ExternalSenders(vec![outsider])],
        vec![wider, policy()],
        vec![required()],
        vec![],
    ];
    for set in sets {
        let ((mut ada, mut adas), (mallory, mut hers)) =
            infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
        let set = Extensions::<GroupContext>::from_vec(set).expect("valid for MLS");
        let commit = commit!(mallory, hers, |builder| builder
            .force_self_update(true)
            .propose_group_context_extensions(set)
            .expect("valid for MLS"));
        assert_eq!(refuses(&mut ada, &mut adas, &commit), Refused::Extensions);
    }
}

#[test]
fn a_member_cannot_become_somebody_else() {
    let ada = Person::new("Ada");
    let names =
        [[&ada.identity.key().0[..], &ada.device.0].concat(), b"nobody in particular".to_vec()];
    for name in names {
        let ((mut ada, mut adas), (mallory, mut hers)) =
            infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
        let leaf = LeafNodeParameters::builder()
            .with_credential_with_key(mallory.credential(name))
            .build();
        let commit = commit!(mallory, hers, |builder| builder.leaf_node_parameters(leaf));
        assert_eq!(refuses(&mut ada, &mut adas, &commit), Refused::Credential);
    }
}

#[test]
fn unfit_key_packages_are_refused_when_shown_and_when_added() {
    let mallory = Mallory::new();
    let classical = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
    let recipes: [(Change, Refused); 3] = [
        (|recipe| Recipe { credential: b"nobody".to_vec(), ..recipe }, Refused::Credential),
        (
            |recipe| Recipe { lifetime: Lifetime::init(0, 4_000_000_000), ..recipe },
            Refused::KeyPackage,
        ),
        (|recipe| Recipe { lifetime: Lifetime::init(0, 1), ..recipe }, Refused::KeyPackage),
    ];
    for (change, refused) in &recipes {
        let bytes = package_bytes(mallory.key_package(change(mallory.recipe())));
        assert_eq!(inspect_key_package(&bytes.0).err(), Some(refused.clone()));
        let mut ada = Person::new("Ada");
        let mut adas = ada.create();
        let commit = adas.commit(&mut ada.mls, &ada.key, adding([bytes]));
        assert_eq!(commit.err().as_ref(), Some(refused));
    }
    let recipe = Recipe { suite: classical, ..mallory.recipe() };
    let bytes = package_bytes(mallory.key_package(recipe));
    assert_eq!(inspect_key_package(&bytes.0).err(), Some(Refused::KeyPackage));

    for (change, refused) in &recipes[..2] {
        let ((mut ada, mut adas), (mallory, mut hers)) =
            infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
        let dora = Mallory { person: Person::new("Dora"), ..Mallory::new() };
        let package = dora.key_package(change(dora.recipe()));
        let commit = commit!(mallory, hers, |builder| builder
            .force_self_update(true)
            .propose_adds([package]));
        assert_eq!(refuses(&mut ada, &mut adas, &commit), *refused);
    }
}

/// `opaque<V>` of RFC 9420 section 2.1.2, for what is shorter than 2^14.
fn vector(data: &[u8]) -> Vec<u8> {
    let prefix = match u8::try_from(data.len()) {
        Ok(length @ 0..64) => vec![length],
        _ => (u16::try_from(data.len()).expect("short") | 0x4000).to_be_bytes().to_vec(),
    };
    [&prefix, data].concat()
}

fn signed(person: &Person, label: &str, content: &[u8]) -> Vec<u8> {
    let label = ["MLS 1.0 ", label].concat();
    let signature = person.key.sign(&[vector(label.as_bytes()), vector(content)].concat());
    [content, &vector(&signature.expect("signing"))].concat()
}

/// A key package whose HPKE keys are replaced and whose signatures are right nevertheless.
fn with_keys(init: Option<&[u8]>, leaf: Option<&[u8]>) -> Vec<u8> {
    const KEY: usize = 2 + 1216;
    const SIGNATURE: usize = 2 + 64;
    let mut dora = Person::new("Dora");
    let bytes = dora.key_package().0;
    let (head, package) = bytes.split_at(4);
    let (fixed, rest) = package.split_at(4);
    let (old_init, rest) = rest.split_at(KEY);
    let node = &rest[..rest.len() - SIGNATURE - 1];
    let (old_leaf, rest) = node.split_at(KEY);
    let new = |key: Option<&[u8]>, old: &[u8]| key.map_or_else(|| old.to_vec(), vector);
    let node = [&new(leaf, old_leaf)[..], &rest[..rest.len() - SIGNATURE]].concat();
    let node = signed(&dora, "LeafNodeTBS", &node);
    let package = [fixed, &new(init, old_init)[..], &node[..], &[0]].concat();
    [head, &signed(&dora, "KeyPackageTBS", &package)].concat()
}

/// libcrux-kem 0.0.9 panics on a public key that is too short, and anybody can sign one.
#[test]
fn a_key_package_with_a_key_that_is_none_is_refused() {
    inspect_key_package(&with_keys(None, None)).expect("taken apart and put together again");
    let (short, long, zeros, high) = (&[7; 10], &[7; 1217], &[0; 0], &[0xff; 1216]);
    for key in [&short[..], &long[..], &zeros[..], &high[..]] {
        for bytes in [with_keys(Some(key), None), with_keys(None, Some(key))] {
            assert_eq!(inspect_key_package(&bytes).err(), Some(Refused::KeyPackage));
            let mut ada = Person::new("Ada");
            let mut adas = ada.create();
            let added = adas.commit(&mut ada.mls, &ada.key, adding([KeyPackageBytes(bytes)]));
            assert_eq!(added.err(), Some(Refused::KeyPackage));
        }
    }
}

/// Mallory, whose program does not look, adds a leaf that nobody can seal to.
#[test]
fn a_commit_that_adds_a_leaf_with_a_key_that_is_none_is_refused() {
    let ((mut ada, mut adas), (mallory, mut hers)) =
        infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let bytes = with_keys(None, Some(&[7; 10]));
    let message = MlsMessageIn::tls_deserialize_exact_bytes(&bytes).expect("a message");
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
        panic!("a key package");
    };
    let package = package.validate(mallory.provider.crypto(), Default::default());
    let package = package.expect("OpenMLS finds nothing wrong with it");
    let commit =
        commit!(mallory, hers, |builder| builder.force_self_update(true).propose_adds([package]));
    assert_eq!(refuses(&mut ada, &mut adas, &commit), Refused::KeyPackage);
}

#[test]
fn a_commit_beyond_250_leaves_is_refused() {
    let ((mut ada, mut adas), (mallory, mut hers)) =
        infiltrated(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY);
    let crowd: Vec<_> = (0..249).map(|n| Person::new(&format!("P{n}")).with_package()).collect();
    let commit =
        commit!(mallory, hers, |builder| builder.force_self_update(true).propose_adds(crowd));
    assert_eq!(refuses(&mut ada, &mut adas, &commit), Refused::Full { leaves: 251 });
}

/// The Welcome's own tree would take the place of the one that the caller fetched and checked.
#[test]
fn a_welcome_with_a_tree_of_its_own_is_refused() {
    let (mut ben, mallory) = (Person::new("Ben"), Mallory::new());
    let package = ben.with_package_of_own();
    let set = Extensions::<GroupContext>::from_vec(vec![required(), policy()]).expect("valid");
    let capabilities = mallory.key_package(mallory.recipe()).leaf_node().capabilities().clone();
    let mut hers = MlsGroup::builder()
        .with_group_id(openmls::group::GroupId::from_slice(&GROUP))
        .ciphersuite(SUITE)
        .lifetime(Lifetime::init(0, u64::MAX))
        .with_capabilities(capabilities)
        .with_group_context_extensions(set)
        .use_ratchet_tree_extension(true)
        .build(
            &mallory.provider,
            &mallory.person.key,
            mallory.credential(mallory.recipe().credential),
        )
        .expect("a group");
    let (_, welcome, _) =
        hers.add_members(&mallory.provider, &mallory.person.key, &[package]).expect("adding");
    hers.merge_pending_commit(&mallory.provider).expect("merging");
    let tree = hers.export_ratchet_tree().tls_serialize_detached().expect("bytes");
    ben.persist();
    let refused = Group::join(&mut ben.mls, &ben.key, &bytes(&welcome), &tree).err();
    assert_eq!(refused, Some(Refused::Extensions));
    assert_eq!(ben.mls.take_changes(), []);
}

impl Person {
    /// A key package as OpenMLS's type; its secrets stay with the person.
    fn with_package_of_own(&mut self) -> KeyPackage {
        let bytes = self.key_package().0;
        let message = MlsMessageIn::tls_deserialize_exact_bytes(&bytes).expect("a message");
        let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
            panic!("a key package");
        };
        let provider = Provider::new().expect("randomness");
        package.validate(provider.crypto(), Default::default()).expect("a fine key package")
    }

    /// The key package of somebody who will never join.
    fn with_package(mut self) -> KeyPackage {
        self.with_package_of_own()
    }
}
