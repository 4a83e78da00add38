//! A connection that comes back.
//!
//! A [`Link`] is one task. It dials, hands every frame of the server on, sends what it is given,
//! and after a failure waits ([`Backoff`]) and dials again, for ever. Both queues are bounded:
//! whoever does not read events slows the server down, which may then drop the connection.
//!
//! Every connection has a number. A frame to send names the connection it is meant for; one that
//! is meant for an earlier one is dropped, because its answer could only confuse.

use crate::{
    backoff::Backoff,
    connection::{Connection, FrameReceiver, FrameSender},
    dial::{Limits, Socks5},
    error::{Blame, ConnectError, Lost},
    hurry::Hurry,
    pin::Pin,
};
use std::{future::Future, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle};
use undertone_wire::{Frame, Info, ServerAddress};

/// Frames to send that may wait; each is a small request.
const FRAMES: usize = 64;
/// Events that may wait: with the longest messages they hold forty megabytes.
const EVENTS: usize = 8;

/// A connection that has lasted so long has proved itself: after its end the waiting times begin
/// anew. One that ended sooner counts as a failure, whatever it carried, or a server in trouble
/// would have all of its clients back within a moment, over and over.
const PROVEN: Duration = Duration::from_secs(30);

/// Whither, how, and how patiently.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Where the server is.
    pub address: ServerAddress,
    /// Who it is; grows with every connection.
    pub pin: Pin,
    /// The proxy to go through.
    pub proxy: Option<Socks5>,
    /// How long the steps may take.
    pub limits: Limits,
    /// When to try again.
    pub backoff: Backoff,
}

impl LinkConfig {
    /// Nothing known of the server but its id, and the usual patience: a first retry within 250 ms,
    /// the longest wait 30 s.
    pub fn new(address: ServerAddress, proxy: Option<Socks5>, seed: u64) -> Self {
        let limits = if proxy.is_some() { Limits::patient() } else { Limits::default() };
        let backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30), seed);
        let pin = Pin::from(address.server());
        Self { address, pin, proxy, limits, backoff }
    }
}

