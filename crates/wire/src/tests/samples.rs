//! One of everything, consistent in itself: a log of two ticks, the second of which closed a
//! segment, under a key that is later succeeded by another.

use crate::*;
use ed25519_dalek::SigningKey;

pub(crate) fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub(crate) fn server_key(number: u8) -> ServerKey {
    ServerKey(signing_key(number).verifying_key().to_bytes())
}

pub(crate) fn succession() -> Vec<KeySuccession> {
    let server = server_key(1).server_id();
    vec![KeySuccession::sign(&signing_key(1), &server, server_key(2), 10)]
}

pub(crate) fn ring() -> KeyRing {
    KeyRing::new(&server_key(1).server_id(), server_key(1), &succession()).unwrap()
}

pub(crate) fn binding() -> TlsBinding {
    TlsBinding::sign(&signing_key(2), server_key(1), succession(), b"spki")
}

pub(crate) fn write_key() -> WriteKey {
    WriteKey([1; 32])
}

pub(crate) fn stored_tag() -> Tag {
    Tag::derive(&server_key(1).server_id(), &write_key())
}

pub(crate) fn stored_cell() -> Cell {
    Cell::from_array([2; CELL_LEN])
}

/// The first tick's cells, sorted.
fn cells() -> Vec<CellLeaf> {
    let others = (3..6).map(|n| CellLeaf::new(Tag([n; 32]).hash(), CellHash([n; 32])));
    let stored = CellLeaf::new(stored_tag().hash(), stored_cell().hash());
    let mut cells: Vec<_> = others.chain([stored]).collect();
    cells.sort();
    cells
}

fn cell_part() -> CellPart {
    let hashes: Vec<_> = cells().iter().map(|leaf| merkle::leaf_hash(&encode(leaf))).collect();
    let index = cells().iter().position(|leaf| leaf.tag == stored_tag().hash()).unwrap();
    CellPart { index: index as u32, path: merkle::inclusion_path(&hashes, index).unwrap() }
}

fn ticks() -> Vec<TickDigest> {
    let hashes: Vec<_> = cells().iter().map(|leaf| merkle::leaf_hash(&encode(leaf))).collect();
    let first = TickDigest {
        closed: Vec::new(),
        tick: 1,
        time_ms: 1_800_000_000_000,
        cells_root: merkle::root(&hashes),
        prefixes: cells().iter().map(|leaf| leaf.tag.prefix()).collect(),
    };
    let second = TickDigest {
        closed: vec![segment_leaf()],
        tick: 2,
        time_ms: 1_800_000_010_000,
        cells_root: merkle::empty_root(),
        prefixes: Vec::new(),
    };
    vec![first, second]
}

pub(crate) fn tick_leaf() -> TickLeaf {
    ticks()[0].leaf()
}

fn entries() -> Vec<(Prefix, u64)> {
    cells().iter().map(|leaf| (leaf.tag.prefix(), 1)).collect()
}

pub(crate) fn segment_leaf() -> SegmentLeaf {
    SegmentLeaf {
        level: SegmentLevel::TenSeconds,
        index: 180_000_000,
        first_tick: 1,
        last_tick: 1,
        entries_hash: SegmentLeaf::hash_entries(&entries()),
    }
}

pub(crate) fn log_leaves() -> Vec<Hash> {
    ticks().iter().flat_map(TickDigest::leaf_hashes).collect()
}

fn head_at(ticks: usize) -> SignedHead {
    let size = [0, 1, 3][ticks];
    let head = Head {
        server: server_key(1).server_id(),
        tick: ticks as u64,
        time_ms: 1_800_000_000_000 + (ticks as u64 - 1) * 10_000,
        size: size as u64,
        root: merkle::root(&log_leaves()[..size]),
        token_keys: vec![TokenKey { period: 7, key: [8; 32] }],
        policy: [9; 32],
        recovered_after: (ticks == 2).then_some(1),
    };
    head.sign(&signing_key(1))
}

pub(crate) fn signed_head() -> SignedHead {
    head_at(2)
}

