//! What an operator sets: a TOML file, one table per concern, every key with a default.
//!
//! Unknown keys are refused, so that a misspelt limit is not silently the default. No secret stands
//! here. [`EXAMPLE`] shows every key; a test holds it to this code.

use crate::error::ServeError;
use serde::Deserialize;
use std::{fs, net::SocketAddr, path::Path, time::Duration};
use undertone_server_core::{Config as EngineConfig, Keys};

/// The example file: every key with its default.
pub const EXAMPLE: &str = include_str!("../server.example.toml");

/// Everything that an operator can set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens.
    pub listen: Listen,
    /// Who may write.
    pub admission: Admission,
    /// How it batches.
    pub tick: Tick,
    /// What it bounds.
    pub limits: Limits,
    /// Who runs it.
    pub operator: Operator,
}

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// Address and port; port 0 picks one.
    pub address: SocketAddr,
    /// The name under which clients reach it, when that is not the address.
    pub name: Option<String>,
}

/// Who may write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admission {
    /// The policy; only `open` exists in this release.
    pub policy: Policy,
}

/// Who may write to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Everybody.
    #[default]
    Open,
    /// Holders of an invitation.
    Invite,
    /// Those admitted before.
    Closed,
}

/// How cells are batched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tick {
    /// Shortest tick under load, in milliseconds.
    pub min_ms: u32,
    /// Longest silence before a heartbeat goes to streaming clients, in milliseconds.
    pub heartbeat_ms: u32,
}

/// What is bounded, and where.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections, both doors together.
    pub connections: u32,
    /// Open connections from one IPv4 address or IPv6 /64; this machine itself is not counted.
    pub connections_per_place: u32,
    /// PUTs of one connection that are not answered yet.
    pub puts_in_flight: u16,
    /// PUTs of all connections that wait for their tick.
    pub puts_waiting: u32,
    /// Time from accepting a connection to its first request's head, in milliseconds.
    pub handshake_ms: u32,
    /// Time that one write to a client may take before the client is dropped, in milliseconds.
    pub write_ms: u32,
    /// Silence of a client before it is asked whether it is still there, in milliseconds; after
    /// twice that it is dropped.
    pub idle_ms: u32,
}

/// Who runs the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Operator {
    /// How to reach them.
    pub contact: String,
    /// What users should know.
    pub notice: String,
}

impl Default for Listen {
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 7443)), name: None }
    }
}

impl Default for Tick {
    fn default() -> Self {
        Self { min_ms: 20, heartbeat_ms: 15_000 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_place: 512,
            puts_in_flight: 64,
            puts_waiting: 16_384,
            handshake_ms: 10_000,
            write_ms: 20_000,
            idle_ms: 30_000,
        }
    }
}

impl Policy {
    /// As `INFO` shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }
}

impl std::str::FromStr for Policy {
    type Err = ServeError;

    fn from_str(text: &str) -> Result<Self, ServeError> {
        match text {
            "open" => Ok(Self::Open),
            "invite" => Ok(Self::Invite),
            "closed" => Ok(Self::Closed),
            _ => Err(ServeError::Config("the policy is open, invite or closed".into())),
        }
    }
}

impl Tick {
    pub(crate) fn min(&self) -> Duration {
        Duration::from_millis(self.min_ms.into())
    }

    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms.into())
    }
}

impl Limits {
    pub(crate) fn handshake(&self) -> Duration {
        Duration::from_millis(self.handshake_ms.into())
    }

    pub(crate) fn write(&self) -> Duration {
        Duration::from_millis(self.write_ms.into())
    }

    pub(crate) fn idle(&self) -> Duration {
        Duration::from_millis(self.idle_ms.into())
    }
}

impl Config {
    /// What the engine has to know of it.
    pub(crate) fn engine(&self, keys: Keys) -> EngineConfig {
        EngineConfig {
            policy: self.admission.policy.as_str().into(),
            tick_ms_min: self.tick.min_ms,
            puts_in_flight_max: self.limits.puts_in_flight,
            queue_max: self.limits.puts_waiting as usize,
            contact: self.operator.contact.clone(),
            notice: self.operator.notice.clone(),
            ..EngineConfig::new(keys)
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ServeError::Config`] when it cannot be read or means nothing; the place is named.
    pub fn read(path: &Path) -> Result<Self, ServeError> {
        let text = fs::read_to_string(path)
            .map_err(|error| ServeError::Config(format!("{}: {error}", path.display())))?;
        Self::parse(&text)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// [`ServeError::Config`] with the line.
    pub fn parse(text: &str) -> Result<Self, ServeError> {
        toml::from_str(text).map_err(|error| ServeError::Config(error.to_string()))
    }

    /// Refuses what this release does not do and limits that make no sense.
    pub(crate) fn check(&self) -> Result<(), ServeError> {
        if self.admission.policy != Policy::Open {
            return Err(ServeError::NotInThisRelease("every policy but open"));
        }
        let Limits { connections, connections_per_place, puts_in_flight, puts_waiting, .. } =
            self.limits;
        if connections == 0
            || connections_per_place == 0
            || puts_in_flight == 0
            || puts_waiting == 0
        {
            return Err(ServeError::Config("limits of zero let nobody in".into()));
        }
        if self.operator.contact.len() > 1024 || self.operator.notice.len() > 4096 {
            return Err(ServeError::Config("contact or notice is too long".into()));
        }
        match self.tick.min_ms {
            0..=10_000 => Ok(()),
            _ => Err(ServeError::Config("a tick lasts at most 10,000 ms".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_names_every_key_and_its_default() {
        let example = Config::parse(EXAMPLE).unwrap();
        assert_eq!(example, Config::default());
        let uncommented = EXAMPLE.replace("\n# ", "\n");
        for key in ["address", "name", "policy", "min_ms", "heartbeat_ms", "connections"] {
            assert!(uncommented.contains(&format!("\n{key} = ")), "{key}");
        }
    }

    #[test]
    fn unknown_keys_are_refused_with_their_place() {
        let error = Config::parse("[limits]\nconections = 5\n").unwrap_err().to_string();
        assert!(error.contains("conections") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn other_policies_are_not_in_this_release() {
        for policy in ["invite", "closed"] {
            let text = format!("[admission]\npolicy = \"{policy}\"\n");
            let error = Config::parse(&text).unwrap().check().unwrap_err();
            assert!(matches!(error, ServeError::NotInThisRelease(_)));
        }
    }

    #[test]
    fn limits_of_zero_and_endless_ticks_are_refused() {
        for text in ["[limits]\nconnections = 0\n", "[tick]\nmin_ms = 10001\n"] {
            assert!(matches!(Config::parse(text).unwrap().check(), Err(ServeError::Config(_))));
        }
    }
}
