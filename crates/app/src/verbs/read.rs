//! `read`: a conversation's messages.

use crate::{
    Failure, Outcome,
    context::Context,
    message::{self, Names},
    resolve,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use undertone_store::HistoryQuery;

/// Read a conversation, oldest message first. Shows what is on this device; `sync` fetches.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[command(after_help = "Examples:\n  undertone read Ben\n  undertone read Ben --limit 5 --mark")]
pub struct Args {
    /// The conversation: a name, an id, or a unique beginning of an id.
    pub chat: String,
    /// At most so many, the newest.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Only what stands before this message.
    #[arg(long, value_name = "MSG")]
    pub before: Option<String>,
    /// Mark what is shown as read.
    #[arg(long)]
    pub mark: bool,
}

impl Args {
    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let chat = resolve::chat(context, &self.chat).await?;
        let before = self.before.as_deref().map(resolve::message).transpose()?;
        let limit = self.limit as usize;
        let query = HistoryQuery { chat: chat.chat, limit, before };
        let found = context.session.history(query).await?;
        if self.mark {
            let shown = found.iter().map(|listed| listed.row.message).collect();
            context.session.mark_read(chat.chat, shown).await?;
        }
        let names = Names::of(context, &chat).await?;
        let messages: Vec<_> =
            found.iter().map(|listed| message::to_json(&names, listed)).collect();
        let human: Vec<_> = messages.iter().map(message::to_human).collect();
        let json = json!({ "chat": chat.chat.to_string(), "messages": messages });
        Ok(Outcome::new(json, human.join("\n")))
    }
}
