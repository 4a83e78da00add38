//! What there is to do about groups, with the command that does it.

use crate::{Failure, context::Context, show};
use serde_json::{Value, json};
use undertone_core::io::{Command, GroupCare, Reply, Standstill};

/// The groups about which there is something to do.
pub(super) async fn cares(context: &Context) -> Result<Vec<GroupCare>, Failure> {
    match context.ask(Command::GroupCares).await? {
        Reply::GroupCares(cares) => Ok(cares),
        _ => Err(Failure::bug("no groups came")),
    }
}

/// What is wrong with a group, a sentence each, with the way on.
pub(super) fn findings(care: &GroupCare) -> Vec<String> {
    let GroupCare { chat, name, .. } = care;
    let group = format!("{} ({chat})", show::name(name.as_str()));
    let standstill = care.restart.map(|why| {
        let why = match why {
            Standstill::Stuck => "cannot be followed",
            Standstill::Squatted => "is kept from changing: somebody fills its control slots",
        };
        format!(
            "{group} {why}. You are an owner: `undertone doctor --restart {chat}` begins it anew \
             with its members; `--without MEMBER` leaves somebody out"
        )
    });
    let overdue = care.overdue.iter().map(|(member, since_ms)| {
        format!(
            "{} was invited to {group} on {} and has not come in: `undertone group add {chat} \
             MEMBER` invites them anew",
            show::name(member.as_str()),
            show::rfc3339(*since_ms),
        )
    });
    let silent = care.silent.iter().map(|member| {
        format!(
            "nothing was heard of {} in {group} for 90 days: a device that may takes them out \
             within a day",
            show::name(member.as_str()),
        )
    });
    let asking = care.asking.iter().map(|member| {
        format!(
            "the device of {} has lost {group} and asks to come back: `undertone group add {chat} \
             MEMBER` lets it in",
            show::name(member.as_str()),
        )
    });
    standstill.into_iter().chain(overdue).chain(silent).chain(asking).collect()
}

/// The same for programs.
pub(super) fn to_json(care: &GroupCare) -> Value {
    let overdue = care.overdue.iter().map(
        |(name, since_ms)| json!({ "name": name.as_str(), "invited_since": show::rfc3339(*since_ms) }),
    );
    json!({
        "chat": care.chat.to_string(),
        "name": care.name.as_str(),
        "restart": care.restart.map(standstill_word),
        "overdue": overdue.collect::<Vec<_>>(),
        "silent": care.silent.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        "asking": care.asking.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
    })
}

fn standstill_word(why: Standstill) -> &'static str {
    match why {
        Standstill::Stuck => "stuck",
        Standstill::Squatted => "squatted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_core::{ChatId, Name};

    #[test]
    fn each_trouble_is_told_with_its_command() {
        let name = |name| Name::parse(name).expect("a name");
        let care = GroupCare {
            chat: ChatId([1; 16]),
            name: name("Desk"),
            restart: Some(Standstill::Squatted),
            overdue: vec![(name("Zoe"), 0)],
            silent: vec![name("Ben")],
            asking: vec![name("Chloe")],
        };
        let told = findings(&care).join("\n");
        for words in [
            "undertone doctor --restart #0101",
            "Zoe was invited to Desk (#0101",
            "on 1970-01-01T00:00:00",
            "undertone group add #0101",
            "nothing was heard of Ben",
            "the device of Chloe has lost Desk",
        ] {
            assert!(told.contains(words), "{words:?} in\n{told}");
        }
        let json = to_json(&care);
        assert_eq!((&json["restart"], &json["silent"][0]), (&json!("squatted"), &json!("Ben")));
        assert_eq!(
            findings(&GroupCare {
                restart: None,
                overdue: vec![],
                silent: vec![],
                asking: vec![],
                ..care
            })
            .len(),
            0
        );
    }
}
