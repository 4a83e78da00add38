//! What every command takes.

use crate::Failure;
use clap::Args;
use std::path::PathBuf;

/// What every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// The folder of one person's device [default: in the platform's data folder].
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "UNDERTONE_PROFILE",
        hide_env_values = true
    )]
    pub profile: Option<PathBuf>,
    /// A file whose first line is the passphrase; without it the passphrase is asked for.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "UNDERTONE_PASSPHRASE_FILE",
        hide_env_values = true
    )]
    pub passphrase_file: Option<PathBuf>,
    /// Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Global {
    /// The profile's folder.
    ///
    /// # Errors
    /// When none was given and the system names no data folder.
    pub fn folder(&self) -> Result<PathBuf, Failure> {
        match &self.profile {
            Some(folder) => Ok(folder.clone()),
            None => data_folder().ok_or_else(|| {
                Failure::usage(
                    "the system names no data folder",
                    "name the profile's folder with --profile",
                )
            }),
        }
    }
}

fn data_folder() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    if cfg!(windows) {
        of("APPDATA").map(|data| data.join("Undertone"))
    } else if cfg!(target_os = "macos") {
        of("HOME").map(|home| home.join("Library/Application Support/Undertone"))
    } else {
        let data = of("XDG_DATA_HOME").or_else(|| of("HOME").map(|home| home.join(".local/share")));
        data.map(|data| data.join("undertone"))
    }
}
