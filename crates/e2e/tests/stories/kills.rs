//! Processes that are killed at random moments of a conversation: nothing is lost, doubled or
//! reordered.
//!
//! Of three kills two hit a talk of two people, and one a group of three whose name and members
//! change meanwhile. `UNDERTONE_KILLS` and `UNDERTONE_SEED` choose how many and which (`cargo xtask
//! kills` sets them). The seed is printed; what is killed when is decided by it, what happens in
//! that moment by the machine.

mod change;
mod player;
mod record;

use crate::stage::Stage;
use anyhow::{Context, Result, ensure};
use change::{Change, Changing};
use player::{Player, at_moment};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha20Rng;
use record::{Begun, Record};
use std::{env, time::Duration};
use undertone_e2e::Running;

/// Kills of a run in CI.
const KILLS: u64 = 24;

/// One of so many kills hits the group.
const GROUP_SHARE: u64 = 3;

/// A command is killed at most this long after its start.
const MOMENT_MS_MAX: u64 = 900;

/// Who is killed. Players go by their number.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Server,
    Sends(usize),
    Watches(usize),
    Changes,
}

#[test]
fn kills_at_any_moment_lose_and_double_nothing() -> Result<()> {
    let (kills, seed) = plan()?;
    tell(kills - kills / GROUP_SHARE, seed, Run::talk)
}

#[test]
fn kills_in_a_group_whose_members_change_lose_and_double_nothing() -> Result<()> {
    let (kills, seed) = plan()?;
    tell(kills / GROUP_SHARE, seed, Run::group)
}

/// How many kills, of both stories, and the seed.
#[expect(
    clippy::print_stdout,
    reason = "who looks for a fault needs the seed, and asks for output"
)]
fn plan() -> Result<(u64, u64)> {
    let kills = number("UNDERTONE_KILLS")?.unwrap_or(KILLS);
    let seed =
        number("UNDERTONE_SEED")?.unwrap_or_else(|| rand::rngs::StdRng::from_os_rng().random());
    println!("UNDERTONE_SEED={seed} UNDERTONE_KILLS={kills}");
    Ok((kills, seed))
}

#[expect(clippy::print_stdout, reason = "the count is for the record")]
fn tell(kills: u64, seed: u64, begin: impl FnOnce(u64) -> Result<Run>) -> Result<()> {
    let mut run = begin(seed).context("the beginning")?;
    for round in 0..kills {
        run.round(round).with_context(|| format!("seed {seed}, kill {round}"))?;
    }
    let messages = run.end().with_context(|| format!("seed {seed}"))?;
    println!("{kills} kills, {messages} messages, 0 lost, doubled or reordered");
    Ok(())
}

struct Run {
    stage: Stage,
    players: Vec<Player>,
    /// What changes in a group; nothing in a talk of two.
    changing: Option<Changing>,
    record: Record,
    rng: ChaCha20Rng,
}

impl Run {
    fn talk(seed: u64) -> Result<Self> {
        let stage = Stage::open()?;
        let (ada, ben) = stage.ada_and_ben()?;
        let players = vec![Player::new(ada, "Ben"), Player::new(ben, "Ada")];
        Ok(Self::new(stage, players, None, seed))
    }

    fn group(seed: u64) -> Result<Self> {
        let stage = Stage::open()?;
        let (ada, ben, chloe) = stage.newsdesk()?;
        ada.ok(&["group", "role", "Newsdesk", "Ben", "admin"])?;
        ben.ok(&["sync"])?;
        let players = [ada, ben, chloe].into_iter().map(|it| Player::in_group(it, "Newsdesk"));
        let players = players.collect::<Result<_>>()?;
        Ok(Self::new(stage, players, Some(Changing::default()), seed))
    }

    fn new(stage: Stage, players: Vec<Player>, changing: Option<Changing>, seed: u64) -> Self {
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let record = Record::new(players.len());
        Self { stage, players, changing, record, rng }
    }

