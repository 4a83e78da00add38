//! What people and scripts are told, by the words of the interface.

use super::*;
use std::io;
use undertone_client::Stopped;
use undertone_core::Name;

#[test]
fn the_ids_stand_beside_the_error() {
    let failure =
        Failure::new(Exit::Unreachable, "unreachable", "gone", "wait").with("message", "%01");
    let expected = json!({
        "error": { "code": "unreachable", "message": "gone", "hint": "wait" },
        "message": "%01",
    });
    assert_eq!(failure.to_json(), expected);
}

#[test]
fn refusals_get_the_exit_codes_of_the_interface() {
    let exit = |code| {
        let refused = Refused { code, message: String::new(), hint: String::new() };
        Failure::from(refused).exit as u8
    };
    assert_eq!(exit("not_found"), 3);
    for code in ["link_used", "roster_changed", "wrong_server", "group_full", "not_allowed"] {
        assert_eq!(exit(code), 4, "{code}");
    }
    assert_eq!(exit("too_long"), 2);
    assert_eq!(exit("other_version"), 8);
}

#[tokio::test]
async fn a_store_that_fails_under_a_running_driver_is_told_by_its_kind() {
    let exit = async |error: StoreError| {
        let (storage, _closed) =
            undertone_client::Storage::start(undertone_store::Memory::default(), ()).unwrap();
        let failed = storage.run(move |_| Err::<(), _>(error)).await.unwrap_err();
        let failure = Failure::from(CommandError::Store(std::sync::Arc::new(failed)));
        (failure.exit as u8, failure.code)
    };
    assert_eq!(exit(StoreError::Full).await, (7, "storage".to_owned()));
    let damaged = StoreError::Damaged("page 7".to_owned());
    assert_eq!(exit(damaged).await, (8, "damaged_profile".to_owned()));
}

#[test]
fn the_store_gets_the_exit_codes_of_the_interface() {
    let exit = |error: StoreError| Failure::from(error).exit as u8;
    assert_eq!(exit(StoreError::NotFound("x".into())), 3);
    assert_eq!(exit(StoreError::Exists("x".into())), 2);
    assert_eq!(exit(StoreError::WrongPassphrase), 6);
    assert_eq!(exit(StoreError::InUse), 7);
    assert_eq!(exit(StoreError::Full), 7);
    assert_eq!(exit(StoreError::Damaged("x".into())), 8);
    assert_eq!(exit(StoreError::Newer { found: 2, known: 1 }), 8);
}

fn stores() -> [StoreError; 9] {
    [
        StoreError::NotFound("x".into()),
        StoreError::Exists("x".into()),
        StoreError::InUse,
        StoreError::WrongPassphrase,
        StoreError::Damaged("x".to_owned()),
        StoreError::Newer { found: 2, known: 1 },
        StoreError::Full,
        StoreError::ReadOnly("x".to_owned()),
        StoreError::Disk("x".to_owned()),
    ]
}

fn waits() -> [Unfinished; 5] {
    let why = || "why".to_owned();
    [
        Unfinished::Unreachable(why()),
        Unfinished::Impostor(why()),
        Unfinished::Version(why()),
        Unfinished::TimedOut,
        Unfinished::Command(CommandError::Stopped(Stopped)),
    ]
}

fn openings() -> [OpenError; 4] {
    [
        OpenError::Engine(LoadError::Newer(9)),
        OpenError::Engine(LoadError::Damaged("x".to_owned())),
        OpenError::Setting("server"),
        OpenError::System("x".to_owned()),
    ]
}

fn connections() -> [ConnectError; 4] {
    [
        ConnectError::WrongServer,
        ConnectError::VersionUnsupported { server: 2..=2, client: 1..=1 },
        ConnectError::Protocol("it is no server"),
        ConnectError::Proxy(io::Error::other("x").into()),
    ]
}

/// One failure of every kind that is made out of an error.
fn all() -> Vec<Failure> {
    let mut all = vec![
        Failure::bug("x"),
        Failure::system("x"),
        Failure::alarm("L02", "x".to_owned()),
        crate::later::not_yet("poll"),
    ];
    all.extend(
        ["", "%x", "a\nb", &"x".repeat(999)]
            .map(|name| Failure::bad_name(&Name::parse(name).expect_err("no name"))),
    );
    all.extend(stores().map(Failure::from));
    all.extend(waits().map(Failure::from));
    all.extend(openings().map(Failure::from));
    all.extend(connections().map(|error| CreateError::Connect(error).into()));
    all
}

/// What is made on the spot cannot leave it out: [`Failure::new`] asks for it.
#[test]
fn every_failure_says_what_to_do() {
    for failure in all() {
        assert!(!failure.message.is_empty() && !failure.hint.is_empty(), "{failure:?}");
        assert_ne!(failure.to_json()["error"]["hint"], "");
    }
}
