//! `doctor --restart`: an owner begins a group anew.

use crate::{Failure, Outcome, context::Context, resolve, show};
use serde_json::{Value, json};
use undertone_client::Patience;
use undertone_core::io::{Command, LeftBehind, Reply};

pub(super) async fn run(
    context: &Context,
    chat: &str,
    without: &[String],
    patience: Patience,
) -> Result<Outcome, Failure> {
    let chat = resolve::chat(context, chat).await?;
    let without = match without {
        [] => Vec::new(),
        named => resolve::group_members(context, &chat, named).await?,
    };
    // What others have said and changed until now goes first.
    context.refreshed(patience).await?;
    let command = Command::Restart { chat: chat.chat, without };
    let with_id = |failure: Failure| failure.with("chat", chat.chat.to_string());
    let Reply::Restarted { chat: view, left } =
        context.ask_with(patience, command).await.map_err(with_id)?
    else {
        return Err(Failure::bug("no group came"));
    };
    let left_json: Vec<_> = left.iter().map(to_json).collect();
    context
        .settled(patience)
        .await
        .map_err(|failure| with_id(failure).with("left", left_json.clone()))?;
    let json = json!({
        "chat": view.chat.to_string(),
        "name": view.name.as_str(),
        "left": left_json,
    });
    let head = format!("{} ({}) was begun anew", show::name(view.name.as_str()), view.chat);
    let lines: Vec<_> = std::iter::once(head).chain(left.iter().map(line)).collect();
    Ok(Outcome::new(json, lines.join("\n")))
}

fn line(left: &LeftBehind) -> String {
    format!("! {} could not be taken along: {}", show::name(left.name.as_str()), left.why)
}

fn to_json(left: &LeftBehind) -> Value {
    json!({
        "member": resolve::person_id(&left.identity),
        "name": left.name.as_str(),
        "why": left.why,
    })
}
