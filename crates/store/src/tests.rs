//! The profile on a real disk.

mod damage;
mod forensic;

use crate::{
    Batch, KdfParams, Memory, Profile, Store, StoreError, StoreErrorKind, conformance,
    sqlite::Sqlite,
};
use rand::{SeedableRng, rngs::StdRng};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use undertone_core::io::Changes;

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

fn rng() -> StdRng {
    StdRng::seed_from_u64(2)
}

/// A folder to work in, and where Ada's profile shall be.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let ada = folder.path().join("ada");
    (folder, ada)
}

fn create(folder: &Path, first: &Batch) -> Result<Profile, StoreError> {
    let kdf = KdfParams::DANGEROUS_CHEAP;
    Profile::create(folder, PASSPHRASE, kdf, first, &[("server", "here")], &mut rng())
}

fn reopen(folder: &Path) -> Result<Profile, StoreError> {
    Profile::open(folder, Profile::unlock(folder, PASSPHRASE)?)
}

#[test]
fn a_simulated_disk_announces_what_a_store_does() {
    let mut disk = undertone_sim::Disk::default();
    conformance::announcements(|batch| {
        let messages = batch.changes.messages.clone();
        disk.commit(Changes { messages, ..Changes::default() });
        let events = batch.events.iter();
        let told = events.filter(|event| event.announces.is_none_or(|row| disk.announces(&row)));
        told.map(|event| event.row.body.clone()).collect()
    });
}

#[test]
fn memory_keeps_the_contract() {
    conformance::run(|| Box::new(Memory::default()));
}

#[test]
fn sqlite_keeps_the_contract() {
    let (_keep, ada) = place();
    let number = std::cell::Cell::new(0);
    let fresh = || -> Box<dyn Store> {
        number.set(number.get() + 1);
        let folder = ada.with_file_name(number.get().to_string());
        let (store, _) = create(&folder, &Batch::default()).unwrap().into_parts();
        Box::new(store)
    };
    conformance::run(fresh);
    conformance::agree(fresh);
}

#[test]
fn a_full_store_keeps_nothing_of_a_batch() {
    let mut store = Memory::default();
    store.set_full(true);
    let batch = conformance::records([("chat", "k", Some("v"))]);
    assert!(matches!(store.commit(&batch), Err(StoreError::Full)));
    assert!(store.load_records().unwrap()["chat"].is_empty());
}

#[test]
fn a_full_disk_keeps_nothing_of_a_batch_and_all_before_it() {
    let (_keep, ada) = place();
    let mut profile = create(&ada, &conformance::records([("chat", "k", Some("1"))])).unwrap();
    profile.store().dangerous_fill_disk();
    let large = "x".repeat(100_000);
    let batch =
        conformance::records([("chat", "k", Some("2")), ("mls", "large", Some(large.as_str()))]);
    let error = profile.store().commit(&batch).unwrap_err();
    assert!(matches!(error, StoreError::Full), "{error}");
    drop(profile);
    let records = reopen(&ada).unwrap().store().load_records().unwrap();
    assert_eq!(records["chat"], [(b"k".to_vec(), b"1".to_vec())]);
    assert!(records["mls"].is_empty());
}

#[test]
fn a_disk_that_fails_is_sorted_by_what_a_person_can_do() {
    use std::io::{Error, ErrorKind};
    let sorted = |kind: ErrorKind| StoreError::from_io("writing", &Error::from(kind));
    assert!(matches!(sorted(ErrorKind::StorageFull), StoreError::Full));
    assert!(matches!(sorted(ErrorKind::ReadOnlyFilesystem), StoreError::ReadOnly(_)));
    assert!(matches!(sorted(ErrorKind::PermissionDenied), StoreError::ReadOnly(_)));
    assert!(matches!(sorted(ErrorKind::Other), StoreError::Disk(_)));
    let of_sqlite = |code| {
        StoreError::from(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None))
    };
    assert!(matches!(of_sqlite(rusqlite::ffi::SQLITE_FULL), StoreError::Full));
    assert!(matches!(of_sqlite(rusqlite::ffi::SQLITE_IOERR_SHMSIZE), StoreError::Full));
    assert!(matches!(of_sqlite(rusqlite::ffi::SQLITE_IOERR_FSYNC), StoreError::Disk(_)));
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let (_keep, ada) = place();
    let mut profile = create(&ada, &conformance::records([("account", "k", Some("1"))])).unwrap();
    profile.store().commit(&conformance::records([("chat", "k", Some("2"))])).unwrap();
    drop(profile);
    let mut profile = reopen(&ada).unwrap();
    let records = profile.store().load_records().unwrap();
    assert_eq!(records["account"], [(b"k".to_vec(), b"1".to_vec())]);
    assert_eq!(records["chat"], [(b"k".to_vec(), b"2".to_vec())]);
    assert_eq!(profile.store().setting("server").unwrap().as_deref(), Some("here"));
    assert_eq!(profile.store().check().unwrap(), Vec::<String>::new());
}

