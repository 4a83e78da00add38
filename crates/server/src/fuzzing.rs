//! The door for the fuzz targets (`fuzz/`), behind the feature `fuzzing`, which no program has.
//!
//! A whole server but for TLS, its clock and its sealing thread: clients come over any stream, and
//! ticks are sealed when the target says so.

use crate::{
    Config, ServeError, door, http,
    hub::Push,
    keys, sealer,
    service::{ServerEngine, Service},
};
use std::sync::Arc;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};
use undertone_server_core::{Files, MemFiles, Segments};

/// The head of an HTTP request.
pub fn head(bytes: &[u8]) {
    if let Ok(Some(head)) = http::parse_head(bytes, 4_096) {
        assert!(head.len <= bytes.len(), "a head is a part of what was read");
    }
}

/// The file of the server's keys; whether it is one.
pub fn keys(bytes: &[u8]) -> bool {
    keys::parse(bytes).is_ok()
}

/// The file of a new server's keys.
pub fn key_file(seed: &[u8; 32]) -> Vec<u8> {
    keys::file_of(&keys::first(seed))
}

/// A server without a socket.
pub struct Host {
    engine: Arc<ServerEngine>,
    service: Arc<Service>,
    closing: watch::Sender<bool>,
}

impl Host {
    /// A server on these files, with the key that the seed gives.
    ///
    /// # Errors
    /// When the files are not this server's.
    pub fn open(files: MemFiles, seed: &[u8; 32], now_ms: u64) -> Result<Self, ServeError> {
        let config = Config::default();
        let engine = config.engine(keys::first(seed));
        let files: Arc<dyn Files> = Arc::new(files);
        let store = Segments::open(files, &engine.keys, [2; 32])?;
        let engine = Arc::new(ServerEngine::open(store, engine, now_ms)?);
        let (bell, _ear) = sealer::bell();
        let service = Arc::new(Service::new(config, Arc::clone(&engine), bell));
        Ok(Self { engine, service, closing: watch::Sender::new(false) })
    }

    /// Serves one client from the HTTP head to the end of its connection.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) {
        door::serve_stream(Arc::clone(&self.service), stream, self.closing.subscribe()).await;
    }

    /// Seals a tick, answers whoever wrote, and pushes it to whoever listens.
    pub fn seal(&self, now_ms: u64) {
        let sealed = self.engine.seal(now_ms);
        self.service.deliver(sealed.answers);
        if let Some(page) = sealed.page {
            // Nobody has to listen.
            self.service.ring.send(Push::new((*page).clone())).ok();
        }
    }

    /// Ends every connection.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}
