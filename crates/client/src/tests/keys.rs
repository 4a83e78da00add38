//! What a profile knows of its server's keys, from one start to the next.

use crate::{Blame, LinkState, NewProfile, Reach, Running, new_phrase, open, prepare};
use std::path::Path;
use undertone_core::Name;
use undertone_puppet::{Keys, Puppet, first, signing};
use undertone_store::Profile;
use undertone_wire::{Answer, Frame, Request};

const PASSPHRASE: &str = "a heron stands in the reeds";

async fn make_profile(folder: &Path, puppet: &Puppet) {
    let name = Name::parse("Ada").unwrap();
    let phrase = new_phrase().unwrap();
    let new = NewProfile { name, phrase, server: puppet.address(), proxy: None };
    tokio::select! {
        made = prepare(folder, PASSPHRASE, new, None) => made.unwrap().finish().unwrap(),
        () = puppet.introduce_itself() => unreachable!("it goes on for ever"),
    }
}

fn start(folder: &Path) -> Running {
    open(folder, Profile::unlock(folder, PASSPHRASE).unwrap(), Reach::Online).unwrap()
}

/// Lets the profile meet a server with these keys, up to the engine's first question about the log:
/// by then it has kept what the server said of itself.
async fn meet(folder: &Path, puppet: &mut Puppet, keys: &Keys) {
    puppet.take_keys(keys);
    let running = start(folder);
    let mut visitor = puppet.welcome().await;
    let answer = Answer::Info(puppet.info.clone());
    let Frame::Request { id, request: Request::Info } = visitor.next().await else {
        panic!("the engine asks first who the server is")
    };
    visitor.send(&Frame::Answer { id, answer }).await;
    assert!(matches!(visitor.next().await, Frame::Request { request: Request::Proof { .. }, .. }));
    running.close().await;
}

/// How the profile finds a server with these keys.
async fn finds(folder: &Path, puppet: &mut Puppet, keys: &Keys) -> LinkState {
    puppet.take_keys(keys);
    let running = start(folder);
    let mut link = running.session.link();
    let found = tokio::select! {
        state = link.wait_for(|state| *state != LinkState::Connecting) => state.unwrap().clone(),
        () = puppet.introduce_itself() => unreachable!("it goes on for ever"),
    };
    running.close().await;
    found
}

#[tokio::test]
async fn a_profile_that_has_met_a_key_refuses_the_ones_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = &folder.path().join("ada");
    let old = first(1);
    let new = old.clone().succeed(signing(2), 10);
    let mut puppet = Puppet::new(&old).await;
    make_profile(folder, &puppet).await;
    // What comes after a known key is believed, and known from then on.
    meet(folder, &mut puppet, &old).await;
    meet(folder, &mut puppet, &new).await;
    let thief = old.clone().succeed(signing(3), 10);
    for stolen in [old, thief] {
        let found = finds(folder, &mut puppet, &stolen).await;
        assert!(
            matches!(found, LinkState::Down { blame: Some(Blame::Impostor), .. }),
            "{stolen:?}: {found:?}"
        );
    }
    let newer = new.clone().succeed(signing(4), 20);
    for right in [new, newer] {
        assert_eq!(finds(folder, &mut puppet, &right).await, LinkState::Up, "{right:?}");
    }
}
