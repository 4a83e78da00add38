//! A server as a process of its own.

use crate::{binary, process, watch::lines};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    fs::{self, File, OpenOptions},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its folder; made at the first start.
    pub folder: PathBuf,
    /// Where it listens; port 0 picks one.
    pub listen: String,
    /// Whether it says on stderr all that it can (`UNDERTONE_LOG=trace`).
    pub talkative: bool,
    /// No file of it may grow beyond so many KiB: a disk that is full.
    pub file_kib_max: Option<u64>,
}

impl Setup {
    /// A plain server on a port that the system picks.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            listen: "127.0.0.1:0".to_owned(),
            talkative: false,
            file_kib_max: None,
        }
    }

    /// The command that starts it.
    ///
    /// # Errors
    /// When there is no binary.
    pub fn command(&self) -> Result<Command> {
        let binary = binary()?;
        let mut command = match self.file_kib_max {
            None => Command::new(binary),
            Some(kib) => limited(&binary, kib),
        };
        command.args(["serve", "--json", "--listen", &self.listen, "--data"]).arg(&self.folder);
        if self.talkative {
            command.env("UNDERTONE_LOG", "trace");
        }
        Ok(command)
    }
}

/// A command whose files cannot grow beyond a limit; writing more is an error, as on a full disk.
pub(crate) fn limited(binary: &Path, kib: u64) -> Command {
    let mut command = Command::new("bash");
    let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
    command.arg("-c").arg(script).arg(binary);
    command
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    log: PathBuf,
    address: String,
    child: Child,
}

impl Server {
    /// Starts a plain server on this folder and waits until it is ready.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start(folder: impl Into<PathBuf>) -> Result<Self> {
        Self::with(Setup::new(folder))
    }

    /// Starts a server and waits until it is ready. What it says on stderr lies beside its folder.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn with(setup: Setup) -> Result<Self> {
        let log = setup.folder.with_extension("log");
        let (child, address) = launch(&setup, &log)?;
        Ok(Self { setup, log, address, child })
    }

    /// `undertone://HOST:PORT/#FINGERPRINT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `HOST:PORT`.
    pub fn authority(&self) -> &str {
        let rest = self.address.trim_start_matches("undertone://");
        rest.split('/').next().unwrap_or(rest)
    }

    /// The fingerprint.
    pub fn fingerprint(&self) -> &str {
        self.address.rsplit('#').next().unwrap_or_default()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.setup.folder
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it has said on stderr, over all its starts.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Asks it to end (SIGTERM).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        process::terminate(&mut self.child)
    }

    /// Ends it at once, as a power cut would (SIGKILL).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        process::kill(&mut self.child)
    }

    /// Stops it where it is (SIGSTOP), as a laptop's lid does.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> Result<()> {
        process::signal(&self.child, "STOP")
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> Result<()> {
        process::signal(&self.child, "CONT")
    }

    /// Starts it again, under the address that it had. It must have ended.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn again(&mut self) -> Result<()> {
        self.setup.listen = self.authority().to_owned();
        let (child, address) = launch(&self.setup, &self.log)?;
        (self.child, self.address) = (child, address);
        Ok(())
    }

    /// Runs `undertone admin` on its folder; gives back the JSON.
    ///
    /// # Errors
    /// When the command fails.
    pub fn admin(&self, words: &[&str]) -> Result<Value> {
        let mut command = Command::new(binary()?);
        command.args(["--json", "admin", "--data"]).arg(&self.setup.folder).args(words);
        let ended = process::Running::start(&mut command)?.end()?;
        if !ended.status.success() {
            bail!("admin {words:?}: {} {}", ended.stdout, ended.stderr);
        }
        Ok(serde_json::from_str(&ended.stdout)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = process::kill(&mut self.child);
    }
}

fn launch(setup: &Setup, log: &Path) -> Result<(Child, String)> {
    let stderr = OpenOptions::new().create(true).append(true).open(log)?;
    // A group of its own: Ctrl-C in a terminal is for whoever started it, who then ends it.
    let mut child = setup
        .command()?
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .process_group(0)
        .spawn()?;
    let stdout = child.stdout.take().context("the output was piped")?;
    match lines(stdout).recv_timeout(process::PATIENCE) {
        Ok(line) => Ok((child, ready(&line)?)),
        Err(_) => {
            // It is on its way out, or hangs.
            let _ = process::kill(&mut child);
            bail!("the server did not get ready: {}", std::io::read_to_string(File::open(log)?)?)
        }
    }
}

fn ready(line: &str) -> Result<String> {
    let line: Value = serde_json::from_str(line).with_context(|| format!("not ready: {line}"))?;
    let address = line["server"].as_str().filter(|_| line["event"] == "ready");
    Ok(address.with_context(|| format!("not ready: {line}"))?.to_owned())
}
