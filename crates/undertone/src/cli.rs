//! The whole command line.

use crate::operator::{AdminArgs, ServeArgs};
use clap::{Parser, Subcommand};
use undertone_app::{Global, Verb};

/// A private messenger that a group of people runs for itself.
///
/// Messages are end-to-end encrypted with a post-quantum suite; the server holds nothing but sealed
/// cells that it can neither read nor attribute to a conversation.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "undertone",
    version,
    disable_help_subcommand = true,
    after_help = EXIT_CODES,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 our bug, 2 usage, 3 not found or ambiguous, 4 refused for security or policy,
5 server or network not reachable (what was queued stays queued), 6 wrong passphrase or locked,
7 disk or storage, 8 damaged profile or foreign version, 9 waited in vain.

Example:
  undertone init --name Ada --server undertone://chat.example:7443/#1f0c…
  undertone link";

#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Command {
    #[command(flatten)]
    Person(Verb),
    /// Run a server.
    Serve(ServeArgs),
    /// Look after a server's data folder.
    Admin(AdminArgs),
    /// Print the completions for a shell.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print a manual page.
    #[command(hide = true)]
    Man {
        /// A command; without it the page of all.
        page: Option<String>,
    },
}
