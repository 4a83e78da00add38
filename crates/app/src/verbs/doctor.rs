//! `doctor`: the health of the profile and of the way to its server.

mod groups;
mod new_device;
mod restart;

use crate::{
    Failure, Outcome,
    context::{Context, Timeout},
    show,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use undertone_client::{Patience, clock};
use undertone_core::io::{GroupCare, Health, RecoveryView};

/// How long the server may take when nothing else was said.
const PATIENCE: Duration = Duration::from_secs(10);

/// A clock that is further off makes links expire early or late.
const CLOCK_OFF_S_MAX: i64 = 300;

/// The health of the profile and of the way to its server: exit 0 also when something is wrong,
/// `ok` says which.
#[derive(clap::Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[command(after_help = "Examples:\n  undertone doctor\n  undertone doctor --restart Editors\n  \
                        undertone doctor --restart Editors --without Mallory\n  undertone doctor --new-device")]
pub struct Args {
    /// Begin a group anew that goes on no more: for its owners. Name, roles and members stay, and
    /// the chat goes on.
    #[arg(long, value_name = "CHAT")]
    pub restart: Option<String>,
    /// With `--restart`: a member who does not come along.
    #[arg(long, value_name = "MEMBER", requires = "restart")]
    pub without: Vec<String>,
    /// Become a new device of the same person, after this profile was copied or put back from an
    /// older copy. Contacts are asked by themselves to begin anew; groups come back when a member
    /// lets this device in; links made here end. What had not gone out is shown as failed. Another
    /// copy of the profile must not be used again.
    #[arg(long, conflicts_with = "restart")]
    pub new_device: bool,
    /// The passphrase, for `--new-device`.
    #[arg(skip)]
    #[serde(skip)]
    pub held: new_device::Held,
    /// How long to wait for the server [default: 10].
    #[command(flatten)]
    pub timeout: Timeout,
}

impl Args {
    /// Whether running it twice comes to the same as running it once.
    pub(crate) fn only_looks(&self) -> bool {
        self.restart.is_none() && !self.new_device
    }

    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        if let Some(chat) = &self.restart {
            return restart::run(context, chat, &self.without, self.timeout.bounded()).await;
        }
        if self.new_device {
            return new_device::run(context, &self.held, self.timeout.bounded()).await;
        }
        let patience = Patience::For(self.timeout.timeout.unwrap_or(PATIENCE));
        let reached = context.caught_up(patience).await;
        let damage = context.session.check().await?;
        let health = context.health().await?;
        let groups = groups::cares(context).await?;
        // An alarm is a finding of its own: who raised it was reached.
        let trouble = reached.err().filter(|_| health.halted.is_none()).map(|why| why.message);
        Ok(Report { trouble, damage, health, groups, now_ms: clock::now_ms() }.outcome())
    }
}

struct Report {
    /// Why the server was not reached.
    trouble: Option<String>,
    /// What is wrong with the profile's file.
    damage: Vec<String>,
    health: Health,
    /// Groups about which there is something to do.
    groups: Vec<GroupCare>,
    now_ms: u64,
}

impl Report {
    /// Seconds by which this clock is ahead of the server's newest head; known when connected.
    fn clock_ahead_s(&self) -> Option<i64> {
        let known = self.trouble.is_none() && self.health.server_ms > 0;
        let seconds = |ms: u64| i64::try_from(ms / 1000).unwrap_or(i64::MAX);
        known.then(|| seconds(self.now_ms) - seconds(self.health.server_ms))
    }

    /// A server that was idle has an old head: only a clock that is behind is certain.
    fn clock_is_behind(&self) -> bool {
        self.clock_ahead_s().is_some_and(|ahead| ahead < -CLOCK_OFF_S_MAX)
    }

