//! Requests, answers and the frames that carry them (DESIGN.md section 3.1).

pub use crate::merkle::Hash;
use crate::{
    Cell, CellHash, CellLeaf, KeySuccession, Prefix, SegmentLeaf, ServerId, ServerKey, SignedHead,
    Tag, TagHash, TickDigest, TickLeaf, WriteKey,
};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

/// The lowest protocol version that this code speaks.
pub const PROTOCOL_LOWEST: u16 = 1;
/// The highest protocol version that this code speaks.
pub const PROTOCOL_HIGHEST: u16 = 1;

/// A blind-signed right to store; empty while the policy is `open`.
pub type Token = VLBytes;

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum Request {
    /// Store a cell. Answered when its tick is durable.
    #[tls_codec(discriminant = 1)]
    Put {
        /// Where.
        tag: Tag,
        /// The tag's preimage.
        write: WriteKey,
        /// What.
        cell: Cell,
        /// Payment, empty under the policy `open`.
        token: Token,
    },
    /// Read a cell, proved against the tree of `size` leaves that the client has verified.
    #[tls_codec(discriminant = 2)]
    Get {
        /// Where.
        tag: Tag,
        /// The tree to prove against; 0 means the tick's own head.
        size: u64,
    },
    /// Digests from tick `from` on: one page of ticks, or the largest closed segment that starts
    /// at `from` when that saves work and `form` allows it.
    #[tls_codec(discriminant = 3)]
    Digest {
        /// First tick wanted.
        from: u64,
        /// What will do.
        form: DigestForm,
    },
    /// Pushes of digests from tick `from` on, until the connection ends.
    #[tls_codec(discriminant = 4)]
    Stream {
        /// First tick wanted.
        from: u64,
    },
    /// Consistency of the tree of `from_size` leaves with the head of tick `to_tick`
    /// (`u64::MAX`: the newest).
    #[tls_codec(discriminant = 5)]
    Proof {
        /// Size of the tree that the client has verified.
        from_size: u64,
        /// Tick whose head is wanted.
        to_tick: u64,
    },
    /// Who the server is and what it allows.
    #[tls_codec(discriminant = 6)]
    Info,
}

/// In which form a client takes a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum DigestForm {
    /// Ticks only.
    Ticks = 1,
    /// A closed segment where one begins at the asked tick, ticks otherwise.
    TicksOrSegment = 2,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum Answer {
    /// The cell is durable (now, or already with equal bytes).
    #[tls_codec(discriminant = 1)]
    Stored(Receipt),
    /// Another cell holds this tag; the receipt is that cell's.
    #[tls_codec(discriminant = 2)]
    Taken {
        /// Hash of the cell that is there.
        cell: CellHash,
        /// Its proof.
        receipt: Receipt,
    },
    /// The cell that was asked for, with its proof.
    #[tls_codec(discriminant = 3)]
    Found {
        /// The cell.
        cell: Cell,
        /// Its proof.
        proof: ListedProof,
    },
    /// No cell under this tag. When its prefix is listed, all cells that bear the prefix.
    #[tls_codec(discriminant = 4)]
    None {
        /// The cells that share the prefix.
        colliding: Vec<ListedProof>,
    },
    /// Some ticks.
    #[tls_codec(discriminant = 5)]
    Page(DigestPage),
    /// A closed segment.
    #[tls_codec(discriminant = 6)]
    Segment(SegmentAnswer),
    /// A consistency proof.
    #[tls_codec(discriminant = 7)]
    Proof(LogProof),
    /// Who the server is.
    #[tls_codec(discriminant = 8)]
    Info(Info),
    /// The stream has begun.
    #[tls_codec(discriminant = 9)]
    Streaming,
    /// The server will not, or cannot.
    #[tls_codec(discriminant = 10)]
    Refused(Refusal),
}

/// Where in its tick's tree a cell stands.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct CellPart {
    /// Index among the tick's sorted cells.
    pub index: u32,
    /// Audit path to `cells_root` (RFC 6962 section 2.1.1).
    pub path: Vec<Hash>,
}

/// Proof that a cell is in the log, complete in itself: the tick's own signed head.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Receipt {
    /// The cell in its tick.
    pub cell: CellPart,
    /// The tick's leaf; always the last one of `head`'s tree.
    pub leaf: TickLeaf,
    /// Audit path of the tick's leaf to `head.root`.
    pub path: Vec<Hash>,
    /// The head of that tick.
    pub head: SignedHead,
}

