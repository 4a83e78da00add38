//! The command line as promised: it parses, its help is what was reviewed, what is generated from
//! it is fresh.

use crate::{cli::Cli, generate};
use clap::{CommandFactory, Parser};
use clap_complete::Shell;
use std::{fs, path::PathBuf};
use undertone_app::Verb;

const SHELLS: [(Shell, &str); 3] =
    [(Shell::Bash, "undertone.bash"), (Shell::Zsh, "_undertone"), (Shell::Fish, "undertone.fish")];

#[test]
fn the_definitions_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn help_is_what_was_reviewed() {
    let mut whole = generate::command();
    whole.build();
    insta::assert_snapshot!("undertone", whole.render_long_help().to_string());
    for name in generate::visible() {
        let sub = whole.find_subcommand_mut(&name).unwrap();
        insta::assert_snapshot!(name.clone(), sub.render_long_help().to_string());
    }
}

#[test]
fn every_help_has_an_example() {
    for name in generate::visible() {
        let help = generate::command().find_subcommand_mut(&name).unwrap().render_long_help();
        assert!(help.to_string().contains("Example"), "{name}");
    }
}

#[test]
fn generated_files_are_fresh() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![("docs/man/undertone.1".to_owned(), generate::man_page(None).unwrap())];
    for name in generate::visible() {
        let page = generate::man_page(Some(&name)).unwrap();
        files.push((format!("docs/man/undertone-{name}.1"), page));
    }
    for (shell, name) in SHELLS {
        files.push((format!("completions/{name}"), generate::completions(shell)));
    }
    let update = std::env::var_os("UPDATE_GENERATED").is_some();
    for (name, bytes) in files {
        let path = root.join(&name);
        if update {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        let kept = fs::read(&path).unwrap_or_default();
        assert!(kept == bytes, "{name} is stale: UPDATE_GENERATED=1 cargo test -p undertone");
    }
}

#[test]
fn a_lookup_that_does_not_end_holds_up_no_command() {
    let (resolver, never) = std::sync::mpsc::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let exit = crate::finished(runtime, async move {
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        drop(tokio::task::spawn_blocking(move || {
            begun.send(()).unwrap();
            never.recv()
        }));
        has_begun.await.unwrap();
        9
    });
    assert_eq!(exit, 9);
    // The lookup is still under way: with an end that waits for it, nobody would come here.
    resolver.send(()).unwrap();
}

/// The verb of a command line, through the data that other processes get.
fn verb(line: &[&str]) -> Verb {
    let parsed = Cli::try_parse_from(["undertone"].iter().chain(line)).unwrap();
    let crate::cli::Command::Person(verb) = parsed.command else { panic!("{line:?}") };
    let sent = serde_json::to_value(&verb).unwrap();
    let came = serde_json::from_value(sent).unwrap();
    assert_eq!(verb, came, "{line:?}");
    came
}

#[test]
fn every_verb_of_the_interface_parses_and_can_be_handed_on() {
    for line in [
        "init --name Ada --server undertone://h:1/#00",
        "init --name Ada --server u --phrase-file f --invite c",
        "whoami",
        "link",
        "link --reusable --expires 7d",
        "link --list",
        "link --revoke id",
        "accept undertone:xyz --message hello --timeout 5",
        "requests",
        "requests accept #12",
        "requests decline #12",
        "chats",
        "send Ben hello --no-wait --id k --anyway --timeout 0.5",
        "send Ben -",
        "send Ben x --reply %1 --file a --file b --timer 1h",
        "read Ben --limit 5 --before %00 --mark",
        "watch",
        "watch Ben --since 12",
        "sync --timeout 30",
        "group create Desk Ben Chloe",
        "group create Desk Ben --timeout 5",
        "group role Desk Ben admin --timeout 5",
        "requests accept #12 --timeout 5",
        "group create Desk",
        "group add Desk Ben Chloe",
        "group remove Desk Ben",
        "group leave Desk",
        "group rename Desk Board",
        "group members Desk",
        "group role Desk Ben admin",
        "group policy Desk key value",
        "contact rename Ben Benny",
        "contact delete Ben",
        "verify Ben",
        "verify Ben --code 12345",
        "verify Ben --confirm",
        "server set-address undertone://h:1/#00",
        "config proxy",
        "config proxy none",
        "doctor --timeout 1",
        "edit %1 text",
        "devices link",
        "backup --out file",
        "recovery-phrase",
        "rpc",
    ] {
        let words: Vec<_> = line.split(' ').collect();
        verb(&words);
    }
}

#[test]
fn flags_that_stand_everywhere_stand_everywhere() {
    for line in [
        ["undertone", "--json", "--profile", "p", "--passphrase-file", "f", "chats"],
        ["undertone", "chats", "--json", "--profile", "p", "--passphrase-file", "f"],
    ] {
        let cli = Cli::try_parse_from(line).unwrap();
        assert!(cli.global.json);
        assert_eq!(cli.global.profile, Some(PathBuf::from("p")));
        assert_eq!(cli.global.passphrase_file, Some(PathBuf::from("f")));
    }
}

#[test]
fn other_lines_are_refused() {
    for line in [
        "",
        "nonsense",
        "send",
        "read Ben --limit 0",
        "link --list --revoke x",
        "group role Desk Ben emperor",
        "accept l --timeout soon",
        "config colour",
        "verify Ben --code 1 --confirm",
        "--passphrase secret chats",
    ] {
        let words = ["undertone"].into_iter().chain(line.split_whitespace());
        let error = Cli::try_parse_from(words).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}
