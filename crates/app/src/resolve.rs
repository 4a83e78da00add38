//! CHAT, MEMBER and MSG: from what somebody types to what it means.
//!
//! An id begins with a mark that no name begins with (`#` a conversation, `@` a person, `%` a
//! message), so neither is ever taken for the other. A unique beginning of an id is enough; a name
//! must be exact. What fits more than one is refused, with the candidates.

use crate::{Exit, Failure, context::Context};
use serde_json::{Value, json};
use undertone_client::{Patience, kind_word};
use undertone_core::{
    MessageId,
    io::{ChatKind, ChatView, Command, MemberView, Reply},
};
use undertone_crypto::IdentityKey;

/// A person's id as it is shown and typed.
pub(crate) fn person_id(identity: &IdentityKey) -> String {
    format!("@{identity}")
}

/// All conversations.
pub(crate) async fn all_chats(context: &Context) -> Result<Vec<ChatView>, Failure> {
    match context.ask(Command::Chats).await? {
        Reply::Chats(chats) => Ok(chats),
        _ => Err(Failure::bug("no list of conversations came")),
    }
}

/// The conversation that `text` means. One that is not known may be one to which this person has
/// just been added: then what there is for this device is read first.
pub(crate) async fn chat(context: &Context, text: &str) -> Result<ChatView, Failure> {
    match chat_among(all_chats(context).await?, text) {
        Err(failure) if is_unknown(&failure) && context.is_online() => {
            chat_in_the_news(context, text, failure).await
        }
        found => found,
    }
}

/// Looks again until everything that is listed for this device has been read.
async fn chat_in_the_news(
    context: &Context,
    text: &str,
    unknown: Failure,
) -> Result<ChatView, Failure> {
    let patience = Patience::WhileReachable(Some(context.news_time));
    let found = context.wait(patience, |context| async move {
        // Before the list: what is read between the two stands in it.
        let is_last_look = context.is_up_to_date().await?;
        match chat_among(all_chats(&context).await?, text) {
            Err(failure) if is_unknown(&failure) && !is_last_look => Ok(None),
            found => found.map(Some),
        }
    });
    found.await.map_err(|failure| match failure.exit {
        Exit::Unreachable | Exit::TimedOut => Failure { hint: NO_NEWS.to_owned(), ..unknown },
        _ => failure,
    })
}

const NO_NEWS: &str = "the server could not be asked for news: if you were added just now, try \
                       again; names must be exact";

fn is_unknown(failure: &Failure) -> bool {
    failure.code == "not_found"
}

/// Everybody in a conversation.
pub(crate) async fn members(
    context: &Context,
    chat: &ChatView,
) -> Result<Vec<MemberView>, Failure> {
    match context.ask(Command::Members { chat: chat.chat }).await? {
        Reply::Members(members) => Ok(members),
        _ => Err(Failure::bug("no list of members came")),
    }
}

/// The contacts that `texts` mean, to be invited to a group.
pub(crate) async fn contacts(
    context: &Context,
    texts: &[String],
) -> Result<Vec<IdentityKey>, Failure> {
    let chats = all_chats(context).await?;
    texts.iter().map(|text| contact_among(&chats, text)).collect()
}

/// The members that `texts` mean.
pub(crate) async fn group_members(
    context: &Context,
    group: &ChatView,
    texts: &[String],
) -> Result<Vec<IdentityKey>, Failure> {
    let (members, chats) = (members(context, group).await?, all_chats(context).await?);
    texts.iter().map(|text| member_among(&members, &chats, text)).collect()
}

/// The message that `text` names.
pub(crate) fn message(text: &str) -> Result<MessageId, Failure> {
    let mut id = [0; 16];
    let digits = text.strip_prefix('%').unwrap_or_default();
    match hex::decode_to_slice(digits, &mut id) {
        Ok(()) => Ok(MessageId(id)),
        Err(_) => Err(Failure::usage(
            "a message is named by its id, % and 32 hexadecimal digits",
            "`undertone read CHAT` shows the ids",
        )),
    }
}

