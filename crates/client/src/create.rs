//! Making a profile.

use crate::{OpenError, SETTING_IDENTITY, SETTING_PROXY, SETTING_SERVER, clock, open::seed};
use rand::{SeedableRng, rngs::StdRng};
use std::{path::Path, time::Duration};
use undertone_core::{
    Account, Creation, Name,
    io::{Command, Input, Output, Reply},
};
use undertone_crypto::{Identity, IdentityKey, Phrase};
use undertone_store::{
    Batch, DatabaseKey, KdfParams, Profile, StoreError,
    header::{Header, IDENTITY},
};
use undertone_transport::{ConnectError, Connection, Limits, Socks5};
use undertone_wire::{Info, ServerAddress};

/// What a profile is made of.
#[derive(Debug)]
pub struct NewProfile {
    /// The person's name, as others will see it.
    pub name: Name,
    /// The words that the identity comes from.
    pub phrase: Phrase,
    /// The server, which is pinned.
    pub server: ServerAddress,
    /// The way to it.
    pub proxy: Option<Socks5>,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The identity.
    pub identity: IdentityKey,
    /// This device's id.
    pub device: [u8; 16],
    /// What the server's operator wants users to know; foreign text.
    pub notice: Option<String>,
}

/// A profile that is whole and has no name yet: the words of the identity must be told before it
/// exists, because nothing can tell them again. Dropped, nothing of it is left.
#[derive(Debug)]
#[must_use = "without `finish` there is no profile"]
pub struct Prepared {
    /// What will have been made.
    pub made: Made,
    profile: undertone_store::Prepared,
}

impl Prepared {
    /// Gives the profile its name.
    ///
    /// # Errors
    /// When somebody else has taken the name, or the disk fails.
    pub fn finish(self) -> Result<(), CreateError> {
        self.profile.finish()?;
        Ok(())
    }
}

/// Why no profile was made. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The server.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The folder, or the disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine or the system.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Fresh words from the operating system's randomness.
///
/// # Errors
/// When the system has none to give.
pub fn new_phrase() -> Result<Phrase, OpenError> {
    Ok(Phrase::generate(&mut StdRng::from_seed(seed()?)))
}

/// Prepares a profile for `folder`, after the pinned server has answered and speaks this version.
/// `time` bounds each step of reaching it. Nothing is there before [`Prepared::finish`].
///
/// # Errors
/// [`CreateError`]; nothing half-made is left.
pub async fn prepare(
    folder: &Path,
    passphrase: &str,
    new: NewProfile,
    time: Option<Duration>,
) -> Result<Prepared, CreateError> {
    if !Profile::is_free(folder)? {
        return Err(StoreError::Exists(folder.to_owned()).into());
    }
    let connection = Connection::open(&new.server, new.proxy.as_ref(), &limits(&new, time)).await?;
    let notice = notice(&connection.info);
    drop(connection);
    let identity = Identity::from_phrase(&new.phrase);
    let sealed = sealed(&identity, passphrase)?;
    let (server, proxy) = (new.server.to_string(), new.proxy.as_ref().map(Socks5::to_string));
    let mut settings = vec![(SETTING_SERVER, server.as_str()), (SETTING_IDENTITY, &*sealed)];
    settings.extend(proxy.as_deref().map(|proxy| (SETTING_PROXY, proxy)));
    let (first, device) = begin(new)?;
    let mut rng = StdRng::from_seed(seed()?);
    let kdf = KdfParams::STANDARD;
    let profile = Profile::prepare(folder, passphrase, kdf, &first, &settings, &mut rng)?;
    Ok(Prepared { made: Made { identity: identity.key(), device, notice }, profile })
}

fn limits(new: &NewProfile, time: Option<Duration>) -> Limits {
    let usual = if new.proxy.is_some() { Limits::patient() } else { Limits::default() };
    match time {
        Some(time) => Limits { connect: time, handshake: time, answer: time, ..usual },
        None => usual,
    }
}

fn notice(info: &Info) -> Option<String> {
    let notice = String::from_utf8_lossy(info.notice.as_slice()).trim().to_owned();
    (!notice.is_empty()).then_some(notice)
}

/// The identity's secret under the passphrase alone: having the database open is not enough.
fn sealed(identity: &Identity, passphrase: &str) -> Result<String, CreateError> {
    let secret = DatabaseKey::of(identity.dangerous_bytes());
    let mut rng = StdRng::from_seed(seed()?);
    let header = Header::seal(IDENTITY, &secret, passphrase, KdfParams::STANDARD, &mut rng)?;
    Ok(String::from_utf8_lossy(&header.to_bytes()).into_owned())
}

/// The engine's first records, and the device that they make.
fn begin(new: NewProfile) -> Result<(Batch, [u8; 16]), OpenError> {
    let NewProfile { name, phrase, server, .. } = new;
    let now_ms = clock::now_ms();
    let mut account = Account::create(Creation { name, phrase, server, seed: seed()?, now_ms })?;
    account.handle(now_ms, Input::Command { ticket: 1, command: Command::Whoami });
    let mut batch = Batch::default();
    let mut made = None;
    while let Some(output) = account.poll() {
        match output {
            Output::Persist(changes) => batch.changes.records.extend(changes.records),
            Output::Reply { result: Ok(Reply::Whoami { device, .. }), .. } => made = Some(device),
            // Before the first connection there is nothing else to act on.
            _ => {}
        }
    }
    let device = made.ok_or_else(|| OpenError::System("the engine names no device".to_owned()))?;
    Ok((batch, device))
}
