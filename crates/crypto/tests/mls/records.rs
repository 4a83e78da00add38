//! What is written must load: after every step, from a copy, from an old version.

use crate::people::{GROUP, Person, Records, adding, healing, removing};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use undertone_crypto::{Group, Mls, Refused, StoreFault};

const VECTOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/crypto/mls-state-1.json");

/// Everybody restarts after every step, as if the power had been cut.
#[test]
fn a_conversation_survives_a_restart_after_every_step() {
    let (mut ada, mut ben) = (Person::new("Ada"), Person::new("Ben"));
    ada.create();
    ada.persist();
    let mut adas = ada.restart();
    let package = ben.key_package();
    ben.persist();
    ben.mls = Mls::load(ben.disk.clone()).expect("what was written loads");
    let pending = ada.commit(&mut adas, adding([package]));
    ada.persist();
    let mut adas = ada.restart();
    assert!(adas.has_pending());
    adas.merge_pending(&mut ada.mls).expect("it won");
    ada.persist();
    let mut adas = ada.restart();
    ben.join(&pending, &adas.tree());
    ben.persist();
    let mut bens = ben.restart();
    for round in 0..3 {
        let text = format!("round {round}");
        let message = ada.say(&mut adas, &text);
        ada.persist();
        adas = ada.restart();
        assert_eq!(ben.hear(&mut bens, &message).payload, text.as_bytes());
        ben.persist();
        bens = ben.restart();
        let commit = ben.commit(&mut bens, healing()).commit;
        ben.persist();
        bens = ben.restart();
        adas.merge(&mut ada.mls, &commit).expect("a fine commit");
        ada.persist();
        adas = ada.restart();
        bens.merge_pending(&mut ben.mls).expect("it won");
        ben.persist();
        bens = ben.restart();
        assert_eq!(adas.exporter(&ada.mls).ok(), bens.exporter(&ben.mls).ok());
    }
    let out = ada.push(&mut adas, removing(1)).commit;
    assert!(bens.merge(&mut ben.mls, &out).expect("a fine commit").removes_me);
    ben.persist();
    assert!(!ben.restart().is_active());
}

#[test]
fn a_rollback_takes_back_what_was_not_persisted() {
    let mut ada = Person::new("Ada");
    let mut adas = ada.create();
    ada.persist();
    ada.push(&mut adas, healing());
    ada.mls.rollback();
    assert_eq!(ada.mls.take_changes(), []);
    let adas = Group::load(&ada.mls, &GROUP).expect("the group as persisted");
    assert_eq!(adas.epoch(), 0);
}

#[test]
fn a_forgotten_group_leaves_no_record() {
    let mut ada = Person::new("Ada");
    let mut adas = ada.create();
    ada.push(&mut adas, healing());
    ada.persist();
    adas.forget(&mut ada.mls).expect("erasing");
    ada.persist();
    assert_eq!(ada.disk, Records::new());
}

#[test]
fn a_newer_record_is_told_apart_from_a_damaged_one() {
    let load = |value: &[u8]| Mls::load([(b"tree\0".to_vec(), value.to_vec())]).err();
    assert_eq!(load(&[2, 0xf6]), Some(Refused::Store(StoreFault::Newer(2))));
    let damaged = |why: &str| Some(Refused::Store(StoreFault::Damaged(why.to_owned())));
    assert_eq!(load(&[0, 0xf6]), damaged("record version 0"));
    assert_eq!(load(&[]), damaged("an empty record"));
}

#[test]
fn a_damaged_record_is_an_error_and_no_panic() {
    let mut ada = Person::new("Ada");
    ada.create();
    ada.persist();
    for key in ada.disk.keys() {
        for cut in [1, 2, 10] {
            let mut disk = ada.disk.clone();
            disk.get_mut(key).expect("it is there").truncate(cut);
            let mls = Mls::load(disk).expect("versions are fine");
            if let Ok(group) = Group::load(&mls, &GROUP) {
                group.members();
            }
        }
    }
}