/// Proof that a cell is in the log, against a tree that the client knows.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ListedProof {
    /// What is listed.
    pub listed: CellLeaf,
    /// The cell in its tick.
    pub cell: CellPart,
    /// The tick's leaf.
    pub leaf: TickLeaf,
    /// Index of the tick's leaf in the tree.
    pub leaf_index: u64,
    /// Audit path of the tick's leaf to the root of the tree of `size` leaves.
    pub path: Vec<Hash>,
    /// The size that the path leads to.
    pub size: u64,
}

/// Consecutive ticks and the head of the last of them.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct DigestPage {
    /// The ticks, without a hole; empty in a heartbeat.
    pub ticks: Vec<TickDigest>,
    /// The head of the last tick here (in a heartbeat: the newest head, re-signed with the time).
    pub head: SignedHead,
}

/// A closed segment, proved against the head that comes with it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SegmentAnswer {
    /// Its leaf.
    pub leaf: SegmentLeaf,
    /// Index of its leaf in the tree.
    pub leaf_index: u64,
    /// Audit path to `head.root`.
    pub path: Vec<Hash>,
    /// The server's newest head.
    pub head: SignedHead,
    /// Sorted prefixes with their ticks.
    pub entries: Vec<SegmentEntry>,
}

/// One listed prefix of a segment.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize, TlsDeserializeBytes,
)]
pub struct SegmentEntry {
    /// The prefix.
    pub prefix: Prefix,
    /// The tick that lists it.
    pub tick: u64,
}

/// Consistency between two trees, and the right edge of the second.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct LogProof {
    /// The signed head of the tick that was asked for.
    pub head: SignedHead,
    /// Consistency proof (RFC 6962 section 2.1.2) from the asked size to `head.size`.
    pub path: Vec<Hash>,
    /// Roots of the perfect subtrees of `head`'s tree, the largest first.
    pub frontier: Vec<Hash>,
}

/// Who the server is and what it allows.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Info {
    /// The server's id: the fingerprint of `first_key`.
    pub server: ServerId,
    /// Lowest protocol version it speaks.
    pub version_lowest: u16,
    /// Highest protocol version it speaks.
    pub version_highest: u16,
    /// Its first signing key.
    pub first_key: ServerKey,
    /// The keys that followed, each named by the one before.
    pub succession: Vec<KeySuccession>,
    /// `open`, `invite` or `closed`.
    pub policy: VLBytes,
    /// Shortest tick.
    pub tick_ms_min: u32,
    /// For how long cells are kept.
    pub retention_s: u32,
    /// PUTs that one connection may have unanswered.
    pub puts_in_flight_max: u16,
    /// The oldest tick that is still held.
    pub oldest_tick: u64,
    /// How to reach the operator, UTF-8.
    pub contact: VLBytes,
    /// What the operator wants users to know, UTF-8.
    pub notice: VLBytes,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Refusal {
    /// For programs.
    pub kind: RefusalKind,
    /// For people, UTF-8, at most 200 bytes.
    pub message: VLBytes,
}

/// The kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum RefusalKind {
    /// The request is not in the grammar.
    Malformed = 1,
    /// The write key is not the preimage of the tag.
    WrongKey = 2,
    /// Too much in flight; ask again later.
    Busy = 3,
    /// The disk is full or failing; nothing acknowledged was lost.
    Storage = 4,
    /// What was asked for is older than the retention.
    Expired = 5,
    /// What was asked for does not exist yet.
    Future = 6,
    /// No token, or not a valid one.
    Token = 7,
    /// The server is shutting down.
    Closing = 8,
}

/// One binary WebSocket message, or the body of a `POST`.
#[derive(Clone, Debug, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum Frame {
    /// From the client.
    #[tls_codec(discriminant = 1)]
    Request {
        /// Chosen by the client; the answer bears it.
        id: u32,
        /// What is asked.
        request: Request,
    },
    /// From the server.
    #[tls_codec(discriminant = 2)]
    Answer {
        /// The request's.
        id: u32,
        /// What is answered.
        answer: Answer,
    },
    /// From the server, on its own account.
    #[tls_codec(discriminant = 3)]
    Push(DigestPage),
}

impl CellLeaf {
    /// The leaf of `cell` under `tag`.
    pub fn new(tag: TagHash, cell: CellHash) -> Self {
        Self { tag, cell }
    }
}
