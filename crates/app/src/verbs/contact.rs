//! `contact`: what a contact is called here.

use crate::{Failure, Outcome, context::Context, later, resolve, show};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;
use undertone_core::{Name, io::Command};

/// What a contact is called here. A name given here stays, whatever they call themselves.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[command(after_help = "Example:\n  undertone contact rename Ben 'Ben (work)'")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with a contact.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Name a contact as you like; only you see it.
    Rename {
        /// The contact.
        chat: String,
        /// The name.
        name: String,
    },
    /// Not in this release.
    #[command(hide = true)]
    Delete(later::Rest),
}

impl Args {
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        match &self.action {
            Action::Delete(_) => Err(later::not_yet("contact delete")),
            Action::Rename { .. } => Ok(()),
        }
    }

    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        self.prepare()?;
        let Action::Rename { chat, name } = &self.action else {
            return Err(Failure::bug("a later verb was run"));
        };
        let chat = resolve::chat(context, chat).await?;
        let name = Name::parse(name).map_err(|bad| Failure::bad_name(&bad))?;
        let command = Command::RenameContact { chat: chat.chat, name: name.clone() };
        context.ask(command).await?;
        let json = json!({ "chat": chat.chat.to_string(), "name": name.as_str() });
        Ok(Outcome::new(json, format!("{} is now {}", chat.chat, show::name(name.as_str()))))
    }
}
