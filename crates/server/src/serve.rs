//! A running server: starting, accepting, ending.

use crate::{
    clock,
    config::{Config, Policy},
    crowd::Crowd,
    descriptors::connections_that_fit,
    door::serve_client,
    error::ServeError,
    files::StdFiles,
    folder::Folder,
    hub, keys, recovery,
    sealer::{self, Sealer},
    service::{ServerEngine, Service},
    tls,
    trouble::Trouble,
};
use rand::{TryRngCore, rngs::OsRng};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use undertone_server_core::{CellStore, Cut, Files, Keys, Segments};
use undertone_wire::ServerAddress;

/// How long connections have to end by themselves.
const FAREWELL: Duration = Duration::from_secs(10);
/// The pause after the system has refused a socket, so that a lack of descriptors is no busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What `undertone serve` is told.
#[derive(Clone, Debug, Default)]
pub struct ServeArgs {
    /// `--data`: the data folder; made when it is not there.
    pub data: PathBuf,
    /// `--listen`: before what the file says.
    pub listen: Option<SocketAddr>,
    /// `--policy`: before what the file says.
    pub policy: Option<Policy>,
    /// `--config`: the settings file.
    pub config: Option<PathBuf>,
}

impl ServeArgs {
    fn settings(&self) -> Result<Config, ServeError> {
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        config.listen.address = self.listen.unwrap_or(config.listen.address);
        config.admission.policy = self.policy.unwrap_or(config.admission.policy);
        Ok(config)
    }
}

/// Runs a server until SIGTERM or Ctrl-C; `ready` gets its address when it accepts connections.
///
/// # Errors
/// [`ServeError`] when it cannot start, or when its last tick could not be finished.
pub async fn serve(args: &ServeArgs, ready: impl FnOnce(&ServerAddress)) -> Result<(), ServeError> {
    let asked = asked_to_stop()?;
    let mut server = Server::start(&args.data, args.settings()?).await?;
    ready(server.address());
    tokio::select! {
        () = asked => tracing::info!("closing"),
        () = server.failed() => tracing::error!("the sealing thread died"),
    }
    server.stop().await
}

/// Completes when somebody asks this process to end.
fn asked_to_stop() -> Result<impl Future<Output = ()>, ServeError> {
    let failed = |error: io::Error| ServeError::Internal(error.to_string());
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        let mut interrupt = tokio::signal::windows::ctrl_c().map_err(failed)?;
        Ok(async move {
            interrupt.recv().await;
        })
    }
}

/// A server that runs in this process; dropping it ends it too, without waiting.
pub struct Server {
    address: ServerAddress,
    closing: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    pacing: JoinHandle<()>,
    sealer: Sealer,
}

impl Server {
    /// Opens the folder, listens, and serves; must be called within a multi-threaded runtime.
    ///
    /// # Errors
    /// [`ServeError`] by blame; nothing runs then.
    pub async fn start(data: &Path, config: Config) -> Result<Self, ServeError> {
        Self::start_on(data, config, |files| Arc::new(files)).await
    }

