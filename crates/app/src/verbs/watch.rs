//! `watch`: events, one per line.

use crate::{
    Failure, Outcome,
    context::{Context, Timeout},
    message::{self, Names},
    resolve, show,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use undertone_client::EventBody;
use undertone_core::{ChatId, io::ChatView};
use undertone_store::StoredEvent;

/// Events read at a time.
const PAGE: usize = 256;

/// Show what happens, as it happens, one event per line, until interrupted.
///
/// The first line is `ready`. Every event has a number that survives restarts; `--since` shows
/// again what came after a number. While it runs, other commands on the profile go through it.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[command(after_help = "Examples:\n  undertone watch\n  undertone watch Ben --json --since 120")]
pub struct Args {
    /// Only events of this conversation.
    pub chat: Option<String>,
    /// Begin after this event instead of now.
    #[arg(long, value_name = "SEQ")]
    pub since: Option<u64>,
    /// End after so long; exit 0.
    #[command(flatten)]
    pub timeout: Timeout,
    /// It goes on for one that was cut, whose reader has had its first line.
    #[arg(skip)]
    #[serde(default)]
    pub resumed: bool,
}

impl Args {
    /// What is left to do `after` so long, when the line with number `seq` was the last.
    pub(crate) fn go_on(&mut self, seq: u64, after: Duration) {
        self.since = Some(seq);
        self.resumed = true;
        let timeout = &mut self.timeout.timeout;
        *timeout = timeout.map(|whole| whole.saturating_sub(after));
    }

    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let only = match &self.chat {
            Some(text) => Some(resolve::chat(context, text).await?.chat),
            None => None,
        };
        let newest = *context.session.newest_event().borrow();
        let since = self.since.unwrap_or(newest).min(newest);
        if !self.resumed {
            say(context, json!({ "event": "ready", "seq": since })).await;
        }
        let following = follow(context, only, since);
        let end = Outcome::new(Value::Null, "");
        match self.timeout.timeout {
            None => following.await.map(|()| end),
            Some(time) => match tokio::time::timeout(time, following).await {
                Ok(ended) => ended.map(|()| end),
                Err(_) => Ok(end),
            },
        }
    }
}

/// Says every event after `since`, for ever.
async fn follow(context: &Context, only: Option<ChatId>, mut since: u64) -> Result<(), Failure> {
    let mut newest = context.session.newest_event();
    loop {
        newest.mark_unchanged();
        loop {
            let page = context.session.events(since, PAGE).await?;
            let (Some(first), Some(last)) = (page.first(), page.last()) else { break };
            // Numbers grow by one: what is missing has been forgotten.
            let forgotten = first.seq.saturating_sub(since + 1);
            if forgotten > 0 && !say(context, gap(first.seq - 1, forgotten)).await {
                return Ok(());
            }
            since = last.seq;
            for event in page {
                let wanted = only.is_none() || event.event.chat == only;
                if wanted && !say(context, line(context, &event).await?).await {
                    return Ok(());
                }
            }
        }
        if newest.changed().await.is_err() {
            // The driver has ended; asking says why.
            context.session.setting(undertone_client::SETTING_SERVER).await?;
            return Ok(());
        }
    }
}

/// Says that events up to number `seq` are not kept any more.
fn gap(seq: u64, forgotten: u64) -> Value {
    let text = format!(
        "{forgotten} older events are not kept any more; `undertone read` has the messages"
    );
    json!({ "event": "gap", "seq": seq, "chat": null, "text": text })
}

/// Whether anybody still reads the lines.
async fn say(context: &Context, line: Value) -> bool {
    context.lines.send(line).await.is_ok()
}

/// The event with its number; a message with all that `read` shows of it.
async fn line(context: &Context, stored: &StoredEvent) -> Result<Value, Failure> {
    let body: Value = serde_json::from_str(&stored.event.body)
        .map_err(|_| Failure::bug("an event is not in its own format"))?;
    let mut line = json!({ "event": body["event"], "seq": stored.seq });
    merge(&mut line, body);
    if let Ok(EventBody::Message { message, .. }) = serde_json::from_str(&stored.event.body)
        && let Some(chat) = view(context, stored.event.chat).await?
    {
        let found = context.session.message(resolve::message(&message)?).await?;
        let names = Names::of(context, &chat).await?;
        if let Some(listed) = found.iter().find(|listed| listed.row.chat == chat.chat) {
            merge(&mut line, message::to_json(&names, listed));
            line["name"] = json!(chat.name.as_str());
        }
    }
    Ok(line)
}

async fn view(context: &Context, chat: Option<ChatId>) -> Result<Option<ChatView>, Failure> {
    let Some(chat) = chat else { return Ok(None) };
    Ok(resolve::all_chats(context).await?.into_iter().find(|view| view.chat == chat))
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

/// The line as a person reads it.
pub(crate) fn to_human(line: &Value) -> String {
    let field = |key: &str| line[key].as_str().unwrap_or_default();
    let chat = || show::safe(field("chat"));
    match field("event") {
        "ready" => "Watching; Ctrl-C ends it.".to_owned(),
        "message" => format!("[{}] {}", show::name(field("name")), message::to_human(line)),
        "state" => format!("{}: {} is {}", chat(), field("message"), field("state")),
        "chat" => format!("{} ({}): {}", show::name(field("name")), chat(), field("state")),
        "request" => {
            format!("{} wants to be a contact ({})", show::name(field("name")), field("request"))
        }
        "alarm" => format!("ALARM {}: {}", show::safe(field("code")), show::text(field("text"))),
        "link_failed" => format!("{}: first contact failed: {}", chat(), field("code")),
        kind if field("chat").is_empty() => {
            format!("{}: {}", show::safe(kind), show::text(field("text")))
        }
        kind => format!("{} {}: {}", show::safe(kind), chat(), show::text(field("text"))),
    }
}
