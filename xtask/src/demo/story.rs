//! Ada, Ben and Chloe.

use super::proof::{self, Planted};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::PathBuf;
use undertone_e2e::{Person, befriend};

/// Where the story takes place.
pub(super) struct Place {
    /// The server's address.
    pub(super) address: String,
    /// Where the people's profiles lie.
    pub(super) home: PathBuf,
    /// The server's folder.
    pub(super) folder: PathBuf,
}

const ADA: &str = "Ada Okonkwo";
const BEN: &str = "Ben Castellan";
const CHLOE: &str = "Chloe Vandermeer";
const GROUP: &str = "Newsdesk";

/// Tells the story; whether the proof at its end held.
pub(super) fn tell(place: &Place) -> Result<bool> {
    let mut planted = Planted::new();
    println!("\n1. A server runs at {}", place.address);
    println!("\n2. Three people make their profiles (24 words each, kept to themselves):");
    let [ada, ben, chloe] = [ADA, BEN, CHLOE].map(|name| arrive(place, name));
    let (ada, ben, chloe) = (ada?, ben?, chloe?);
    println!("\n3. They become contacts by one-time links:");
    for (one, other) in [(&ada, &ben), (&ada, &chloe)] {
        befriend(one, other)?;
        println!("   {} and {} are contacts", one.name, other.name);
    }
    two_talk(&ada, &ben, &mut planted)?;
    group_talks(&ada, &ben, &chloe, &mut planted)?;
    for person in [&ada, &ben, &chloe] {
        planted.ids_of(person)?;
    }
    proof::show(place, &planted)
}

fn arrive(place: &Place, name: &str) -> Result<Person> {
    let person = Person::init(&place.home, name, &place.address)?;
    println!("   {name}");
    Ok(person)
}

fn two_talk(ada: &Person, ben: &Person, planted: &mut Planted) -> Result<()> {
    say(ada, BEN, "The documents are real. Can you come at nine?", planted)?;
    ben.ok(&["sync"])?;
    say(ben, ADA, "Nine is fine. I bring the camera.", planted)?;
    ada.ok(&["sync"])?;
    println!("\n4. Ada and Ben talk.");
    show(ada, BEN)?;
    show(ben, ADA)
}

fn group_talks(ada: &Person, ben: &Person, chloe: &Person, planted: &mut Planted) -> Result<()> {
    ada.ok(&["group", "create", GROUP, BEN, CHLOE])?;
    say(ada, GROUP, "Welcome. We publish on Thursday.", planted)?;
    for person in [ben, chloe] {
        person.ok(&["sync"])?;
    }
    say(chloe, GROUP, "I have written the first paragraph.", planted)?;
    ben.ok(&["sync"])?;
    say(ben, GROUP, "And I have developed the photographs.", planted)?;
    ada.ok(&["sync"])?;
    println!(
        "\n5. Ada makes the group {GROUP:?}; all three write; then she removes Chloe and writes on."
    );
    ada.ok(&["group", "remove", GROUP, CHLOE])?;
    say(ada, GROUP, "Without Chloe: we move it to Friday.", planted)?;
    for person in [ben, chloe] {
        person.ok(&["sync"])?;
        person.ok(&["sync"])?;
    }
    for person in [ada, ben, chloe] {
        show(person, GROUP)?;
    }
    let last = chloe.talk(GROUP)?;
    ensure!(last.iter().all(|(_, text)| !text.contains("Friday")), "Chloe could read on: {last:?}");
    println!("   Chloe was removed and reads no further.");
    Ok(())
}

fn say(who: &Person, to: &str, text: &str, planted: &mut Planted) -> Result<()> {
    planted.text(text);
    let sent = who.ok(&["send", to, text])?;
    ensure!(sent["state"] == "stored", "{sent}");
    Ok(())
}

/// The conversation as one person sees it.
fn show(person: &Person, chat: &str) -> Result<()> {
    println!("   {} sees:", person.name);
    for message in person.messages(chat)? {
        let field = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        println!("     {}: {}", field("from"), field("text"));
    }
    let view = person.chat(chat)?;
    if view["state"] != "open" {
        println!("     [{}]", word(&view, "state")?);
    }
    Ok(())
}

fn word<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().with_context(|| format!("no {key} in {value}"))
}
