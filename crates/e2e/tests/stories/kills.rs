//! Processes that are killed at random moments of a conversation: nothing is lost, doubled or
//! reordered.
//!
//! `UNDERTONE_KILLS` and `UNDERTONE_SEED` choose how many and which (`cargo xtask kills` sets
//! them). The seed is printed; what is killed when is decided by it, what happens in that moment by
//! the machine.

use crate::stage::{Stage, said};
use anyhow::{Context, Result, ensure};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::{env, time::Duration};
use undertone_e2e::{Answer, Person, Running, Watch};

/// Kills of a run in CI.
const KILLS: u64 = 24;

/// A command is killed at most this long after its start.
const MOMENT_MS_MAX: u64 = 900;

/// Attempts after which a message that was never killed in between should have gone out.
const ATTEMPTS_MAX: u32 = 8;

/// Who is killed.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Server,
    AdaSends,
    BenSends,
    AdaWatches,
    BenWatches,
}

const VICTIMS: [Victim; 5] =
    [Victim::Server, Victim::AdaSends, Victim::BenSends, Victim::AdaWatches, Victim::BenWatches];

#[test]
fn kills_at_any_moment_lose_and_double_nothing() -> Result<()> {
    let kills = number("UNDERTONE_KILLS")?.unwrap_or(KILLS);
    let seed =
        number("UNDERTONE_SEED")?.unwrap_or_else(|| rand::rngs::StdRng::from_os_rng().random());
    println!("UNDERTONE_SEED={seed} UNDERTONE_KILLS={kills}");
    let mut run = Run::begin(seed).context("the beginning")?;
    for round in 0..kills {
        let victim = VICTIMS[run.rng.random_range(0..VICTIMS.len())];
        run.round(round, victim)
            .with_context(|| format!("seed {seed}, kill {round}: {victim:?}"))?;
    }
    run.end(kills).with_context(|| format!("seed {seed}"))?;
    println!("{kills} kills, {} messages, 0 lost, doubled or reordered", 2 * kills);
    Ok(())
}

struct Run {
    stage: Stage,
    ada: Person,
    ben: Person,
    ada_watches: Option<Watch>,
    ben_watches: Option<Watch>,
    rng: ChaCha20Rng,
}

impl Run {
    fn begin(seed: u64) -> Result<Self> {
        let stage = Stage::open()?;
        let (ada, ben) = stage.ada_and_ben()?;
        let rng = ChaCha20Rng::seed_from_u64(seed);
        Ok(Self { stage, ada, ben, ada_watches: None, ben_watches: None, rng })
    }

    /// Both say something; in the middle of it somebody is killed; both say it again by the same
    /// key until it is stored.
    fn round(&mut self, round: u64, victim: Victim) -> Result<()> {
        self.watch_sometimes()?;
        let mut ada = Some(say(&self.ada, "Ben", round)?);
        let mut ben = Some(say(&self.ben, "Ada", round)?);
        let moment = Duration::from_millis(self.rng.random_range(0..MOMENT_MS_MAX));
        let waits = if matches!(victim, Victim::BenSends) { &mut ben } else { &mut ada };
        *waits = at_moment(waits.take(), moment)?;
        self.kill(victim, &mut ada, &mut ben)?;
        for running in [ada, ben].into_iter().flatten() {
            running.end()?;
        }
        insist(&self.ada, "Ben", round)?;
        insist(&self.ben, "Ada", round)
    }

    /// With a watch, commands go through the process that has the profile; without, each opens it.
    fn watch_sometimes(&mut self) -> Result<()> {
        for (person, watch) in
            [(&self.ada, &mut self.ada_watches), (&self.ben, &mut self.ben_watches)]
        {
            match (watch.is_some(), self.rng.random_ratio(1, 2)) {
                (false, true) => *watch = Some(person.watch()?),
                (true, true) => *watch = None,
                _ => {}
            }
        }
        Ok(())
    }

    fn kill(
        &mut self,
        victim: Victim,
        ada: &mut Option<Running>,
        ben: &mut Option<Running>,
    ) -> Result<()> {
        match victim {
            Victim::Server => {
                self.stage.server.kill()?;
                self.stage.server.again()?;
            }
            // Dropping is killing.
            Victim::AdaSends => *ada = None,
            Victim::BenSends => *ben = None,
            Victim::AdaWatches => self.ada_watches = None,
            Victim::BenWatches => self.ben_watches = None,
        }
        Ok(())
    }

    fn end(mut self, rounds: u64) -> Result<()> {
        (self.ada_watches, self.ben_watches) = (None, None);
        for _ in 0..2 {
            self.ada.ok(&["sync"])?;
            self.ben.ok(&["sync"])?;
        }
        for (person, chat) in [(&self.ada, "Ben"), (&self.ben, "Ada")] {
            let talk = person.talk(chat)?;
            for author in ["Ada", "Ben"] {
                let own: Vec<_> = talk.iter().filter(|(from, _)| from == author).cloned().collect();
                let expected: Vec<_> =
                    (0..rounds).map(|round| said(author, &line(round))).collect();
                ensure!(own == expected, "{} reads of {author}: {own:?}", person.name);
            }
        }
        let check = self.stage.server.admin(&["check"])?;
        ensure!(check["sound"] == true, "{check}");
        Ok(())
    }
}

fn line(round: u64) -> String {
    format!("line {round}")
}

fn say(person: &Person, to: &str, round: u64) -> Result<Running> {
    person.start(&["send", to, &line(round), "--id", &line(round), "--timeout", "60"])
}

/// Says it again by the same key, until the server has it.
fn insist(person: &Person, to: &str, round: u64) -> Result<()> {
    let mut last = None;
    for _ in 0..ATTEMPTS_MAX {
        let answer = Answer::of(&say(person, to, round)?.end()?)?;
        if answer.exit == Some(0) {
            return Ok(());
        }
        ensure!(matches!(answer.exit, Some(5 | 9)), "{answer:?}");
        last = Some(answer);
    }
    Err(anyhow::anyhow!("{} cannot send: {last:?}", person.name))
}

/// Lets a command run until the moment comes; none when it has ended before.
fn at_moment(running: Option<Running>, moment: Duration) -> Result<Option<Running>> {
    let Some(running) = running else { return Ok(None) };
    Ok(running.end_within(moment)?.err())
}

fn number(name: &str) -> Result<Option<u64>> {
    match env::var(name) {
        Ok(text) => Ok(Some(text.parse().with_context(|| format!("{name} is not a number"))?)),
        Err(_) => Ok(None),
    }
}