#[test]
fn a_prepared_profile_is_there_once_it_is_finished_and_else_leaves_nothing() {
    let (keep, ada) = place();
    let prepare = || {
        let (kdf, first) = (KdfParams::DANGEROUS_CHEAP, Batch::default());
        Profile::prepare(&ada, PASSPHRASE, kdf, &first, &[], &mut rng()).unwrap()
    };
    let prepared = prepare();
    assert!(!ada.exists());
    drop(prepared);
    assert_eq!(std::fs::read_dir(keep.path()).unwrap().count(), 0);
    drop(prepare().finish().unwrap());
    reopen(&ada).unwrap();
}

#[test]
fn a_wrong_passphrase_is_said_so_even_while_in_use() {
    let (_keep, ada) = place();
    let _held = create(&ada, &Batch::default()).unwrap();
    let error = Profile::unlock(&ada, "wrong").unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Passphrase);
}

#[test]
fn one_process_at_a_time() {
    let (_keep, ada) = place();
    let held = create(&ada, &Batch::default()).unwrap();
    assert!(matches!(reopen(&ada), Err(StoreError::InUse)));
    drop(held);
    reopen(&ada).unwrap();
}

#[test]
fn nothing_is_made_over_something() {
    let (_keep, ada) = place();
    drop(create(&ada, &Batch::default()).unwrap());
    assert!(matches!(create(&ada, &Batch::default()), Err(StoreError::Exists(_))));
    let other = ada.with_file_name("photos");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("cat.jpg"), b"cat").unwrap();
    assert!(matches!(create(&other, &Batch::default()), Err(StoreError::Exists(_))));
    assert!(other.join("cat.jpg").exists());
}

#[test]
fn an_empty_folder_and_a_leftover_of_a_crash_are_no_hindrance() {
    let (_keep, ada) = place();
    std::fs::create_dir(&ada).unwrap();
    let leftover = ada.with_file_name(".ada.new");
    std::fs::create_dir(&leftover).unwrap();
    std::fs::write(leftover.join("profile.db"), b"half").unwrap();
    drop(create(&ada, &Batch::default()).unwrap());
    assert!(!leftover.exists());
    reopen(&ada).unwrap();
}

#[test]
fn a_profile_is_made_whole_or_not_at_all() {
    let (keep, ada) = place();
    let setting = "x".repeat(crate::SETTING_BYTES_MAX + 1);
    let kdf = KdfParams::DANGEROUS_CHEAP;
    let made =
        Profile::create(&ada, PASSPHRASE, kdf, &Batch::default(), &[("s", &setting)], &mut rng());
    assert!(made.is_err());
    assert_eq!(std::fs::read_dir(keep.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_without_a_profile_is_said_so() {
    let (keep, ada) = place();
    for folder in [&ada, &keep.path().to_owned()] {
        let error = Profile::unlock(folder, PASSPHRASE).unwrap_err();
        assert!(matches!(error, StoreError::NotFound(_)), "{error}");
    }
}

#[test]
fn a_seal_opens_for_its_purpose_alone() {
    use crate::header::{DATABASE, Header, IDENTITY};
    let key = crate::DatabaseKey::random(&mut rng());
    let kdf = KdfParams::DANGEROUS_CHEAP;
    let sealed = Header::seal(IDENTITY, &key, PASSPHRASE, kdf, &mut rng()).unwrap();
    let opened = sealed.open(IDENTITY, PASSPHRASE).unwrap();
    assert_eq!(opened.dangerous_secret(), key.dangerous_secret());
    assert!(matches!(sealed.open(DATABASE, PASSPHRASE), Err(StoreError::WrongPassphrase)));
}

#[test]
fn proofs_of_the_key_differ_by_role_and_challenge() {
    let (_keep, ada) = place();
    drop(create(&ada, &Batch::default()).unwrap());
    let key = Profile::unlock(&ada, PASSPHRASE).unwrap();
    let same = Profile::unlock(&ada, PASSPHRASE).unwrap();
    assert_eq!(key.proof("caller", b"1"), same.proof("caller", b"1"));
    assert_ne!(key.proof("caller", b"1"), key.proof("holder", b"1"));
    assert_ne!(key.proof("caller", b"1"), key.proof("caller", b"2"));
    assert_eq!(format!("{key:?}"), "DatabaseKey(…)");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let (_keep, ada) = place();
    let mut profile = create(&ada, &Batch::default()).unwrap();
    profile.store().set_setting("make", Some("a write-ahead log")).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&ada), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(&ada).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert!(files >= 4, "header, database, its log and the lock");
}

#[test]
fn a_database_is_never_made_in_the_place_of_another() {
    let (_keep, ada) = place();
    let profile = create(&ada, &Batch::default()).unwrap();
    let key = profile.key().clone();
    drop(profile);
    assert!(Sqlite::create(&ada.join("profile.db"), &key).is_err());
    reopen(&ada).unwrap();
}
