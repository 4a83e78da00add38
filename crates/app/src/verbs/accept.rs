//! `accept`: first contact by somebody's link.

use crate::{
    Exit, Failure, Outcome,
    context::{Context, Timeout},
    resolve, show,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use undertone_client::{EventBody, Patience, chat_state_word};
use undertone_core::{
    ChatId,
    io::{ChatState, ChatView, Command, Reply},
};

/// Become a contact of whoever made a link.
///
/// A one-time link waits until the other device has joined: they must be online at some time (their
/// `undertone sync` or `undertone watch`), and their name appears then. A reusable link returns when
/// the request is stored. Ended early, it goes on by itself.
#[derive(clap::Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[command(after_help = "Example:\n  undertone accept 'undertone:AQIB…' --message 'Ada here'")]
pub struct Args {
    /// The `undertone:` link.
    pub link: String,
    /// The first message, shown to the other side with the request.
    #[arg(long, value_name = "TEXT")]
    pub message: Option<String>,
    /// How long to wait for the other side.
    #[command(flatten)]
    pub timeout: Timeout,
}

impl Args {
    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let patience = self.timeout.patience();
        let since = *context.session.newest_event().borrow();
        let (link, message) = (self.link.clone(), self.message.clone());
        let command = Command::Accept { link, message };
        let Reply::Chat(begun) = context.ask_with(patience, command).await? else {
            return Err(Failure::bug("no conversation came"));
        };
        // The reply tells that the answer is stored; to a stranger's request that is all.
        if undertone_core::is_reusable(&self.link).is_ok_and(|reusable| reusable) {
            return Ok(outcome(&begun));
        }
        let chat = self
            .joined(context, patience, begun.chat, since)
            .await
            .map_err(|failure| failure.with("chat", begun.chat.to_string()))?;
        // The keys by which the other side adds this device to groups. The contact exists already:
        // what does not go out now goes out by itself later.
        if let Err(failure) = context.settled(self.timeout.bounded()).await {
            tracing::debug!("the rest of first contact is queued: {}", failure.code);
        }
        Ok(outcome(&chat))
    }

    async fn joined(
        &self,
        context: &Context,
        patience: Patience,
        chat: ChatId,
        since: u64,
    ) -> Result<ChatView, Failure> {
        context
            .wait(patience, |context| async move {
                if let Some(code) = failed(&context, chat, since).await? {
                    return Err(first_contact_failed(&code));
                }
                let chats = resolve::all_chats(&context).await?;
                let view = chats.into_iter().find(|view| view.chat == chat);
                Ok(view.filter(|view| view.state != ChatState::Requested))
            })
            .await
    }
}

/// Why first contact failed, if an event has told it.
async fn failed(context: &Context, chat: ChatId, since: u64) -> Result<Option<String>, Failure> {
    let events = context.session.events(since, usize::MAX).await?;
    let bodies = events.iter().filter(|event| event.event.chat == Some(chat));
    let mut codes = bodies.filter_map(|event| match serde_json::from_str(&event.event.body) {
        Ok(EventBody::LinkFailed { code, .. }) => Some(code),
        _ => None,
    });
    Ok(codes.next_back())
}

fn first_contact_failed(code: &str) -> Failure {
    let (message, hint) = match code {
        "link_used" => (
            "the link has been used already",
            "tell whoever gave it to you: if it was not you, somebody else has it",
        ),
        "link_expired" => ("the link has expired", "ask for a new one"),
        _ => ("what stands behind the link is not what it promises", "ask for a new one"),
    };
    Failure::new(Exit::Refused, code, message, hint)
}

/// A link names nobody, so that whoever finds it learns nothing.
const NAME_COMES: &str = "their name appears when they let you in and are online";

fn outcome(chat: &ChatView) -> Outcome {
    let name = show::name(chat.name.as_str());
    let human = match chat.state {
        ChatState::Requested => {
            format!("{name} has your request ({}); {NAME_COMES}", chat.chat)
        }
        _ => format!("You are contacts: {name} ({})", chat.chat),
    };
    let json = json!({
        "chat": chat.chat.to_string(),
        "name": chat.name.as_str(),
        "state": chat_state_word(chat.state),
    });
    Outcome::new(json, human)
}
