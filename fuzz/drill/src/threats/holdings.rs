//! What lies on the server, and what leaves it.

use super::{elsewhere, here, nothing_unless};
use crate::held::held;
use crate::row::{Expected, Outcome, Row, Who};
use crate::stage::{NAMES, Stage};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::collections::BTreeSet;
use undertone_core::{Account, Creation, Name, io::Output};
use undertone_crypto::Phrase;
use undertone_hostile::world::{Disk, START_MS, address, outputs, persist};
use undertone_server_core::Files;

pub(super) const ROWS: &[Row] = &[
    here(
        "folder-searched",
        "T03 T19 T27",
        Who::Host,
        "searches the server's whole folder",
        Expected::NoEffect("no text, no name, no identity of anybody (canaries) stands there"),
        folder_searched,
    ),
    here(
        "installs-compared",
        "T22",
        Who::Thief,
        "compares the records of two fresh profiles, made without any server",
        Expected::NoEffect(
            "no 16 bytes are common to both that are not plain text or the server's id",
        ),
        installs_compared,
    ),
    elsewhere(
        "memory-and-backup-searched",
        "T03 T19",
        Who::Host,
        "searches folder, memory, log and backup of a real server after a whole day",
        "no canary: text, name, key, group, address",
        &[
            held(
                "crates/e2e/tests/stories/holdings.rs",
                "folder_memory_and_log_hold_no_secret_and_no_address",
            ),
            held("crates/e2e/tests/stories/holdings.rs", "a_backup_holds_no_secret_either"),
        ],
    ),
    elsewhere(
        "list-of-holdings",
        "T19 T27",
        Who::Host,
        "hands out everything that the server holds",
        "it is what `docs/what-the-server-holds.md` lists, field by field; there are no accounts",
        &[held(
            "crates/e2e/tests/stories/holdings.rs",
            "the_list_of_what_the_server_holds_is_the_published_one",
        )],
    ),
    elsewhere(
        "routes-crawled",
        "T09",
        Who::Host,
        "looks for a door beside the two: debug, metrics, dumps",
        "there is none",
        &[held("crates/server/tests/server/doors.rs", "there_are_no_other_doors")],
    ),
    elsewhere(
        "log-searched",
        "T03 T19",
        Who::Host,
        "reads the server's log",
        "no line holds an address or a byte of a client",
        &[held(
            "crates/server/tests/log_policy.rs",
            "no_log_line_holds_an_address_or_a_byte_of_a_client",
        )],
    ),
];

fn folder_searched() -> Outcome {
    let mut stage = Stage::new();
    let mut canaries: Vec<(String, Vec<u8>)> = NAMES
        .into_iter()
        .chain(["Desk", "good morning"])
        .map(|text| (text.to_owned(), text.as_bytes().to_vec()))
        .collect();
    for (who, name) in NAMES.into_iter().enumerate() {
        canaries.push((format!("{name}'s identity"), stage.identity(who).0.to_vec()));
    }
    let folder = everything(&stage.folder());
    let found = canaries
        .into_iter()
        // Three letters stand anywhere by chance.
        .filter(|(_, canary)| canary.len() > 3)
        .find(|(_, canary)| folder.windows(canary.len()).any(|part| part == canary));
    nothing_unless(found.map(|(what, _)| format!("{what} lies on the server")))
}

fn everything(files: &impl Files) -> Vec<u8> {
    let mut all = Vec::new();
    for name in files.list().expect("a folder in memory") {
        let length = files.len(&name).expect("a file that is listed");
        let mut bytes = vec![0; usize::try_from(length).expect("a small file")];
        files.read_at(&name, 0, &mut bytes).expect("a file that is listed");
        all.append(&mut bytes);
    }
    all
}

/// What a profile persists before it has met anybody.
fn fresh(seed: u8) -> Vec<u8> {
    let creation = Creation {
        name: Name::parse("Ada").expect("a name"),
        phrase: Phrase::generate(&mut ChaCha20Rng::from_seed([seed; 32])),
        server: address(),
        seed: [seed; 32],
        now_ms: START_MS,
    };
    let mut account = Account::create(creation).expect("a profile");
    let mut disk = Disk::new();
    for output in outputs(&mut account) {
        if let Output::Persist(changes) = output {
            persist(&mut disk, changes);
        }
    }
    disk.into_values().flatten().collect()
}

fn installs_compared() -> Outcome {
    const SECRET: usize = 16;
    let (one, other) = (fresh(71), fresh(72));
    let (one, other) = (without_server(&one), without_server(&other));
    let parts = |pieces: &Vec<Vec<u8>>| -> BTreeSet<Vec<u8>> {
        let windows = pieces.iter().flat_map(|piece| piece.windows(SECRET));
        windows.filter(|part| !is_plain(part)).map(<[u8]>::to_vec).collect()
    };
    let (one, other) = (parts(&one), parts(&other));
    let shared = one.intersection(&other).next();
    nothing_unless(shared.map(|part| format!("both hold {part:02x?}")))
}

/// Names of fields and other text; random bytes are hardly ever.
fn is_plain(part: &[u8]) -> bool {
    part.iter().filter(|byte| byte.is_ascii_graphic() || **byte < 32).count() * 4 > part.len() * 3
}

/// What stands between the places that hold the server's id, which everybody knows.
fn without_server(bytes: &[u8]) -> Vec<Vec<u8>> {
    let id = address().server().0;
    // As records write it: an array of numbers, of which those above 23 take two bytes.
    let number = |byte: &u8| if *byte < 24 { vec![*byte] } else { vec![0x18, *byte] };
    let numbers: Vec<u8> = id.iter().flat_map(number).collect();
    let pieces = split(bytes, &numbers);
    pieces.iter().flat_map(|piece| split(piece, &id)).collect()
}

fn split(bytes: &[u8], at: &[u8]) -> Vec<Vec<u8>> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while let Some(found) = rest.windows(at.len()).position(|window| window == at) {
        pieces.push(rest[..found].to_vec());
        rest = &rest[found + at.len()..];
    }
    pieces.push(rest.to_vec());
    pieces
}
