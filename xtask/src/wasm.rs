//! `wasm`: the pure crates build for wasm32-unknown-unknown.
//!
//! Not a part of `test`: it needs a target that a plain toolchain lacks. That they build is all
//! that is shown; nothing runs them there yet.

use crate::{
    Ended,
    cargo::{cargo, succeeds},
};
use anyhow::{Context, Result};
use std::{env, ffi::OsString, path::Path, process::Command};

const TARGET: &str = "wasm32-unknown-unknown";

const PURE: [&str; 5] = [
    "undertone-wire",
    "undertone-crypto",
    "undertone-core",
    "undertone-server-core",
    "undertone-sim",
];

pub(crate) fn run() -> Result<Ended> {
    if !has_target()? {
        return Ok(Ended::Usage(format!(
            "the target {TARGET} is not installed.\n\
             With rustup: rustup target add {TARGET}\n\
             On Debian without rustup: apt-get install cargo rustc libstd-rust-dev-wasm32, from a \
             release whose rustc is new enough (1.91; not bookworm or trixie)"
        )));
    }
    let mut command = cargo(&["build", "--locked", "--target", TARGET]);
    for package in PURE {
        command.args(["-p", package]);
    }
    Ok(if succeeds(&mut command)? { Ended::Well } else { Ended::Badly })
}

/// Whether the compiler that cargo will use has a standard library for the target.
fn has_target() -> Result<bool> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let asked = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("rustc does not start")?;
    let folder = String::from_utf8_lossy(&asked.stdout);
    Ok(asked.status.success() && Path::new(folder.trim()).is_dir())
}
