//! `chats`: the list of conversations.

use crate::{Failure, Outcome, context::Context, resolve, show};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::cmp::Reverse;
use undertone_client::{chat_state_word, kind_word, message_state_word};
use undertone_core::io::{ChatState, ChatView, HistoryRow};
use undertone_store::ChatSummary;

/// All conversations, the newest first.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[command(after_help = "Example:\n  undertone chats --json")]
pub struct Args {}

impl Args {
    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let mut summaries = context.session.summaries().await?;
        let chats = resolve::all_chats(context).await?.into_iter();
        let mut chats: Vec<_> = chats
            .map(|chat| {
                let summary = summaries.remove(&chat.chat).unwrap_or_default();
                (chat, summary)
            })
            .collect();
        chats.sort_by_key(|(chat, summary)| (Reverse(newest_ms(summary)), chat.name.clone()));
        let human: Vec<_> = chats.iter().map(|(chat, summary)| line(chat, summary)).collect();
        let json: Vec<_> = chats.iter().map(|(chat, summary)| to_json(chat, summary)).collect();
        Ok(Outcome::new(json!({ "chats": json }), human.join("\n")))
    }
}

/// By the server's clock where it is known: nobody moves to the top by a wrong clock of his own.
fn newest_ms(summary: &ChatSummary) -> u64 {
    summary.last.as_ref().map_or(0, |last| last.stored_ms.unwrap_or(last.sent_ms))
}

fn line(chat: &ChatView, summary: &ChatSummary) -> String {
    let state = match chat.state {
        ChatState::Open => String::new(),
        state => format!("  [{}]", chat_state_word(state)),
    };
    let unread = match summary.unread {
        0 => String::new(),
        unread => format!("  {unread} unread"),
    };
    let verified = if chat.verified { "  verified" } else { "" };
    let name = show::name(chat.name.as_str());
    format!("{}  {name}  {}{verified}{state}{unread}", chat.chat, kind_word(chat.kind))
}

fn to_json(chat: &ChatView, summary: &ChatSummary) -> Value {
    json!({
        "chat": chat.chat.to_string(),
        "name": chat.name.as_str(),
        "kind": kind_word(chat.kind),
        "state": chat_state_word(chat.state),
        "unread": summary.unread,
        "last": summary.last.as_ref().map(last),
        "verified": chat.verified,
        "identity": chat.contact.as_ref().map(resolve::person_id),
    })
}

fn last(row: &HistoryRow) -> Value {
    json!({
        "message": row.message.to_string(),
        "own": row.own,
        "text": row.text,
        "sent": show::rfc3339(row.sent_ms),
        "stored": row.stored_ms.map(show::rfc3339),
        "state": message_state_word(row.state),
    })
}