    /// As [`Server::start`], with the store's files seen through `wrap`: for tests of disks that
    /// fail.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_on(
        data: &Path,
        mut config: Config,
        wrap: impl FnOnce(StdFiles) -> Arc<dyn Files>,
    ) -> Result<Self, ServeError> {
        config.check()?;
        config.limits.connections = connections_that_fit(config.limits.connections);
        let folder = Folder::create(data)?;
        let keys = load_or_make_keys(&folder)?;
        let acceptor = TlsAcceptor::from(tls::server_config(folder.root(), &keys)?);
        let listener =
            TcpListener::bind(config.listen.address).await.map_err(ServeError::Listen)?;
        let address = address(&config, &listener, &keys)?;
        let files = wrap(StdFiles::open(&folder.log())?);
        let engine = open_engine(folder.root().to_owned(), files, keys, &config).await?;
        // Once: a server must start on a full disk too, since what is stored there is read.
        if engine.newest().head.tick > 0 && !folder.has_begun() {
            folder.mark_begun()?;
        }
        let (bell, ear) = sealer::bell();
        let service = Arc::new(Service::new(config, Arc::clone(&engine), bell.clone()));
        let sealer = Sealer::start(folder, engine, Arc::clone(&service), (bell, ear))?;
        let (closing, closed) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, acceptor, Arc::clone(&service), closed));
        let pacing = tokio::spawn(hub::pace(service, sealer.newest()));
        Ok(Self { address, closing, accepting, pacing, sealer })
    }

    /// Where it is reached.
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Completes only if the server can store nothing any more because of our own bug.
    pub async fn failed(&mut self) {
        // The pacing task ends with the sealing thread and never before it.
        (&mut self.pacing).await.ok();
    }

    /// Finishes the tick, answers it, closes every connection, and ends.
    ///
    /// # Errors
    /// [`ServeError::Internal`] when the sealing thread had died before.
    pub async fn stop(self) -> Result<(), ServeError> {
        self.closing.send_replace(true);
        self.sealer.finish();
        // It ends when the last client has; an abort drops those that do not.
        let mut accepting = self.accepting;
        if timeout(FAREWELL, &mut accepting).await.is_err() {
            accepting.abort();
        }
        self.pacing.abort();
        self.sealer.join().await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

fn load_or_make_keys(folder: &Folder) -> Result<Keys, ServeError> {
    if let Some(keys) = keys::load(folder.root())? {
        folder.require_log()?;
        return Ok(keys);
    }
    // A new key would be another server's; the log of this one would be lost to its clients.
    if folder.has_log()? || folder.has_begun() {
        return Err(ServeError::Damaged("there is a log, but server.keys is missing".into()));
    }
    let keys = keys::first(&random_seed()?);
    keys::store(folder.root(), &keys)?;
    Ok(keys)
}

/// Takes up the log; reading a large one takes a second, which nobody else has to wait for.
async fn open_engine(
    root: PathBuf,
    files: Arc<dyn Files>,
    keys: Keys,
    config: &Config,
) -> Result<Arc<ServerEngine>, ServeError> {
    let mut config = config.engine(keys);
    let opening = tokio::task::spawn_blocking(move || {
        let store = Segments::open(files, &config.keys, random_seed()?)?;
        if let Some(Cut { place, bytes }) = store.cut() {
            tracing::warn!(place, bytes, "an unfinished last tick was cut; nobody was told of it");
        }
        let newest = store.ticks().map_or(0, |ticks| *ticks.end());
        config.recovered_after = recovery::recovered_after(&root, newest)?;
        Ok(ServerEngine::open(store, config, clock::unix_ms())?)
    });
    let opened = opening.await.map_err(|error| ServeError::Internal(error.to_string()))?;
    opened.map(Arc::new)
}

/// Thirty-two bytes from the operating system.
pub(crate) fn random_seed() -> Result<[u8; 32], ServeError> {
    let mut seed = [0; 32];
    OsRng.try_fill_bytes(&mut seed).map_err(|error| ServeError::Internal(error.to_string()))?;
    Ok(seed)
}

fn address(
    config: &Config,
    listener: &TcpListener,
    keys: &Keys,
) -> Result<ServerAddress, ServeError> {
    let local = listener.local_addr().map_err(ServeError::Listen)?;
    let host = config.listen.name.clone().unwrap_or_else(|| reachable(local.ip()).to_string());
    ServerAddress::new(&host, local.port(), keys.first.server_id())
        .map_err(|bad| ServeError::Config(format!("listen.name: {bad}")))
}

/// "All addresses" is nothing that a client could dial.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) if v4.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

/// Accepts until closing, then waits for the clients that are there.
async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    service: Arc<Service>,
    closing: watch::Receiver<bool>,
) {
    let mut clients = JoinSet::new();
    let crowd = Crowd::new(service.config.limits.connections_per_place);
    let mut until = closing.clone();
    let mut trouble = Trouble::default();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, from)) => {
                    let room = clients.len() < service.config.limits.connections as usize;
                    match crowd.enter(from.ip()).filter(|_| room) {
                        Some(one) => {
                            let client = serve_client(
                                Arc::clone(&service),
                                acceptor.clone(),
                                socket,
                                closing.clone(),
                            );
                            clients.spawn(async move {
                                let _one = one;
                                client.await;
                            });
                            service.set_connections(clients.len());
                        }
                        None => trouble.log("too many connections: new ones are dropped"),
                    }
                }
                Err(_) => {
                    trouble.log("the system refuses sockets");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = clients.join_next() => service.set_connections(clients.len()),
            () = closed(&mut until) => break,
        }
    }
    drop(listener);
    while clients.join_next().await.is_some() {}
}

/// Completes when the server is closing, or gone.
pub(crate) async fn closed(closing: &mut watch::Receiver<bool>) {
    closing.wait_for(|closing| *closing).await.ok();
}
