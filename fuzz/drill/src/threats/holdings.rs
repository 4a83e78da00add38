//! What lies on the server, and what leaves it.

use super::{elsewhere, here, nothing_unless};
use crate::held::held;
use crate::row::{Expected, Outcome, Row, Who};
use crate::stage::{NAMES, Stage};
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
