//! `doctor`: the health of the profile and of the way to its server.

use crate::{
    Failure, Outcome,
    context::{Context, Timeout},
    show,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use undertone_client::{Patience, Unfinished, clock};
use undertone_core::io::Health;

/// How long the server may take when nothing else was said.
const PATIENCE: Duration = Duration::from_secs(10);

/// A clock that is further off makes links expire early or late.
const CLOCK_OFF_S_MAX: i64 = 300;

/// The health of the profile and of the way to its server: exit 0 also when something is wrong,
/// `ok` says which.
#[derive(clap::Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[command(after_help = "Example:\n  undertone doctor")]
pub struct Args {
    /// How long to wait for the server [default: 10].
    #[command(flatten)]
    pub timeout: Timeout,
}

impl Args {
    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let patience = Patience::For(self.timeout.timeout.unwrap_or(PATIENCE));
        let reached = context.session.wait_caught_up(patience).await;
        let trouble = match reached {
            Ok(_) => None,
            Err(Unfinished::Command(error)) => return Err(error.into()),
            Err(unfinished) => Some(unfinished.to_string()),
        };
        let damage = context.session.check().await?;
        let health = context.health().await?;
        Ok(Report { trouble, damage, health, now_ms: clock::now_ms() }.outcome())
    }
}

struct Report {
    /// Why the server was not reached.
    trouble: Option<String>,
    /// What is wrong with the profile's file.
    damage: Vec<String>,
    health: Health,
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
        if self.clock_is_behind() {
            findings.push("this device's clock is behind the server's: set it".to_owned());
        }
        if health.withheld > 0 {
            findings
                .push(format!("the server lists {} cells but does not give them", health.withheld));
        }
        findings.extend(health.stuck.iter().map(|chat| format!("{chat} cannot be followed")));
        findings
    }

    fn outcome(&self) -> Outcome {
        let findings = self.findings();
        let mut lines = vec![
            format!("version  {}", env!("CARGO_PKG_VERSION")),
            format!("server   {}", if self.trouble.is_none() { "reached" } else { "not reached" }),
            format!("followed to tick {}", self.health.tick),
            format!("queued   {}, waiting {}", self.health.queued, self.health.waiting),
        ];
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
            "withheld": health.withheld,
            "skipped": health.skipped,
            "stuck": stuck,
            "halted": health.halted.as_ref().map(|(code, text)| json!({ "code": code, "text": text })),
        })
    }
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
            halted: None,
        };
        Report { trouble: None, damage: Vec::new(), health, now_ms: 1_000_000 }
    }

    #[test]
    fn a_healthy_profile_has_no_findings() {
        let outcome = well().outcome();
        assert_eq!(outcome.json["ok"], true);
        assert!(outcome.human.ends_with("all is well"));
    }

    #[test]
    fn each_trouble_is_a_finding() {
        let mut report = well();
        report.trouble = Some("gone".to_owned());
        report.damage = vec!["page 7".to_owned()];
        report.health.withheld = 2;
        report.health.stuck = vec![ChatId([1; 16])];
        report.health.halted = Some(("split_view".to_owned(), "two logs".to_owned()));
        assert_eq!(report.findings().len(), 5);
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
}
