//! One person with one device.

use crate::disk::Disk;
use crate::told::Told;
use std::collections::{BTreeMap, BTreeSet};
use undertone_core::io::{ChatState, Command};
use undertone_core::{Account, ChatId, Standing};
use undertone_crypto::IdentityKey;

/// What a person waits for, with what they asked: asked again when the device died meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub command: Command,
    pub wish: Wish,
}

/// Why a command was given.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    /// A link for this person.
    Link {
        guest: usize,
    },
    /// Contact with whoever made a link.
    Accept,
    /// A group under this number.
    Group {
        group: usize,
        title: String,
    },
    /// A message, by its number in the world's list.
    Send {
        text: usize,
    },
    /// To see somebody out of a group, or in again.
    Remove {
        group: [u8; 32],
        whom: IdentityKey,
    },
    Add {
        group: [u8; 32],
        whom: IdentityKey,
    },
    /// To leave a group.
    Leave {
        group: [u8; 32],
    },
    /// Anything else.
    Other,
}

/// Somebody is to come into a group, or to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wished {
    pub comes: bool,
    /// In which epoch it was asked.
    pub epoch: u64,
}

/// A person, their device, and what they were told.
pub(crate) struct Person {
    pub name: String,
    pub identity: IdentityKey,
    pub device: [u8; 16],
    /// `None` while the process is down.
    pub account: Option<Account>,
    pub disk: Disk,
    /// A copy of the disk that a rollback puts back.
    pub copy: Option<Disk>,
    /// Counts the starts of the process.
    pub life: u32,
    /// The connection as this device sees it.
    pub line: Option<u64>,
    /// The head to which it has walked when this connection began.
    pub walked: Option<u64>,
    /// It looks in for a moment: away again for so long once it has walked to the newest head.
    pub glimpse_ms: Option<u64>,
    pub away_until_ms: u64,
    /// By how much this device's clock is wrong.
    pub skew_ms: i64,
    /// The engine's deadline by this device's clock.
    pub deadline_ms: Option<u64>,
    /// Dies after this many further outputs, for so long.
    pub dies: Option<(u32, u64)>,
    pub disk_full_until_ms: u64,
    pub slow: (u64, u64),
    pub holds_until_ms: u64,
    pub twice: u32,
    pub asked: BTreeMap<u64, Asked>,
    pub next_ticket: u64,
    pub standings: BTreeMap<ChatId, Standing>,
    /// Who was asked in or out of a group by this person, and is not known to have come or gone.
    pub wishes: BTreeMap<([u8; 32], IdentityKey), Wished>,
    /// Epochs of groups in which this device was seen.
    pub entered: BTreeSet<([u8; 32], u64)>,
    /// Groups that this person left, and the epoch in which they asked to.
    pub left: Vec<([u8; 32], u64)>,
    pub told: Told,
}

impl Person {
    /// This device's clock at the world's time.
    pub(crate) fn clock_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(self.skew_ms)
    }

    /// The conversation of this group id here: the one that lives, if several stays have one each.
    pub(crate) fn chat_of(&self, group: &[u8; 32]) -> Option<&Standing> {
        let of_group = self.standings.values().filter(|standing| standing.group == *group);
        of_group.min_by_key(|standing| standing.state == ChatState::Ended)
    }

    /// The conversation of two with this person.
    pub(crate) fn contact_with(&self, peer: &IdentityKey) -> Option<&Standing> {
        self.standings.values().find(|standing| standing.peer == Some(*peer))
    }
}
