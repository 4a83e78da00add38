//! Events as they are kept and given to programs.
//!
//! What is kept names messages and does not repeat their texts: an erased message leaves no copy
//! in the list of events.

use serde::{Deserialize, Serialize};
use undertone_core::io::{ChatKind, ChatState, Event, MessageState};
use undertone_store::{EventRow, NewEvent};

/// The JSON of an event, in the words of the interface; the driver adds `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of `undertone_core::io::Event`")]
pub enum EventBody {
    /// A message can be read.
    Message { chat: String, message: String },
    /// A message has another state.
    State { chat: String, message: String, state: String },
    /// A conversation appeared or changed.
    Chat { chat: String, name: String, kind: String, state: String },
    /// A stranger waits.
    Request { request: String, name: String },
    /// Membership changed.
    Member { chat: String, text: String },
    /// Something is missing.
    Gap { chat: String, text: String },
    /// Somebody does what must not be.
    Alarm { code: String, text: String },
    /// A conversation cannot be followed.
    Stuck { chat: String, text: String },
    /// First contact failed for good.
    LinkFailed { chat: String, code: String },
}

/// The row that keeps `event`; none for what only matters while it happens.
pub(crate) fn to_row(event: &Event) -> Option<NewEvent> {
    let announces = match event {
        Event::Message(row) => Some(*row),
        _ => None,
    };
    Some(NewEvent { row: row_of(event)?, announces })
}

fn row_of(event: &Event) -> Option<EventRow> {
    let (chat, body) = match event {
        Event::Message(row) => {
            let (chat, message) = (row.chat.to_string(), row.message.to_string());
            (Some(row.chat), EventBody::Message { chat, message })
        }
        Event::State { chat, message, state } => {
            let state = message_state_word(*state).to_owned();
            let (name, message) = (chat.to_string(), message.to_string());
            (Some(*chat), EventBody::State { chat: name, message, state })
        }
        Event::Chat(view) => {
            let body = EventBody::Chat {
                chat: view.chat.to_string(),
                name: view.name.to_string(),
                kind: kind_word(view.kind).to_owned(),
                state: chat_state_word(view.state).to_owned(),
            };
            (Some(view.chat), body)
        }
        Event::Request(view) => {
            let body =
                EventBody::Request { request: view.id.to_string(), name: view.name.to_string() };
            (Some(view.id), body)
        }
        Event::Member { chat, text } => {
            (Some(*chat), EventBody::Member { chat: chat.to_string(), text: text.clone() })
        }
        Event::Gap { chat, text } => {
            (Some(*chat), EventBody::Gap { chat: chat.to_string(), text: text.clone() })
        }
        Event::Stuck { chat, text } => {
            (Some(*chat), EventBody::Stuck { chat: chat.to_string(), text: text.clone() })
        }
        Event::Alarm { code, text } => {
            (None, EventBody::Alarm { code: code.clone(), text: text.clone() })
        }
        Event::LinkFailed { chat, code } => {
            let body = EventBody::LinkFailed { chat: chat.to_string(), code: (*code).to_owned() };
            (Some(*chat), body)
        }
        Event::CaughtUp { .. } => return None,
    };
    let body = serde_json::to_string(&body).expect("strings serialise");
    Some(EventRow { chat, body })
}

/// The state's word in the interface.
pub fn message_state_word(state: MessageState) -> &'static str {
    match state {
        MessageState::Queued => "queued",
        MessageState::Waiting => "waiting",
        MessageState::Stored => "stored",
        MessageState::Failed => "failed",
        MessageState::Received => "received",
    }
}

/// The kind's word in the interface.
pub fn kind_word(kind: ChatKind) -> &'static str {
    match kind {
        ChatKind::Contact => "contact",
        ChatKind::Group => "group",
    }
}

/// The state's word in the interface.
pub fn chat_state_word(state: ChatState) -> &'static str {
    match state {
        ChatState::Requested => "requested",
        ChatState::Open => "open",
        ChatState::Stuck => "stuck",
        ChatState::Ended => "ended",
    }
}
