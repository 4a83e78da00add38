//! One of everything that the decoders of this module read, for the first corpus.

use super::{Stranger, TAG};
use crate::body::{Body, Content, Hello, Invite, Leave, NamedMember, Packages, Succeeds};
use crate::conversation::tests_kit::CommitParcel;
use crate::head::{Claims, Payload, SignedHead};
use crate::link::{Answer, FirstMessage, Letter, LetterKind, LinkKind, LinkUri, Offer};
use crate::parcel::ParcelRef;
use crate::policy::{Added, Change, LeaveProof, Policy, Removed};
use undertone_wire::{HeadRef, ServerId, encode};

const PARCEL: ParcelRef = ParcelRef { seed: [1; 32], length: 4_000, root: [2; 32] };
const OPENING: HeadRef = HeadRef { tick: 3, size: 4, root: [5; 32] };

/// Bytes in the grammar, each with the name of the target that reads it.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let stranger = Stranger::new();
    let heads = heads(&stranger).into_iter().map(|bytes| ("head", bytes));
    let bodies = contents(&stranger).into_iter().map(|content| ("body", encode(&body(&content))));
    let commits = commits(&stranger).into_iter().map(|bytes| ("commit", bytes));
    let letters = letters(&stranger);
    heads.chain(bodies).chain(commits).chain(letters).collect()
}

fn inline(stranger: &Stranger) -> SignedHead {
    let claims = Claims { leaf: 1, place: 2, change: [3; 32], body: [4; 32] };
    SignedHead::sign(&stranger.key, &TAG, claims, Payload::Inline(b"hello".to_vec().into()))
}

fn heads(stranger: &Stranger) -> Vec<Vec<u8>> {
    let inline = inline(stranger);
    let far = SignedHead { payload: Payload::Parcel(PARCEL), ..inline.clone() };
    let letter = Letter { kind: LetterKind::Answer, parcel: PARCEL };
    let proof = inline.proof(&TAG);
    vec![encode(&inline), encode(&far), encode(&proof), encode(&letter), encode(&PARCEL)]
}

fn contents(stranger: &Stranger) -> [Content; 5] {
    let list = stranger.list.clone();
    let names = vec![NamedMember { identity: list.identity, name: b"Ben".to_vec().into() }];
    let single = vec![vec![1; 9].into(), vec![2; 9].into()];
    let succeeds = Some(Succeeds { conversation: [9; 32], read_to: 3 });
    let (welcome, tree) = (PARCEL, PARCEL);
    let invite = Invite { conversation: [7; 32], welcome, tree, opening: OPENING, names, succeeds };
    [
        Content::Text(b"good morning".to_vec().into()),
        Content::Hello(Hello { name: b"Ada".to_vec().into(), list }),
        Content::Packages(Packages { single, last_resort: vec![3; 9].into() }),
        Content::Invite(Box::new(invite)),
        Content::Leave(Leave { stay: [8; 32] }),
    ]
}

fn body(content: &Content) -> Body {
    let (kind, content) = content.to_parts();
    Body {
        conversation: [7; 32],
        device_list: 1,
        salt: [2; 16],
        number: 9,
        sent_ms: 5,
        kind,
        content: content.into(),
        blinding: [3; 32],
    }
}

fn commits(stranger: &Stranger) -> Vec<Vec<u8>> {
    let (identity, device) = (stranger.list.identity, stranger.device);
    let added = Added { identity, device, mls_key: [1; 32], list_number: 1 };
    let proof = LeaveProof { head: inline(stranger).proof(&TAG), body: vec![1; 8].into() };
    let removed = Removed { leaf: 1, identity, left: Some(Box::new(proof)) };
    let policy = Some(Policy::group("News", identity).to_bytes().into());
    let change = Change { adds: vec![added], removes: vec![removed], policy };
    let parcel = CommitParcel { change: change.clone(), commit: vec![1; 40].into() };
    vec![encode(&change), encode(&parcel)]
}

fn letters(stranger: &Stranger) -> Vec<(&'static str, Vec<u8>)> {
    let link = LinkUri {
        kind: LinkKind::Reusable,
        address: b"127.0.0.1:7443".to_vec().into(),
        server: ServerId([1; 32]),
        secret: [2; 32],
        identity: stranger.list.identity,
        expires_ms: 1_800_000_000_000,
        admission: Vec::new().into(),
    };
    let offer = Offer {
        list: stranger.list.clone(),
        device: stranger.device,
        package: vec![1; 20].into(),
        envelope: vec![2; 20].into(),
        expires_ms: 9,
        signature: [0; 64],
    };
    let message = FirstMessage { salt: [1; 16], sent_ms: 4, text: b"hi".to_vec().into() };
    let answer = Answer {
        conversation: [7; 32],
        opening: OPENING,
        list: stranger.list.clone(),
        device: stranger.device,
        name: b"Ada".to_vec().into(),
        message: Some(message),
        welcome: vec![1; 20].into(),
        tree: vec![2; 20].into(),
        signature: [0; 64],
    };
    let policy = Policy::group("Desk", stranger.list.identity);
    vec![
        ("link", encode(&link)),
        ("texts", link.to_text().into_bytes()),
        ("offer", encode(&offer)),
        ("answer", encode(&answer)),
        ("policy", policy.to_bytes()),
        ("policy", Policy::contact().to_bytes()),
    ]
}
