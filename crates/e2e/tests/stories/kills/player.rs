//! Somebody who talks while processes die.

use super::record::line;
use crate::stage::text;
use anyhow::{Result, anyhow, ensure};
use rand::Rng;
use std::time::Duration;
use undertone_e2e::{Answer, Person, Running, Watch};

/// Attempts after which what is not killed any more should have come to pass.
pub(super) const ATTEMPTS_MAX: u32 = 8;

/// A person, where they talk, and sometimes a watch.
pub(super) struct Player {
    pub(super) person: Person,
    pub(super) chat: String,
    pub(super) watch: Option<Watch>,
}

impl Player {
    /// Somebody who talks to another by name.
    pub(super) fn new(person: Person, chat: &str) -> Self {
        Self { person, chat: chat.to_owned(), watch: None }
    }

    /// Somebody who talks in a group; its name may change, so it goes by its id.
    pub(super) fn in_group(person: Person, name: &str) -> Result<Self> {
        let chat = text(&person.chat(name)?, "chat")?.to_owned();
        Ok(Self::new(person, &chat))
    }

    /// With a watch, commands go through the process that has the profile; without, each opens it.
    pub(super) fn watch_sometimes(&mut self, rng: &mut impl Rng) -> Result<()> {
        match (self.watch.is_some(), rng.random_ratio(1, 2)) {
            (false, true) => self.watch = Some(self.person.watch()?),
            (true, true) => self.watch = None,
            _ => {}
        }
        Ok(())
    }

    /// Begins to say the line of a round.
    pub(super) fn say(&self, round: u64) -> Result<Running> {
        self.person.start(&self.words(&line(round), false))
    }

    fn words<'a>(&'a self, line: &'a str, anyway: bool) -> Vec<&'a str> {
        let mut words = vec!["send", &self.chat, line, "--id", line, "--timeout", "60"];
        words.extend(anyway.then_some("--anyway"));
        words
    }

    /// Says it again by the same key, until the server has it. When somebody has joined since it
    /// was written, they may read it.
    pub(super) fn insist(&self, round: u64) -> Result<()> {
        let (line, mut anyway, mut last) = (line(round), false, None);
        for _ in 0..ATTEMPTS_MAX {
            let answer = self.person.run(&self.words(&line, anyway))?;
            match (answer.exit, answer.code()) {
                (Some(0), _) => return Ok(()),
                (Some(4), "roster_changed") => anyway = true,
                (Some(5 | 9), _) => {}
                _ => return Err(anyhow!("{answer:?}")),
            }
            last = Some(answer);
        }
        Err(anyhow!("{} cannot send: {last:?}", self.person.name))
    }

    /// Follows until the group is open here: what is said from now on is for this person too.
    pub(super) fn is_in(&self) -> Result<()> {
        let mut chats = None;
        for _ in 0..ATTEMPTS_MAX {
            self.person.ok(&["sync"])?;
            let now = self.person.ok(&["chats"])?;
            let mut all = now["chats"].as_array().into_iter().flatten();
            if all.any(|it| it["chat"] == self.chat && it["state"] == "open") {
                return Ok(());
            }
            chats = Some(now);
        }
        Err(anyhow!("{} is not in: {chats:?}", self.person.name))
    }

    /// Tries something that may not work while others die, and says whether it did.
    pub(super) fn attempt(&self, words: &[&str]) -> Result<bool> {
        let answer: Answer = self.person.run(words)?;
        ensure!(matches!(answer.exit, Some(0 | 5 | 9)), "{words:?}: {answer:?}");
        Ok(answer.exit == Some(0))
    }
}

/// Lets a command run until the moment comes; none when it has ended before.
pub(super) fn at_moment(running: Option<Running>, moment: Duration) -> Result<Option<Running>> {
    let Some(running) = running else { return Ok(None) };
    Ok(running.end_within(moment)?.err())
}
