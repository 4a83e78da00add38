//! The link to the server as the driver uses it.

use tokio::sync::mpsc;
use undertone_transport::{Blame, Down, Hurry, Link, LinkEvent, Outgoing};

/// How the server is reached right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// No connection is wanted.
    Offline,
    /// The first attempt is under way.
    Connecting,
    /// Connected.
    Up,
    /// Not connected; the next attempt comes by itself.
    Down {
        /// Whom it is to be laid at; `None` when an open connection ended.
        blame: Option<Blame>,
        /// One sentence, without addresses.
        text: String,
        /// Attempts in a row that failed.
        failures: u32,
        /// The newest of the link's attempts of which the end is known.
        attempt: u64,
    },
}

impl LinkState {
    /// Attempts in a row that failed.
    pub(crate) fn failures(&self) -> u32 {
        match self {
            Self::Down { failures, .. } => *failures,
            Self::Offline | Self::Connecting | Self::Up => 0,
        }
    }

    /// The state after the end of an attempt, or of the connection that it had opened.
    pub(crate) fn after(&self, attempt: u64, why: &Down) -> Self {
        let before = self.failures();
        let (blame, failures) = match why {
            Down::NotOpened(error) => (Some(error.blame()), before + 1),
            Down::Lost(_) => (None, before),
        };
        Self::Down { blame, text: why.to_string(), failures, attempt }
    }
}

/// Both ends that the driver needs of a link.
#[derive(Debug)]
pub struct Wires {
    /// What happens.
    pub events: mpsc::Receiver<LinkEvent>,
    /// What to send.
    pub frames: mpsc::Sender<Outgoing>,
    /// Has the link try again at once.
    pub(crate) hurry: Hurry,
    /// Whether anything can ever come.
    pub(crate) online: bool,
    /// Keeps the other ends alive.
    _keep: Keep,
}

#[derive(Debug)]
enum Keep {
    Link(#[expect(dead_code, reason = "dropping it ends the link")] Link),
    Ends(#[expect(dead_code, reason = "dropping them would look like an end")] Ends),
    Nothing,
}

type Ends = (mpsc::Sender<LinkEvent>, mpsc::Receiver<Outgoing>);

impl Wires {
    /// Those of a real link.
    pub fn of(mut link: Link) -> Self {
        let (_, placeholder) = mpsc::channel(1);
        let events = std::mem::replace(&mut link.events, placeholder);
        let frames = link.frames.clone();
        let hurry = link.hurry.clone();
        Self { events, frames, hurry, online: true, _keep: Keep::Link(link) }
    }

    /// Those of no link: nothing comes, nothing goes.
    pub fn offline() -> Self {
        let (events_in, events) = mpsc::channel(1);
        let (frames, frames_out) = mpsc::channel(1);
        let _keep = Keep::Ends((events_in, frames_out));
        Self { events, frames, hurry: Hurry::default(), online: false, _keep }
    }

    /// Those whose other ends somebody else holds.
    pub fn held(events: mpsc::Receiver<LinkEvent>, frames: mpsc::Sender<Outgoing>) -> Self {
        Self { events, frames, hurry: Hurry::default(), online: true, _keep: Keep::Nothing }
    }
}
