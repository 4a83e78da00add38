use super::format::SEGMENT_HEADER_LEN;
use super::*;
use crate::{CellStore, Config, Crash, Engine, MemFiles, Ticket, testing, testkit::*};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use sha2::Digest;
use std::{sync::mpsc, thread};
use undertone_wire::{Answer, HeadRef, RefusalKind};

struct InFiles;

impl testing::Harness for InFiles {
    type Store = Segments<MemFiles>;

    fn begin(&self) -> Self::Store {
        Segments::open(MemFiles::default(), &keys(), [1; 32]).unwrap()
    }

    /// A power cut: what was acknowledged must be there after it.
    fn restart(&self, store: Self::Store) -> Self::Store {
        let files = store.files().after(Crash { seed: 3 });
        Segments::open(files, &keys(), [2; 32]).unwrap()
    }
}

#[test]
fn the_store_in_segments_conforms() {
    testing::run(&InFiles);
}

fn try_open(files: &MemFiles) -> Result<Segments<MemFiles>, StoreError> {
    Segments::open(files.clone(), &keys(), [9; 32])
}

fn damage_place(result: Result<Segments<MemFiles>, StoreError>) -> String {
    match result {
        Err(StoreError::Damaged { place, .. }) => place,
        other => panic!("not refused as damaged: {other:?}"),
    }
}

const NEWEST: &str = "0000480002.seg";

/// Runs a server for a while on a disk that fails at the given operation, and gives what it had
/// acknowledged: numbers of cells, and its newest head.
fn run_until(files: &MemFiles, operations: u64) -> (Vec<u64>, HeadRef) {
    let mut acknowledged = Vec::new();
    let engine = open(files);
    files.fail_after(Some(operations));
    for n in 0..40 {
        let cells = (0..3).map(|cell| put(n * 3 + cell, n as u8));
        let answers = seal(&engine, START + n * HOUR / 5, cells);
        let stored =
            answers.iter().zip(0..).filter(|(answer, _)| matches!(answer, Answer::Stored(_)));
        acknowledged.extend(stored.map(|(_, cell)| n * 3 + cell));
        if n == 20 {
            // An hour goes; whether that works is not the point.
            let _failed = engine.expire(START + HOUR);
        }
    }
    (acknowledged, engine.newest().head.to_ref())
}

#[test]
fn no_power_cut_loses_an_acknowledged_cell_or_rewrites_the_log() {
    for seed in 0..300 {
        let files = MemFiles::default();
        let (acknowledged, head) = run_until(&files, seed % 50 * 2 + seed % 3);
        let after = files.after(Crash { seed });
        let engine = open(&after);
        let oldest = engine.store().ticks().map_or(1, |ticks| *ticks.start());
        for number in acknowledged {
            let expired = number / 3 < oldest - 1;
            let found = matches!(engine.get(&tag(number), 0), Answer::Found { .. });
            assert!(found || expired, "seed {seed}: cell {number} is lost");
        }
        let Answer::Proof(proof) = engine.proof(head.size, u64::MAX) else {
            panic!("seed {seed}: no proof")
        };
        proof.verify(engine.keys(), &head).unwrap();
        let stored = seal(&engine, START + 9 * HOUR, [put(1_000, 1)]);
        assert!(matches!(stored[0], Answer::Stored(_)), "seed {seed}");
        assert_eq!(crate::check(&after).unwrap().findings, [], "seed {seed}");
    }
}

#[test]
fn what_a_restarted_server_shows_survives_a_power_cut() {
    for seed in 0..100 {
        let files = MemFiles::default();
        run_until(&files, seed);
        files.fail_after(None);
        // The process is gone, the machine is not: what was written is read from its memory.
        let engine = open(&files);
        let shown = engine.newest().head.to_ref();
        let cells: Vec<u64> = (0..120).filter(|cell| is_found(&engine, *cell)).collect();
        drop(engine);
        let after = files.after(Crash { seed });
        let engine = open(&after);
        assert_eq!(engine.newest().head.to_ref(), shown, "seed {seed}");
        assert!(cells.iter().all(|cell| is_found(&engine, *cell)), "seed {seed}");
        assert_eq!(crate::check(&after).unwrap().findings, [], "seed {seed}");
    }
}

fn is_found<F: Files>(engine: &Engine<Segments<F>>, cell: u64) -> bool {
    matches!(engine.get(&tag(cell), 0), Answer::Found { .. })
}

