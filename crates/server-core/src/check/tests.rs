use super::*;
use crate::{MemFiles, Segments, StoreError, testkit::*};
use undertone_wire::CELL_LEN;

fn report(files: &MemFiles) -> Report {
    check(files).unwrap()
}

#[test]
fn a_sound_folder_has_no_findings() {
    let report = report(&folder());
    assert_eq!(report.findings, []);
    assert_eq!((report.hours, report.hours_expired), (29, 1));
    assert_eq!((report.ticks, report.cells), (87, 174));
    assert_eq!(report.newest.map(|head| head.tick), Some(90));
}

/// A changed byte of any file is found, and the finding names the file; only a changed first key
/// makes every *other* file another server's.
#[test]
fn every_changed_byte_is_found() {
    let sound = folder_of(4);
    let mut names = sound.list().unwrap();
    names.sort();
    // One closed segment, the newest, one sidecar, and the small files.
    let chosen = names.iter().filter(|name| {
        name.starts_with("log.") || name.starts_with("0000480001") || name.starts_with("0000480003")
    });
    for name in chosen {
        let length = sound.contents(name).unwrap().len();
        // Every byte up to the first cell, then a stride that meets every cell.
        for at in (0..length.min(900)).chain((900..length).step_by(CELL_LEN / 3)) {
            let files = sound.copy();
            files.tamper(name, |bytes| bytes[at] ^= 0x10);
            let report = report(&files);
            let unfinished = report.unfinished.iter();
            let mut places = report.findings.iter().map(|finding| &finding.place).chain(unfinished);
            assert!(
                places.any(|place| place.contains(name.as_str()) || place == "format")
                    || (name == "log.keys" && !report.findings.is_empty()),
                "{name} {at}"
            );
        }
    }
}

#[test]
fn a_missing_hour_is_found() {
    let files = folder();
    files.remove("0000480003.seg").unwrap();
    files.remove("0000480003.idx").unwrap();
    let report = report(&files);
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].place, "0000480004.seg");
}

#[test]
fn a_log_that_was_cut_back_and_written_anew_is_not_told_from_the_folder_alone() {
    // The folder is then sound in itself: only a client's memory of a head can tell.
    let files = folder();
    files.remove("0000480029.seg").unwrap();
    assert!(report(&files).is_sound());
}

/// The newest hour never expires: a folder that knows expired hours has lost ticks if it holds none.
#[test]
fn expired_hours_without_a_tick_after_them_are_damage() {
    let (gone, torn) = (folder_of(2), folder_of(2));
    gone.remove("0000480001.seg").unwrap();
    torn.tamper("0000480001.seg", |bytes| bytes.truncate(180));
    for files in [gone, torn] {
        let places: Vec<_> = report(&files).findings.into_iter().map(|it| it.place).collect();
        assert_eq!(places, ["log.spine"]);
        let before = files.list().unwrap();
        let refused = Segments::open(files.clone(), &keys(), [1; 32]);
        assert!(
            matches!(refused, Err(StoreError::Damaged { place, .. }) if place.starts_with("log.spine"))
        );
        assert_eq!(files.list().unwrap(), before, "nothing is removed");
    }
}

#[test]
fn a_foreign_file_is_named() {
    let files = folder();
    files.create("notes.txt").unwrap();
    assert_eq!(report(&files).findings[0].place, "notes.txt");
}

#[test]
fn a_torn_last_tick_is_no_damage() {
    let files = folder();
    files.tamper("0000480029.seg", |bytes| bytes.truncate(bytes.len() - 1));
    let report = report(&files);
    assert!(report.is_sound());
    assert!(report.unfinished.is_some());
}
