//! What a verb works with.

use crate::{Exit, Failure, show};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use undertone_client::{CommandError, LinkState, Patience, Session, Unfinished, control::Lines};
use undertone_core::{
    ChatId,
    io::{Command, Health, Reply},
};

/// What a verb works with, in whichever process it runs.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The way to the engine and the store.
    pub(crate) session: Session,
    /// Where `watch` puts its lines.
    pub(crate) lines: Lines,
    /// How long a name that is not known yet may wait for news from the server.
    pub(crate) news_time: Duration,
}

/// What a name may wait for news when nothing else was said.
const NEWS_TIME: Duration = Duration::from_secs(5);

/// How long a change is waited for when nothing else was said.
const USUAL: Duration = Duration::from_secs(60);

/// How long a command waits.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeout {
    /// Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection.
    #[arg(long, global = true, value_name = "S", value_parser = show::parse_duration)]
    pub timeout: Option<Duration>,
}

impl Timeout {
    /// The patience: the time given, else as long as the server can be reached.
    pub(crate) fn patience(&self) -> Patience {
        self.timeout.map_or(Patience::WhileReachable(None), Patience::For)
    }

    /// The same for what other people may keep from coming to an end.
    pub(crate) fn bounded(&self) -> Patience {
        self.timeout.map_or(Patience::WhileReachable(Some(USUAL)), Patience::For)
    }
}

impl Context {
    /// What a verb with this time limit works with.
    pub(crate) fn new(session: Session, lines: Lines, limit: Option<Duration>) -> Self {
        Self { session, lines, news_time: limit.unwrap_or(NEWS_TIME) }
    }

    /// Whether the session wants the server at all.
    pub(crate) fn is_online(&self) -> bool {
        *self.session.link().borrow() != LinkState::Offline
    }

    /// A command whose answer needs no network.
    pub(crate) async fn ask(&self, command: Command) -> Result<Reply, Failure> {
        Ok(self.session.command(command).await?)
    }

    /// A command whose answer may need the network.
    pub(crate) async fn ask_with(
        &self,
        patience: Patience,
        command: Command,
    ) -> Result<Reply, Failure> {
        let answered = self.session.command(command);
        let given_up = self.wait_to_go_out(patience, |_| async { Ok(None::<()>) });
        tokio::select! {
            biased;
            reply = answered => Ok(reply?),
            ended = given_up => match ended {
                Err(failure) => Err(failure),
                Ok(()) => Err(Failure::bug("nothing was found where nothing is looked for")),
            },
        }
    }

    /// Waits for what `check` looks for. An alarm about the server ends it: nothing is sent or
    /// followed any more, so nothing would come.
    pub(crate) async fn wait<T, F>(
        &self,
        patience: Patience,
        check: impl FnMut(Self) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<Option<T>, Failure>>,
    {
        self.wait_unless(halted, patience, check).await
    }

    /// The same for what the server has to store first. That it has no room ends the waiting, too: it
    /// may take for ever.
    pub(crate) async fn wait_to_go_out<T, F>(
        &self,
        patience: Patience,
        check: impl FnMut(Self) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<Option<T>, Failure>>,
    {
        self.wait_unless(|health| full(health).or_else(|| halted(health)), patience, check).await
    }

    async fn wait_unless<T, F>(
        &self,
        hopeless: impl Fn(&Health) -> Option<Failure> + Copy,
        patience: Patience,
        mut check: impl FnMut(Self) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<Option<T>, Failure>>,
    {
        // A failure of the check is what is waited for, too.
        let found = self.session.wait(patience, |session| {
            let context = Self { session, ..self.clone() };
            let checked = check(context.clone());
            async move {
                let found = match checked.await {
                    Ok(None) => {
                        let health = context.health().await;
                        health.map_or_else(Some, |health| hopeless(&health)).map(Err)
                    }
                    done => done.transpose(),
                };
                Ok::<_, CommandError>(found)
            }
        });
        found.await.map_err(|unfinished: Unfinished| Failure::from(unfinished))?
    }
}

impl Context {
    /// Waits until the log has been followed to its newest head; its tick.
    pub(crate) async fn caught_up(&self, patience: Patience) -> Result<u64, Failure> {
        self.wait(patience, |context| async move { Ok(*context.session.caught_up().borrow()) })
            .await
    }

    /// Whether the log is followed to its newest head, this device takes part in `chat`, and nothing
    /// that was asked for is undecided: what is queued there waits for somebody else.
    pub(crate) async fn waits_for_others(&self, chat: ChatId) -> Result<bool, Failure> {
        let followed = self.session.caught_up().borrow().is_some();
        let health = self.health().await?;
        let takes_part = !health.copied && !health.stuck.contains(&chat);
        Ok(followed && takes_part && health.unsettled == 0)
    }

    /// Waits until nothing that was asked for is undecided any more.
    pub(crate) async fn settled(&self, patience: Patience) -> Result<(), Failure> {
        self.wait_to_go_out(patience, |context| async move {
            Ok((context.health().await?.unsettled == 0).then_some(()))
        })
        .await
    }

    /// Reads what there is for this device, if the server can be reached: a change is then made on
    /// the newest state that is known.
    pub(crate) async fn refreshed(&self, patience: Patience) -> Result<(), Failure> {
        match self.caught_up(patience).await {
            Ok(_) => self.read_out(patience).await,
            // The change is queued on the state that is here.
            Err(failure) if failure.exit == Exit::Unreachable => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Waits until everything that is listed for this device has been read.
    pub(crate) async fn read_out(&self, patience: Patience) -> Result<(), Failure> {
        self.wait(patience, |context| async move {
            Ok((context.health().await?.reading == 0).then_some(()))
        })
        .await
    }

    /// Whether the log has been followed to its end and all that it lists for this device read.
    pub(crate) async fn is_up_to_date(&self) -> Result<bool, Failure> {
        let followed = self.session.caught_up().borrow().is_some();
        Ok(followed && self.health().await?.reading == 0)
    }

    /// The profile's health.
    pub(crate) async fn health(&self) -> Result<Health, Failure> {
        match self.ask(Command::Health).await? {
            Reply::Health(health) => Ok(health),
            _ => Err(Failure::bug("no health came")),
        }
    }
}

/// Why nothing is sent any more, if so.
fn halted(health: &Health) -> Option<Failure> {
    if health.copied {
        return Some(Failure::new(
            Exit::Refused,
            "copied_profile",
            "this profile was copied or put back: another device writes with its keys, and nothing \
             is sent any more",
            "`undertone doctor --new-device` goes on as a new device; do not use the other copy again",
        ));
    }
    health.halted.as_ref().map(|(code, text)| Failure::alarm(code, text.clone()))
}

/// That the server has no room, if so.
fn full(health: &Health) -> Option<Failure> {
    let full = || {
        Failure::new(
            Exit::Unreachable,
            "server_full",
            "the server can store nothing at present: its disk is full or failing",
            "what was queued stays queued and goes out by itself once there is room; tell the \
             operator",
        )
    };
    health.server_full.then(full)
}