#[test]
fn a_full_disk_stops_puts_and_nothing_else() {
    let files = MemFiles::default();
    let engine = open(&files);
    seal(&engine, START, [put(1, 1)]);
    files.limit_capacity(Some(5_000));
    for number in 2..5 {
        assert!(matches!(seal(&engine, START, [put(number, 2)])[0], Answer::Refused(_)));
    }
    assert!(matches!(engine.get(&tag(1), 0), Answer::Found { .. }));
    files.limit_capacity(None);
    assert!(matches!(seal(&engine, START, [put(5, 2)])[0], Answer::Refused(_)), "until a restart");
    let engine = open(&files);
    assert!(matches!(engine.get(&tag(1), 0), Answer::Found { .. }));
    assert!(matches!(seal(&engine, START, [put(2, 2)])[0], Answer::Stored(_)));
    assert!(crate::check(&files).unwrap().is_sound());
}

#[test]
fn a_disk_that_is_nearly_full_stops_puts_until_there_is_room() {
    let files = MemFiles::default();
    let engine = open(&files);
    files.say_free(Some(64 << 20));
    assert!(matches!(seal(&engine, START, [put(1, 1)])[0], Answer::Refused(_)));
    files.say_free(Some(65 << 20));
    assert!(matches!(seal(&engine, START, [put(1, 1)])[0], Answer::Stored(_)), "at once");
    assert!(crate::check(&files).unwrap().is_sound());
}

#[test]
fn what_is_due_expires_although_nothing_can_be_stored() {
    let files = folder_of(4);
    let engine = open(&files);
    files.limit_capacity(Some(0));
    assert!(matches!(seal(&engine, START + 4 * HOUR, [put(500, 1)])[0], Answer::Refused(_)));
    files.limit_capacity(None);
    assert!(matches!(seal(&engine, START + 4 * HOUR, [put(500, 1)])[0], Answer::Refused(_)));
    assert_eq!(engine.expire(START + 3 * HOUR), Ok(12));
    assert!(files.contents("0000480001.seg").is_none());
    // The newest hour waits for a tick that cannot be sealed; the others do not wait for it.
    assert!(engine.expire(START + 9 * HOUR).is_err());
    assert_eq!(engine.store().ticks(), Some(10..=12));
    assert!(crate::check(&files).unwrap().is_sound());
    assert_eq!(open(&files).store().ticks(), Some(10..=12));
}

#[test]
fn a_full_disk_forgets_what_is_due_although_no_head_can_show_it_first() {
    let files = folder_of(4);
    let engine = open(&files);
    let head = engine.newest().head;
    files.say_free(Some(0));
    assert!(engine.expire(START + 4 * HOUR).is_err(), "no room for a head");
    assert_eq!((engine.store().ticks(), engine.newest().head), (Some(10..=12), head));
    files.say_free(None);
    assert_eq!(engine.expire(START + 4 * HOUR), Ok(6));
    assert_eq!(engine.newest().head.time_ms, START + 4 * HOUR);
}

/// The log continues every one of these heads, and holds the cell of this number.
fn assert_provable<F: Files>(engine: &Engine<Segments<F>>, boundaries: &[HeadRef], cell: u64) {
    for boundary in boundaries {
        let answer = engine.proof(boundary.size, u64::MAX);
        let Answer::Proof(proof) = answer else { panic!("of {boundary:?}: {answer:?}") };
        proof.verify(engine.keys(), boundary).unwrap();
    }
    let newest = engine.newest().head;
    let answer = engine.get(&tag(cell), newest.size);
    let Answer::Found { proof, .. } = answer else { panic!("of cell {cell}: {answer:?}") };
    proof.verify(&newest.root).unwrap();
}

#[test]
fn the_log_forgets_an_hour_whose_files_stay() {
    let files = MemFiles::default();
    let engine = open(&files);
    seal(&engine, START, [put(0, 1)]);
    let boundary = engine.newest().head.to_ref();
    // So many leaves later the log no longer has those of the first hour in memory.
    for n in 1..600 {
        seal(&engine, START + HOUR + n * 60_000, [put(n, 1)]);
    }
    // The spine is written in five changes, and nothing is removed.
    files.fail_after(Some(5));
    let due = START + HOUR;
    assert!(engine.expire(due).is_err());
    assert_eq!(engine.store().ticks().unwrap().start(), &2);
    assert_provable(&engine, &[boundary], 1);
    assert!(engine.expire(due).is_err(), "files are left");
    files.fail_after(None);
    assert!(files.contents("0000480000.seg").is_some());
    assert_eq!(engine.expire(due), Ok(0));
    assert!(files.contents("0000480000.seg").is_none());
    assert_provable(&engine, &[boundary], 1);
}

