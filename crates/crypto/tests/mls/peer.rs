//! mls-rs as an independent peer: what this crate writes, another implementation of RFC 9420 reads, and
//! the other way round.

use crate::people::{GROUP, POLICY, Person, adding, healing, removing};
use mls_rs::{
    Client, ExtensionList, MlsMessage,
    client_builder::MlsConfig,
    extension::built_in::RequiredCapabilitiesExt,
    group::{ExportedTree, ReceivedMessage},
    identity::{
        SigningIdentity,
        basic::{BasicCredential, BasicIdentityProvider},
    },
    mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions},
    time::MlsTime,
};
use mls_rs_core::{
    crypto::{SignaturePublicKey, SignatureSecretKey},
    extension::{Extension, ExtensionType, MlsExtension},
    identity::CredentialType,
};
use std::time::Duration;
use undertone_crypto::{CommitSpec, Group, KeyPackageBytes};

mod provider;

use provider::{SUITE, XWingProvider};

const POLICY_EXTENSION: ExtensionType = ExtensionType::new(0xF055);

type PeerGroup<C> = mls_rs::Group<C>;

/// A client of mls-rs that is, to the others, a person like any other.
fn client(person: &Person) -> Client<impl MlsConfig + use<>> {
    let content = [&person.identity.key().0[..], &person.device.0].concat();
    let credential = BasicCredential::new(content).into_credential();
    let public = SignaturePublicKey::new(person.key.key().to_vec());
    let secret = [*person.key.dangerous_bytes().dangerous_bytes(), person.key.key()].concat();
    let rules = DefaultMlsRules::new()
        .with_commit_options(
            CommitOptions::new().with_path_required(true).with_ratchet_tree_extension(false),
        )
        .with_encryption_options(EncryptionOptions::new(
            true,
            mls_rs::client_builder::PaddingMode::None,
        ));
    Client::builder()
        .identity_provider(BasicIdentityProvider)
        .crypto_provider(XWingProvider::new())
        .mls_rules(rules)
        .extension_type(POLICY_EXTENSION)
        .key_package_lifetime(Duration::from_secs(u64::MAX))
        .signing_identity(
            SigningIdentity::new(credential, public),
            SignatureSecretKey::new(secret),
            SUITE,
        )
        .build()
}

fn key_package(client: &Client<impl MlsConfig>) -> KeyPackageBytes {
    let since = Some(MlsTime::from(0));
    let package = client.generate_key_package_message(
        ExtensionList::default(),
        ExtensionList::default(),
        since,
    );
    KeyPackageBytes(package.expect("a key package").to_bytes().expect("bytes"))
}

fn receive(group: &mut PeerGroup<impl MlsConfig>, bytes: &[u8]) -> ReceivedMessage {
    let message = MlsMessage::from_bytes(bytes).expect("an MLS message");
    group.process_incoming_message(message).expect("the peer accepts it")
}

fn same_epoch(peer: &PeerGroup<impl MlsConfig>, person: &Person, group: &Group) {
    assert_eq!(peer.current_epoch(), group.epoch());
    let exported = peer.export_secret(b"undertone log 1", b"", 32).expect("an exporter");
    let ours = group.exporter(&person.mls).expect("a member");
    assert_eq!(exported.as_bytes(), ours.dangerous_bytes());
}

fn talk(peer: &mut PeerGroup<impl MlsConfig>, person: &mut Person, group: &mut Group) {
    let sent = peer.encrypt_application_message(b"from the peer", b"its head".to_vec());
    let sent = sent.expect("encrypting").to_bytes().expect("bytes");
    let plain = person.hear(group, &sent);
    assert_eq!((&plain.payload[..], &plain.aad[..]), (&b"from the peer"[..], &b"its head"[..]));
    assert_eq!(plain.leaf, peer.current_member_index());

    let sent = person.say(group, "to the peer");
    let ReceivedMessage::ApplicationMessage(heard) = receive(peer, &sent) else {
        panic!("an application message");
    };
    assert_eq!(heard.data(), b"to the peer");
    assert_eq!(heard.authenticated_data, b"head");
    assert_eq!(heard.sender_index, group.own_leaf());
}

