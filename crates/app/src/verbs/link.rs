//! `link`: contact links made here.

use crate::{
    Exit, Failure, Outcome,
    context::{Context, Timeout},
    show,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use undertone_client::{Patience, Reach, clock};
use undertone_core::io::{Command, LinkView, Reply};

/// Make a contact link, alone on stdout, or list and revoke those made here.
///
/// A one-time link makes one contact. A reusable one may be published: whoever writes to it waits
/// under `undertone requests`. Give the link over a channel that you trust.
#[derive(clap::Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[command(after_help = "Examples:\n  undertone link\n  undertone link --reusable --expires 7d\n  \
                        undertone link --list")]
pub struct Args {
    /// For many strangers, each of whom waits as a request.
    #[arg(long, conflicts_with_all = ["list", "revoke"])]
    pub reusable: bool,
    /// When it ends.
    #[arg(long, value_name = "7d", default_value = "7d", value_parser = show::parse_duration)]
    pub expires: Duration,
    /// Links made here and their state.
    #[arg(long)]
    pub list: bool,
    /// Make a link worthless.
    #[arg(long, value_name = "ID", conflicts_with = "list")]
    pub revoke: Option<String>,
    /// How long to wait until the server has stored what stands behind the link.
    #[command(flatten)]
    pub timeout: Timeout,
}

impl Args {
    pub(crate) fn reach(&self) -> Reach {
        if self.list { Reach::Offline } else { Reach::Online }
    }

    pub(crate) async fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        match &self.revoke {
            Some(id) => self.revoke(context, id).await,
            None if self.list => Ok(listed(links(context).await?)),
            None => self.make(context).await,
        }
    }

    async fn make(&self, context: &Context) -> Result<Outcome, Failure> {
        if self.expires.is_zero() {
            return Err(Failure::usage(
                "a link that ends at once is of no use",
                "let it last, as in `--expires 7d`",
            ));
        }
        let patience = self.timeout.patience();
        let expires_ms = clock::now_ms().saturating_add(millis(self.expires));
        let command = Command::CreateLink { expires_ms, reusable: self.reusable };
        let Reply::Link(made) = context.ask_with(patience, command).await? else {
            return Err(Failure::bug("no link came"));
        };
        let link = stored(context, patience, &made.id)
            .await
            .map_err(|failure| failure.with("id", made.id.as_str()))?;
        let human = link.uri.clone().unwrap_or_default();
        let mut json = to_json(&link);
        json["link"] = json!(human);
        Ok(Outcome::new(json, human))
    }

    async fn revoke(&self, context: &Context, id: &str) -> Result<Outcome, Failure> {
        context
            .ask_with(self.timeout.patience(), Command::RevokeLink { id: id.to_owned() })
            .await?;
        Ok(Outcome::new(
            json!({ "revoked": id }),
            format!("The link {} is revoked.", show::safe(id)),
        ))
    }
}

/// The link once its offer is on the server: before that it is of no use to anybody.
async fn stored(context: &Context, patience: Patience, id: &str) -> Result<LinkView, Failure> {
    context
        .wait(patience, |context| async move {
            let link = links(&context).await?.into_iter().find(|link| link.id == id);
            let link = link.ok_or_else(|| Failure::bug("the link that was made is gone"))?;
            match link.state {
                "storing" => Ok(None),
                "open" => Ok(Some(link)),
                other => {
                    let message = format!("the link is {other} already");
                    Err(Failure::new(
                        Exit::Refused,
                        "link_used",
                        message,
                        "make another one: `undertone link`",
                    ))
                }
            }
        })
        .await
}

async fn links(context: &Context) -> Result<Vec<LinkView>, Failure> {
    match context.ask(Command::ListLinks).await? {
        Reply::Links(links) => Ok(links),
        _ => Err(Failure::bug("no list of links came")),
    }
}

fn listed(links: Vec<LinkView>) -> Outcome {
    let lines = links.iter().map(|link| {
        let kind = if link.reusable { "reusable" } else { "one-time" };
        let until = show::rfc3339(link.expires_ms);
        format!("{}  {kind}  {}  until {until}", show::safe(&link.id), link.state)
    });
    let human = lines.collect::<Vec<_>>().join("\n");
    let links: Vec<Value> = links.iter().map(to_json).collect();
    Outcome::new(json!({ "links": links }), human)
}

fn to_json(link: &LinkView) -> Value {
    json!({
        "id": link.id,
        "link": link.uri,
        "state": link.state,
        "reusable": link.reusable,
        "expires": show::rfc3339(link.expires_ms),
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
