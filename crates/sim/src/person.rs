//! One person with one device.

use crate::disk::Disk;
use crate::lineage::Stage;
use crate::presence::Presence;
use crate::told::Told;
use crate::wishes::{Change, Wished};
use std::collections::{BTreeMap, BTreeSet};
use undertone_core::io::{ChatState, Command, Health, RowName};
use undertone_core::{Account, ChatId, Standing};
use undertone_crypto::IdentityKey;
use undertone_wire::{CellHash, Tag};

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
    Link { guest: usize },
    /// Contact with whoever made a link.
    Accept,
    /// A group under this number.
    Group { group: usize, title: String },
    /// A message, by its number in the world's list.
    Send { text: usize },
    /// To see a group changed.
    Change { group: [u8; 32], change: Change },
    /// To begin a group anew, under its number.
    Restart { group: usize, old: [u8; 32] },
    /// To leave a group.
    Leave { group: [u8; 32] },
}

/// What is put back when a profile is put back: the disk, and what the screen showed.
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    pub disk: Disk,
    pub shown: BTreeMap<RowName, u32>,
    pub wishes: Vec<Wished>,
}

/// A person, their device, and what they were told.
pub(crate) struct Person {
    pub name: String,
    pub identity: IdentityKey,
    pub device: [u8; 16],
    /// `None` while the process is down.
    pub account: Option<Account>,
    pub disk: Disk,
    /// A copy that a rollback puts back.
    pub copy: Option<Copied>,
    /// When it was put back first.
    pub restored_ms: Option<u64>,
    /// Tags under which both lives of a profile that was put back have put a cell, with the first.
    pub collided: Vec<(Tag, CellHash)>,
    /// When it had a connection.
    pub presence: Presence,
    /// Counts the starts of the process.
    pub life: u32,
    /// The connection as this device sees it.
    pub line: Option<u64>,
    /// The head to which it says that it has walked since this connection began.
    pub walked: Option<u64>,
    /// The server's newest tick when this connection began.
    pub newest: u64,
    /// The newest tick of which this connection has brought the head.
    pub shown: u64,
    /// The newest tick of which any connection has.
    pub seen: u64,
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
    /// Ticks in which this device was told that something of its own is stored.
    pub receipts: BTreeSet<u64>,
    /// What this person has asked of groups, the newest last.
    pub wishes: Vec<Wished>,
    /// The groups that a chat has had, the newest last.
    pub lineage: BTreeMap<ChatId, Vec<Stage>>,
    /// Epochs of groups in which this device was seen.
    pub entered: BTreeSet<([u8; 32], u64)>,
    /// Groups that this person left, and the epoch in which they asked to.
    pub left: Vec<([u8; 32], u64)>,
    pub told: Told,
    /// What the device says of itself at the quiet end.
    pub health: Option<Health>,
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
