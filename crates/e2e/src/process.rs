//! A process that will end, and what it said by then.

use anyhow::{Context, Result, bail, ensure};
use std::{
    io::Read,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

/// How long anything may take before a test fails. Generous: machines that test are busy.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What a process left.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

/// A process under way; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    outputs: Receiver<(String, String)>,
    what: String,
}

impl Running {
    /// Starts a command with its outputs captured and nothing on its standard input.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(command: &mut Command) -> Result<Self> {
        let what = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{what} does not start"))?;
        let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
        let (send, outputs) = mpsc::channel();
        thread::spawn(move || {
            let other = thread::spawn(move || drain(err.as_mut()));
            let stdout = drain(out.as_mut());
            // Whoever no longer waits does not want them.
            let _ = send.send((stdout, other.join().unwrap_or_default()));
        });
        Ok(Self { child, outputs, what })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it takes longer than [`PATIENCE`].
    pub fn end(self) -> Result<Ended> {
        match self.end_within(PATIENCE)? {
            Ok(ended) => Ok(ended),
            Err(running) => bail!("{} did not end", running.what),
        }
    }

    /// Waits for its end, but only so long; gives it back when it goes on.
    ///
    /// # Errors
    /// When its state cannot be asked for.
    pub fn end_within(mut self, limit: Duration) -> Result<Result<Ended, Self>> {
        match self.outputs.recv_timeout(limit) {
            Ok((stdout, stderr)) => {
                let status = self.child.wait()?;
                Ok(Ok(Ended { status, stdout, stderr }))
            }
            Err(RecvTimeoutError::Timeout) => Ok(Err(self)),
            Err(RecvTimeoutError::Disconnected) => bail!("the outputs of {} are lost", self.what),
        }
    }

    /// Ends it at once, as a power cut would (SIGKILL).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        kill(&mut self.child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill(&mut self.child);
    }
}

pub(crate) fn kill(child: &mut Child) -> Result<()> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// Sends a signal by its name.
pub(crate) fn signal(child: &Child, name: &str) -> Result<()> {
    let line = format!("kill -{name} {}", child.id());
    let sent = Command::new("sh").arg("-c").arg(line).status()?;
    ensure!(sent.success(), "SIG{name} was not delivered");
    Ok(())
}

/// Asks a process to end (SIGTERM), and waits until it has.
pub(crate) fn terminate(child: &mut Child) -> Result<ExitStatus> {
    signal(child, "TERM")?;
    let (send, ended) = mpsc::channel();
    thread::scope(|scope| {
        let id = child.id();
        scope.spawn(move || {
            if ended.recv_timeout(PATIENCE).is_err() {
                // The wait below returns, and the status says what happened.
                let _ = Command::new("sh").arg("-c").arg(format!("kill -KILL {id}")).status();
            }
        });
        let status = child.wait();
        // The watchdog ends when it hears this or when the sender is dropped.
        let _ = send.send(());
        Ok(status?)
    })
}

fn drain(stream: Option<&mut impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // A killed process may leave a broken pipe; what came before is what counts.
        let _ = stream.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
