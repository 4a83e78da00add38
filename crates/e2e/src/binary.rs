//! Where the binary is.

use anyhow::{Context, Result, bail, ensure};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The `undertone` binary of this build: beside the test's own executable, or the one that
/// `UNDERTONE_BIN` names. Built first: an older one that lies there would be told about instead.
///
/// # Errors
/// When it is not there and cannot be built.
pub fn binary() -> Result<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| find().map_err(|error| format!("{error:#}")));
    found.clone().map_err(anyhow::Error::msg)
}

fn find() -> Result<PathBuf> {
    if let Some(named) = env::var_os("UNDERTONE_BIN") {
        return Ok(named.into());
    }
    let own = env::current_exe().context("this executable has no path")?;
    build(&own)?;
    beside(&own).with_context(|| format!("no undertone binary near {}", own.display()))
}

/// Test executables lie in `deps/`, one below the binaries.
fn beside(own: &Path) -> Option<PathBuf> {
    let name = format!("undertone{}", env::consts::EXE_SUFFIX);
    own.ancestors().skip(1).take(2).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

fn build(own: &Path) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2) else {
        bail!("the crate does not lie in a workspace");
    };
    let mut command = Command::new(cargo);
    command.args(["build", "--locked", "-p", "undertone"]).current_dir(root);
    if own.ancestors().any(|folder| folder.ends_with("release")) {
        command.arg("--release");
    }
    let status = command.status().context("cargo does not start")?;
    ensure!(status.success(), "cargo build -p undertone failed");
    Ok(())
}
