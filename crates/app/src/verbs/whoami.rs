//! `whoami`: this profile.

use crate::{Failure, Outcome, context::Context, resolve, show};
use serde::{Deserialize, Serialize};
use serde_json::json;
use undertone_client::SETTING_SERVER;
use undertone_core::io::{Command, Reply};

/// What the level in force does not hide, in one sentence.
const LEVEL_NOTE: &str = "At the level direct the server sees your network address and which cells \
                          you write and read, so it can tell who talks with whom; it cannot read \
                          what is written.";

/// Who this profile is: name, identity fingerprint, devices, server and level.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[command(after_help = "Example:\n  undertone whoami")]
pub struct Args {}

impl Args {
    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let Reply::Whoami { name, identity, device } = context.ask(Command::Whoami).await? else {
            return Err(Failure::bug("no identity came"));
        };
        let server = context.session.setting(SETTING_SERVER).await?.unwrap_or_default();
        let (identity, device) = (resolve::person_id(&identity), hex::encode(device));
        let human = format!(
            "{}\nfingerprint  {identity}\ndevice       {device}\nserver       {}\nlevel        \
             direct. {LEVEL_NOTE}",
            show::name(name.as_str()),
            show::safe(&server),
        );
        let json = json!({
            "name": name.as_str(),
            "identity": identity,
            "device": device,
            "devices": [device],
            "server": server,
            "level": "direct",
            "level_note": LEVEL_NOTE,
        });
        Ok(Outcome::new(json, human))
    }
}
