//! `send`: a text to a conversation.

use crate::{
    Exit, Failure, Outcome,
    context::{Context, Timeout},
    later, resolve,
};
use rand::{TryRngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{io::Read, path::PathBuf};
use undertone_client::message_state_word;
use undertone_core::{
    ChatId, MessageId, TEXT_BYTES_MAX,
    io::{Command, MessageState, Reply},
};

/// Send a text; waits until the server holds it.
///
/// What cannot go out now is queued: it goes out by itself, in order, exactly once, in whichever
/// command is online next.
#[derive(clap::Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[command(after_help = "Examples:\n  undertone send Ben 'See you at nine'\n  \
                        date | undertone send Ben -\n  undertone send Ben 'Once' --id job-17")]
pub struct Args {
    /// The conversation: a name, an id, or a unique beginning of an id.
    pub chat: String,
    /// What to send; `-` reads it from standard input.
    pub text: Option<String>,
    /// Send a file; not in this release.
    #[arg(long, value_name = "PATH")]
    pub file: Vec<PathBuf>,
    /// Answer a message; not in this release.
    #[arg(long, value_name = "MSG")]
    pub reply: Option<String>,
    /// Let the message vanish; not in this release.
    #[arg(long, value_name = "1h")]
    pub timer: Option<String>,
    /// Return as soon as the message is queued on disk.
    #[arg(long)]
    pub no_wait: bool,
    /// Your own key for this message: the same key again sends nothing twice.
    #[arg(long, value_name = "KEY")]
    pub id: Option<String>,
    /// Send although people have joined since it was written; with `--id` alone, release a message
    /// that waits for that.
    #[arg(long)]
    pub anyway: bool,
    /// How long to wait for the server.
    #[command(flatten)]
    pub timeout: Timeout,
}

impl Args {
    /// Reads standard input, where the caller's is; checks what needs no profile.
    pub(crate) fn prepare(&mut self) -> Result<(), Failure> {
        if !self.file.is_empty() {
            return Err(later::not_yet("--file"));
        }
        if self.reply.is_some() {
            return Err(later::not_yet("--reply"));
        }
        if self.timer.is_some() {
            return Err(later::not_yet("--timer"));
        }
        if self.text.as_deref() == Some("-") {
            self.text = Some(read_text(std::io::stdin().lock())?);
        }
        self.check()?;
        // Here and not where the profile is: when that process dies, the caller has the key by
        // which the message can be named, and asked for again without being sent twice.
        if self.id.is_none() {
            self.id = Some(fresh_key()?);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Failure> {
        let releases = self.anyway && self.id.is_some();
        match self.text.as_deref() {
            None if releases => Ok(()),
            None => Err(Failure::usage(
                "there is no text",
                "give it as an argument, or `-` to read standard input",
            )),
            Some(text) => check_text(text),
        }
    }

    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        self.check()?;
        let chat = resolve::chat(context, &self.chat).await?;
        let key = match &self.id {
            Some(key) => key.clone(),
            None => fresh_key()?,
        };
        let text = self.text.clone().unwrap_or_default();
        let command =
            Command::Send { chat: chat.chat, text, key: Some(key.clone()), anyway: self.anyway };
        let Reply::Message { message, state } = context.ask(command).await? else {
            return Err(Failure::bug("no message came"));
        };
        let state = match self.no_wait {
            true => Ok(state),
            false => self.settled(context, chat.chat, message).await,
        };
        match state {
            Ok(MessageState::Waiting) => Err(waits(message, &key, &self.chat)),
            Ok(state) => Ok(outcome(message, state)),
            Err(failure) => Err(failure
                .with("message", message.to_string())
                .with("state", "queued")
                .with("id", key)),
        }
    }

    /// The state once it does not change by itself any more.
    async fn settled(
        &self,
        context: &Context,
        chat: ChatId,
        message: MessageId,
    ) -> Result<MessageState, Failure> {
        context
            .wait_to_go_out(self.timeout.patience(), |context| async move {
                // Asked before the row is read: what was decided by then stands in it.
                let held = context.waits_for_others(chat).await?;
                let rows = context.session.message(message).await?;
                let own = rows.into_iter().find(|listed| listed.row.own);
                let state = own.map(|listed| listed.row.state);
                match state {
                    // Nothing is under way, and still it is queued: the other side is not back yet.
                    Some(MessageState::Queued) if held => Ok(Some(MessageState::Queued)),
                    None | Some(MessageState::Queued) => Ok(None),
                    Some(MessageState::Failed) => Err(ended()),
                    Some(state) => Ok(Some(state)),
                }
            })
            .await
    }
}

fn check_text(text: &str) -> Result<(), Failure> {
    if text.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "empty",
            "the text is empty",
            "write something, or `-` to read it from standard input",
        ));
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(too_long(text.len()));
    }
    Ok(())
}

