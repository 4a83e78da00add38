//! What a server holds: T03, T19 and T27 of the threat list, for what exists so far.

use crate::stage::{Stage, text};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};
use undertone_e2e::{Canaries, Person, Setup, befriend, binary};

/// An address of this machine that nothing else uses, so that its bytes are not found by chance.
const ADDRESS: &str = "127.83.19.201";

/// People, a talk and a group with a removal; everything said and named is a canary.
fn a_whole_day(stage: &Stage) -> Result<Canaries> {
    let mut canaries = Canaries::new();
    let names = ["Adaeze Okonkwo", "Benedikt Castellan", "Zadie Vandermeer"];
    let group = "Newsdesk Kestrel";
    let [ada, ben, chloe] = names.map(|name| stage.person(name));
    let (ada, ben, chloe) = (ada?, ben?, chloe?);
    for name in names.iter().chain([&group]) {
        canaries.text(name);
    }
    befriend(&ada, &ben)?;
    befriend(&ada, &chloe)?;
    let mut say = |who: &Person, to: &str, text: &str| -> Result<()> {
        canaries.text(text);
        who.ok(&["send", to, text]).map(drop)
    };
    say(&ada, names[1], "a quokka rode the zeppelin to Rhubarbia")?;
    ben.ok(&["sync"])?;
    say(&ben, names[0], "no marzipan for the bassoon, but a kumquat")?;
    ada.ok(&["group", "create", group, names[1], names[2]])?;
    say(&ada, group, "persimmon and obsidian out of Timbuktu")?;
    chloe.ok(&["sync"])?;
    say(&chloe, group, "the ocelot and the accordion, as ever")?;
    ada.ok(&["group", "remove", group, names[2]])?;
    say(&ada, group, "pelicans only: saxophone at the gazebo")?;
    for person in [&ada, &ben, &chloe] {
        plant_ids(&mut canaries, person)?;
    }
    Ok(canaries)
}

fn plant_ids(canaries: &mut Canaries, person: &Person) -> Result<()> {
    person.ok(&["sync"])?;
    let who = person.ok(&["whoami"])?;
    canaries.id(text(&who, "identity")?);
    canaries.id(text(&who, "device")?);
    let chats = person.ok(&["chats"])?;
    for chat in chats["chats"].as_array().context("no chats")? {
        canaries.id(text(chat, "chat")?);
        for message in person.messages(text(chat, "chat")?)? {
            canaries.id(text(&message, "message")?);
        }
    }
    Ok(())
}

#[test]
fn folder_memory_and_log_hold_no_secret_and_no_address() -> Result<()> {
    let stage =
        Stage::with(|setup| Setup { listen: format!("{ADDRESS}:0"), talkative: true, ..setup })?;
    let canaries = a_whole_day(&stage)?;
    ensure!(canaries.len() > 40, "only {} secrets were planted", canaries.len());
    let server = &stage.server;
    assert_eq!(canaries.in_folder(server.folder())?, []);
    assert_eq!(canaries.in_bytes("log", server.log()?.as_bytes())?, []);
    // The binary lies in the memory too: what it says by itself is no canary.
    assert_eq!(canaries.in_bytes("the binary", &fs::read(binary()?)?)?, []);
    match canaries.in_memory(server.pid()) {
        Ok(found) => assert_eq!(found, []),
        Err(error) => eprintln!("skipped: the server's memory cannot be read here: {error}"),
    }
    let mut addresses = Canaries::new();
    addresses.text(ADDRESS);
    addresses.text("127.0.0.1");
    addresses.id(&hex_of(ADDRESS));
    assert_eq!(addresses.in_folder(server.folder())?, []);
    assert_eq!(addresses.in_bytes("log", server.log()?.as_bytes())?, []);
    Ok(())
}

/// The octets, as they stand in a packet.
fn hex_of(address: &str) -> String {
    address
        .split('.')
        .filter_map(|octet| octet.parse::<u8>().ok())
        .map(|it| format!("{it:02x}"))
        .collect()
}

#[test]
fn a_backup_holds_no_secret_either() -> Result<()> {
    let stage = Stage::open()?;
    let canaries = a_whole_day(&stage)?;
    let backup = stage.home().join("backup");
    let path = backup.to_str().context("a path in UTF-8")?;
    stage.server.admin(&["backup", path])?;
    assert_eq!(canaries.in_folder(&backup)?, []);
    Ok(())
}

#[test]
fn the_list_of_what_the_server_holds_is_the_published_one() -> Result<()> {
    let mut stage = Stage::open()?;
    a_whole_day(&stage)?;
    let published = published()?;
    let holds = stage.server.admin(&["holds"])?;
    let fields = holds["fields"].as_array().context("no fields")?;
    for field in fields {
        let row = row(field)?;
        ensure!(published.contains(&row), "not in docs/what-the-server-holds.md: {row:?}");
    }
    // Stopped, so that no file grows between the list and the look at the disk.
    stage.server.stop()?;
    let holds = stage.server.admin(&["holds"])?;
    let listed: u64 = holds["fields"]
        .as_array()
        .context("no fields")?
        .iter()
        .filter_map(|field| field["bytes"].as_u64())
        .sum();
    assert_eq!(listed, size_of(stage.server.folder())?, "{holds:#}");
    Ok(())
}

type Row = (String, String, String);

fn row(field: &Value) -> Result<Row> {
    let of = |key| Ok::<_, anyhow::Error>(text(field, key)?.to_owned());
    Ok((of("file")?, of("field")?, of("meaning")?))
}

/// The rows of the table: file, field, what it says.
fn published() -> Result<BTreeSet<Row>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/what-the-server-holds.md");
    let document = fs::read_to_string(path)?;
    let rows = document.lines().filter_map(|line| {
        let mut cells =
            line.strip_prefix("| `")?.split('|').map(|cell| cell.trim().trim_matches('`'));
        Some((cells.next()?.to_owned(), cells.next()?.to_owned(), cells.next()?.to_owned()))
    });
    Ok(rows.collect())
}

fn size_of(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let folder = entry.file_type()?.is_dir();
        bytes += if folder { size_of(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}
