//! Commits: what they do, races, judging, refusals.

use crate::people::{GROUP, POLICY, Person, adding, healing, removing, three, two};
use undertone_crypto::{CommitSpec, Group, LEAVES_MAX, Refused, Staged, inspect_key_package};

#[test]
fn a_commit_says_what_it_does() {
    let [(mut ada, mut adas), (mut ben, mut bens), (mut chloe, mut chloes)] = three();
    let mut dora = Person::new("Dora");
    let spec = CommitSpec {
        add: vec![dora.key_package()],
        remove: vec![chloes.own_leaf()],
        policy: Some(b"owners only".to_vec()),
        aad: b"head 9".to_vec(),
    };
    let pending = ada.commit(&mut adas, spec);
    let expected = Staged {
        committer: 0,
        add: vec![(dora.identity.key(), dora.device, dora.key.key())],
        remove: vec![2],
        policy: Some(b"owners only".to_vec()),
        aad: b"head 9".to_vec(),
        removes_me: false,
    };
    assert_eq!(bens.judge(&ben.mls, &pending.commit), Ok(expected.clone()));
    assert_eq!(bens.merge(&mut ben.mls, &pending.commit), Ok(expected.clone()));
    let out = Staged { removes_me: true, ..expected };
    assert_eq!(chloes.merge(&mut chloe.mls, &pending.commit), Ok(out));

    adas.merge_pending(&mut ada.mls).expect("it won");
    let mut doras = dora.join(&pending, &adas.tree());
    assert_eq!(doras.policy(), b"owners only");
    assert_eq!(doras.members(), adas.members());
    assert_eq!(bens.members(), adas.members());
    let hello = dora.say(&mut doras, "Hello all");
    assert_eq!(ben.hear(&mut bens, &hello).payload, b"Hello all");

    assert!(!chloes.is_active());
    assert_eq!(chloes.exporter(&chloe.mls).err(), Some(Refused::Inactive));
    assert_eq!(chloes.encrypt(&mut chloe.mls, &chloe.key, b"", b""), Err(Refused::Inactive));
    assert_eq!(chloes.decrypt(&mut chloe.mls, &hello), Err(Refused::Inactive));
}

#[test]
fn a_healing_commit_has_a_path() {
    let [(mut ada, mut adas), (mut ben, mut bens), _] = three();
    let before = adas.tree();
    let pending = ada.push(&mut adas, healing());
    assert_eq!(pending.welcome, None);
    assert_ne!(adas.tree(), before);
    let staged = bens.merge(&mut ben.mls, &pending.commit).expect("a fine commit");
    assert_eq!((staged.add.len(), staged.remove.len(), staged.policy), (0, 0, None));
    assert_eq!(adas.tree(), bens.tree());
}

#[test]
fn of_two_commits_the_loser_drops_its_own() {
    let [(mut ada, mut adas), (mut ben, mut bens), (mut chloe, mut chloes)] = three();
    let adas_commit = ada.commit(&mut adas, removing(2)).commit;
    let bens_commit = ben.commit(&mut bens, healing()).commit;

    // Ben's won. Ada judges it while her own is pending, and messages still come through.
    adas.judge(&ada.mls, &bens_commit).expect("a fine commit");
    assert!(adas.has_pending());
    let late = chloe.say(&mut chloes, "late");
    assert_eq!(ada.hear(&mut adas, &late).payload, b"late");
    adas.merge(&mut ada.mls, &bens_commit).expect("a fine commit");
    assert!(!adas.has_pending());
    bens.merge_pending(&mut ben.mls).expect("it won");
    chloes.merge(&mut chloe.mls, &bens_commit).expect("a fine commit");

    assert_eq!(chloes.judge(&chloe.mls, &adas_commit), Err(Refused::WrongEpoch));
    let again = ada.push(&mut adas, removing(2)).commit;
    assert!(chloes.merge(&mut chloe.mls, &again).expect("a fine commit").removes_me);
    bens.merge(&mut ben.mls, &again).expect("a fine commit");
    assert_eq!(adas.exporter(&ada.mls).ok(), bens.exporter(&ben.mls).ok());
}

