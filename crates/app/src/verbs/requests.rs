//! `requests`: strangers who wrote to a reusable link.

use crate::{
    Exit, Failure, Outcome,
    context::{Context, Timeout},
    resolve, show,
};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use undertone_client::{Patience, Reach, chat_state_word};
use undertone_core::io::{Command, Reply, RequestView};

/// Strangers who wrote to a reusable link. Nothing is answered before you accept.
#[derive(clap::Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[command(after_help = "Examples:\n  undertone requests\n  undertone requests accept #3fa2")]
pub struct Args {
    /// What to do; without it they are listed.
    #[command(subcommand)]
    pub action: Option<Action>,
}

/// What to do with a request.
#[derive(Subcommand, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Let a stranger in; they become a contact.
    Accept(Which),
    /// Forget a request; they are told nothing.
    Decline(Which),
}

/// Which request.
#[derive(clap::Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Which {
    /// The request's id, or a unique beginning of it.
    pub id: String,
    /// How long to wait.
    #[command(flatten)]
    pub timeout: Timeout,
}

impl Args {
    pub(crate) fn timeout(&self) -> Option<Duration> {
        match self.action.as_ref()? {
            Action::Accept(which) | Action::Decline(which) => which.timeout.timeout,
        }
    }

    pub(crate) fn reach(&self) -> Reach {
        if self.action.is_some() { Reach::Online } else { Reach::Offline }
    }

    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let requests = requests(context).await?;
        match &self.action {
            None => Ok(listed(&requests)),
            Some(Action::Accept(which)) => {
                let request = which.among(&requests)?;
                let command = Command::AcceptRequest { id: request.id };
                let patience = which.timeout.bounded();
                context.ask_with(patience, command).await?;
                joined(context, patience, request).await
            }
            Some(Action::Decline(which)) => {
                let id = which.among(&requests)?.id;
                context.ask(Command::DeclineRequest { id }).await?;
                let json = json!({ "declined": id.to_string() });
                Ok(Outcome::new(json, "The request is forgotten; they are told nothing."))
            }
        }
    }
}

impl Which {
    fn among<'a>(&self, requests: &'a [RequestView]) -> Result<&'a RequestView, Failure> {
        let fits = |request: &&RequestView| request.id.to_string().starts_with(&self.id);
        let mut found = requests.iter().filter(fits);
        match (found.next(), found.next()) {
            (Some(one), None) if self.id.len() > 1 => Ok(one),
            (Some(_), _) => Err(Failure::new(
                Exit::NotFound,
                "ambiguous",
                format!("{} fits more than one request", self.id),
                "write more of its id: `undertone requests` shows them",
            )),
            (None, _) => Err(Failure::new(
                Exit::NotFound,
                "not_found",
                format!("there is no request {}", self.id),
                "`undertone requests` shows those that wait",
            )),
        }
    }
}

/// The conversation once this device has joined it.
async fn joined(
    context: &Context,
    patience: Patience,
    request: &RequestView,
) -> Result<Outcome, Failure> {
    let identity = request.identity;
    let chat = context
        .wait(patience, |context| async move {
            let chats = resolve::all_chats(&context).await?;
            Ok(chats.into_iter().find(|chat| chat.contact == Some(identity)))
        })
        .await?;
    // The other side learns it from this device's first cell.
    context.settled(patience).await?;
    let json = json!({
        "chat": chat.chat.to_string(),
        "name": chat.name.as_str(),
        "state": chat_state_word(chat.state),
    });
    let human = format!("{} is a contact now ({})", show::name(chat.name.as_str()), chat.chat);
    Ok(Outcome::new(json, human))
}

async fn requests(context: &Context) -> Result<Vec<RequestView>, Failure> {
    match context.ask(Command::Requests).await? {
        Reply::Requests(requests) => Ok(requests),
        _ => Err(Failure::bug("no list of requests came")),
    }
}

fn listed(requests: &[RequestView]) -> Outcome {
    let human: Vec<_> = requests.iter().map(line).collect();
    let json: Vec<_> = requests.iter().map(to_json).collect();
    Outcome::new(json!({ "requests": json }), human.join("\n"))
}

fn line(request: &RequestView) -> String {
    let said = request.message.as_deref().map(show::text).unwrap_or_default();
    format!("{}  {}: {said}", request.id, show::name(request.name.as_str()))
}

fn to_json(request: &RequestView) -> Value {
    json!({
        "id": request.id.to_string(),
        "name": request.name.as_str(),
        "identity": resolve::person_id(&request.identity),
        "message": request.message,
        "stored": show::rfc3339(request.stored_ms),
    })
}