    /// What is wrong, a sentence each.
    fn findings(&self) -> Vec<String> {
        let health = &self.health;
        let mut findings = Vec::new();
        findings.extend(self.trouble.as_ref().map(|why| format!("server: {why}")));
        findings.extend(self.damage.iter().map(|line| format!("profile: {line}")));
        if let Some((code, text)) = &health.halted {
            findings.push(format!("nothing is sent any more ({code}): {text}"));
        }
        if health.copied {
            findings.push(
                "this profile was copied or put back: nothing is sent with its keys any more. \
                 `undertone doctor --new-device` goes on as a new device; the other copy must not be \
                 used again"
                    .to_owned(),
            );
        }
        if health.server_full {
            findings.push(
                "the server can store nothing, its disk is full or failing: what is queued goes out \
                 by itself once there is room"
                    .to_owned(),
            );
        }
        if self.clock_is_behind() {
            findings.push("this device's clock is behind the server's: set it".to_owned());
        }
        if health.withheld > 0 {
            findings
                .push(format!("the server lists {} cells but does not give them", health.withheld));
        }
        findings.extend(health.stuck.iter().map(|chat| {
            format!(
                "{chat} is stuck: this device cannot follow it and sends nothing there. It has asked \
                 to come back wherever it can: a contact's device answers by itself, to a group \
                 somebody adds you again"
            )
        }));
        findings.extend(self.groups.iter().flat_map(groups::findings));
        findings
    }

    /// What there is to know besides, a line each.
    fn lines(&self) -> Vec<String> {
        let health = &self.health;
        let mut lines = vec![
            format!("version  {}", env!("CARGO_PKG_VERSION")),
            format!("server   {}", if self.trouble.is_none() { "reached" } else { "not reached" }),
            format!("log      followed to tick {}{}", health.tick, self.head_time()),
            format!("clock    {}", self.clock_words()),
            format!(
                "out      {}, {}, {} in all that the server has not decided yet",
                count(health.queued, "message queued", "messages queued"),
                count(health.waiting, "waits for your decision", "wait for your decision"),
                health.unsettled,
            ),
            format!(
                "in       {} being read, {} withheld by the server",
                count(health.reading, "cell", "cells"),
                health.withheld
            ),
            format!("skipped  {}", self.skipped_words()),
        ];
        lines.extend(self.recovery_words().map(|words| format!("restored {words}")));
        let damage = if self.damage.is_empty() { "every page is sound" } else { "damaged" };
        lines.push(format!("profile  {damage}"));
        lines
    }

    /// What became of what the server has lost, if it ever was restored from a backup.
    fn recovery_words(&self) -> Option<String> {
        let RecoveryView { after, put_again, pending, .. } = self.health.recovery?;
        let again = count(put_again, "lost cell", "lost cells");
        Some(format!(
            "the server went on from a backup of tick {after}; {again} put again since the start, \
             {pending} to go"
        ))
    }

    fn head_time(&self) -> String {
        match self.health.server_ms {
            0 => String::new(),
            at_ms => format!(", of {}", show::rfc3339(at_ms)),
        }
    }

    fn clock_words(&self) -> String {
        match self.clock_ahead_s() {
            None => "not compared: the server was not reached".to_owned(),
            Some(ahead) if ahead < 0 => format!("{} s behind the server's", -ahead),
            Some(ahead) => {
                format!("{ahead} s after the newest entry of the log, which may be old itself")
            }
        }
    }

    /// Cells that did not count. Strangers can write such cells to any address that they know, and
    /// a few are no finding.
    fn skipped_words(&self) -> String {
        let skipped = &self.health.skipped;
        if skipped.is_empty() {
            return "no cell since the start".to_owned();
        }
        let total: u64 = skipped.values().sum();
        let each = skipped.iter().map(|(check, count)| format!("{count} by check {check}"));
        let each = each.collect::<Vec<_>>().join(", ");
        format!("{total} cells since the start, which count for nobody: {each}")
    }

    fn outcome(&self) -> Outcome {
        let findings = self.findings();
        let mut lines = self.lines();
        lines.extend(findings.iter().map(|finding| format!("! {}", show::safe(finding))));
        if findings.is_empty() {
            lines.push("all is well".to_owned());
        }
        Outcome::new(self.to_json(&findings), lines.join("\n"))
    }