#[test]
fn judging_leaves_no_trace() {
    let [(mut ada, mut adas), (mut ben, mut bens), _] = three();
    let late = ada.say(&mut adas, "late");
    let commit = ada.commit(&mut adas, removing(2)).commit;
    ben.persist();
    let (tree, exported) = (bens.tree(), bens.exporter(&ben.mls));
    let first = bens.judge(&ben.mls, &commit);
    assert_eq!(bens.judge(&ben.mls, &commit), first);
    assert_eq!(ben.mls.take_changes(), []);
    assert_eq!((bens.epoch(), bens.tree(), bens.exporter(&ben.mls)), (1, tree, exported));
    assert_eq!(ben.hear(&mut bens, &late).payload, b"late");
    assert_eq!(bens.merge(&mut ben.mls, &commit), first);
}

#[test]
fn a_changed_commit_leaves_no_trace() {
    let ((mut ada, mut adas), (mut ben, mut bens)) = two();
    let commit = ada.push(&mut adas, healing()).commit;
    ben.persist();
    for at in (0..commit.len()).step_by(41) {
        let mut changed = commit.clone();
        changed[at] ^= 0x80;
        assert!(bens.judge(&ben.mls, &changed).is_err(), "byte {at}");
        assert!(bens.merge(&mut ben.mls, &changed).is_err(), "byte {at}");
        assert_eq!(ben.mls.take_changes(), [], "byte {at}");
    }
    bens.merge(&mut ben.mls, &commit).expect("the true one still merges");
}

#[test]
fn our_own_commit_is_told_apart() {
    let ((mut ada, mut adas), _) = two();
    let commit = ada.commit(&mut adas, healing()).commit;
    assert_eq!(adas.judge(&ada.mls, &commit), Err(Refused::OwnMessage));
    assert_eq!(adas.merge(&mut ada.mls, &commit), Err(Refused::OwnMessage));
    assert!(adas.has_pending());
}

#[test]
fn one_commit_is_pending_at_a_time() {
    let ((mut ada, mut adas), _) = two();
    assert_eq!(adas.merge_pending(&mut ada.mls), Err(Refused::NotPending));
    ada.commit(&mut adas, healing());
    assert_eq!(adas.commit(&mut ada.mls, &ada.key, healing()), Err(Refused::Pending));
    adas.clear_pending(&mut ada.mls).expect("dropping");
    ada.push(&mut adas, healing());
    assert_eq!(adas.epoch(), 2);
}

#[test]
fn nobody_removes_himself_or_an_empty_leaf() {
    let ((mut ada, mut adas), _) = two();
    for leaf in [0, 2, u32::MAX] {
        let refused = adas.commit(&mut ada.mls, &ada.key, removing(leaf));
        assert_eq!(refused, Err(Refused::CannotRemove { leaf }));
    }
}

#[test]
fn the_251st_leaf_is_refused() {
    let mut ada = Person::new("Ada");
    let mut adas = ada.create();
    let mut packages: Vec<_> =
        (1..LEAVES_MAX).map(|n| Person::new(&format!("P{n}")).key_package()).collect();
    let one_more = Person::new("Zoe").key_package();
    packages.push(one_more.clone());
    let refused = adas.commit(&mut ada.mls, &ada.key, adding(packages.clone()));
    assert_eq!(refused, Err(Refused::Full { leaves: 251 }));

    packages.pop();
    ada.push(&mut adas, adding(packages));
    assert_eq!(adas.members().len(), 250);
    let refused = adas.commit(&mut ada.mls, &ada.key, adding([one_more.clone()]));
    assert_eq!(refused, Err(Refused::Full { leaves: 251 }));
    let swap = CommitSpec { add: vec![one_more], remove: vec![249], ..CommitSpec::default() };
    ada.push(&mut adas, swap);
    assert_eq!(adas.members().len(), 250);
}

