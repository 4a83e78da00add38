//! The door for the fuzz targets (`fuzz/`), behind the feature `fuzzing`, which no program has.
//!
//! Two kinds of things stand behind it. The decoders of what travels inside cells are private to
//! this crate; each function here runs bytes through one of them and through what is done with the
//! result at once. And an [`Insider`] is what a malicious member knows: with it a target writes
//! cells that pass the outer seal and the signature, so that hostile bytes come as deep as a real
//! attacker could bring them.

mod letters;
mod seeds;

pub use letters::{Asking, Claimed, Posted, Way, copied_offer, secret_of};
pub use seeds::seeds;

use crate::account::Account;
use crate::body::{Body, Content, Hello};
use crate::cells::Evidence;
use crate::conversation::tests_kit::{CommitParcel, Secrets};
use crate::head::{Claims, HeadProof, Payload, SignedHead};
use crate::ids::{ChatId, Name};
use crate::link::{Answer, Letter, LinkUri, Offer};
use crate::parcel::{Gathering, MESSAGE_PARTS_MAX, PARTS_MAX, ParcelRef, pack};
use crate::policy::{Bench, Change, Policy, Removed};
use rand::{CryptoRng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tls_codec::{DeserializeBytes, Serialize};
use undertone_crypto::mls::Member;
use undertone_crypto::{
    Device, DeviceId, DeviceList, Identity, IdentityKey, LeafKey, SignedDeviceList, SlotKeys, cell,
    envelope,
};
use undertone_wire::{Cell, ServerId, Tag, decode, encode};

/// Reads a `T`; what is read is written as the same bytes, or the signatures over it would differ.
fn read<T: DeserializeBytes + Serialize>(bytes: &[u8]) -> Option<T> {
    let value = decode(bytes).ok()?;
    assert_eq!(encode(&value), bytes, "one value, one form");
    Some(value)
}

/// The content of a lane, control or link cell.
pub fn head(content: &[u8]) {
    if let Some(head) = SignedHead::parse(content) {
        assert_eq!(encode(&head), content, "one value, one form");
        let _ = head.verify(&head.claims.change, &Tag(head.claims.body));
    }
    read::<HeadProof>(content);
    read::<Letter>(content);
    read::<Evidence>(content);
    if let Some(parcel) = read::<ParcelRef>(content)
        && parcel.parts() <= PARTS_MAX
    {
        let gathering = Gathering::new(parcel);
        let _ = (gathering.missing().count(), gathering.payload(&ServerId([0; 32])));
    }
}

/// A decrypted message: its body and the content in it.
pub fn body(bytes: &[u8]) {
    let Some(body) = read::<Body>(bytes) else { return };
    let _ = Body::commitment(bytes);
    content(body.kind, body.content.as_slice());
}

/// The content of a body of this kind.
pub fn content(kind: u16, bytes: &[u8]) {
    let Ok(content) = Content::from_parts(kind, bytes) else { return };
    match &content {
        Content::Unknown(_) => return,
        Content::Hello(hello) => drop(Name::tamed_bytes(hello.name.as_slice())),
        _ => {}
    }
    assert_eq!(content.to_parts(), (kind, bytes.to_vec()), "one value, one form");
}

/// A commit's parcel: the declared change and the right to it.
pub fn commit(bytes: &[u8]) {
    read::<CommitParcel>(bytes);
    if let Some(change) = read::<Change>(bytes) {
        let _ = (change.hash(), may(&change));
    }
}

/// Whether two members of a fixed group may make this change.
fn may(change: &Change) -> bool {
    let [ada, ben] = [1, 2].map(|n| Identity::from_bytes(&[n; 32]).key());
    let member = |leaf, identity| Member {
        leaf,
        identity,
        device: DeviceId([1; 16]),
        mls_key: [3; 32],
        key_hash: [4; 32],
    };
    let (policy, members) = (Policy::group("Desk", ada), [member(0, ada), member(1, ben)]);
    let bench = Bench { policy: &policy, members: &members, conversation: &[5; 32] };
    bench.may(0, change) | bench.may(1, change)
}

/// A group context's policy.
pub fn policy(bytes: &[u8]) {
    if let Some(policy) = Policy::parse(bytes) {
        assert_eq!(policy.to_bytes(), bytes, "one value, one form");
        let _ = (policy.chat_kind(), policy.owners().count());
    }
}

/// A pasted link; a link that is read is the one that would be written.
pub fn link(text: &str) {
    if let Ok(link) = LinkUri::parse(text) {
        assert_eq!(LinkUri::parse(&link.to_text()), Ok(link));
    }
}

/// A pasted link whose checksum holds, with these bytes in it.
pub fn link_of(bytes: &[u8]) {
    if let Some(link) = read::<LinkUri>(bytes) {
        assert_eq!(LinkUri::parse(&link.to_text()), Ok(link));
    }
}

/// Somebody whose signatures hold: the attacker's own identity and device.
struct Stranger {
    list: SignedDeviceList,
    device: DeviceId,
    key: LeafKey,
}

impl Stranger {
    fn new() -> Self {
        let (identity, key) = (Identity::from_bytes(&[1; 32]), LeafKey::from_seed(&[2; 32]));
        let device = DeviceId([3; 16]);
        let devices = vec![Device { id: device, mls_key: key.key() }];
        let list = DeviceList { number: 1, previous: [0; 32], devices, time_ms: 0 };
        Self { list: SignedDeviceList::sign(&identity, list), device, key }
    }
}

const TAG: Tag = Tag([6; 32]);

/// An offer; one in the grammar is read once more with signatures that hold.
pub fn offer(bytes: &[u8]) {
    let Some(offer) = read::<Offer>(bytes) else { return };
    let _ = Offer::open(bytes, &TAG, &offer.list.identity);
    let Stranger { list, device, key } = Stranger::new();
    let offer = Offer { list, device, ..offer }.sign(&key, &TAG);
    let _ = Offer::open(&encode(&offer), &TAG, &offer.list.identity);
    let mut rng = ChaCha20Rng::from_seed([0; 32]);
    let public = undertone_crypto::EnvelopePublic(offer.envelope.as_slice().to_vec());
    let _ = envelope::seal(&public, b"", b"", b"", &mut rng);
}

/// An opened answer; one in the grammar is sealed and opened with signatures that hold.
pub fn answer(bytes: &[u8]) {
    let Some(answer) = read::<Answer>(bytes) else { return };
    let mut rng = ChaCha20Rng::from_seed([0; 32]);
    let Ok((secret, public)) = envelope::generate(&mut rng) else { return };
    let Stranger { list, device, key } = Stranger::new();
    let offer = Offer {
        list: list.clone(),
        device,
        package: Vec::new().into(),
        envelope: public.0.into(),
        expires_ms: 0,
        signature: [0; 64],
    };
    let sealed = Answer { list, device, ..answer }.seal(&key, &TAG, &offer, &mut rng);
    let opened = Answer::open(&sealed.expect("a fresh key"), &secret, &TAG);
    assert!(opened.is_ok(), "signed by a listed device");
}

/// A sealed answer, as it lies on the server.
pub fn sealed_answer(bytes: &[u8]) {
    let mut rng = ChaCha20Rng::from_seed([0; 32]);
    let Ok((secret, _)) = envelope::generate(&mut rng) else { return };
    let _ = Answer::open(bytes, &secret, &TAG);
}

/// What a malicious member of a conversation knows of its epoch.
pub struct Insider {
    server: ServerId,
    secrets: Secrets,
    key: LeafKey,
}

/// What an insider's cell carries.
pub enum Carried<'a> {
    /// The bytes themselves.
    Inline(&'a [u8]),
    /// A parcel, as [`Insider::parcel`] made it.
    Parcel(&'a Parts),
}

/// The cells of a parcel, and the reference to them.
pub struct Parts {
    reference: ParcelRef,
    /// To be stored before the head.
    pub cells: Vec<(SlotKeys, Cell)>,
}

/// What an insider says of a cell.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// The author's leaf.
    pub leaf: u32,
    /// Counting cells before this one.
    pub place: u64,
    /// The hash of the declared change.
    pub change: [u8; 32],
    /// The commitment to the body.
    pub body: [u8; 32],
}

impl Insider {
    /// Of the device `account`, while the conversation is live there.
    pub fn of(account: &Account, chat: ChatId, server: ServerId) -> Option<Self> {
        let secrets = account.secrets_for_fuzzing(chat)?;
        Some(Self { server, secrets, key: account.leaf_key_for_fuzzing() })
    }

    /// The slot that is `ahead` behind the next one of the control lane.
    pub fn control(&self, ahead: u8) -> SlotKeys {
        let first = self.secrets.control().clone();
        (0..ahead).fold(first, |slot, _| slot.next()).keys(&self.server)
    }

    /// As [`Insider::control`], for the lane of the member with this index, or of one there is.
    pub fn lane(&self, index: u32, ahead: u8) -> SlotKeys {
        let leaf = self.secrets.members[index as usize % self.secrets.members.len()].leaf;
        let first = self.secrets.lane(leaf).clone();
        (0..ahead).fold(first, |slot, _| slot.next()).keys(&self.server)
    }

    /// The index of the insider's own lane, as [`Insider::lane`] counts them.
    pub fn own_index(&self) -> u32 {
        let own = |member: &Member| member.leaf == self.secrets.own_leaf;
        let index = self.secrets.members.iter().position(own);
        index.and_then(|index| u32::try_from(index).ok()).unwrap_or(0)
    }

    /// What an honest device would say of the insider's next cell with this body.
    pub fn honest(&self, body: &[u8]) -> Said {
        Said {
            leaf: self.secrets.own_leaf,
            place: self.secrets.place_of_own(),
            change: [0; 32],
            body: Body::commitment(body),
        }
    }

    /// The content of a cell at `keys`, signed by the insider.
    pub fn sign(&self, keys: &SlotKeys, said: Said, carried: &Carried<'_>) -> Vec<u8> {
        let Said { leaf, place, change, body } = said;
        let payload = match carried {
            Carried::Inline(bytes) => Payload::Inline(bytes.to_vec().into()),
            Carried::Parcel(parts) => Payload::Parcel(parts.reference.clone()),
        };
        let claims = Claims { leaf, place, change, body };
        encode(&SignedHead::sign(&self.key, &keys.tag, claims, payload))
    }

    /// The parts of a parcel with this payload; `None` when that is longer than a message.
    pub fn parcel(&self, payload: &[u8], rng: &mut dyn CryptoRng) -> Option<Parts> {
        let packed = pack(payload, MESSAGE_PARTS_MAX, &self.server, rng).ok()?;
        Some(Parts { reference: packed.reference, cells: packed.parts })
    }

    /// The index of somebody's lane, as [`Insider::lane`] counts them; `None` of whom is not inside.
    pub fn index_of(&self, identity: &IdentityKey) -> Option<u32> {
        let of = |member: &Member| member.identity == *identity;
        u32::try_from(self.secrets.members.iter().position(of)?).ok()
    }

    /// The leaf of somebody inside.
    pub fn leaf_of(&self, identity: &IdentityKey) -> Option<u32> {
        let mut members = self.secrets.members.iter();
        members.find(|member| member.identity == *identity).map(|member| member.leaf)
    }

    /// A declared change: that somebody is removed.
    pub fn removal_of(&self, identity: &IdentityKey) -> Option<Vec<u8>> {
        let removed = Removed { leaf: self.leaf_of(identity)?, identity: *identity, left: None };
        Some(encode(&Change { removes: vec![removed], ..Change::default() }))
    }

    /// A declared change that every member has the right to: a leaf of one's own.
    pub fn own_leaf_again(&self) -> Vec<u8> {
        encode(&Change { adds: vec![self.secrets.own_add()], ..Change::default() })
    }

    /// A commit's parcel with a declared change that may be hostile, and that change's hash.
    pub fn commit(&self, change: &[u8], commit: &[u8]) -> (Vec<u8>, [u8; 32]) {
        let mut change = decode::<Change>(change).unwrap_or_default();
        // Its own leaf again: what everybody has the right to.
        if let (true, Some(first)) = (change == Change::default(), commit.first()) {
            change.adds = (0..first % 2).map(|_| self.secrets.own_add()).collect();
        }
        let hash = change.hash();
        (encode(&CommitParcel { change, commit: commit.to_vec().into() }), hash)
    }
}

/// A cell at `keys`; `None` when the content is too long.
pub fn seal(keys: &SlotKeys, content: &[u8], rng: &mut dyn CryptoRng) -> Option<Cell> {
    cell::seal(keys, content, rng).ok()
}

/// The bytes of a body in the conversation of `account`.
pub fn body_of(account: &Account, chat: ChatId, kind: u16, content: &[u8]) -> Option<Vec<u8>> {
    let body = Body {
        conversation: account.group_of(chat)?,
        device_list: 1,
        salt: [2; 16],
        number: 9,
        sent_ms: 0,
        kind,
        content: content.to_vec().into(),
        blinding: [3; 32],
    };
    Some(encode(&body))
}

/// The MLS bytes of a message by `account`, of which its own device knows nothing.
pub fn encrypt(account: &mut Account, chat: ChatId, aad: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    account.encrypt_for_fuzzing(chat, aad, body)
}

/// The head that a device has verified last, with the server's signature.
pub fn signed_head(account: &Account) -> Option<undertone_wire::SignedHead> {
    account.signed_head_for_fuzzing()
}

/// An MLS commit by `account` that removes these leaves, and that it does not follow itself.
pub fn mls_commit(account: &mut Account, chat: ChatId, remove: Vec<u32>) -> Option<Vec<u8>> {
    account.commit_for_fuzzing(chat, remove)
}

/// Has `account` add a leaf in somebody's name whose key it has made itself.
pub fn forge_leaf(account: &mut Account, chat: ChatId, identity: IdentityKey) {
    account.forge_leaf_for_fuzzing(chat, identity);
}

/// The bytes of a text's body with a number of one's own choice.
pub fn text_of(account: &Account, chat: ChatId, number: u64, text: &str) -> Option<Vec<u8>> {
    let content = Content::Text(text.as_bytes().to_vec().into());
    Some(encode(&numbered(account.group_of(chat)?, number, &content)))
}

/// The same of what a leaf says of itself when it arrives.
pub fn hello_of(
    account: &Account,
    chat: ChatId,
    number: u64,
    list: &SignedDeviceList,
) -> Option<Vec<u8>> {
    let hello = Hello { name: b"Chloe".to_vec().into(), list: list.clone() };
    Some(encode(&numbered(account.group_of(chat)?, number, &Content::Hello(hello))))
}

/// The bytes of a text's body that names another conversation.
pub fn astray(text: &str) -> Vec<u8> {
    encode(&numbered([1; 32], 9, &Content::Text(text.as_bytes().to_vec().into())))
}

fn numbered(conversation: [u8; 32], number: u64, content: &Content) -> Body {
    let (kind, content) = content.to_parts();
    Body {
        conversation,
        device_list: 1,
        salt: [2; 16],
        number,
        sent_ms: 0,
        kind,
        content: content.into(),
        blinding: [3; 32],
    }
}

/// The link, as if somebody else had made it; `None` when it is none.
pub fn relabelled(link: &str, identity: IdentityKey) -> Option<String> {
    Some(LinkUri { identity, ..LinkUri::parse(link).ok()? }.to_text())
}
