//! Who is in a conversation, and in which role.

use crate::{Failure, Outcome, context::Context, resolve, show};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use undertone_core::io::{MemberView, Role};

/// A role's word.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleWord {
    /// Also gives roles.
    Owner,
    /// Also adds, removes and renames.
    Admin,
    /// Writes.
    Member,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Owner => Self::Owner,
            RoleWord::Admin => Self::Admin,
            RoleWord::Member => Self::Member,
        }
    }
}

pub(super) async fn list(context: &Context, chat: &str) -> Result<Outcome, Failure> {
    let chat = resolve::chat(context, chat).await?;
    let members = resolve::members(context, &chat).await?;
    let human: Vec<_> = members.iter().map(line).collect();
    let json: Vec<_> = members.iter().map(to_json).collect();
    let json = json!({ "chat": chat.chat.to_string(), "members": json });
    Ok(Outcome::new(json, human.join("\n")))
}

fn line(member: &MemberView) -> String {
    let own = if member.own { " (you)" } else { "" };
    let joined = invited_words(member);
    let name = show::name(member.name.as_str());
    format!("{name}{own}, {}{joined}  {}", role_word(member.role), short(member))
}

/// Of whom has not come in yet: since when.
fn invited_words(member: &MemberView) -> String {
    match (member.joined, member.invited_since_ms) {
        (true, _) => String::new(),
        (false, None) => ", invited".to_owned(),
        (false, Some(since_ms)) => format!(", invited since {}", show::rfc3339(since_ms)),
    }
}

/// Enough of the fingerprint to tell people apart by.
fn short(member: &MemberView) -> String {
    resolve::person_id(&member.identity).chars().take(17).collect()
}

fn to_json(member: &MemberView) -> Value {
    let invited_since = member.invited_since_ms.filter(|_| !member.joined).map(show::rfc3339);
    json!({
        "member": resolve::person_id(&member.identity),
        "name": member.name.as_str(),
        "role": role_word(member.role),
        "state": if member.joined { "joined" } else { "invited" },
        "invited_since": invited_since,
        "own": member.own,
    })
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Member => "member",
    }
}
