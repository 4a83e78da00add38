//! The structures of the wire, and the proofs in them.

use ed25519_dalek::SigningKey;
use tls_codec::{DeserializeBytes, Serialize};
use undertone_wire::{
    Answer, Cell, CellLeaf, CellPart, DigestPage, Frame, Head, HeadRef, Info, KeyRing,
    KeySuccession, Leaf, ListedProof, LogProof, Receipt, Refusal, Request, SegmentAnswer,
    SegmentEntry, ServerKey, SignedHead, Tag, TickDigest, TlsBinding, decode, encode,
    merkle::{self, Frontier, Hash},
};

/// Reads a `T`; what is read is written as the same bytes, or the signatures over it would differ.
fn read<T: DeserializeBytes + Serialize>(bytes: &[u8]) -> Option<T> {
    let value = decode(bytes).ok()?;
    assert_eq!(encode(&value), bytes, "one value, one form");
    Some(value)
}

/// A binary WebSocket message, or the body of a POST, in either direction.
pub(crate) fn frame(bytes: &[u8]) {
    match read::<Frame>(bytes) {
        Some(Frame::Answer { answer, .. }) => proved(&answer),
        Some(Frame::Push(page)) => drop(grown(&page)),
        Some(Frame::Request { .. }) | None => {}
    }
}

/// Every structure by itself.
pub(crate) fn parts(bytes: &[u8]) {
    read::<Request>(bytes);
    read::<Answer>(bytes);
    read::<CellPart>(bytes);
    read::<CellLeaf>(bytes);
    read::<DigestPage>(bytes);
    read::<TickDigest>(bytes);
    read::<Leaf>(bytes);
    read::<SegmentEntry>(bytes);
    read::<Refusal>(bytes);
    read::<Receipt>(bytes);
    read::<ListedProof>(bytes);
    read::<HeadRef>(bytes);
    read::<Vec<SignedHead>>(bytes);
    read::<KeySuccession>(bytes);
    if let Some(head) = read::<SignedHead>(bytes) {
        let _ = keys().verify(&head);
    }
    if let Some(info) = read::<Info>(bytes) {
        let _ = KeyRing::from_info(&info.server, &info);
    }
    if let Some(binding) = read::<TlsBinding>(bytes) {
        let _ = binding.verify(&binding.first_key.server_id(), b"");
    }
    if let Some(cell) = Cell::from_slice(bytes) {
        assert_eq!(cell.as_bytes(), bytes);
    }
}

/// Proofs whose numbers and signatures hold, so that the trees in them are looked at.
pub(crate) fn proofs(bytes: &[u8]) {
    if let Some(proof) = read::<LogProof>(bytes) {
        consistent(&proof);
    }
    if let Some(proof) = read::<ListedProof>(bytes) {
        let _ = proof.verify(&proof.leaf.cells_root);
    }
    if let Some(segment) = read::<SegmentAnswer>(bytes) {
        let head = signed(&segment.head.head);
        let _ = SegmentAnswer { head, ..segment }.verify(&keys());
    }
    if let Some(receipt) = read::<Receipt>(bytes) {
        let head = signed(&receipt.head.head);
        let cell = Cell::from_array([0; undertone_wire::CELL_LEN]);
        let _ = Receipt { head, ..receipt }.verify(&keys(), &Tag([0; 32]), &cell);
    }
    if let Some(page) = read::<DigestPage>(bytes) {
        let head = signed(&page.head.head);
        grown(&DigestPage { head, ..page });
    }
}

/// Whether it follows from any tree.
fn consistent(proof: &LogProof) -> bool {
    let head = signed(&proof.head.head);
    let size = proof.head.head.size;
    let proof = LogProof { head, ..proof.clone() };
    [0, 1, size / 2, size.saturating_sub(1), size, u64::MAX].into_iter().any(|old| {
        let from = HeadRef { tick: 1, size: old, root: proof.head.head.root };
        let Ok(mut frontier) = proof.verify(&keys(), &from) else { return false };
        assert_eq!(frontier.size(), size, "the frontier of the head that was proved");
        // The next page goes on from here.
        frontier.append([0; 32]);
        true
    })
}

fn proved(answer: &Answer) {
    let tag = Tag([0; 32]);
    let keys = keys();
    let _ = match answer {
        Answer::Taken { cell, receipt } => receipt.verify_hash(&keys, &tag, *cell).is_ok(),
        Answer::Found { cell, proof } => proof.verify_cell(&[0; 32], &tag, cell).is_ok(),
        Answer::None { colliding } => colliding.iter().any(|proof| proof.verify(&[0; 32]).is_ok()),
        Answer::Segment(segment) => segment.verify(&keys).is_ok(),
        Answer::Info(info) => KeyRing::from_info(&info.server, info).is_ok(),
        Answer::Page(page) => grown(page).size() > 0,
        Answer::Proof(proof) => consistent(proof),
        Answer::Stored(_) | Answer::Streaming | Answer::Refused(_) => true,
    };
}

/// The tree after a page that follows its own first tick; a refused page changes nothing.
fn grown(page: &DigestPage) -> Frontier {
    let after = page.ticks.first().map_or(page.head.head.tick, |tick| tick.tick.wrapping_sub(1));
    let known = Frontier::from_parts(0, Vec::<Hash>::new()).expect("the empty tree");
    let mut frontier = known.clone();
    if page.verify(&keys(), after, &mut frontier).is_err() {
        assert_eq!(frontier.size(), known.size(), "a refused page leaves the tree as it was");
    }
    let roots = page.ticks.iter().take(64).map(|tick| merkle::leaf_hash(&encode(tick))).collect();
    let _ = Frontier::from_parts(page.head.head.size, roots).map(|tree| tree.root());
    frontier
}

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn keys() -> KeyRing {
    let first = ServerKey(signing_key().verifying_key().to_bytes());
    KeyRing::new(&first.server_id(), first, &[]).expect("a ring of one key")
}

/// The same head, as a server would sign it.
fn signed(head: &Head) -> SignedHead {
    Head { server: keys().server(), ..head.clone() }.sign(&signing_key())
}
