//! Why an MLS step was not taken, by blame.

use super::StoreFault;
use openmls::{
    framing::errors::MessageDecryptionError,
    group::{StageCommitError, ValidationError, WelcomeError},
    prelude::ProcessMessageError,
};

/// Whose fault a [`Refused`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Whoever made the bytes.
    Peer,
    /// Nobody: the bytes belong to another group, another epoch or another device, or came twice.
    Nobody,
    /// The caller, who asked for what cannot be done.
    Caller,
    /// This device: its store, its library, a bug.
    Own,
}

/// Why an MLS step was not taken. Whatever the reason, it left no trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not an MLS message of the expected kind.
    #[error("these bytes are not the expected MLS message")]
    Malformed,
    /// A handshake message in the clear, or from outside the group; neither is ever used here.
    #[error("the message is not encrypted to the group")]
    NotPrivate,
    /// Not an application message.
    #[error("not an application message")]
    NotApplication,
    /// Not a commit.
    #[error("not a commit")]
    NotCommit,
    /// Nobody could have this signature.
    #[error("the signature is wrong")]
    BadSignature,
    /// No member sits at the leaf that the message names.
    #[error("the sender is not a member")]
    UnknownSender,
    /// A commit with a proposal of a kind that Undertone does not use.
    #[error("the commit has a proposal of a forbidden kind")]
    Proposal,
    /// Group extensions other than the policy and the requirement to understand it.
    #[error("the group has extensions other than its policy")]
    Extensions,
    /// A leaf whose credential is not {identity, device}, or that changed it.
    #[error("a member's credential is not well-formed, or it was changed")]
    Credential,
    /// A key package, or a member's leaf, that is not valid in an Undertone group.
    #[error("the key package is not valid")]
    KeyPackage,
    /// A commit without a path, which would heal nobody.
    #[error("the commit has no update path")]
    NoPath,
    /// More leaves than a group may have.
    #[error("a group has at most {max} leaves, this would make {leaves}", max = super::LEAVES_MAX)]
    Full {
        /// How many there would be.
        leaves: usize,
    },
    /// A commit that OpenMLS does not accept.
    #[error("the commit is not valid: {reason}")]
    Commit {
        /// OpenMLS's words; they hold no secret.
        reason: String,
    },
    /// A Welcome, or the tree that came with it, that OpenMLS does not accept.
    #[error("the welcome is not valid: {reason}")]
    Welcome {
        /// OpenMLS's words; they hold no secret.
        reason: String,
    },

    /// For another group.
    #[error("the message is for another group")]
    WrongGroup,
    /// For an epoch that is not here yet, or a commit for one that is over.
    #[error("the message is for another epoch")]
    WrongEpoch,
    /// Another leaf wrote it than the one at whose place it stands.
    #[error("another leaf wrote the message")]
    WrongSender,
    /// The message's key was used already, was erased (with its epoch, or because it was skipped), or
    /// lies further ahead in its sender's ratchet than a device follows. OpenMLS does not let these
    /// be told apart.
    #[error("the key of this message was used already, was erased, or is out of reach")]
    NoKey,
    /// No key of ours opens it.
    #[error("the message cannot be decrypted")]
    Undecryptable,
    /// It claims to be from this very leaf. Nobody can decrypt his own messages: MLS keeps no keys
    /// for that.
    #[error("the message claims to be our own")]
    OwnMessage,
    /// The Welcome is for none of the key packages that are here.
    #[error("the welcome is for none of our key packages")]
    NotInvited,

    /// No such group here.
    #[error("no such group")]
    UnknownGroup,
    /// There is a group of this id already.
    #[error("there is such a group already")]
    GroupExists,
    /// A commit is pending: merge or clear it first.
    #[error("a commit is pending")]
    Pending,
    /// No commit is pending.
    #[error("no commit is pending")]
    NotPending,
    /// This device was removed from the group.
    #[error("this device was removed from the group")]
    Inactive,
    /// No member sits at the leaf that is to be removed, or it is one's own.
    #[error("leaf {leaf} cannot be removed")]
    CannotRemove {
        /// The leaf.
        leaf: u32,
    },

    /// A stored record is of no use.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// A bug of ours or of OpenMLS, or the operating system gave no randomness.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Refused {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::WrongGroup | Self::WrongEpoch | Self::WrongSender | Self::NoKey => Blame::Nobody,
            Self::Undecryptable | Self::OwnMessage | Self::NotInvited => Blame::Nobody,
            Self::UnknownGroup | Self::GroupExists | Self::Pending | Self::NotPending => {
                Blame::Caller
            }
            Self::Inactive | Self::CannotRemove { .. } | Self::Full { .. } => Blame::Caller,
            Self::Store(_) | Self::Internal(_) => Blame::Own,
            _ => Blame::Peer,
        }
    }

    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }

    pub(super) fn commit(error: impl std::fmt::Display) -> Self {
        Self::Commit { reason: error.to_string() }
    }
}

impl From<ProcessMessageError<StoreFault>> for Refused {
    fn from(error: ProcessMessageError<StoreFault>) -> Self {
        match error {
            ProcessMessageError::StorageError(fault) => Self::Store(fault),
            ProcessMessageError::ValidationError(error) => error.into(),
            ProcessMessageError::InvalidCommit(error) => error.into(),
            ProcessMessageError::GroupStateError(_) => Self::Inactive,
            ProcessMessageError::IncompatibleWireFormat => Self::NotPrivate,
            other => Self::internal(other),
        }
    }
}

impl From<ValidationError> for Refused {
    fn from(error: ValidationError) -> Self {
        match error {
            ValidationError::WrongGroupId => Self::WrongGroup,
            ValidationError::WrongEpoch => Self::WrongEpoch,
            ValidationError::NoPastEpochData => Self::NoKey,
            ValidationError::InvalidSignature => Self::BadSignature,
            ValidationError::UnknownMember => Self::UnknownSender,
            ValidationError::UnableToDecrypt(error) => error.into(),
            ValidationError::KeyPackageVerifyError(_) => Self::KeyPackage,
            ValidationError::LibraryError(error) => Self::internal(error),
            other => Self::commit(other),
        }
    }
}

impl From<MessageDecryptionError> for Refused {
    fn from(error: MessageDecryptionError) -> Self {
        match error {
            MessageDecryptionError::SecretTreeError(_) => Self::NoKey,
            MessageDecryptionError::LibraryError(error) => Self::internal(error),
            _ => Self::Undecryptable,
        }
    }
}

impl From<StageCommitError> for Refused {
    fn from(error: StageCommitError) -> Self {
        match error {
            StageCommitError::EpochMismatch => Self::WrongEpoch,
            StageCommitError::OwnCommitMismatch => Self::OwnMessage,
            StageCommitError::LibraryError(error) => Self::internal(error),
            other => Self::commit(other),
        }
    }
}

impl From<WelcomeError<StoreFault>> for Refused {
    fn from(error: WelcomeError<StoreFault>) -> Self {
        match error {
            WelcomeError::StorageError(fault) => Self::Store(fault),
            WelcomeError::NoMatchingKeyPackage | WelcomeError::JoinerSecretNotFound => {
                Self::NotInvited
            }
            WelcomeError::GroupAlreadyExists => Self::GroupExists,
            WelcomeError::LibraryError(error) => Self::internal(error),
            other => Self::Welcome { reason: other.to_string() },
        }
    }
}
