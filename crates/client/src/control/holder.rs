//! The side that has the profile.

use super::ControlError;
use serde_json::Value;
use std::{future::Future, path::Path, pin::Pin, sync::Arc, time::Duration};
use tokio::sync::{mpsc, watch};
use undertone_store::DatabaseKey;

/// How long the two proofs may take.
pub(super) const PROOF_TIME: Duration = Duration::from_secs(10);

/// Callers served at once; more wait to be accepted.
#[cfg(unix)]
const CALLERS_MAX: usize = 32;

/// Lines that may wait for a slow caller.
const QUEUE: usize = 64;

/// Where a request's lines before the last go.
pub type Lines = mpsc::Sender<Value>;

/// Answers one request. Dropped when the caller goes away.
pub type Serve =
    Arc<dyn Fn(Value, Lines) -> Pin<Box<dyn Future<Output = Value> + Send>> + Send + Sync>;

/// The listening socket; ends, and is removed, when dropped.
#[derive(Debug)]
pub struct Holder {
    task: tokio::task::JoinHandle<()>,
    closing: watch::Sender<bool>,
    path: std::path::PathBuf,
}

impl Holder {
    /// Takes no more callers, and waits until those who are there have their answers, at most
    /// `grace`.
    pub async fn close(mut self, grace: Duration) {
        self.closing.send_replace(true);
        // Those who do not have theirs by then see the end of the connection.
        let _ = tokio::time::timeout(grace, &mut self.task).await;
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.task.abort();
        // Without it callers would only find that nobody listens.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(not(unix))]
impl Holder {
    /// Not on this system.
    ///
    /// # Errors
    /// [`ControlError::Unsupported`].
    pub fn listen(_: &Path, _: DatabaseKey, _: Serve) -> Result<Self, ControlError> {
        let _ = QUEUE;
        Err(ControlError::Unsupported)
    }
}

#[cfg(unix)]
pub(super) use self::unix::socket_path;

#[cfg(unix)]
mod unix {
    use super::{CALLERS_MAX, ControlError, DatabaseKey, Holder, PROOF_TIME, Path, QUEUE, Serve};
    use crate::control::{
        CALLER, Claim, Counter, HOLDER, Hello, Request, Response, VERSION, challenge, line, proof,
        proves,
    };
    use std::{
        fs::{File, Permissions},
        os::{fd::AsRawFd, unix::fs::PermissionsExt},
        path::PathBuf,
        sync::Arc,
    };
    use tokio::{
        io::{AsyncBufReadExt, BufStream},
        net::{UnixListener, UnixStream},
        sync::{Semaphore, mpsc, watch},
        task::JoinSet,
    };
    use undertone_store::CONTROL_FILE;

    /// The longest path that a Unix socket's address takes everywhere, the final zero not counted.
    const SOCKET_PATH_MAX: usize = 100;

    impl Holder {
        /// Listens in `folder`, whose lock the caller has: a socket that is left from before has
        /// no owner and is removed.
        ///
        /// # Errors
        /// When the socket cannot be made.
        pub fn listen(folder: &Path, key: DatabaseKey, serve: Serve) -> Result<Self, ControlError> {
            let path = folder.join(CONTROL_FILE);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(ControlError::Broken(error));
                }
                _ => {}
            }
            let (_folder, address) = socket_path(folder).map_err(ControlError::Broken)?;
            let listener = UnixListener::bind(address).map_err(ControlError::Broken)?;
            std::fs::set_permissions(&path, Permissions::from_mode(0o600))
                .map_err(ControlError::Broken)?;
            let (closing, closed) = watch::channel(false);
            let task = tokio::spawn(attend(listener, Arc::new(key), serve, closed));
            Ok(Self { task, closing, path })
        }
    }