pub(crate) fn receipt() -> Receipt {
    // A tree of one leaf has an empty path; two closed segments' hashes make it longer.
    let leaf = Leaf::Tick(tick_leaf()).hash();
    let leaves = [[4; 32], [5; 32], leaf];
    let head = Head { tick: 1, size: 3, root: merkle::root(&leaves), ..head_at(1).head };
    Receipt {
        cell: cell_part(),
        leaf: tick_leaf(),
        path: merkle::inclusion_path(&leaves, 2).unwrap(),
        head: head.sign(&signing_key(1)),
    }
}

pub(crate) fn listed_proof() -> ListedProof {
    ListedProof {
        listed: CellLeaf::new(stored_tag().hash(), stored_cell().hash()),
        cell: cell_part(),
        leaf: tick_leaf(),
        leaf_index: 0,
        path: merkle::inclusion_path(&log_leaves(), 0).unwrap(),
        size: 3,
    }
}

pub(crate) fn page() -> DigestPage {
    DigestPage { ticks: ticks(), head: signed_head() }
}

pub(crate) fn segment_answer() -> SegmentAnswer {
    let entries = entries().into_iter().map(|(prefix, tick)| SegmentEntry { prefix, tick });
    SegmentAnswer {
        leaf: segment_leaf(),
        leaf_index: 1,
        path: merkle::inclusion_path(&log_leaves(), 1).unwrap(),
        head: signed_head(),
        entries: entries.collect(),
    }
}

pub(crate) fn log_proof() -> LogProof {
    let mut frontier = merkle::Frontier::default();
    log_leaves().into_iter().for_each(|leaf| frontier.append(leaf));
    LogProof {
        head: signed_head(),
        path: merkle::consistency_path(&log_leaves(), 1).unwrap(),
        frontier: frontier.parts().1.to_vec(),
    }
}

pub(crate) fn info() -> Info {
    Info {
        server: server_key(1).server_id(),
        version_lowest: 1,
        version_highest: 1,
        first_key: server_key(1),
        succession: succession(),
        policy: b"open".to_vec().into(),
        tick_ms_min: 20,
        retention_s: 2_592_000,
        puts_in_flight_max: 64,
        oldest_tick: 1,
        contact: b"desk@news.example.org".to_vec().into(),
        notice: Vec::new().into(),
    }
}

pub(crate) fn requests() -> Vec<(&'static str, Request)> {
    vec![
        (
            "put",
            Request::Put {
                tag: stored_tag(),
                write: write_key(),
                cell: stored_cell(),
                token: Vec::new().into(),
            },
        ),
        ("get", Request::Get { tag: stored_tag(), size: 3 }),
        ("digest", Request::Digest { from: 1, form: DigestForm::TicksOrSegment }),
        ("stream", Request::Stream { from: 2 }),
        ("proof", Request::Proof { from_size: 1, to_tick: u64::MAX }),
        ("info", Request::Info),
    ]
}

pub(crate) fn answers() -> Vec<(&'static str, Answer)> {
    let refusal = Refusal { kind: RefusalKind::Busy, message: b"later".to_vec().into() };
    vec![
        ("stored", Answer::Stored(receipt())),
        ("taken", Answer::Taken { cell: stored_cell().hash(), receipt: receipt() }),
        ("found", Answer::Found { cell: stored_cell(), proof: listed_proof() }),
        ("none", Answer::None { colliding: vec![listed_proof()] }),
        ("page", Answer::Page(page())),
        ("segment", Answer::Segment(segment_answer())),
        ("log_proof", Answer::Proof(log_proof())),
        ("server_info", Answer::Info(info())),
        ("streaming", Answer::Streaming),
        ("refused", Answer::Refused(refusal)),
    ]
}

pub(crate) fn frames() -> Vec<(&'static str, Frame)> {
    let requests = requests().into_iter();
    let requests = requests.map(|(name, request)| (name, Frame::Request { id: 7, request }));
    let answers = answers().into_iter();
    let answers = answers.map(|(name, answer)| (name, Frame::Answer { id: 7, answer }));
    requests.chain(answers).chain([("push", Frame::Push(page()))]).collect()
}