/// What happens on the link.
#[derive(Debug)]
pub enum LinkEvent {
    /// A connection is open.
    Connected {
        /// Its number, which goes into [`Outgoing`].
        connection: u64,
        /// What the server says of itself.
        info: Box<Info>,
    },
    /// The server sends something.
    Frame(Box<Frame>),
    /// There is no connection; the next attempt comes by itself.
    Disconnected {
        /// The attempt that failed, or that had opened the connection: see [`Hurry`].
        attempt: u64,
        /// Why.
        why: Down,
        /// When it will be tried again.
        retry_in: Duration,
    },
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum Down {
    /// It could not be opened.
    #[error(transparent)]
    NotOpened(ConnectError),
    /// It was open and ended.
    #[error(transparent)]
    Lost(Lost),
}

/// A frame to send.
#[derive(Debug)]
pub struct Outgoing {
    /// The connection that it is meant for.
    pub connection: u64,
    /// What is sent.
    pub frame: Frame,
}

/// A lasting connection to one server; ends when dropped.
#[derive(Debug)]
pub struct Link {
    /// What happens, in order.
    pub events: mpsc::Receiver<LinkEvent>,
    /// What to send; waits when the network is slower than its user.
    pub frames: mpsc::Sender<Outgoing>,
    /// Cuts its waiting times short.
    pub hurry: Hurry,
    task: JoinHandle<()>,
}

impl Link {
    /// Starts the task; must be called within a tokio runtime.
    pub fn start(config: LinkConfig) -> Self {
        let (events_in, events) = mpsc::channel(EVENTS);
        let (frames, frames_out) = mpsc::channel(FRAMES);
        let hurry = Hurry::default();
        let driver = Driver {
            config,
            events: events_in,
            frames: frames_out,
            hurry: hurry.clone(),
            connection: 0,
        };
        Self { events, frames, hurry, task: tokio::spawn(driver.run()) }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The owner of the link has gone: there is nobody to tell.
struct Abandoned;

struct Driver {
    config: LinkConfig,
    events: mpsc::Sender<LinkEvent>,
    frames: mpsc::Receiver<Outgoing>,
    hurry: Hurry,
    connection: u64,
}

impl Driver {
    async fn run(mut self) {
        while let Ok(why) = self.connect_once().await {
            if self.pause(why).await.is_err() {
                return;
            }
        }
    }

    /// One connection, from dialling to its end.
    async fn connect_once(&mut self) -> Result<Down, Abandoned> {
        self.hurry.begin();
        let LinkConfig { address, pin, proxy, limits, .. } = &self.config;
        let opening = Connection::open_pinned(address, pin, proxy.as_ref(), limits);
        let opened = match discarding(&mut self.frames, opening).await? {
            Ok(opened) => opened,
            Err(error) => return Ok(Down::NotOpened(error)),
        };
        self.config.pin = Pin::from(opened.keys);
        self.connection += 1;
        let connected =
            LinkEvent::Connected { connection: self.connection, info: Box::new(opened.info) };
        discarding(&mut self.frames, self.events.send(connected)).await?.map_err(|_| Abandoned)?;
        self.exchange(opened.sender, opened.receiver).await.map(Down::Lost)
    }

    /// Both directions at once, so that neither queue can block the other.
    async fn exchange(
        &mut self,
        sender: FrameSender,
        receiver: FrameReceiver,
    ) -> Result<Lost, Abandoned> {
        let backoff = &mut self.config.backoff;
        tokio::select! {
            end = pump_in(receiver, &self.events) => end,
            end = pump_out(sender, &mut self.frames, self.connection) => end,
            end = prove(backoff) => end,
        }
    }

    /// Says what happened and waits.
    async fn pause(&mut self, why: Down) -> Result<(), Abandoned> {
        let backoff = &mut self.config.backoff;
        match &why {
            Down::NotOpened(error) if waiting_helps_little(error.blame()) => backoff.give_time(),
            Down::NotOpened(_) => {}
            // Whoever asked before it ended had what they asked for.
            Down::Lost(_) => self.hurry.forget(),
        }
        let (attempt, retry_in) = (self.hurry.begun(), backoff.next_delay());
        tracing::debug!(reason = %why, retry_ms = retry_in.as_millis(), "no connection");
        let waiting = async {
            let told = self.events.send(LinkEvent::Disconnected { attempt, why, retry_in }).await;
            told.map_err(|_| Abandoned)?;
            tokio::select! {
                () = tokio::time::sleep(retry_in) => Ok(()),
                () = self.hurry.asked() => Ok(()),
                () = self.events.closed() => Err(Abandoned),
            }
        };
        discarding(&mut self.frames, waiting).await?
    }
}

fn waiting_helps_little(blame: Blame) -> bool {
    matches!(blame, Blame::Impostor | Blame::Version)
}

/// Runs `future` while frames that can have no connection are thrown away, so that nobody waits
/// for a full queue.
async fn discarding<T>(
    frames: &mut mpsc::Receiver<Outgoing>,
    future: impl Future<Output = T>,
) -> Result<T, Abandoned> {
    tokio::pin!(future);
    loop {
        tokio::select! {
            biased;
            done = &mut future => return Ok(done),
            frame = frames.recv() => if frame.is_none() { return Err(Abandoned) },
        }
    }
}

/// Never ends.
async fn prove(backoff: &mut Backoff) -> Result<Lost, Abandoned> {
    tokio::time::sleep(PROVEN).await;
    backoff.reset();
    std::future::pending().await
}

async fn pump_in(
    mut receiver: FrameReceiver,
    events: &mpsc::Sender<LinkEvent>,
) -> Result<Lost, Abandoned> {
    loop {
        match receiver.next().await {
            Ok(frame) => {
                events.send(LinkEvent::Frame(Box::new(frame))).await.map_err(|_| Abandoned)?;
            }
            Err(lost) => return Ok(lost),
        }
    }
}

/// One flush for all frames that are ready together.
async fn pump_out(
    mut sender: FrameSender,
    frames: &mut mpsc::Receiver<Outgoing>,
    connection: u64,
) -> Result<Lost, Abandoned> {
    loop {
        let Some(mut outgoing) = frames.recv().await else {
            sender.close().await;
            return Err(Abandoned);
        };
        loop {
            if outgoing.connection == connection
                && let Err(lost) = sender.feed(&outgoing.frame).await
            {
                return Ok(lost);
            }
            match frames.try_recv() {
                Ok(next) => outgoing = next,
                Err(_) => break,
            }
        }
        if let Err(lost) = sender.flush().await {
            return Ok(lost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::MESSAGE_LEN_MAX;
    use crate::error::Step;
    use futures_util::FutureExt;
    use undertone_puppet::first;

    /// A link's task as it stands between two attempts, an hour apart, and the ends that its owner has.
    fn resting() -> (Driver, mpsc::Receiver<LinkEvent>, mpsc::Sender<Outgoing>) {
        let (events_in, events) = mpsc::channel(EVENTS);
        let (frames, frames_out) = mpsc::channel(FRAMES);
        let address = ServerAddress::new("ada.example", 443, first(1).first.server_id()).unwrap();
        let mut config = LinkConfig::new(address, None, 1);
        config.backoff = Backoff::new(Duration::from_secs(3_600), Duration::from_secs(3_600), 1);
        let hurry = Hurry::default();
        let driver = Driver { config, events: events_in, frames: frames_out, hurry, connection: 0 };
        (driver, events, frames)
    }

    #[tokio::test]
    async fn what_was_asked_before_a_connection_opened_cuts_no_wait_after_its_end() {
        let (mut driver, _events, _frames) = resting();
        driver.hurry.begin();
        driver.hurry.now();
        assert!(driver.pause(Down::Lost(Lost::Closed)).now_or_never().is_none());
    }

    #[tokio::test]
    async fn what_was_asked_during_an_attempt_that_fails_has_another_made_at_once() {
        let (mut driver, _events, _frames) = resting();
        driver.hurry.begin();
        driver.hurry.now();
        let failed = Down::NotOpened(ConnectError::TimedOut(Step::Connect));
        assert!(driver.pause(failed).now_or_never().is_some_and(|paused| paused.is_ok()));
    }

    #[test]
    fn what_waits_is_bounded_in_bytes() {
        const SEGMENT_ENTRIES_MAX: usize = 262_144;
        const { assert!(MESSAGE_LEN_MAX >= SEGMENT_ENTRIES_MAX * 16 + (256 << 10)) };
        const { assert!(EVENTS * MESSAGE_LEN_MAX <= 40 << 20) };
    }
}