fn chat_among(chats: Vec<ChatView>, text: &str) -> Result<ChatView, Failure> {
    let fits = |chat: &ChatView| match text.strip_prefix('#') {
        Some(digits) => !digits.is_empty() && chat.chat.to_string()[1..].starts_with(digits),
        None => chat.name.as_str() == text,
    };
    let mut found: Vec<_> = chats.into_iter().filter(fits).collect();
    // A name that was given or confirmed here goes before one that somebody gives themselves.
    if found.iter().filter(|chat| chat.named_here).count() == 1 {
        found.retain(|chat| chat.named_here);
    }
    one("conversation", text, found, chat_candidate)
}

fn contact_among(chats: &[ChatView], text: &str) -> Result<IdentityKey, Failure> {
    let contacts = chats.iter().filter(|chat| chat.kind == ChatKind::Contact);
    let contacts = contacts.filter_map(|chat| Some((chat.contact?, chat)));
    let fits = |(identity, chat): &(IdentityKey, &ChatView)| match text.chars().next() {
        Some('@') => is_prefix(text, &person_id(identity)),
        Some('#') => is_prefix(text, &chat.chat.to_string()),
        _ => chat.name.as_str() == text,
    };
    let mut found: Vec<_> = contacts.filter(fits).collect();
    // Two conversations with one person are still one person.
    found.dedup_by_key(|(identity, _)| *identity);
    one("contact", text, found, |(_, chat)| chat_candidate(chat)).map(|(identity, _)| identity)
}

fn member_among(
    members: &[MemberView],
    chats: &[ChatView],
    text: &str,
) -> Result<IdentityKey, Failure> {
    if text.starts_with('#') {
        let identity = contact_among(chats, text)?;
        let is_member = members.iter().any(|member| member.identity == identity);
        return if is_member { Ok(identity) } else { Err(unknown("member", text)) };
    }
    let fits = |member: &&MemberView| match text.starts_with('@') {
        true => is_prefix(text, &person_id(&member.identity)),
        false => member.name.as_str() == text,
    };
    let found: Vec<_> = members.iter().filter(fits).collect();
    one("member", text, found, member_candidate).map(|member| member.identity)
}

/// Whether `text` is a beginning of `id` that is more than its mark.
fn is_prefix(text: &str, id: &str) -> bool {
    text.len() > 1 && id.starts_with(text)
}

fn one<T>(
    what: &str,
    text: &str,
    mut found: Vec<T>,
    candidate: impl Fn(&T) -> Value,
) -> Result<T, Failure> {
    match found.len() {
        0 => Err(unknown(what, text)),
        1 => Ok(found.remove(0)),
        _ => Err(ambiguous(what, text, found.iter().map(candidate).collect())),
    }
}

fn unknown(what: &str, text: &str) -> Failure {
    Failure::new(
        Exit::NotFound,
        "not_found",
        format!("there is no {what} {text}"),
        "`undertone chats` lists what there is; names must be exact",
    )
}

fn ambiguous(what: &str, text: &str, candidates: Vec<Value>) -> Failure {
    let ids: Vec<_> = candidates.iter().filter_map(|one| one["id"].as_str()).collect();
    let hint = format!("name it by its id: {}", ids.join(" or "));
    let message = format!("{text} fits more than one {what}");
    Failure::new(Exit::NotFound, "ambiguous", message, hint).with("candidates", candidates)
}

fn chat_candidate(chat: &ChatView) -> Value {
    json!({ "id": chat.chat.to_string(), "name": chat.name.as_str(), "kind": kind_word(chat.kind) })
}

fn member_candidate(member: &&MemberView) -> Value {
    json!({ "id": person_id(&member.identity), "name": member.name.as_str() })
}

#[cfg(test)]
mod tests;
