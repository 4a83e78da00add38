//! What the server holds, and that it holds nothing that was said.

use super::story::Place;
use crate::cargo::succeeds;
use anyhow::{Context, Result, ensure};
use std::process::Command;
use undertone_e2e::{Canaries, Person, binary};

/// Everything of the run that no server may hold.
pub(super) struct Planted(Canaries);

impl Planted {
    pub(super) fn new() -> Self {
        Self(Canaries::new())
    }

    /// A sentence, with its longer words.
    pub(super) fn text(&mut self, text: &str) {
        self.0.text(text);
    }

    /// A person's name and fingerprint, and the names and ids of all chats and messages.
    pub(super) fn ids_of(&mut self, person: &Person) -> Result<()> {
        self.0.text(&person.name);
        let who = person.ok(&["whoami"])?;
        self.0.id(who["identity"].as_str().context("no identity")?);
        let chats = person.ok(&["chats"])?;
        for chat in chats["chats"].as_array().context("no chats")? {
            let id = chat["chat"].as_str().context("no id")?;
            self.0.id(id);
            self.0.text(chat["name"].as_str().context("no name")?);
            for message in person.messages(id)? {
                self.0.id(message["message"].as_str().context("no message id")?);
            }
        }
        Ok(())
    }
}

/// Prints what the server holds and searches it; whether nothing was found.
pub(super) fn show(place: &Place, planted: &Planted) -> Result<bool> {
    println!("\n6. What the server holds (undertone admin holds):");
    let mut holds = Command::new(binary()?);
    holds.args(["admin", "--data"]).arg(&place.folder).arg("holds");
    ensure!(succeeds(&mut holds)?, "admin holds failed");
    println!(
        "\n7. The proof: every name, sentence, longer word and id of this run, searched for in"
    );
    println!("   the server's folder as it is, in hexadecimal and in Base64:");
    let found = planted.0.in_folder(&place.folder)?;
    for hit in &found {
        println!("   FOUND {:?} in {}", hit.secret, hit.place);
    }
    println!("   {} of {} found", found.len(), planted.0.len());
    Ok(found.is_empty())
}
