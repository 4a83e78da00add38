//! Completions and manual pages, generated from the command line itself.
//!
//! The repository keeps them under `completions/` and `docs/man/`; a test holds them fresh.

use crate::cli::Cli;
use clap::{Command, CommandFactory};
use clap_complete::Shell;

/// Wide enough that no line is folded where the terminal of whoever generates is narrow.
const WIDTH: usize = 100;

/// The command line at a fixed width.
pub(crate) fn command() -> Command {
    Cli::command().term_width(WIDTH)
}

/// The completions for a shell.
pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut command(), "undertone", &mut bytes);
    bytes
}

/// The manual page of a command, or of all.
pub(crate) fn man_page(name: Option<&str>) -> Option<Vec<u8>> {
    let mut whole = command();
    whole.build();
    let page = match name {
        None => whole,
        Some(name) => whole.get_subcommands().find(|sub| sub.get_name() == name)?.clone(),
    };
    let mut bytes = Vec::new();
    // Without a date the page changes only when the command line does.
    let man = clap_mangen::Man::new(page).date("").manual("Undertone");
    man.render(&mut bytes).ok()?;
    Some(bytes)
}

/// The commands that have a page of their own.
#[cfg(test)]
pub(crate) fn visible() -> Vec<String> {
    let whole = command();
    let visible = whole.get_subcommands().filter(|sub| !sub.is_hide_set());
    visible.map(|sub| sub.get_name().to_owned()).collect()
}
