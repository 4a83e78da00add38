//! What an operator does to a folder, while the server runs and after.

use crate::support::{Host, files, item, settings};
use undertone_server::{ErrorKind, ServeError, admin};
use undertone_wire::{Answer, Request};

/// A server with five of Ada's cells.
async fn busy() -> Host {
    let host = Host::start(settings()).await;
    let mut ada = host.client().await;
    for n in 0..5 {
        ada.store(&item(&host.address(), "Ada", n)).await;
    }
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_check_look_at_a_running_server() {
    let mut host = busy().await;
    let status = admin::status(&host.data()).unwrap();
    assert_eq!(status.server, host.address().server().to_string());
    assert_eq!((status.running, status.cells, status.ticks), (true, 5, 5));
    let checked = admin::check(&host.data()).unwrap();
    assert!(checked.sound, "{checked}");
    assert_eq!((checked.cells, checked.newest_tick), (5, Some(5)));
    host.stop().await;
    assert!(!admin::status(&host.data()).unwrap().running);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_adds_up_to_the_folder() {
    let mut host = busy().await;
    host.stop().await;
    let held = admin::holds(&host.data()).unwrap();
    let listed: u64 = held.fields.iter().map(|field| field.bytes).sum();
    let present: usize = files(&host.data()).iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(listed, present as u64, "{held}");
    std::fs::write(host.data().join("notes.txt"), b"x").unwrap();
    assert!(matches!(admin::holds(&host.data()), Err(ServeError::Damaged(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_and_named() {
    let mut host = busy().await;
    host.stop().await;
    let log = host.data().join("log");
    let (path, mut bytes) = files(&log)
        .into_iter()
        .find(|(path, _)| path.extension().is_some_and(|kind| kind == "seg"))
        .unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let checked = admin::check(&host.data()).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(!checked.sound && checked.findings[0].place.contains(name), "{checked}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing was repaired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_server_serves_and_says_what_it_is() {
    let host = busy().await;
    let address = host.address();
    let dest = host.dir.path().join("backup");
    let made = admin::backup(&host.data(), &dest).unwrap();
    assert!(made.files >= 3 && made.bytes > 5 * 2048, "{made}");
    // The original goes on; what comes later is not in the backup.
    let later = item(&address, "Ada", 99);
    host.client().await.store(&later).await;
    assert!(admin::check(&dest).unwrap().sound);

    let restored = Host::start_in(dest, settings()).await;
    assert_eq!(restored.address().server(), address.server());
    let mut ben = restored.client().await;
    for n in 0..5 {
        let got = ben.ask(item(&address, "Ada", n).get()).await;
        assert!(matches!(got, Answer::Found { .. }), "{got:?}");
    }
    assert!(matches!(ben.ask(later.get()).await, Answer::None { .. }));
    // Ben looks before he writes, and has to learn of it then.
    let declared = match ben.ask(Request::Proof { from_size: 0, to_tick: u64::MAX }).await {
        Answer::Proof(proof) => proof.head.head.recovered_after,
        other => panic!("{other:?}"),
    };
    assert_eq!(declared, Some(5));
    let receipt = ben.store(&later).await;
    assert_eq!(receipt.head.head.recovered_after, Some(5));
    // The original was not touched by what its backup wrote.
    assert!(admin::check(&host.data()).unwrap().sound);
    let mut ada = host.client().await;
    assert!(matches!(ada.ask(Request::Info).await, Answer::Info(_)));
    assert_eq!(ada.store(&later).await.head.head.recovered_after, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_do_not_overwrite() {
    let host = busy().await;
    let dest = host.dir.path().join("backup");
    // Of somebody else, under a name that a backup might use.
    let other = dest.with_extension("partial");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("letter"), b"kept").unwrap();
    admin::backup(&host.data(), &dest).unwrap();
    assert_eq!(std::fs::read(other.join("letter")).unwrap(), b"kept");
    let again = admin::backup(&host.data(), &dest).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Usage);
    let mut left: Vec<_> = std::fs::read_dir(host.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["backup", "backup.partial", "data"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_commands_need_the_folder_for_themselves() {
    let host = busy().await;
    let refused = admin::rotate_key(&host.data()).unwrap_err();
    assert_eq!((refused.kind().exit_code(), refused.code()), (7, "in_use"));
}

#[test]
fn a_folder_without_a_server_is_said_to_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("dest");
    let errors = [
        admin::status(dir.path()).map(drop),
        admin::holds(dir.path()).map(drop),
        admin::check(dir.path()).map(drop),
        admin::backup(dir.path(), &dest).map(drop),
        admin::rotate_key(dir.path()).map(drop),
    ];
    for error in errors {
        assert_eq!(error.unwrap_err().code(), "no_server");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn what_comes_later_says_so() {
    for error in [admin::invite(3).unwrap_err(), admin::revoke("x").unwrap_err()] {
        assert_eq!((error.kind().exit_code(), error.code()), (2, "not_in_this_release"));
        assert!(error.to_string().contains("not in this release"));
    }
}
