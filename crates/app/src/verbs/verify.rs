//! `verify`: the safety number.

use crate::{Exit, Failure, Outcome, context::Context, resolve, show};
use serde::{Deserialize, Serialize};
use serde_json::json;
use undertone_core::{
    ChatId,
    io::{Command, Reply},
};

/// Compare the safety number with a contact, by voice or in person: it is the same on both sides
/// unless somebody sits between you.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[command(after_help = "Examples:\n  undertone verify Ben\n  undertone verify Ben --confirm")]
pub struct Args {
    /// The contact.
    pub chat: String,
    /// The number that the other side sees; marks the contact if it is the same.
    #[arg(long, value_name = "CODE", conflicts_with = "confirm")]
    pub code: Option<String>,
    /// The numbers have been compared: mark the contact as verified.
    #[arg(long)]
    pub confirm: bool,
}

impl Args {
    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let chat = resolve::chat(context, &self.chat).await?;
        let (mut code, mut verified) = safety(context, chat.chat, self.confirm).await?;
        if let Some(theirs) = &self.code {
            if digits(theirs) != digits(&code) {
                return Err(differs(&code));
            }
            (code, verified) = safety(context, chat.chat, true).await?;
        }
        let word = if verified { "verified" } else { "not verified" };
        let human = format!("{code}\n{}: {word}", show::name(chat.name.as_str()));
        Ok(Outcome::new(json!({ "code": code, "verified": verified }), human))
    }
}

async fn safety(context: &Context, chat: ChatId, confirm: bool) -> Result<(String, bool), Failure> {
    match context.ask(Command::Verify { chat, confirm }).await? {
        Reply::Safety { code, verified } => Ok((code, verified)),
        _ => Err(Failure::bug("no safety number came")),
    }
}

/// How a number was spaced when it was read out does not matter.
fn digits(code: &str) -> String {
    code.chars().filter(char::is_ascii_digit).collect()
}

fn differs(code: &str) -> Failure {
    Failure::new(
        Exit::Refused,
        "code_differs",
        "the numbers differ: do not trust this contact yet",
        "compare again; if they still differ, somebody may sit between you: make a new link",
    )
    .with("code", code)
}

#[cfg(test)]
mod tests {
    #[test]
    fn spacing_does_not_matter() {
        assert_eq!(super::digits("12345 67890-1"), super::digits("12345678901"));
        assert_ne!(super::digits("12345"), super::digits("12354"));
    }
}
