//! `init`: a profile and its keys.

use crate::{
    Exit, Failure, Global, Outcome, context::Timeout, later, passphrase, print_outcome, resolve,
    show,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fs::File, io::Read, path::PathBuf};
use undertone_client::{Made, NewProfile};
use undertone_core::Name;
use undertone_crypto::Phrase;
use undertone_store::{Profile, StoreError};
use undertone_wire::ServerAddress;
use zeroize::Zeroizing;

const NOTICE: &str = "Write these words down and keep them to yourself: they are your identity. \
                      Until recovery exists, they cannot restore a profile yet.";

/// A file of 24 words is far shorter.
const PHRASE_BYTES_MAX: u64 = 4096;

/// Make a profile and its keys.
///
/// Contacts the server once, to pin it and to see that it speaks this version; if that fails,
/// nothing is made. Prints the 24 words of the identity, once.
#[derive(clap::Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[command(after_help = "Example:\n  undertone init --name Ada \
                        --server undertone://chat.example:7443/#1f0c…")]
pub struct Args {
    /// The name that contacts see.
    #[arg(long)]
    pub name: String,
    /// The server's address with its fingerprint, as its operator tells it.
    #[arg(long, value_name = "URL")]
    pub server: String,
    /// An admission code; not in this release.
    #[arg(long, value_name = "CODE")]
    pub invite: Option<String>,
    /// A file with the 24 words of an identity that exists already.
    #[arg(long, value_name = "F")]
    pub phrase_file: Option<PathBuf>,
    /// Reach the server through this proxy, and keep it in the profile.
    #[arg(long, value_name = "socks5h://HOST:PORT")]
    pub proxy: Option<String>,
    /// How long to wait for the server.
    #[command(flatten)]
    pub timeout: Timeout,
}

impl Args {
    /// Makes the profile. Prints what came of it itself: the words stand nowhere else, so they are
    /// out before there is a profile, and where they cannot be printed there is none.
    ///
    /// # Errors
    /// When an argument is wrong, something is there already, the server cannot be reached, or
    /// stdout takes nothing.
    pub(crate) async fn run(&self, global: &Global) -> Result<Outcome, Failure> {
        if self.invite.is_some() {
            return Err(later::not_yet("an admission code"));
        }
        let folder = global.folder()?;
        // Before a passphrase is asked for in vain.
        if !Profile::is_free(&folder)? {
            return Err(StoreError::Exists(folder).into());
        }
        let new = NewProfile {
            name: Name::parse(&self.name).map_err(|bad| Failure::bad_name(&bad))?,
            phrase: self.phrase()?,
            server: self.address()?,
            proxy: super::config::parse_proxy(self.proxy.as_deref())?,
        };
        let passphrase = passphrase::choose(global)?;
        let words = new.phrase.dangerous_words();
        let patience = self.timeout.timeout;
        let prepared = undertone_client::prepare(&folder, &passphrase, new, patience).await?;
        print_outcome(&outcome(&words, &prepared.made), global.json).map_err(unsaid)?;
        prepared.finish()?;
        Ok(Outcome::new(Value::Null, ""))
    }

    fn address(&self) -> Result<ServerAddress, Failure> {
        super::server::parse_address(&self.server)
    }

    fn phrase(&self) -> Result<Phrase, Failure> {
        let Some(path) = &self.phrase_file else {
            return Ok(undertone_client::new_phrase()?);
        };
        let mut text = Zeroizing::new(String::new());
        File::open(path)
            .and_then(|file| file.take(PHRASE_BYTES_MAX).read_to_string(&mut text))
            .map_err(|error| Failure::usage(format!("the words cannot be read: {error}"), WORDS))?;
        Phrase::parse(&text).map_err(|bad| Failure::usage(bad.to_string(), WORDS))
    }
}

fn outcome(words: &str, made: &Made) -> Outcome {
    let (identity, device) = (resolve::person_id(&made.identity), hex::encode(made.device));
    let notice = made.notice.as_ref();
    let notice =
        notice.map(|notice| format!("\nThe server's operator says: {}", show::text(notice)));
    let human = format!(
        "{words}\n\n{NOTICE}\n\nYour fingerprint: {identity}{}",
        notice.unwrap_or_default()
    );
    let json = json!({
        "identity": identity,
        "device": device,
        "recovery_phrase": words,
        "notice": NOTICE,
    });
    Outcome::new(json, human)
}

const WORDS: &str = "nothing was made; name a file that holds the 24 words of the identity";

fn unsaid(error: std::io::Error) -> Failure {
    let message = format!("the words of the identity could not be printed: {error}");
    Failure::new(
        Exit::Storage,
        "stdout",
        message,
        "nothing was made; let the output go where it can be read, and run it again",
    )
}
