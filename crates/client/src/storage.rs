//! The store on a thread of its own, so that a sync of the disk blocks no task.

use std::fmt;
use tokio::sync::{mpsc, oneshot};
use undertone_store::{Store, StoreError};

/// Jobs that may wait; whoever brings more waits himself.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce(&mut dyn Store) + Send>;

/// A handle to the store's thread; the thread ends when the last handle is dropped.
#[derive(Clone)]
pub struct Storage {
    jobs: mpsc::Sender<Job>,
}

/// The driver has stopped, because of a failed commit or a call to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the profile is closed")]
pub struct Stopped;

/// Why a query of the store gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The thread is gone.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StorageError {
    /// The store's own error, if it was one.
    pub fn store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Stopped(_) => None,
        }
    }
}

impl Storage {
    /// Starts the thread. `keep` lives as long as the store: the profile's lock.
    ///
    /// The second value is told when the store is closed.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start<S, K>(mut store: S, keep: K) -> std::io::Result<(Self, oneshot::Receiver<()>)>
    where
        S: Store + 'static,
        K: Send + 'static,
    {
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        let (closing, closed) = oneshot::channel();
        let work = move || {
            while let Some(job) = waiting.blocking_recv() {
                job(&mut store);
            }
            // The lock ends only when the database is closed.
            drop(store);
            drop(keep);
            // Mostly nobody waits for it.
            let _ = closing.send(());
        };
        std::thread::Builder::new().name("undertone-store".to_owned()).spawn(work)?;
        Ok((Self { jobs }, closed))
    }

    /// Runs `job` on the store.
    ///
    /// # Errors
    /// [`StorageError::Stopped`] when the thread is gone, otherwise the job's.
    pub async fn run<T, F>(&self, job: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            // Whoever asked may have gone in the meantime.
            let _ = answer.send(job(store));
        });
        self.jobs.send(job).await.map_err(|_| Stopped)?;
        Ok(answered.await.map_err(|_| Stopped)??)
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Storage")
    }
}
