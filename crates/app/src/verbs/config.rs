//! `config`: settings of this device.

use crate::{Failure, Outcome, context::Context, show};
use serde::{Deserialize, Serialize};
use serde_json::json;
use undertone_client::{SETTING_PROXY, Socks5};

/// Show a setting, or give it a value.
///
/// `proxy`: a SOCKS5 proxy through which the server is reached, such as Tor; names are resolved by
/// the proxy. `none` removes it. A running `watch` uses it after its next start.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[command(after_help = "Examples:\n  undertone config proxy socks5h://127.0.0.1:9050\n  \
                        undertone config proxy none")]
pub struct Args {
    /// The setting.
    #[arg(value_enum)]
    pub key: Key,
    /// Its new value; without it the present one is shown.
    pub value: Option<String>,
}

const STILL_RUNNING: &str = "\nA command that is running on this profile reaches the server in the \
                             old way until it is started again.";

/// The settings.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    /// The proxy to the server.
    Proxy,
}

impl Args {
    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let Key::Proxy = self.key;
        if self.value.is_some() {
            let proxy = parse_proxy(self.value.as_deref())?.map(|proxy| proxy.to_string());
            context.session.set_setting(SETTING_PROXY, proxy).await?;
        }
        let value = context.session.setting(SETTING_PROXY).await?;
        let human = value.as_deref().map_or("none".to_owned(), show::safe);
        let shown = Outcome::new(json!({ "key": "proxy", "value": value }), human);
        Ok(if self.value.is_some() { taking_effect(shown, context) } else { shown })
    }
}

/// Says when a setting of the way to the server counts: a process that has the profile open and
/// is connected keeps to the old way, which who wants to be hidden must know.
pub(super) fn taking_effect(mut outcome: Outcome, context: &Context) -> Outcome {
    let running = context.is_online();
    outcome.json["takes_effect"] = json!(if running { "next_start" } else { "at_once" });
    if running {
        outcome.human.push_str(STILL_RUNNING);
    }
    outcome
}

/// A proxy that somebody typed; `none` is none.
pub(super) fn parse_proxy(text: Option<&str>) -> Result<Option<Socks5>, Failure> {
    match text {
        None | Some("none" | "") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|bad: undertone_client::BadProxy| {
            Failure::usage(bad.to_string(), "for Tor: socks5h://127.0.0.1:9050")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_one_that_resolves_names_or_none() {
        assert_eq!(parse_proxy(Some("none")).unwrap(), None);
        assert_eq!(parse_proxy(None).unwrap(), None);
        assert!(parse_proxy(Some("socks5h://127.0.0.1:9050")).unwrap().is_some());
        for other in ["socks5://127.0.0.1:9050", "http://proxy", "127.0.0.1:9050"] {
            assert_eq!(parse_proxy(Some(other)).unwrap_err().code, "usage", "{other}");
        }
    }
}
