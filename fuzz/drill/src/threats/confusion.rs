//! One sub-protocol's words in another's mouth.

use super::{here, nothing_unless};
use crate::member::Twice;
use crate::row::{Expected, Outcome, Row, Who};
use crate::stage::{ADA, CHLOE, Stage};
use ed25519_dalek::SigningKey;
use undertone_core::{
    ChatId,
    fuzzing::{self, Carried, Insider},
};
use undertone_crypto::{
    Device, DeviceId, DeviceList, Identity, LeafKey, SignedDeviceList, SlotKeys, cell, envelope,
    verify_contact, verify_header,
};
use undertone_wire::{KeySuccession, ServerKey, TlsBinding, encode};

pub(super) const ROWS: &[Row] = &[
    here(
        "signatures-confused",
        "T10",
        Who::Member,
        "shows each kind of signature as each other kind, by one key over one message",
        Expected::NoEffect("each verifies as what it was made for, and as nothing else"),
        signatures_confused,
    ),
    here(
        "cells-confused",
        "T10",
        Who::Member,
        "feeds each kind of cell (control, lanes, parts, another room's) to each other's reader",
        Expected::NoEffect("each opens at its own address, and nowhere else"),
        cells_confused,
    ),
    here(
        "envelopes-confused",
        "T10",
        Who::Member,
        "opens each kind of envelope (answer, request at a door) as each other, and elsewhere",
        Expected::NoEffect("each opens as what it was sealed for, at its own address alone"),
        envelopes_confused,
    ),
    here(
        "mls-is-an-envelope",
        "T10",
        Who::Member,
        "writes a sealed envelope where MLS bytes belong (the reverse is `door-mls`)",
        Expected::Skipped { check: "L06" },
        mls_is_an_envelope,
    ),
    here(
        "keys-of-another-room",
        "T26",
        Who::Member,
        "uses the keys of one conversation on another",
        Expected::NoEffect("no address and no key is common to two conversations"),
        keys_of_another_room,
    ),
];

const SEED: [u8; 32] = [8; 32];

/// A kind of signature: how it is made over a message, and whether one verifies as it.
struct Kind {
    name: &'static str,
    sign: fn(&[u8]) -> [u8; 64],
    verifies: fn(&[u8], &[u8; 64]) -> bool,
}

fn server_key() -> SigningKey {
    SigningKey::from_bytes(&SEED)
}

fn public() -> [u8; 32] {
    server_key().verifying_key().to_bytes()
}

fn labelled(label: &'static [u8], message: &[u8]) -> [u8; 64] {
    undertone_wire::sign(&server_key(), label, message)
}

fn as_labelled(label: &'static [u8], message: &[u8], signature: &[u8; 64]) -> bool {
    ServerKey(public()).verifies(label, message, signature)
}

const KINDS: [Kind; 6] = [
    Kind {
        name: "head",
        sign: |message| labelled(b"undertone head 1", message),
        verifies: |message, signature| as_labelled(b"undertone head 1", message, signature),
    },
    Kind {
        name: "key succession",
        sign: |message| labelled(b"undertone key succession 1", message),
        verifies: |message, signature| {
            as_labelled(b"undertone key succession 1", message, signature)
        },
    },
    Kind {
        name: "TLS binding",
        sign: |message| labelled(b"undertone tls 1", message),
        verifies: |message, signature| as_labelled(b"undertone tls 1", message, signature),
    },
    Kind {
        name: "device list",
        sign: |message| Identity::from_bytes(&SEED).sign("undertone device list 1", message),
        verifies: |message, signature| {
            Identity::from_bytes(&SEED).key().verify("undertone device list 1", message, signature)
        },
    },
    Kind {
        name: "cell header",
        sign: |message| LeafKey::from_seed(&SEED).sign_header(message),
        verifies: |message, signature| verify_header(&public(), message, signature),
    },
    Kind {
        name: "offer or answer",
        sign: |message| LeafKey::from_seed(&SEED).sign_contact(message),
        verifies: |message, signature| verify_contact(&public(), message, signature),
    },
];

/// The labels above are those of the structures themselves.
fn labels_are_true() -> Option<String> {
    let (key, server) = (server_key(), ServerKey(public()).server_id());
    let next = ServerKey([1; 32]);
    let step = KeySuccession::sign(&key, &server, next, 7);
    let named = [&server.0[..], &next.0, &7_u64.to_be_bytes()].concat();
    let bound = TlsBinding::sign(&key, ServerKey(public()), Vec::new(), b"spki");
    let devices = vec![Device { id: DeviceId([1; 16]), mls_key: [2; 32] }];
    let list = DeviceList { number: 1, previous: [0; 32], devices, time_ms: 0 };
    let list = SignedDeviceList::sign(&Identity::from_bytes(&SEED), list);
    let head = Stage::new().world.server.newest().head.sign(&key);
    let made = [
        ("head", encode(&head.head), head.signature),
        ("key succession", named, step.signature),
        ("TLS binding", [&server.0[..], b"spki"].concat(), bound.signature),
        ("device list", encode(&list.list), list.signature),
    ];
    let kind = |name: &str| KINDS.iter().find(|kind| kind.name == name).expect("one of the kinds");
    let wrong = made.iter().find(|(name, message, by)| !(kind(name).verifies)(message, by));
    wrong.map(|(name, ..)| format!("the drill does not know how a {name} is signed"))
}

