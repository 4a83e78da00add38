//! The verbs, one file each.

mod accept;
mod chats;
mod config;
mod contact;
mod doctor;
mod group;
pub mod init;
mod link;
mod read;
mod requests;
mod send;
mod server;
mod sync;
mod verify;
pub(crate) mod watch;
mod whoami;

use crate::{Failure, Outcome, context::Context, later};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use undertone_client::Reach;
use zeroize::Zeroizing;

/// What a person does.
#[derive(Subcommand, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "help shows the whole text of each verb's arguments; one here hides it"
)]
pub enum Verb {
    Init(init::Args),
    Whoami(whoami::Args),
    Link(link::Args),
    Accept(accept::Args),
    Requests(requests::Args),
    Chats(chats::Args),
    Send(send::Args),
    Read(read::Args),
    Watch(watch::Args),
    Sync(sync::Args),
    Group(group::Args),
    Contact(contact::Args),
    Verify(verify::Args),
    Server(server::Args),
    Config(config::Args),
    Doctor(doctor::Args),
    /// What comes later.
    #[command(flatten)]
    #[serde(untagged)]
    Later(later::Later),
}

impl Verb {
    /// What must be done in the caller's own process first: reading its standard input and files.
    ///
    /// # Errors
    /// When they cannot be read, or the verb is not in this release.
    pub(crate) fn prepare(&mut self) -> Result<(), Failure> {
        match self {
            Self::Send(args) => args.prepare(),
            Self::Group(args) => args.prepare(),
            Self::Contact(args) => args.prepare(),
            Self::Later(later) => Err(later.refusal()),
            _ => Ok(()),
        }
    }

    /// The passphrase, for the verb that opens the identity with it.
    pub(crate) fn hold(&mut self, passphrase: Zeroizing<String>) {
        if let Self::Doctor(args) = self {
            args.held.keep(passphrase);
        }
    }

    /// Whether `--json` stands where the parser does not look for it.
    pub(crate) fn wants_json(&self) -> bool {
        matches!(self, Self::Later(later) if later.wants_json())
    }

    /// Whether the verb needs the server.
    pub(crate) fn reach(&self) -> Reach {
        match self {
            Self::Link(args) => args.reach(),
            Self::Requests(args) => args.reach(),
            Self::Group(args) => args.reach(),
            Self::Accept(_) | Self::Send(_) | Self::Watch(_) | Self::Sync(_) | Self::Doctor(_) => {
                Reach::Online
            }
            _ => Reach::Offline,
        }
    }

    /// How long the caller is willing to wait, if they said so.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        match self {
            Self::Init(args) => args.timeout.timeout,
            Self::Link(args) => args.timeout.timeout,
            Self::Accept(args) => args.timeout.timeout,
            Self::Requests(args) => args.timeout(),
            Self::Send(args) => args.timeout.timeout,
            Self::Watch(args) => args.timeout.timeout,
            Self::Sync(args) => args.timeout.timeout,
            Self::Group(args) => args.timeout.timeout,
            Self::Doctor(args) => args.timeout.timeout,
            _ => None,
        }
    }

    /// Whether the verb, cut anywhere and run again, comes to the same: it only looks, or what it
    /// does has a key of its own.
    pub(crate) fn may_begin_again(&self) -> bool {
        match self {
            Self::Send(_) | Self::Watch(_) | Self::Sync(_) => true,
            Self::Doctor(args) => args.only_looks(),
            _ => self.reach() == Reach::Offline,
        }
    }

    /// A failure of the way to the profile, with what names the verb's effect.
    pub(crate) fn told(&self, failure: Failure) -> Failure {
        match self {
            Self::Send(send::Args { id: Some(id), .. }) if failure.code == "in_use" => {
                failure.with("id", id.as_str())
            }
            _ => failure,
        }
    }

    /// Runs the verb where the profile is open.
    ///
    /// # Errors
    /// As the verb says.
    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        match self {
            Self::Init(_) => Err(Failure::bug("a profile was to be made inside another")),
            Self::Whoami(args) => args.run(context).await,
            Self::Link(args) => args.run(context).await,
            Self::Accept(args) => args.run(context).await,
            Self::Requests(args) => args.run(context).await,
            Self::Chats(args) => args.run(context).await,
            Self::Send(args) => args.run(context).await,
            Self::Read(args) => args.run(context).await,
            Self::Watch(args) => args.run(context).await,
            Self::Sync(args) => args.run(context).await,
            Self::Group(args) => args.run(context).await,
            Self::Contact(args) => args.run(context).await,
            Self::Verify(args) => args.run(context).await,
            Self::Server(args) => args.run(context).await,
            Self::Config(args) => args.run(context).await,
            Self::Doctor(args) => args.run(context).await,
            Self::Later(later) => Err(later.refusal()),
        }
    }
}

#[cfg(test)]
mod tests;