#[test]
fn a_key_package_says_whose_it_is() {
    let mut ben = Person::new("Ben");
    let bytes = ben.key_package().0;
    let info = inspect_key_package(&bytes).expect("a fine key package");
    assert_eq!((info.identity, info.device), (ben.identity.key(), ben.device));
    assert_eq!((info.mls_key, info.last_resort), (ben.key.key(), false));
    for at in (0..bytes.len()).step_by(37) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(inspect_key_package(&changed).is_err(), "byte {at}");
    }
    let mut ada = Person::new("Ada");
    let mut adas = ada.create();
    let noise = adding([undertone_crypto::KeyPackageBytes(b"noise".to_vec())]);
    assert_eq!(adas.commit(&mut ada.mls, &ada.key, noise), Err(Refused::Malformed));
    let twice = adding([ben.key_package(), ben.key_package()]);
    let refused = adas.commit(&mut ada.mls, &ada.key, twice);
    assert!(matches!(refused, Err(Refused::Commit { .. })), "{refused:?}");
    ada.push(&mut adas, adding([ben.key_package()]));
}

#[test]
fn a_key_package_serves_once_and_a_last_resort_one_until_forgotten() {
    let mut ben = Person::new("Ben");
    let identity = ben.identity.key();
    let package = ben.mls.key_package(&ben.key, identity, ben.device, true).expect("one");
    assert!(inspect_key_package(&package.0).expect("a fine key package").last_resort);
    for n in 0..3 {
        let mut ada = Person::new(&format!("Ada{n}"));
        let mut adas = ada.create();
        let pending = ada.push(&mut adas, adding([package.clone()]));
        let welcome = pending.welcome.expect("Ben was added");
        if n == 2 {
            ben.mls.forget_key_package(&package.0).expect("erasing");
            let refused = Group::join(&mut ben.mls, &ben.key, &welcome, &adas.tree());
            assert_eq!(refused.err(), Some(Refused::NotInvited));
        } else {
            let joined = Group::join(&mut ben.mls, &ben.key, &welcome, &adas.tree());
            joined.expect("joining").forget(&mut ben.mls).expect("erasing");
        }
    }
}

/// A Welcome that fails must not use up the key package: the true one may still come.
#[test]
fn a_failed_join_leaves_no_trace() {
    let (mut ada, mut ben) = (Person::new("Ada"), Person::new("Ben"));
    let mut adas = ada.create();
    let old_tree = adas.tree();
    let pending = ada.push(&mut adas, adding([ben.key_package()]));
    let welcome = pending.welcome.clone().expect("Ben was added");
    ben.persist();
    let mut try_join = |welcome: &[u8], tree: &[u8]| {
        let refused = Group::join(&mut ben.mls, &ben.key, welcome, tree).err();
        assert_eq!(ben.mls.take_changes(), []);
        refused.expect("a refusal")
    };
    assert!(matches!(try_join(&welcome, &old_tree), Refused::Welcome { .. }));
    assert_eq!(try_join(&welcome, b"noise"), Refused::Malformed);
    assert_eq!(try_join(b"noise", &adas.tree()), Refused::Malformed);
    assert_eq!(try_join(&pending.commit, &adas.tree()), Refused::Malformed);
    let mut changed = welcome.clone();
    *changed.last_mut().expect("not empty") ^= 1;
    try_join(&changed, &adas.tree());
    assert_eq!(ben.join(&pending, &adas.tree()).policy(), POLICY);
    let mut again = || Group::join(&mut ben.mls, &ben.key, &welcome, &adas.tree()).err();
    assert_eq!(again(), Some(Refused::NotInvited));
}

#[test]
fn there_is_one_group_of_an_id() {
    let mut ada = Person::new("Ada");
    let adas = ada.create();
    let (identity, device) = (ada.identity.key(), ada.device);
    let mut make = || Group::create(&mut ada.mls, &ada.key, identity, device, &GROUP, POLICY);
    assert_eq!(make().err(), Some(Refused::GroupExists));
    adas.forget(&mut ada.mls).expect("erasing");
    assert_eq!(Group::load(&ada.mls, &GROUP).err(), Some(Refused::UnknownGroup));
    ada.create();
}
