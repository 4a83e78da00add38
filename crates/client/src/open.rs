//! Making a profile, and starting a driver on one.

use crate::{
    Engine, LinkState, Session, Storage, Wires,
    driver::{Driver, Shown},
    session::Watched,
    storage::StorageError,
};
use std::sync::Arc;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use undertone_store::Store;

/// The setting that holds the server's address.
pub const SETTING_SERVER: &str = "server";
/// The setting that holds the proxy, if there is one.
pub const SETTING_PROXY: &str = "proxy";

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
}

impl Running {
    /// Lets the driver end, once the other holders of the session have dropped theirs, and waits
    /// until the profile is closed.
    pub async fn close(self) {
        drop(self.session);
        // A panic of the driver has been reported by the runtime.
        let _ = self.task.await;
    }
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
    let storage = Storage::start(store, keep)?;
    let state = if wires.online { LinkState::Connecting } else { LinkState::Offline };
    let (newest_in, newest) = watch::channel(newest);
    let (caught_up_in, caught_up) = watch::channel(None);
    let (link_in, link) = watch::channel(state);
    let (failure_in, failure) = watch::channel(None);
    let (asked_in, asked) = mpsc::channel(QUEUE);
    let shown = Shown { newest: newest_in, caught_up: caught_up_in, link: link_in };
    let driver = Driver::new(engine, storage.clone(), wires, asked, shown);
    let watched = Watched { newest, caught_up, link, failure };
    let session = Session::new(asked_in, storage, watched);
    let task = tokio::spawn(run(driver, failure_in));
    Ok(Running { session, task })
}

async fn run<E: Engine>(driver: Driver<E>, failure: watch::Sender<Option<Arc<StorageError>>>) {
    if let Err(error) = driver.run().await {
        tracing::error!(%error, "the store failed; nothing that was not kept went out");
        failure.send_replace(Some(Arc::new(error)));
    }
}