    fn to_json(&self, findings: &[String]) -> Value {
        let health = &self.health;
        let stuck: Vec<_> = health.stuck.iter().map(ToString::to_string).collect();
        json!({
            "ok": findings.is_empty(),
            "findings": findings,
            "version": env!("CARGO_PKG_VERSION"),
            "server": {
                "reached": self.trouble.is_none(),
                "why": self.trouble,
                "tick": health.tick,
                "time": show::rfc3339(health.server_ms),
            },
            "clock": { "now": show::rfc3339(self.now_ms), "ahead_s": self.clock_ahead_s() },
            "profile": { "damage": self.damage },
            "queued": health.queued,
            "waiting": health.waiting,
            "unsettled": health.unsettled,
            "reading": health.reading,
            "withheld": health.withheld,
            "skipped": health.skipped,
            "stuck": stuck,
            "recovery": health.recovery.map(|it| json!({
                "after": it.after,
                "until": it.until,
                "put_again": it.put_again,
                "pending": it.pending,
            })),
            "groups": self.groups.iter().map(groups::to_json).collect::<Vec<_>>(),
            "server_full": health.server_full,
            "copied": health.copied,
            "halted": health.halted.as_ref().map(|(code, text)| json!({ "code": code, "text": text })),
        })
    }
}

fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_core::ChatId;

    fn well() -> Report {
        let health = Health {
            connected: true,
            tick: 7,
            server_ms: 1_000_000,
            queued: 0,
            waiting: 0,
            unsettled: 0,
            reading: 0,
            withheld: 0,
            skipped: std::collections::BTreeMap::new(),
            stuck: Vec::new(),
            server_full: false,
            halted: None,
            copied: false,
            recovery: None,
        };
        Report { trouble: None, damage: Vec::new(), health, groups: Vec::new(), now_ms: 1_000_000 }
    }

    #[test]
    fn a_healthy_profile_has_no_findings() {
        let outcome = well().outcome();
        assert_eq!(outcome.json["ok"], true);
        assert!(outcome.human.ends_with("all is well"));
    }

    #[test]
    fn a_restored_server_is_shown_and_no_finding() {
        let mut report = well();
        report.health.recovery =
            Some(RecoveryView { after: 7, until: 1_000_000, put_again: 1, pending: 2 });
        let outcome = report.outcome();
        assert_eq!(outcome.json["ok"], true);
        assert_eq!(outcome.json["recovery"]["pending"], 2);
        assert!(outcome.human.contains("backup of tick 7; 1 lost cell put again"));
    }

    #[test]
    fn each_trouble_is_a_finding() {
        let mut report = well();
        report.trouble = Some("gone".to_owned());
        report.health.server_full = true;
        report.damage = vec!["page 7".to_owned()];
        report.health.withheld = 2;
        report.health.stuck = vec![ChatId([1; 16])];
        report.health.halted = Some(("split_view".to_owned(), "two logs".to_owned()));
        report.health.copied = true;
        assert_eq!(report.findings().len(), 7);
        assert_eq!(report.outcome().json["ok"], false);
    }

    #[test]
    fn a_clock_behind_the_server_is_certain_and_one_ahead_is_not() {
        let day_ms = 86_400_000;
        let behind = Report { now_ms: 0, ..well() };
        let behind = Report { health: Health { server_ms: day_ms, ..behind.health }, ..behind };
        assert_eq!(behind.clock_ahead_s(), Some(-86_400));
        assert_eq!(behind.findings().len(), 1);
        assert_eq!(Report { now_ms: day_ms, ..well() }.findings().len(), 0);
    }

    #[test]
    fn all_of_the_health_is_told_in_words() {
        let mut report = well();
        report.now_ms = 4_000_000;
        report.health.queued = 1;
        report.health.waiting = 2;
        report.health.unsettled = 6;
        report.health.reading = 4;
        report.health.withheld = 5;
        report.health.skipped = [("C07", 2), ("L01", 3)].into();
        report.health.stuck = vec![ChatId([1; 16])];
        report.health.halted = Some(("split_view".to_owned(), "two logs".to_owned()));
        let human = report.outcome().human;
        for words in [
            "followed to tick 7, of 1970-01-01T00:16:40",
            "3000 s after the newest entry",
            "1 message queued, 2 wait for your decision, 6 in all",
            "4 cells being read, 5 withheld",
            "5 cells since the start, which count for nobody: 2 by check C07, 3 by check L01",
            "! nothing is sent any more (split_view): two logs",
            "is stuck: this device cannot follow it",
        ] {
            assert!(human.contains(words), "{words:?} in\n{human}");
        }
        let away = Report { trouble: Some("gone".to_owned()), ..well() };
        assert!(away.outcome().human.contains("clock    not compared"));
        let behind = Report { now_ms: 10_000, ..well() };
        assert!(behind.outcome().human.contains("clock    990 s behind the server's"));
    }
}
