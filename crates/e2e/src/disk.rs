//! A small disk of one's own, which can be full or read-only.

use crate::process::Running;
use anyhow::{Context, Result, ensure};
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// The ballast is written in pieces of this size, the last room in single bytes of a page.
const PIECE: usize = 64 << 10;

/// A file system in memory with a fixed size; unmounted when dropped. Whatever uses it must have
/// ended by then.
#[derive(Debug)]
pub struct Disk {
    place: PathBuf,
}

impl Disk {
    /// Mounts one of so many KiB on a new folder; `None`, and a line that says so, where this may
    /// not be done.
    ///
    /// # Errors
    /// When the folder cannot be made.
    #[expect(
        clippy::print_stderr,
        reason = "a story that is skipped must not look as if it was told"
    )]
    pub fn mount(place: impl Into<PathBuf>, kib: u64) -> Result<Option<Self>> {
        let place = place.into();
        fs::create_dir(&place)?;
        let size = format!("size={kib}k");
        let refusal = match run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "undertone-e2e"])
            .arg(&place))
        {
            Ok(()) => return Ok(Some(Self { place })),
            Err(error) => error,
        };
        eprintln!("skipped: no disk can be mounted here: {refusal:#}");
        Ok(None)
    }

    /// Where it is.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Takes all the room that there is.
    ///
    /// # Errors
    /// When something else than the end of the room stops it.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = File::options().create(true).append(true).open(self.ballast())?;
        let mut piece = PIECE;
        while piece > 0 {
            match ballast.write(&vec![0; piece]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => piece /= 2,
                Err(error) => return Err(error).context("the ballast"),
            }
        }
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// When it was not full.
    pub fn relieve(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("the ballast")
    }

    /// Whether it may be written from now on. Fails while a file is open for writing.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn writable(&self, writable: bool) -> Result<()> {
        let how = if writable { "remount,rw" } else { "remount,ro" };
        run(Command::new("mount").args(["-o", how]).arg(&self.place))
    }

    fn ballast(&self) -> PathBuf {
        self.place.join("ballast")
    }
}

impl Drop for Disk {
    #[expect(clippy::print_stderr, reason = "nobody is left to whom an error could be given")]
    fn drop(&mut self) {
        // Lazily: where a failing test leaves a process behind, the disk goes when that does.
        if let Err(error) = run(Command::new("umount").arg("--lazy").arg(&self.place)) {
            eprintln!("a disk stays mounted: {error:#}");
        }
    }
}

fn run(command: &mut Command) -> Result<()> {
    let ended = Running::start(command)?.end()?;
    ensure!(ended.status.success(), "{}", ended.stderr.trim());
    Ok(())
}