#[test]
fn an_expiry_that_failed_is_tried_again() {
    // The first hour takes eight changes to the folder, each further one five.
    for (hours, changes, seed) in [(2, 8, 1), (4, 18, 2)] {
        for operations in 0..=changes {
            let files = MemFiles::default();
            let engine = open(&files);
            let mut boundaries = Vec::new();
            for n in 0..hours {
                seal(&engine, START + n * HOUR, [put(n, 1)]);
                boundaries.push(engine.newest().head.to_ref());
            }
            let due = START + (hours - 1) * HOUR;
            files.fail_after(Some(operations));
            assert_eq!(engine.expire(due).is_err(), operations < changes, "{operations}");
            assert_provable(&engine, &boundaries, hours - 1);
            files.fail_after(None);
            let now_ms = START + (hours - 1) * HOUR;
            assert!(matches!(seal(&engine, now_ms, [put(100, 1)])[0], Answer::Stored(_)));
            engine.expire(due).unwrap();
            assert_eq!(engine.store().ticks().unwrap(), hours..=hours + 1, "{operations}");
            assert_provable(&engine, &boundaries, hours - 1);
            drop(engine);
            let after = files.after(Crash { seed });
            assert_eq!(crate::check(&after).unwrap().findings, [], "{operations}");
            assert!(crate::check(&files).unwrap().is_sound(), "{operations}");
            let names = after.list().unwrap();
            let segments = names.iter().filter(|name| name.ends_with(".seg")).count();
            assert_eq!(segments, 1, "{operations}: {names:?}");
        }
    }
}

#[test]
fn a_last_tick_torn_at_any_byte_is_cut() {
    let sound = folder_of(3);
    let length = sound.contents(NEWEST).unwrap().len();
    let record = length - last_record_start(&sound);
    for cut in (1..600).chain((600..=record).step_by(97)) {
        let files = sound.copy();
        files.tamper(NEWEST, |bytes| bytes.truncate(length - cut));
        let store = try_open(&files).unwrap_or_else(|error| panic!("cut by {cut}: {error}"));
        assert_eq!(store.ticks(), Some(4..=8), "cut by {cut}");
        assert_eq!(files.len(NEWEST).unwrap(), (length - record) as u64);
    }
}

/// Where the newest record begins.
fn last_record_start(files: &MemFiles) -> usize {
    let header = segment_header(files, 480_002).unwrap();
    let mut start = 0;
    let show = |scanned: Scanned| {
        start = scanned.offset as usize;
        Ok(())
    };
    scan(files, &header, show).unwrap();
    start
}

#[test]
fn a_last_tick_of_which_only_the_length_was_written_is_cut() {
    let files = folder_of(3);
    files.tamper(NEWEST, |bytes| bytes.extend([0; 3_000]));
    assert_eq!(try_open(&files).unwrap().ticks(), Some(4..=9));
}

#[test]
fn what_was_cut_is_told() {
    let files = folder_of(3);
    assert_eq!(try_open(&files).unwrap().cut(), None);
    let place = format!("{NEWEST} at byte {}", files.contents(NEWEST).unwrap().len());
    files.tamper(NEWEST, |bytes| bytes.extend([0; 3_000]));
    assert_eq!(try_open(&files).unwrap().cut(), Some(&Cut { place, bytes: 3_000 }));
    assert_eq!(try_open(&files).unwrap().cut(), None);
}

#[test]
fn damage_in_the_last_tick_is_not_taken_for_an_unfinished_one() {
    let sound = folder_of(3);
    let (start, length) = (last_record_start(&sound), sound.contents(NEWEST).unwrap().len());
    let front = start + super::format::PRELUDE_LEN;
    // One bit of what was acknowledged: in its prelude, its front, its first cell, its last.
    let rest = (front..front + 500).step_by(50).chain([length - 5_000, length - 1]);
    for at in (start..front).chain(rest) {
        let files = sound.copy();
        files.tamper(NEWEST, |bytes| bytes[at] ^= 0x10);
        assert_eq!(damage_place(try_open(&files)), format!("{NEWEST} at byte {start}"), "{at}");
        assert_eq!(files.contents(NEWEST).unwrap().len(), length, "nothing is cut");
        assert!(!crate::check(&files).unwrap().is_sound(), "{at}");
    }
}

