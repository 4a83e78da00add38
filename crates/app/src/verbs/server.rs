//! `server`: the same server under another address.

use crate::{Exit, Failure, Outcome, context::Context, show};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::json;
use undertone_client::SETTING_SERVER;
use undertone_wire::ServerAddress;

/// The server that this profile uses.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[command(after_help = "Example:\n  undertone server set-address \
                        undertone://new.example:7443/#1f0c…")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the server's address.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Reach the same server under another address; another server is refused. A running `watch`
    /// uses it after its next start.
    SetAddress {
        /// The new address, with the same fingerprint.
        url: String,
    },
}

impl Args {
    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let Action::SetAddress { url } = &self.action;
        let new = parse_address(url)?;
        let old = context.session.setting(SETTING_SERVER).await?.unwrap_or_default();
        let old = parse_address(&old).map_err(|_| Failure::bug("the profile names no server"))?;
        if new.server() != old.server() {
            return Err(wrong_server());
        }
        context.session.set_setting(SETTING_SERVER, Some(new.to_string())).await?;
        let json = json!({ "server": new.to_string() });
        let human = format!("The server is reached at {}", show::safe(&new.authority()));
        Ok(super::config::taking_effect(Outcome::new(json, human), context))
    }
}

/// The address that somebody typed.
pub(super) fn parse_address(text: &str) -> Result<ServerAddress, Failure> {
    text.trim().parse().map_err(|bad: undertone_wire::BadAddress| {
        Failure::new(
            Exit::Usage,
            "bad_address",
            bad.to_string(),
            "its operator tells it: undertone://HOST:PORT/#FINGERPRINT",
        )
    })
}

fn wrong_server() -> Failure {
    Failure::new(
        Exit::Refused,
        "wrong_server",
        "this is the address of another server",
        "a profile stays with its server; the part behind # must be the same",
    )
}
