//! Starting a driver on a profile.

use crate::{
    Engine, LinkState, SETTING_PROXY, SETTING_SERVER, Session, Storage, Wires,
    driver::{Driver, Shown},
    session::Watched,
    storage::StorageError,
};
use rand::{TryRngCore, rngs::OsRng};
use std::{path::Path, str::FromStr, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};
use undertone_core::{Account, LoadError, Loaded};
use undertone_store::{DatabaseKey, Profile, Store, StoreError, sqlite::Sqlite};
use undertone_transport::{Link, LinkConfig, Pin, Socks5};
use undertone_wire::ServerAddress;

/// Commands that may wait for the driver.
const QUEUE: usize = 64;

/// Whether the server is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Connect, and keep connected.
    Online,
    /// What is on disk is enough.
    Offline,
}

/// A running driver.
#[derive(Debug)]
pub struct Running {
    /// The way to it.
    pub session: Session,
    task: JoinHandle<()>,
    closed: oneshot::Receiver<()>,
}

/// How long the closing of a profile is waited for when somebody still holds a session.
const CLOSING: Duration = Duration::from_secs(5);

impl Running {
    /// Lets the driver end, once the other holders of the session have dropped theirs, and waits
    /// until the profile is closed.
    pub async fn close(self) {
        drop(self.session);
        // A panic of the driver has been reported by the runtime.
        let _ = self.task.await;
        // Unclosed, the file is whole all the same: its log is folded in at the next start.
        let _ = timeout(CLOSING, self.closed).await;
    }
}

/// Why a profile could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the engine wrote cannot be used.
    #[error(transparent)]
    Engine(#[from] LoadError),
    /// A setting is not what this program writes.
    #[error("the profile is damaged: the setting {0}")]
    Setting(&'static str),
    /// The system has no randomness or no thread to give.
    #[error("the system is out of resources: {0}")]
    System(String),
}

/// Opens the profile in `folder` and starts its driver. Must be called within a tokio runtime.
///
/// # Errors
/// [`OpenError`]; when it is [`StoreError::InUse`], the process that has the profile may take
/// commands: see [`crate::control`].
pub fn open(folder: &Path, key: DatabaseKey, reach: Reach) -> Result<Running, OpenError> {
    let mut profile = Profile::open(folder, key)?;
    let store = profile.store();
    let server = setting::<ServerAddress>(store, SETTING_SERVER)?;
    let server = server.ok_or(OpenError::Setting(SETTING_SERVER))?;
    let proxy = setting::<Socks5>(store, SETTING_PROXY)?;
    let records = store.load_records()?;
    let engine = Account::load(Loaded { records, server: server.clone(), seed: seed()? })?;
    let wires = match reach {
        Reach::Offline => Wires::offline(),
        Reach::Online => {
            let [a, b, c, d, e, f, g, h, ..] = seed()?;
            let jitter = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            let pin = engine.server_keys().map_or_else(|| server.server().into(), Pin::from);
            let config = LinkConfig { pin, ..LinkConfig::new(server, proxy, jitter) };
            Wires::of(Link::start(config))
        }
    };
    let (store, lock) = profile.into_parts();
    start(engine, store, lock, wires).map_err(|error| OpenError::System(error.to_string()))
}

fn setting<T: FromStr>(store: &Sqlite, name: &'static str) -> Result<Option<T>, OpenError> {
    let text = store.setting(name)?;
    text.map(|text| text.parse().map_err(|_| OpenError::Setting(name))).transpose()
}

/// 32 bytes of the operating system's randomness.
pub(crate) fn seed() -> Result<[u8; 32], OpenError> {
    let mut seed = [0; 32];
    let filled = OsRng.try_fill_bytes(&mut seed);
    filled.map_err(|error| OpenError::System(error.to_string()))?;
    Ok(seed)
}

/// Starts a driver of `engine` on `store`; `keep` lives as long as the store.
///
/// # Errors
/// When the system has no thread to give.
pub fn start<E, S, K>(engine: E, store: S, keep: K, wires: Wires) -> std::io::Result<Running>
where
    E: Engine,
    S: Store + 'static,
    K: Send + 'static,
{
    let newest = store.newest_event().unwrap_or(0);
    let (storage, closed) = Storage::start(store, keep)?;
    let state = if wires.online { LinkState::Connecting } else { LinkState::Offline };
    let (newest_in, newest) = watch::channel(newest);
    let (caught_up_in, caught_up) = watch::channel(None);
    let (link_in, link) = watch::channel(state);
    let (failure_in, failure) = watch::channel(None);
    let (asked_in, asked) = mpsc::channel(QUEUE);
    let (steps_in, steps) = watch::channel(0);
    let shown =
        Shown { steps: steps_in, newest: newest_in, caught_up: caught_up_in, link: link_in };
    let hurry = wires.hurry.clone();
    let driver = Driver::new(engine, storage.clone(), wires, asked, shown);
    let watched = Watched { steps, newest, caught_up, link, failure, hurry };
    let session = Session::new(asked_in, storage, watched);
    let task = tokio::spawn(run(driver, failure_in));
    Ok(Running { session, task, closed })
}

async fn run<E: Engine>(driver: Driver<E>, failure: watch::Sender<Option<Arc<StorageError>>>) {
    if let Err(error) = driver.run().await {
        tracing::error!(%error, "the store failed; nothing that was not kept went out");
        failure.send_replace(Some(Arc::new(error)));
    }
}
