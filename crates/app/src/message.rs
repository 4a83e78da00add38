//! Messages as they are shown and given to programs.

use crate::{Failure, context::Context, resolve, show};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use undertone_client::message_state_word;
use undertone_core::io::{ChatView, Command, HistoryRow, Reply};
use undertone_crypto::IdentityKey;
use undertone_store::Listed;

/// The names of a conversation's people.
pub(crate) struct Names(BTreeMap<IdentityKey, String>);

impl Names {
    /// Those who are or were in `chat`, and all contacts.
    pub(crate) async fn of(context: &Context, chat: &ChatView) -> Result<Self, Failure> {
        let mut names = BTreeMap::new();
        for contact in resolve::all_chats(context).await? {
            names.extend(contact.contact.map(|identity| (identity, contact.name.to_string())));
        }
        let Reply::Names(told) = context.ask(Command::Names { chat: chat.chat }).await? else {
            return Err(Failure::bug("no names came"));
        };
        names.extend(told.iter().map(|(identity, name)| (*identity, name.to_string())));
        Ok(Self(names))
    }

    /// The name, else the beginning of the fingerprint.
    fn of_author(&self, row: &HistoryRow) -> String {
        self.0.get(&row.from).cloned().unwrap_or_else(|| {
            let id = resolve::person_id(&row.from);
            id.chars().take(17).collect()
        })
    }
}

/// The object of the interface. What this release has none of is empty.
pub(crate) fn to_json(names: &Names, listed: &Listed) -> Value {
    let row = &listed.row;
    json!({
        "message": row.message.to_string(),
        "from": names.of_author(row),
        "identity": resolve::person_id(&row.from),
        "own": row.own,
        "text": row.text,
        "sent": show::rfc3339(row.sent_ms),
        "stored": row.stored_ms.map(show::rfc3339),
        "state": message_state_word(row.state),
        "unread": !listed.read,
        "reply_to": null,
        "edited": false,
        "deleted": false,
        "files": [],
        "reactions": [],
        "expires": null,
    })
}

/// The lines for people, from the object above.
pub(crate) fn to_human(message: &Value) -> String {
    let field = |key: &str| message[key].as_str().unwrap_or_default();
    let time = message["stored"].as_str().unwrap_or(field("sent"));
    let minute = time.get(..16).unwrap_or(time).replace('T', " ");
    let name = if message["own"] == true { "you".to_owned() } else { show::name(field("from")) };
    let state = match field("state") {
        "received" | "stored" => String::new(),
        state => format!(" ({state})"),
    };
    format!("{minute}  {name}{state}: {}", show::text(field("text")))
}