#[test]
fn damage_in_the_only_tick_of_the_newest_hour_refuses() {
    let files = MemFiles::default();
    let engine = open(&files);
    seal(&engine, START, [put(1, 1)]);
    let name = segment_name(480_000);
    files.tamper(&name, |bytes| bytes[SEGMENT_HEADER_LEN + 600] ^= 1);
    assert!(damage_place(try_open(&files)).starts_with(&name));
    assert!(files.contents(&name).is_some());
}

#[test]
fn a_last_tick_with_sectors_that_were_never_written_is_cut() {
    let sound = folder_of(3);
    let (start, length) = (last_record_start(&sound), sound.contents(NEWEST).unwrap().len());
    for sector in start / 512 + 1..=(length - 1) / 512 {
        let files = sound.copy();
        files.tamper(NEWEST, |bytes| bytes[sector * 512..length.min(sector * 512 + 512)].fill(0));
        assert_eq!(try_open(&files).unwrap().ticks(), Some(4..=8), "sector {sector}");
    }
}

#[test]
fn damage_before_the_last_tick_refuses_with_its_place() {
    let sound = folder_of(3);
    // The second tick's record begins behind the first one's, which has one cell.
    let first = SEGMENT_HEADER_LEN as u64;
    for (offset, place) in [(first + 3, first), (first + 60, first)] {
        let files = sound.copy();
        files.tamper(NEWEST, |bytes| bytes[offset as usize] ^= 1);
        assert_eq!(damage_place(try_open(&files)), format!("{NEWEST} at byte {place}"));
        let unchanged = files.contents(NEWEST).unwrap().len();
        assert_eq!(unchanged, sound.contents(NEWEST).unwrap().len(), "nothing is cut");
    }
}

#[test]
fn a_cell_that_looks_like_a_record_does_not_pass_for_one() {
    let files = folder_of(3);
    let segment = files.contents(NEWEST).unwrap();
    // Ada knows the format but not the salt: she plants a record of another segment in a cell,
    // and the power goes while it is written. The sector with the prelude is lost.
    let other = files.contents("0000480001.seg").unwrap();
    let planted: Vec<u8> = other[SEGMENT_HEADER_LEN..][..2_000].to_vec();
    files.tamper(NEWEST, |bytes| {
        bytes.extend([0; 100]);
        bytes.extend(planted);
    });
    assert_eq!(try_open(&files).unwrap().ticks(), Some(4..=9));
    assert_eq!(files.contents(NEWEST).unwrap(), segment);
}

#[test]
fn a_missing_or_damaged_sidecar_is_written_again() {
    let sound = folder_of(4);
    let name = "0000480001.idx";
    let expected = sound.contents(name).unwrap();
    for at in [None, Some(0), Some(100), Some(expected.len() - 1)] {
        let files = sound.copy();
        match at {
            None => files.remove(name).unwrap(),
            Some(at) => files.tamper(name, |bytes| bytes[at] ^= 1),
        }
        try_open(&files).unwrap();
        assert_eq!(files.contents(name).as_ref(), Some(&expected));
    }
}

/// Changes the front of a sidecar so that its checksum holds.
fn front_changed(files: &MemFiles, at: usize) {
    files.tamper("0000480001.idx", |bytes| {
        bytes[at] ^= 4;
        let body = bytes.len() - 32;
        let sum = sha2::Sha256::digest(&bytes[..body]);
        bytes[body..].copy_from_slice(&sum);
    });
}

#[test]
fn a_sidecar_that_is_damaged_under_its_checksum_is_written_again() {
    let sound = folder_of(4);
    for at in [0, 18] {
        let files = sound.copy();
        front_changed(&files, at);
        let report = crate::check(&files).unwrap();
        assert_eq!(report.findings[0].place, "0000480001.idx");
        try_open(&files).unwrap();
        assert_eq!(files.contents("0000480001.idx"), sound.contents("0000480001.idx"));
    }
}

