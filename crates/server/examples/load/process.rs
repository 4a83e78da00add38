//! The server as a process of its own, and what it costs.

use crate::Outcome;
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use undertone_server::ServeArgs;
use undertone_wire::ServerAddress;

/// Clock ticks per second in `/proc` (fixed on Linux).
const TICKS_PER_SECOND: f64 = 100.0;

/// `load serve DIR`: the child's side.
pub(crate) async fn serve(data: PathBuf) -> Outcome<()> {
    let listen = Some("127.0.0.1:0".parse()?);
    let args = ServeArgs { data, listen, ..ServeArgs::default() };
    undertone_server::serve(&args, |address| crate::report::print_line(&address.to_string()))
        .await?;
    Ok(())
}

/// A running server with a folder of its own, which is removed afterwards.
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) address: ServerAddress,
    _dir: tempfile::TempDir,
}

impl ServerProcess {
    pub(crate) fn start(parent: &Path) -> Outcome<Self> {
        let dir = tempfile::tempdir_in(parent)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg(dir.path().join("data"))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse()?;
        Ok(Self { child, address, _dir: dir })
    }

    /// Processor time used so far, in seconds.
    pub(crate) fn cpu_s(&self) -> Outcome<f64> {
        cpu_s(&self.child.id().to_string())
    }

    /// Resident memory, in KiB.
    pub(crate) fn rss_kib(&self) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let value = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(value.ok_or("no VmRSS in /proc/PID/status")?.parse()?)
    }

    pub(crate) fn stop(mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

/// Processor time that the generator itself has used so far, in seconds.
pub(crate) fn own_cpu_s() -> Outcome<f64> {
    cpu_s("self")
}

fn cpu_s(process: &str) -> Outcome<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("a strange /proc/PID/stat")?;
    let fields: Vec<_> = after_name.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Stopped already, or a measurement failed: either way nothing must stay behind.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
