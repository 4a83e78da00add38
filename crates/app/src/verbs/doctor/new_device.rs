//! `doctor --new-device`: a profile that was copied or put back becomes a new device.

use crate::{Failure, Outcome, context::Context};
use serde_json::json;
use std::fmt;
use undertone_client::{Patience, open_identity};
use undertone_core::io::{Command, Reply};
use undertone_store::StoreError;
use zeroize::Zeroizing;

/// The passphrase, which opens the identity's secret; it stays in the process that asked for it.
#[derive(Clone, Default, PartialEq)]
pub struct Held(Option<Zeroizing<String>>);

impl Held {
    /// Keeps it for the verb.
    pub(crate) fn keep(&mut self, passphrase: Zeroizing<String>) {
        self.0 = Some(passphrase);
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held(…)")
    }
}

pub(super) async fn run(
    context: &Context,
    Held(passphrase): &Held,
    patience: Patience,
) -> Result<Outcome, Failure> {
    // Another process has the profile open, and the passphrase does not travel.
    let passphrase = passphrase.as_ref().ok_or(StoreError::InUse)?;
    let identity = open_identity(&context.session, passphrase).await?;
    let Reply::Done = context.ask(Command::BecomeNewDevice { identity }).await? else {
        return Err(Failure::bug("something else than a new device came"));
    };
    let Reply::Whoami { device, .. } = context.ask(Command::Whoami).await? else {
        return Err(Failure::bug("no device came"));
    };
    let device = hex::encode(device);
    let reached = context.caught_up(patience).await;
    if reached.is_ok() {
        // The requests to come back go out now; whoever is away answers later.
        context.settled(patience).await?;
    }
    let asked = reached.is_ok();
    let next = if asked {
        "its contacts were asked to begin anew; groups come back when a member lets it in"
    } else {
        "the server was not reached: its contacts are asked when it is"
    };
    let json = json!({ "device": device, "asked": asked });
    Ok(Outcome::new(json, format!("this is a new device now: {next}")))
}