/// State that version 1 wrote. It must load for ever: never write this file anew, add another.
#[test]
fn state_of_version_1_still_loads() {
    let text = std::fs::read_to_string(VECTOR).expect("the vector is part of the source");
    let vector: Value = serde_json::from_str(&text).expect("JSON");
    let bytes = |value: &Value| hex::decode(value.as_str().expect("hex")).expect("hex");
    let record = |pair: &Value| (bytes(&pair[0]), bytes(&pair[1]));
    let records = vector["records"].as_array().expect("records").iter().map(record);
    let mut mls = Mls::load(records).expect("version 1 loads");
    let mut group = Group::load(&mls, &GROUP).expect("the group is there");
    assert_eq!(group.epoch(), 3);
    assert_eq!(group.members().len(), 3);
    let exported = group.exporter(&mls).expect("a member");
    assert_eq!(exported.dangerous_bytes().to_vec(), bytes(&vector["exporter"]));
    for (name, text) in [("past_message", "from epoch 1"), ("message", "from epoch 3")] {
        let plain = group.decrypt(&mut mls, &bytes(&vector[name])).expect("it was never read");
        assert_eq!(plain.payload, text.as_bytes());
    }
    let staged = group.merge(&mut mls, &bytes(&vector["commit"])).expect("a fine commit");
    assert_eq!((staged.committer, group.epoch()), (0, 4));
}

/// Writes a vector: `cargo test -p undertone-crypto --test mls -- --ignored write_the_vector`.
#[test]
#[ignore = "writes testdata"]
fn write_the_vector() {
    let [(mut ada, mut adas), (mut ben, mut bens), (mut chloe, mut chloes)] =
        crate::people::three();
    let past = ada.say(&mut adas, "from epoch 1");
    for _ in 0..2 {
        let commit = chloe.push(&mut chloes, healing()).commit;
        adas.merge(&mut ada.mls, &commit).expect("a fine commit");
        bens.merge(&mut ben.mls, &commit).expect("a fine commit");
    }
    ben.key_package();
    ben.commit(&mut bens, healing());
    ben.persist();
    let message = ada.say(&mut adas, "from epoch 3");
    let commit = ada.push(&mut adas, healing()).commit;
    let hex = |bytes: &[u8]| Value::String(hex::encode(bytes));
    let records: Vec<_> =
        ben.disk.iter().map(|(key, value)| json!([hex(key), hex(value)])).collect();
    let exported = bens.exporter(&ben.mls).expect("a member");
    let vector = json!({
        "about": "Ben's MLS records as version 1 wrote them, and what must be readable with them",
        "records": records,
        "exporter": hex(exported.dangerous_bytes()),
        "past_message": hex(&past),
        "message": hex(&message),
        "commit": hex(&commit),
    });
    let text = serde_json::to_string_pretty(&vector).expect("JSON");
    std::fs::write(VECTOR, text + "\n").expect("writing");
}

/// A run that is seeded twice alike writes the same bytes twice.
#[test]
fn a_seeded_conversation_repeats_itself() {
    let run = || {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let (mut ada, mut ben) = (Person::seeded("Ada", &mut rng), Person::seeded("Ben", &mut rng));
        let mut adas = ada.create();
        let package = ben.key_package();
        let pending = ada.push(&mut adas, adding([package.clone()]));
        let mut bens = ben.join(&pending, &adas.tree());
        let message = ben.say(&mut bens, "Hello Ada");
        let healed = ben.push(&mut bens, healing()).commit;
        adas.merge(&mut ada.mls, &healed).expect("a fine commit");
        let exported = adas.exporter(&ada.mls).expect("a member");
        (package, pending, message, healed, *exported.dangerous_bytes())
    };
    assert_eq!(run(), run());
}

/// The driver moves the account between threads.
#[test]
fn handles_move_between_threads() {
    fn movable<T: Send + Sync>() {}
    movable::<Mls>();
    movable::<Group>();
}