fn too_long(bytes: usize) -> Failure {
    let message = format!("the text has {bytes} bytes; a message takes up to {TEXT_BYTES_MAX}");
    Failure::new(Exit::Usage, "too_long", message, "send it as a file (in a later release)")
}

/// One byte more than fits is enough to know. A last line's end is left off, as the shell does.
fn read_text(input: impl Read) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let limit = TEXT_BYTES_MAX as u64 + 2;
    let read = input.take(limit).read_to_end(&mut bytes);
    read.map_err(|error| {
        Failure::usage(
            format!("standard input cannot be read: {error}"),
            "write the text on the command line instead",
        )
    })?;
    if bytes.len() as u64 == limit {
        return Err(Failure::new(
            Exit::Usage,
            "too_long",
            format!("the text has more than {TEXT_BYTES_MAX} bytes"),
            "send it as a file (in a later release)",
        ));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage("the text is not UTF-8", "send it as a file"))?;
    Ok(text.strip_suffix('\n').map_or(text.clone(), str::to_owned))
}

fn fresh_key() -> Result<String, Failure> {
    let mut bytes = [0; 8];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Failure::bug(&format!("no randomness: {error}")))?;
    Ok(format!("cli-{}", hex::encode(bytes)))
}

fn outcome(message: MessageId, state: MessageState) -> Outcome {
    let word = message_state_word(state);
    let human = match state {
        MessageState::Queued => format!("queued ({message}); it goes out by itself"),
        _ => format!("{word} ({message})"),
    };
    Outcome::new(json!({ "message": message.to_string(), "state": word }), human)
}

fn waits(message: MessageId, key: &str, chat: &str) -> Failure {
    Failure::new(
        Exit::Refused,
        "roster_changed",
        "people have joined since this was written; it waits and was not sent",
        format!("`undertone send '{chat}' --id {key} --anyway` sends it to all who are in now"),
    )
    .with("message", message.to_string())
    .with("state", "waiting")
    .with("id", key)
}

fn ended() -> Failure {
    Failure::new(
        Exit::Refused,
        "ended",
        "the conversation has ended; the message was not sent",
        "`undertone chats` shows which conversations are open",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_bounded_and_loses_its_last_line_end() {
        assert_eq!(read_text(&b"one\ntwo\n"[..]).unwrap(), "one\ntwo");
        assert_eq!(read_text(&b"one"[..]).unwrap(), "one");
        assert_eq!(read_text(&b"\xff"[..]).unwrap_err().exit, Exit::Usage);
        let full = "x".repeat(TEXT_BYTES_MAX);
        assert_eq!(read_text(full.as_bytes()).unwrap(), full);
        assert_eq!(read_text(format!("{full}\n").as_bytes()).unwrap(), full);
        assert_eq!(read_text(std::io::repeat(b'x')).unwrap_err().code, "too_long");
    }

    #[test]
    fn texts_of_the_wrong_length_are_refused() {
        assert_eq!(check_text("").unwrap_err().code, "empty");
        let failure = check_text(&"x".repeat(TEXT_BYTES_MAX + 1)).unwrap_err();
        assert_eq!((failure.exit, failure.code.as_str()), (Exit::Usage, "too_long"));
        assert!(failure.hint.contains("file"));
        check_text(&"x".repeat(TEXT_BYTES_MAX)).unwrap();
    }
}