#[test]
fn a_sidecar_of_another_version_is_left_alone_and_found() {
    let files = folder_of(4);
    front_changed(&files, 17);
    let place = "0000480001.idx".to_owned();
    assert_eq!(try_open(&files).err(), Some(StoreError::Version { place, version: 6 }));
    assert_eq!(crate::check(&files).unwrap().findings[0].place, "format");
}

#[test]
fn a_log_that_is_recovered_twice_while_the_clock_stands_still_is_sound() {
    let files = MemFiles::default();
    seal(&open(&files), START, [put(1, 1)]);
    // The second recovery's first tick has the number that would have come anyhow.
    for survived in [1, START] {
        let config = Config { recovered_after: Some(survived), ..Config::new(keys()) };
        let engine = Engine::open(try_open(&files).unwrap(), config, START).unwrap();
        assert_eq!(engine.newest().head.tick, START.max(survived + 1));
        if survived == START {
            seal(&engine, START + 2 * HOUR, [put(2, 1)]);
        }
    }
    assert_eq!(crate::check(&files).unwrap().findings, []);
}

#[test]
fn a_damaged_closed_segment_without_its_sidecar_refuses() {
    let files = folder_of(4);
    files.remove("0000480001.idx").unwrap();
    files.tamper("0000480001.seg", |bytes| bytes.truncate(bytes.len() - 1));
    assert!(damage_place(try_open(&files)).starts_with("0000480001.seg"));
}

#[test]
fn a_missing_hour_refuses() {
    let files = folder_of(4);
    files.remove("0000480002.seg").unwrap();
    assert_eq!(damage_place(try_open(&files)), "0000480003.seg at byte 0");
}

#[test]
fn a_damaged_cell_is_an_error_and_not_an_answer() {
    let files = folder_of(3);
    files.tamper(NEWEST, |bytes| bytes[SEGMENT_HEADER_LEN + 1_000] ^= 1);
    let engine = open(&files);
    let answer = engine.get(&tag(6 * 4), 0);
    assert!(matches!(answer, Answer::Refused(refusal) if refusal.kind == RefusalKind::Storage));
}

#[test]
fn a_newer_format_is_told_from_damage() {
    for name in ["0000480001.seg", NEWEST, "log.spine", "log.keys"] {
        let files = folder_of(3);
        files.tamper(name, |bytes| bytes[17] = 2);
        let refused = try_open(&files).map(|_| ()).unwrap_err();
        assert_eq!(refused, StoreError::Version { place: name.into(), version: 2 }, "{name}");
    }
}

#[test]
fn another_servers_folder_is_refused() {
    let files = folder_of(3);
    let other = Keys::first(SigningKey::from_bytes(&[8; 32]));
    let refused = Segments::open(files.clone(), &other, [0; 32]);
    assert!(damage_place(refused).starts_with("log.keys"));
    files.remove("log.keys").unwrap();
    let refused = Segments::open(files, &other, [0; 32]);
    assert!(damage_place(refused).starts_with("0000480001.seg"));
}

#[test]
fn an_older_key_file_than_the_folders_is_refused() {
    let files = folder_of(3);
    let next = keys().succeed(SigningKey::from_bytes(&[8; 32]), 10);
    Segments::open(files.clone(), &next, [0; 32]).unwrap();
    assert_eq!(read_keys(&files).unwrap(), next.ring().unwrap());
    assert!(damage_place(try_open(&files)).starts_with("log.keys"));
}

#[test]
fn an_interrupted_expiry_is_finished() {
    let files = folder_of(4);
    let segment = files.contents("0000480001.seg").unwrap();
    let engine = open(&files);
    engine.expire(START + 2 * HOUR).unwrap();
    drop(engine);
    files.create("0000480001.seg").unwrap();
    files.append("0000480001.seg", &segment).unwrap();
    assert_eq!(try_open(&files).unwrap().ticks(), Some(7..=12));
    assert!(files.contents("0000480001.seg").is_none());
}

#[test]
fn expiry_leaves_nothing_of_the_cells() {
    let files = folder_of(3);
    let engine = open(&files);
    engine.expire(START + 3 * HOUR).unwrap();
    drop(engine);
    let names = files.list().unwrap();
    let bytes: Vec<_> = names.iter().flat_map(|name| files.contents(name).unwrap()).collect();
    for number in [12, 16, 17, 24, 34] {
        let hash = tag(number).hash();
        assert!(!bytes.windows(8).any(|window| *window == hash.0[..8]), "cell {number}");
    }
}