/// Ada's group takes in the peer; both heal it, the peer removes Ben, Ada removes the peer.
#[test]
fn a_peer_joins_our_group() {
    let (mut ada, mut ben, dora) = (Person::new("Ada"), Person::new("Ben"), Person::new("Dora"));
    let peer = client(&dora);
    let mut adas = ada.create();
    let pending = ada.push(&mut adas, adding([ben.key_package(), key_package(&peer)]));
    let mut bens = ben.join(&pending, &adas.tree());
    assert_eq!(adas.member(2).map(|member| member.identity), Some(dora.identity.key()));

    let welcome = MlsMessage::from_bytes(&pending.welcome.expect("two were added"));
    let tree = adas.tree();
    let tree = ExportedTree::from_bytes(&tree).expect("a tree");
    let (mut peers, _) =
        peer.join_group(Some(tree), &welcome.expect("a Welcome"), None).expect("joining");
    same_epoch(&peers, &ada, &adas);
    talk(&mut peers, &mut ada, &mut adas);

    let healed = ada.push(&mut adas, healing()).commit;
    receive(&mut peers, &healed);
    bens.merge(&mut ben.mls, &healed).expect("a fine commit");
    same_epoch(&peers, &ada, &adas);

    let healed = peers.commit(b"its head".to_vec()).expect("a commit").commit_message;
    peers.apply_pending_commit().expect("it won");
    let healed = healed.to_bytes().expect("bytes");
    let staged = adas.merge(&mut ada.mls, &healed).expect("a fine commit");
    assert_eq!((staged.committer, &staged.aad[..]), (2, &b"its head"[..]));
    bens.merge(&mut ben.mls, &healed).expect("a fine commit");
    same_epoch(&peers, &ada, &adas);
    talk(&mut peers, &mut ada, &mut adas);

    let spec = CommitSpec { policy: Some(b"another".to_vec()), ..CommitSpec::default() };
    let changed = ada.push(&mut adas, spec).commit;
    receive(&mut peers, &changed);
    bens.merge(&mut ben.mls, &changed).expect("a fine commit");
    same_epoch(&peers, &ada, &adas);

    let removal = peers.commit_builder().remove_member(1).expect("Ben's leaf").build();
    let removal = removal.expect("a commit").commit_message.to_bytes().expect("bytes");
    peers.apply_pending_commit().expect("it won");
    assert_eq!(adas.merge(&mut ada.mls, &removal).expect("a fine commit").remove, [1]);
    assert!(bens.merge(&mut ben.mls, &removal).expect("a fine commit").removes_me);
    same_epoch(&peers, &ada, &adas);
    talk(&mut peers, &mut ada, &mut adas);

    let out = ada.push(&mut adas, removing(2)).commit;
    receive(&mut peers, &out);
    let after = ada.say(&mut adas, "without the peer");
    let after = MlsMessage::from_bytes(&after).expect("an MLS message");
    assert!(peers.process_incoming_message(after).is_err());
}

/// The peer makes the group and adds Ada.
#[test]
fn we_join_a_peers_group() {
    let (mut ada, dora) = (Person::new("Ada"), Person::new("Dora"));
    let peer = client(&dora);
    let required = RequiredCapabilitiesExt {
        extensions: vec![POLICY_EXTENSION],
        proposals: Vec::new(),
        credentials: vec![CredentialType::BASIC],
    };
    let mut extensions = ExtensionList::new();
    extensions.set(required.into_extension().expect("an extension"));
    extensions.set(Extension::new(POLICY_EXTENSION, POLICY.to_vec()));
    let since = Some(MlsTime::from(0));
    let group =
        peer.create_group_with_id(GROUP.to_vec(), extensions, ExtensionList::default(), since);
    let mut peers = group.expect("a group");
    let package = MlsMessage::from_bytes(&ada.key_package().0).expect("a key package");
    let output = peers.commit_builder().add_member(package).expect("adding").build();
    let output = output.expect("a commit");
    peers.apply_pending_commit().expect("it won");

    let welcome = output.welcome_messages[0].to_bytes().expect("bytes");
    let tree = peers.export_tree().to_bytes().expect("bytes");
    let adas = Group::join(&mut ada.mls, &ada.key, &welcome, &tree);
    let mut adas = adas.expect("joining");
    assert_eq!(adas.policy(), POLICY);
    same_epoch(&peers, &ada, &adas);
    talk(&mut peers, &mut ada, &mut adas);
    receive(&mut peers, &ada.push(&mut adas, healing()).commit);
    same_epoch(&peers, &ada, &adas);
}