    /// All say something, and sometimes the group changes; in the middle of it somebody is killed.
    /// Then all of it is asked for again, by the same key, until it has come to pass.
    fn round(&mut self, round: u64) -> Result<()> {
        let change = self.changing.as_mut().and_then(|changing| changing.next(round));
        let victim = self.victim(change.is_some());
        self.act(round, change.as_ref(), victim).with_context(|| format!("{victim:?}, {change:?}"))
    }

    fn act(&mut self, round: u64, change: Option<&Change>, victim: Victim) -> Result<()> {
        for player in &mut self.players {
            player.watch_sometimes(&mut self.rng)?;
        }
        let Begun { writers, newcomers } = self.record.begin(round, change);
        let mut says: Vec<Option<Running>> = Vec::new();
        for (player, writes) in self.players.iter().zip(&writers) {
            says.push(writes.then(|| player.say(round)).transpose()?);
        }
        let mut changes = change.map(|change| change.start(&self.players)).transpose()?;
        let moment = Duration::from_millis(self.rng.random_range(0..MOMENT_MS_MAX));
        let waited_for = match victim {
            Victim::Sends(who) => &mut says[who],
            Victim::Changes => &mut changes,
            Victim::Server | Victim::Watches(_) => &mut says[0],
        };
        *waited_for = at_moment(waited_for.take(), moment)?;
        self.kill(victim, &mut says, &mut changes)?;
        for running in says.into_iter().chain([changes]).flatten() {
            running.end()?;
        }
        if let Some(change) = change {
            change.insist(&self.players)?;
        }
        self.those(&writers).try_for_each(|player| player.insist(round))?;
        self.those(&newcomers).try_for_each(Player::is_in)
    }

    fn those<'a>(&'a self, which: &'a [bool]) -> impl Iterator<Item = &'a Player> {
        self.players.iter().zip(which).filter_map(|(player, is)| is.then_some(player))
    }

    fn victim(&mut self, changes: bool) -> Victim {
        if changes && self.rng.random_ratio(1, 2) {
            return Victim::Changes;
        }
        let players = 0..self.players.len();
        let mut victims = vec![Victim::Server];
        victims.extend(players.clone().map(Victim::Sends));
        victims.extend(players.map(Victim::Watches));
        *victims.choose(&mut self.rng).unwrap_or(&Victim::Server)
    }

    /// Dropping is killing.
    fn kill(
        &mut self,
        victim: Victim,
        says: &mut [Option<Running>],
        changes: &mut Option<Running>,
    ) -> Result<()> {
        match victim {
            Victim::Server => {
                self.stage.server.kill()?;
                self.stage.server.again()?;
            }
            Victim::Sends(who) => says[who] = None,
            Victim::Watches(who) => self.players[who].watch = None,
            Victim::Changes => *changes = None,
        }
        Ok(())
    }

    /// Everybody reads; how many messages were said.
    fn end(mut self) -> Result<u64> {
        for player in &mut self.players {
            player.watch = None;
        }
        for _ in 0..2 {
            for player in &self.players {
                player.person.ok(&["sync"])?;
            }
        }
        for (reader, player) in self.players.iter().enumerate() {
            let talk = player.person.talk(&player.chat)?;
            for (author, other) in self.players.iter().enumerate() {
                let own = talk.iter().filter(|(from, _)| *from == other.person.name);
                let own: Vec<_> = own.map(|(_, text)| text.as_str()).collect();
                let judged = self.record.judge(reader, author, &own);
                let (reader, author) = (&player.person.name, &other.person.name);
                judged.with_context(|| format!("{reader} reads of {author}: {own:?}"))?;
            }
        }
        let check = self.stage.server.admin(&["check"])?;
        ensure!(check["sound"] == true, "{check}");
        Ok(self.record.messages())
    }
}

fn number(name: &str) -> Result<Option<u64>> {
    match env::var(name) {
        Ok(text) => Ok(Some(text.parse().with_context(|| format!("{name} is not a number"))?)),
        Err(_) => Ok(None),
    }
}