/// The files of a folder with some of their bytes replaced, checksums mended or not.
fn hostile(seed: &[(u8, u16, u64)], mend: bool) -> MemFiles {
    let files = folder_of(4);
    let mut names = files.list().unwrap();
    names.sort();
    for (file, at, value) in seed {
        let name = &names[usize::from(*file) % names.len()];
        files.tamper(name, |bytes| {
            let at = usize::from(*at) % (bytes.len() - 8);
            bytes[at..at + 8].copy_from_slice(&value.to_be_bytes());
            if mend && name.ends_with(".idx") {
                let end = bytes.len() - 32;
                let sum = sha2::Sha256::digest(&bytes[..end]);
                bytes[end..].copy_from_slice(&sum);
            }
        });
    }
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_on_disk_make_it_panic(
        seed in prop::collection::vec((any::<u8>(), 0u16..1_200, prop_oneof![any::<u64>(), 0u64..300, Just(u64::MAX)]), 1..4),
        mend: bool,
    ) {
        let files = hostile(&seed, mend);
        let _ = crate::check(&files);
        let _ = crate::holds(&files);
        let Ok(store) = try_open(&files) else { return Ok(()) };
        let Ok(engine) = Engine::open(store, Config::new(keys()), START + 4 * HOUR) else {
            return Ok(());
        };
        let _ = engine.page(4);
        let _ = engine.get(&tag(14), 0);
        let _ = engine.digest(4, undertone_wire::DigestForm::TicksOrSegment);
        let _ = engine.proof(2, u64::MAX);
        let _ = seal(&engine, START + 5 * HOUR, [put(900, 1)]);
        let _ = engine.expire(START + 5 * HOUR + 30 * 24 * HOUR);
    }
}

/// A disk whose sync takes until it is told to end.
struct SlowSync {
    files: MemFiles,
    begun: mpsc::Sender<()>,
    end: Mutex<mpsc::Receiver<()>>,
}

impl Files for SlowSync {
    fn sync(&self, name: &str) -> io::Result<()> {
        if name.ends_with(".seg") && self.files.len(name)? > SEGMENT_HEADER_LEN as u64 {
            self.begun.send(()).map_err(io::Error::other)?;
            self.end.lock().unwrap().recv().map_err(io::Error::other)?;
        }
        self.files.sync(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.files.list()
    }

    fn len(&self, name: &str) -> io::Result<u64> {
        self.files.len(name)
    }

    fn create(&self, name: &str) -> io::Result<()> {
        self.files.create(name)
    }

    fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.files.append(name, bytes)
    }

    fn overwrite(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.files.overwrite(name, offset, bytes)
    }

    fn read_at(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.files.read_at(name, offset, buffer)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.files.sync_dir()
    }

    fn truncate(&self, name: &str, length: u64) -> io::Result<()> {
        self.files.truncate(name, length)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.remove(name)
    }
}

#[test]
fn readers_and_writers_go_on_while_a_tick_is_synced_and_do_not_see_it() {
    let (begun, has_begun) = mpsc::channel();
    let (may_end, end) = mpsc::channel();
    let files = SlowSync { files: MemFiles::default(), begun, end: Mutex::new(end) };
    let store = Segments::open(files, &keys(), [1; 32]).unwrap();
    let engine = Engine::open(store, Config::new(keys()), START).unwrap();
    may_end.send(()).unwrap();
    seal(&engine, START, [put(1, 1)]);
    has_begun.recv().unwrap();
    thread::scope(|scope| {
        let sealing = scope.spawn(|| seal(&engine, START + 1, [put(2, 2)]));
        has_begun.recv().unwrap();
        assert!(matches!(engine.get(&tag(1), 0), Answer::Found { .. }));
        assert!(matches!(engine.get(&tag(2), 0), Answer::None { .. }), "not durable, not there");
        assert_eq!(engine.newest().head.tick, 1);
        assert!(engine.page(2).unwrap().ticks.is_empty());
        engine.submit(Ticket(9), put(3, 3)).unwrap();
        may_end.send(()).unwrap();
        assert!(matches!(sealing.join().unwrap()[0], Answer::Stored(_)));
    });
    assert!(matches!(engine.get(&tag(2), 0), Answer::Found { .. }));
    assert_eq!(engine.pending(), 1);
}
