//! `wasm`: the pure crates build for wasm32-unknown-unknown.
//!
//! Not a part of `test`: it needs a target that a plain toolchain lacks.

use crate::{
    Ended,
    cargo::{cargo, is_there, succeeds},
};
use anyhow::Result;
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

const PURE: [&str; 5] = [
    "undertone-wire",
    "undertone-crypto",
    "undertone-core",
    "undertone-server-core",
    "undertone-sim",
];

pub(crate) fn run() -> Result<Ended> {
    if !has_target() {
        return Ok(Ended::Usage(format!(
            "the target {TARGET} is not installed.\n\
             With rustup: rustup target add {TARGET}\n\
             On Debian without rustup: apt-get install rustc-web cargo-web rust-web-src lld, and set \
             RUSTC, CARGO and the linker to those of the packages"
        )));
    }
    let mut command = cargo(&["build", "--locked", "--target", TARGET]);
    for package in PURE {
        command.args(["-p", package]);
    }
    // Randomness and time come from the browser there.
    command.env(
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
        "--cfg getrandom_backend=\"wasm_js\"",
    );
    Ok(if succeeds(&mut command)? { Ended::Well } else { Ended::Badly })
}

fn has_target() -> bool {
    let sysroot =
        Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    let folder = sysroot.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    is_there("rustc") && folder.is_ok_and(|folder| std::path::Path::new(&folder).is_dir())
}