fn signatures_confused() -> Outcome {
    if let Some(wrong) = labels_are_true() {
        return Outcome::Broken(wrong);
    }
    let message = b"one message for all";
    for made in &KINDS {
        let signature = (made.sign)(message);
        for read in &KINDS {
            if (read.verifies)(message, &signature) != (made.name == read.name) {
                return Outcome::Broken(format!("a {} as a {}", made.name, read.name));
            }
        }
    }
    Outcome::Nothing
}

/// The addresses of Chloe's world: of the group's lanes, of a parcel, of her contact.
fn places(stage: &mut Stage) -> Vec<(String, SlotKeys)> {
    let desk = stage.insider(CHLOE);
    let contact = insider_of_contact(stage);
    let parts = desk.parcel(&[1; 4_000], &mut stage.rng).expect("it fits");
    let part =
        |(index, (keys, _)): (usize, &(SlotKeys, _))| (format!("part {index}"), keys.clone());
    let mut places: Vec<_> = parts.cells.iter().enumerate().map(part).collect();
    for (room, insider, lanes) in [("the group", &desk, 3), ("the contact", &contact, 2)] {
        for ahead in 0..2 {
            places.push((format!("control {ahead} of {room}"), insider.control(ahead)));
            for lane in 0..lanes {
                let name = format!("slot {ahead} of lane {lane} of {room}");
                places.push((name, insider.lane(lane, ahead)));
            }
        }
    }
    places
}

fn insider_of_contact(stage: &mut Stage) -> Insider {
    let chat: ChatId = stage.contact(CHLOE, ADA).expect("they are contacts");
    let server = stage.world.server.info().server;
    let account = &stage.world.devices[CHLOE].account;
    Insider::of(account, chat, server).expect("a live conversation")
}

fn cells_confused() -> Outcome {
    let mut stage = Stage::new();
    let places = places(&mut stage);
    for (made, keys) in &places {
        let cell = fuzzing::seal(keys, b"content", &mut stage.rng).expect("it fits");
        for (read, other) in &places {
            if cell::open(other, &cell).is_ok() != (made == read) {
                return Outcome::Broken(format!("a cell of {made} at {read}"));
            }
        }
    }
    Outcome::Nothing
}

fn envelopes_confused() -> Outcome {
    let mut rng = Stage::new().rng;
    let (secret, public) = envelope::generate(&mut rng).expect("a key pair");
    let infos: [&[u8]; 2] = [b"undertone answer 1", b"undertone re-entry 1"];
    let places: Vec<_> =
        infos.iter().flat_map(|info| [[1; 32], [2; 32]].map(|at| (*info, at))).collect();
    for made in &places {
        let sealed = envelope::seal(&public, made.0, &made.1, b"content", &mut rng).expect("a key");
        let as_other = |read: &&(&[u8], [u8; 32])| {
            envelope::open(&secret, read.0, &read.1, &sealed).is_ok() != (made == *read)
        };
        if let Some(read) = places.iter().find(as_other) {
            return Outcome::Broken(format!("an envelope of {made:?} as {read:?}"));
        }
    }
    Outcome::Nothing
}

fn mls_is_an_envelope() -> Outcome {
    let mut stage = Stage::new();
    let chloe = Twice::of(&mut stage, CHLOE);
    let (_, public) = envelope::generate(&mut stage.rng).expect("a key pair");
    let (at, info) = (chloe.tag(), b"undertone answer 1");
    let sealed = envelope::seal(&public, info, &at.0, b"hello", &mut stage.rng).expect("a key");
    stage.away(CHLOE);
    stage.misdeed();
    let said = chloe.insider.honest(b"hello");
    let (keys, parts) = (chloe.own_slot(), chloe.parcel(&mut stage, &sealed));
    chloe.store(&mut stage, &parts);
    chloe.put_signed(&mut stage, &keys, said, &Carried::Parcel(&parts));
    stage.wait(2);
    stage.skipped()
}

fn keys_of_another_room() -> Outcome {
    let mut stage = Stage::new();
    let (desk, contact) = (stage.insider(CHLOE), insider_of_contact(&mut stage));
    let slots = |insider: &Insider, lanes| -> Vec<SlotKeys> {
        let lanes = (0..lanes).flat_map(|lane| (0..8).map(move |ahead| (lane, ahead)));
        let lanes = lanes.map(|(lane, ahead)| insider.lane(lane, ahead));
        lanes.chain((0..8).map(|ahead| insider.control(ahead))).collect()
    };
    let (here, there) = (slots(&desk, 3), slots(&contact, 2));
    let shared = here.iter().any(|one| there.iter().any(|other| one.tag == other.tag));
    nothing_unless(shared.then(|| "one address in two rooms".to_owned()))
}
