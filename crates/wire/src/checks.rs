//! The checks that an honest client lives by, and a way to switch one off in a test build.
//!
//! The tamper drill shows of each check that some tampering goes unnoticed without it
//! (`cargo xtask drill tamper --mutations`). That way out exists only under the feature `mutants`,
//! which the simulator and the drill alone turn on; without it [`is_off`] is a constant and nothing
//! is left of it. The binary refuses to be built with it: see [`STAND`].

/// Whether every check stands in this build.
pub const STAND: bool = !cfg!(feature = "mutants");

macro_rules! checks {
    ($($(#[doc = $doc:literal])* $name:ident $word:literal),* $(,)?) => {
        /// A check that can be switched off.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Check {
            $($(#[doc = $doc])* $name,)*
        }

        impl Check {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// A stable word.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What is checked.
            pub fn what(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*).trim_ascii(),)*
                }
            }
        }
    };
}

checks! {
    /// The server's first key has the pinned fingerprint.
    ServerPin "server-pin",
    /// Each later key was named by the one before it.
    KeySuccession "key-succession",
    /// A head is signed by the server's key.
    HeadSignature "head-signature",
    /// A cell is under the root of its tick.
    CellInTick "cell-in-tick",
    /// A tick's leaf is under the root of the log.
    TickInLog "tick-in-log",
    /// A delivered cell is the one that was asked for.
    CellNamed "cell-named",
    /// A newer tree continues the older one.
    Consistency "consistency",
    /// The right edge that a proof shows is that of its head.
    Frontier "frontier",
    /// A closed segment is under the root of the log.
    SegmentInLog "segment-in-log",
    /// A closed segment's entries are those that its leaf commits to.
    SegmentEntries "segment-entries",
    /// A segment says what its ticks said.
    SegmentTruth "segment-truth",
    /// Ticks follow each other without a hole.
    TickOrder "tick-order",
    /// A tick's prefixes are sorted.
    PrefixOrder "prefix-order",
    /// The server's time does not run backwards.
    TimeForward "time-forward",
    /// The root that was computed from the ticks is the signed one.
    RootComputed "root-computed",
    /// The newest head is not behind one's own.
    Rollback "rollback",
    /// Two heads of one tick are one head.
    OneHeadPerTick "one-head-per-tick",
    /// The walk leads to the head that was aimed at.
    TargetMet "target-met",
    /// The head of a receipt is in one's own log.
    ReceiptHead "receipt-head",
    /// The head that a message shows is in one's own log.
    ForeignHead "foreign-head",
    /// The head that a message shows is signed by the server.
    ForeignHeadSigned "foreign-head-signed",
    /// A message without a genuine head is told of.
    HiddenLogTold "hidden-log-told",
    /// A cell counts by its first listing alone.
    FirstListing "first-listing",
    /// A listed cell that does not come is told of.
    WithheldTold "withheld-told",
    /// A cell commits to its key.
    KeyCommitment "key-commitment",
    /// A device list is signed by its identity.
    ListSignature "list-signature",
    /// A device list continues the one that is known.
    ListHistory "list-history",
    /// A leaf is named by its owner's device list.
    ListedLeaf "listed-leaf",
    /// An offer is by the identity that its link names.
    OfferIdentity "offer-identity",
    /// An offer is signed by its device, for the place where it stands.
    OfferSignature "offer-signature",
    /// R03: the device signed the request for the place where it stands.
    RequestSignature "request-signature",
    /// R07: a request is by a device list that may be followed.
    RequestList "request-list",
    /// R08: the secret of a request is no other link's.
    RequestSecret "request-secret",
    /// R09: a request is not over.
    RequestInTime "request-in-time",
    /// R10: who asks is not in the present conversation.
    RequestNeeded "request-needed",
    /// C01: a control cell that does not open stops nobody.
    ControlSeal "control-seal",
    /// C02: a control cell that is no head stops nobody.
    ControlHead "control-head",
    /// C03: a commit that is no parcel stops nobody.
    ControlPayload "control-payload",
    /// C06: a commit by a leaf that is not there stops nobody.
    ControlLeaf "control-leaf",
    /// C04, L05: parts are listed before their head is.
    PartsInTime "parts-in-time",
    /// C05, L05: parts are those that the head's root commits to.
    PartsRoot "parts-root",
    /// C07: the leaf signed this commit for this slot.
    CommitSignature "commit-signature",
    /// C08: the declared change is the signed one.
    CommitChange "commit-change",
    /// C09: the leaf has the right to the declared change.
    CommitRight "commit-right",
    /// C09 before C11: a commit without right is void, whatever MLS says of it.
    RightFirst "right-first",
    /// C10: no commit in one's own name is another's.
    OwnCommit "own-commit",
    /// C12: a commit does what it declares, and nothing else.
    CommitMatches "commit-matches",
    /// L02: a lane cell that is no head stops nobody.
    LaneHead "lane-head",
    /// L03: a lane's cells are by its leaf.
    LaneAuthor "lane-author",
    /// L04: the place is the number of counting cells before it.
    LanePlace "lane-place",
    /// L06: a message that MLS refuses stops nobody.
    LaneMls "lane-mls",
    /// L07: MLS says that the lane's leaf wrote it.
    LaneSender "lane-sender",
    /// L08: the body is the one that the head commits to.
    LaneCommitment "lane-commitment",
    /// L09: the body is of this conversation.
    LaneConversation "lane-conversation",
    /// A cell in one's own name that one did not write stops the device.
    CopiedProfile "copied-profile",
    /// A missing number is a shown gap.
    NumberGap "number-gap",
    /// Every change of the roster is told.
    RosterTold "roster-told",
}

#[cfg(feature = "mutants")]
thread_local! {
    static OFF: std::cell::Cell<Option<Check>> = const { std::cell::Cell::new(None) };
}

/// Switches a check off for everything that runs in this thread, or none.
#[cfg(feature = "mutants")]
pub fn switch_off(check: Option<Check>) {
    OFF.set(check);
}

/// Whether this check is switched off.
#[cfg(feature = "mutants")]
pub fn is_off(check: Check) -> bool {
    OFF.get() == Some(check)
}

/// None is.
#[cfg(not(feature = "mutants"))]
pub const fn is_off(_: Check) -> bool {
    false
}