    /// The socket's path; for a deep folder through a handle of it, which must live as long.
    pub(in crate::control) fn socket_path(
        folder: &Path,
    ) -> std::io::Result<(Option<File>, PathBuf)> {
        let path = folder.join(CONTROL_FILE);
        if path.as_os_str().len() <= SOCKET_PATH_MAX {
            return Ok((None, path));
        }
        let handle = File::open(folder)?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()));
        if !short.exists() {
            let long = std::io::ErrorKind::InvalidFilename;
            return Err(std::io::Error::new(long, "the profile's path is too long for a socket"));
        }
        Ok((Some(handle), short.join(CONTROL_FILE)))
    }

    /// Serves callers until it is told to close, and then those who are there.
    async fn attend(
        listener: UnixListener,
        key: Arc<DatabaseKey>,
        serve: Serve,
        mut closed: watch::Receiver<bool>,
    ) {
        let mut callers = JoinSet::new();
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => {}
            () = accept(&listener, &mut callers, &key, &serve) => {}
        }
        // Whoever comes now shall see at once that nobody listens.
        drop(listener);
        while callers.join_next().await.is_some() {}
    }

    async fn accept(
        listener: &UnixListener,
        callers: &mut JoinSet<()>,
        key: &Arc<DatabaseKey>,
        serve: &Serve,
    ) {
        let places = Arc::new(Semaphore::new(CALLERS_MAX));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (key, serve) = (Arc::clone(key), Arc::clone(serve));
                    callers.spawn(async move {
                        if let Err(error) = answer(stream, &key, &serve).await {
                            tracing::debug!(%error, "a caller was not served");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of file handles: wait for a caller to end rather than spin.
                    tracing::warn!(%error, "the control socket");
                    callers.join_next().await;
                    tokio::task::yield_now().await;
                }
            }
            while callers.try_join_next().is_some() {}
        }
    }

    async fn answer(
        stream: UnixStream,
        key: &DatabaseKey,
        serve: &Serve,
    ) -> Result<(), ControlError> {
        let mut stream = BufStream::new(stream);
        let proved = tokio::time::timeout(PROOF_TIME, admit(&mut stream, key)).await;
        proved.map_err(|_| ControlError::Stranger)??;
        let Some(Request { request }) =
            line::read(&mut stream).await.map_err(ControlError::Broken)?
        else {
            return Ok(());
        };
        let (lines, waiting) = mpsc::channel(QUEUE);
        let done = serve(request, lines);
        relay(&mut stream, done, waiting).await.map_err(ControlError::Broken)
    }

    /// Lets in who has the key.
    async fn admit(
        stream: &mut BufStream<UnixStream>,
        key: &DatabaseKey,
    ) -> Result<(), ControlError> {
        let challenge = challenge()?;
        let hello = Hello { undertone_control: VERSION, challenge: challenge.clone() };
        line::write(stream, &hello).await.map_err(ControlError::Broken)?;
        let claim: Option<Claim> = line::read(stream).await.map_err(ControlError::Broken)?;
        let claim = claim.filter(|claim| proves(key, CALLER, &challenge, &claim.proof));
        let claim = claim.ok_or(ControlError::Stranger)?;
        let counter = proof(key, HOLDER, &claim.challenge).ok_or(ControlError::Stranger)?;
        let proof = hex::encode(counter);
        line::write(stream, &Counter { proof }).await.map_err(ControlError::Broken)
    }

    /// Passes lines on until the answer is there or the caller has gone.
    async fn relay(
        stream: &mut BufStream<UnixStream>,
        mut done: impl Future<Output = serde_json::Value> + Unpin,
        mut waiting: mpsc::Receiver<serde_json::Value>,
    ) -> std::io::Result<()> {
        let value = loop {
            tokio::select! {
                biased;
                Some(line) = waiting.recv() => line::write(stream, &Response::Line(line)).await?,
                value = &mut done => break value,
                // A caller has nothing more to say: anything but silence is its end.
                _ = stream.fill_buf() => return Ok(()),
            }
        };
        while let Ok(line) = waiting.try_recv() {
            line::write(stream, &Response::Line(line)).await?;
        }
        line::write(stream, &Response::Done(value)).await
    }
}
