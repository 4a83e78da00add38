//! Changes of the group: its name, and whether Chloe is in it.

use super::player::{ATTEMPTS_MAX, Player};
use anyhow::{Result, anyhow};
use undertone_e2e::Running;

/// Every so many rounds the group changes.
const EVERY: u64 = 2;

/// Numbers of the players.
pub(super) const ADA: usize = 0;
const BEN: usize = 1;
pub(super) const CHLOE: usize = 2;

/// A change that is asked for, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Rename(usize, String),
    RemoveChloe,
    AddChloe,
}

/// What comes next.
#[derive(Debug, Default)]
pub(super) struct Changing {
    made: u64,
}

impl Changing {
    /// The change of this round, if it has one.
    pub(super) fn next(&mut self, round: u64) -> Option<Change> {
        if round % EVERY != EVERY - 1 {
            return None;
        }
        self.made += 1;
        let name = format!("Desk {}", self.made);
        Some(match self.made % 4 {
            1 => Change::RemoveChloe,
            2 => Change::Rename(BEN, name),
            3 => Change::AddChloe,
            _ => Change::Rename(ADA, name),
        })
    }
}

impl Change {
    fn author(&self) -> usize {
        if let Self::Rename(who, _) = self { *who } else { ADA }
    }

    fn words<'a>(&'a self, chat: &'a str) -> Vec<&'a str> {
        let mut words = match self {
            Self::Rename(_, name) => vec!["group", "rename", chat, name],
            Self::RemoveChloe => vec!["group", "remove", chat, "Chloe"],
            Self::AddChloe => vec!["group", "add", chat, "Chloe"],
        };
        words.extend(["--timeout", "60"]);
        words
    }

    /// Asks for it.
    pub(super) fn start(&self, players: &[Player]) -> Result<Running> {
        let author = &players[self.author()];
        author.person.start(&self.words(&author.chat))
    }

    /// Asks for it again until it has come to pass, and has nothing done twice.
    pub(super) fn insist(&self, players: &[Player]) -> Result<()> {
        let author = &players[self.author()];
        for _ in 0..ATTEMPTS_MAX {
            // What was queued when its command was killed goes out here.
            author.attempt(&["sync", "--timeout", "60"])?;
            if self.is_made(author)? {
                return Ok(());
            }
            author.attempt(&self.words(&author.chat))?;
        }
        Err(anyhow!("{self:?} does not come to pass"))
    }

    fn is_made(&self, author: &Player) -> Result<bool> {
        if let Self::Rename(_, name) = self {
            let chats = author.person.ok(&["chats"])?;
            let mut all = chats["chats"].as_array().into_iter().flatten();
            return Ok(all.any(|it| it["chat"] == author.chat && it["name"] == *name));
        }
        let members = author.person.ok(&["group", "members", &author.chat])?;
        let mut all = members["members"].as_array().into_iter().flatten();
        let has_chloe = all.any(|member| member["name"] == "Chloe");
        Ok(has_chloe == (*self == Self::AddChloe))
    }
}
