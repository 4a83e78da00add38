//! `demo`: a server and three people, told step by step.
//!
//! Everything is the real binary in processes of its own. The story runs in a thread, so that
//! Ctrl-C ends it cleanly at any moment: the server is asked to end, the folders are removed.

mod proof;
mod story;

use crate::{
    Ended,
    cargo::{cargo, root, succeeds},
};
use anyhow::{Context, Result};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use std::{
    path::Path,
    sync::mpsc::{self, Sender},
    thread,
};
use tempfile::TempDir;
use undertone_e2e::{Server, binary};

/// What the waiting main thread hears.
enum News {
    /// The story has been told; whether its proof held.
    Told(Result<bool>),
    /// Ctrl-C, or a request to end.
    End,
}

pub(crate) fn run(words: &[&str]) -> Result<Ended> {
    let waits = match words {
        [] => true,
        ["--no-wait"] => false,
        _ => return Ok(Ended::Usage("cargo xtask demo [--no-wait]".to_owned())),
    };
    println!("Building undertone …");
    if !succeeds(&mut cargo(&["build", "--locked", "-p", "undertone"]))? {
        return Ok(Ended::Badly);
    }
    play(waits)
}

/// Plays with the binary that is there; `waits` says whether the server stays up afterwards.
pub(crate) fn play(waits: bool) -> Result<Ended> {
    let (tell, news) = mpsc::channel();
    hear_signals(tell.clone())?;
    let home = tempfile::Builder::new().prefix("undertone-demo-").tempdir()?;
    let server = Server::start(home.path().join("server"))?;
    tell_story(&server, &home, tell);
    let well = match news.recv()? {
        News::Told(held) => held?,
        News::End => return end(server, home, true),
    };
    if waits && well {
        invite(&server)?;
        // Nothing but the end can be heard any more.
        let _ = news.recv();
    }
    end(server, home, well)
}

fn hear_signals(tell: Sender<News>) -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if tell.send(News::End).is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn tell_story(server: &Server, home: &TempDir, tell: Sender<News>) {
    let place = story::Place {
        address: server.address().to_owned(),
        home: home.path().to_owned(),
        folder: server.folder().to_owned(),
    };
    thread::spawn(move || {
        // Nobody listens once the end was asked for.
        let _ = tell.send(News::Told(story::tell(&place)));
    });
}

/// How to join, in three lines.
fn invite(server: &Server) -> Result<()> {
    let binary = binary()?;
    let binary = shown(&binary);
    println!("\nThe server stays up. Join it from another terminal, in this folder:");
    println!("  {binary} --profile /tmp/me init --name Me --server '{}'", server.address());
    println!(
        "  {binary} --profile /tmp/me link      # give it to somebody who does the same with /tmp/you"
    );
    println!(
        "  {binary} --profile /tmp/me watch     # and they: {binary} --profile /tmp/you accept LINK"
    );
    println!("\nCtrl-C ends it and removes everything that the demo has made.");
    Ok(())
}

/// A path as one types it in the workspace's folder.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn end(mut server: Server, home: TempDir, well: bool) -> Result<Ended> {
    let status = server.stop()?;
    let log = server.log()?;
    home.close().context("the demo's folders cannot be removed")?;
    println!("\nThe server has ended ({status}); the demo's folders are removed.");
    if !log.is_empty() {
        println!("It had said:\n{log}");
    }
    Ok(if well && status.success() { Ended::Well } else { Ended::Badly })
}
