//! `group`: groups and who is in them.

mod membership;

use crate::{
    Failure, Outcome,
    context::{Context, Timeout},
    later, resolve, show,
};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;
use undertone_client::{Reach, chat_state_word};
use undertone_core::{
    Name,
    io::{Command, Reply},
};

/// Groups and who is in them. Members and contacts are named by name or id.
#[derive(clap::Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[command(after_help = "Examples:\n  undertone group create Desk Ben Chloe\n  \
                        undertone group remove Desk Ben\n  undertone group role Desk Chloe admin")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
    /// How long to wait for the server.
    #[command(flatten)]
    pub timeout: Timeout,
}

/// What to do with a group.
#[derive(Subcommand, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Make a group with these contacts; up to 250 devices.
    Create {
        /// The group's name.
        name: String,
        /// Contacts to invite.
        #[arg(value_name = "MEMBER")]
        members: Vec<String>,
    },
    /// Invite contacts; who has not come in for seven days is invited anew.
    Add {
        /// The group.
        chat: String,
        /// Contacts to invite.
        #[arg(value_name = "MEMBER", required = true)]
        members: Vec<String>,
    },
    /// Remove members; they can read nothing that is written afterwards.
    Remove {
        /// The group.
        chat: String,
        /// Members.
        #[arg(value_name = "MEMBER", required = true)]
        members: Vec<String>,
    },
    /// Leave a group.
    Leave {
        /// The group.
        chat: String,
    },
    /// Give a group another name, for everybody.
    Rename {
        /// The group.
        chat: String,
        /// The new name.
        name: String,
    },
    /// Who is in a conversation.
    Members {
        /// The conversation.
        chat: String,
    },
    /// Give a member a role.
    Role {
        /// The group.
        chat: String,
        /// The member.
        member: String,
        /// The role.
        #[arg(value_enum)]
        role: membership::RoleWord,
    },
    /// Not in this release.
    #[command(hide = true)]
    Policy(later::Rest),
    /// Not in this release.
    #[command(hide = true)]
    Link(later::Rest),
    /// Not in this release.
    #[command(hide = true)]
    Approve(later::Rest),
    /// Not in this release.
    #[command(hide = true)]
    Ban(later::Rest),
}

impl Args {
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        match &self.action {
            Action::Policy(_) => Err(later::not_yet("group policy")),
            Action::Link(_) => Err(later::not_yet("group link")),
            Action::Approve(_) => Err(later::not_yet("group approve")),
            Action::Ban(_) => Err(later::not_yet("group ban")),
            _ => Ok(()),
        }
    }

    pub(crate) fn reach(&self) -> Reach {
        if matches!(self.action, Action::Members { .. }) { Reach::Offline } else { Reach::Online }
    }

    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        self.prepare()?;
        match &self.action {
            Action::Create { name, members } => self.create(context, name, members).await,
            Action::Add { chat, members } => {
                let chat = resolve::chat(context, chat).await?;
                let members = resolve::contacts(context, members).await?;
                context.refreshed(self.timeout.bounded()).await?;
                self.change(context, &chat, Command::Add { chat: chat.chat, members }).await
            }
            Action::Remove { chat, members } => {
                let chat = resolve::chat(context, chat).await?;
                let members = resolve::group_members(context, &chat, members).await?;
                self.change(context, &chat, Command::Remove { chat: chat.chat, members }).await
            }
            Action::Leave { chat } => {
                let chat = resolve::chat(context, chat).await?;
                self.change(context, &chat, Command::Leave { chat: chat.chat }).await
            }
            Action::Rename { chat, name } => {
                let (chat, name) = (resolve::chat(context, chat).await?, parse_name(name)?);
                self.change(context, &chat, Command::Rename { chat: chat.chat, name }).await
            }
            Action::Role { chat, member, role } => {
                let chat = resolve::chat(context, chat).await?;
                let member = std::slice::from_ref(member);
                let member = resolve::group_members(context, &chat, member).await?[0];
                let command = Command::SetRole { chat: chat.chat, member, role: (*role).into() };
                self.change(context, &chat, command).await
            }
            Action::Members { chat } => membership::list(context, chat).await,
            // `prepare` has refused them.
            Action::Policy(_) | Action::Link(_) | Action::Approve(_) | Action::Ban(_) => {
                Err(Failure::bug("a later verb was run"))
            }
        }
    }

    async fn create(
        &self,
        context: &Context,
        name: &str,
        members: &[String],
    ) -> Result<Outcome, Failure> {
        let name = parse_name(name)?;
        let members = resolve::contacts(context, members).await?;
        context.refreshed(self.timeout.bounded()).await?;
        let command = Command::CreateGroup { name, members };
        let Reply::Chat(chat) = context.ask_with(self.timeout.bounded(), command).await? else {
            return Err(Failure::bug("no conversation came"));
        };
        context
            .settled(self.timeout.bounded())
            .await
            .map_err(|failure| failure.with("chat", chat.chat.to_string()))?;
        let human = format!("{} ({})", show::name(chat.name.as_str()), chat.chat);
        let json = json!({
            "chat": chat.chat.to_string(),
            "name": chat.name.as_str(),
            "state": chat_state_word(chat.state),
        });
        Ok(Outcome::new(json, human))
    }

    /// A change that all members see.
    async fn change(
        &self,
        context: &Context,
        chat: &undertone_core::io::ChatView,
        command: Command,
    ) -> Result<Outcome, Failure> {
        let patience = self.timeout.bounded();
        let with_id = |failure: Failure| failure.with("chat", chat.chat.to_string());
        context.ask_with(patience, command).await.map_err(with_id)?;
        context.settled(patience).await.map_err(with_id)?;
        Ok(Outcome::new(json!({ "chat": chat.chat.to_string() }), "done"))
    }
}

fn parse_name(name: &str) -> Result<Name, Failure> {
    Name::parse(name).map_err(|bad| Failure::bad_name(&bad))
}
