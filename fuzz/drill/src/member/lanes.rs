//! Cells of lanes.

use super::{NEXT_NUMBER, Twice, by_member, chloe, skip};
use crate::row::{Expected, Outcome, Row};
use crate::stage::{ADA, BEN, CHLOE, Stage};
use undertone_core::fuzzing::{self, Carried, Said};
use undertone_wire::Cell;

pub(super) const ROWS: &[Row] = &[
    by_member("lane-junk", "T11", "fills Ben's next slot with noise", skip("L01"), junk),
    by_member(
        "lane-flood",
        "T11",
        "fills thirty slots of Ben's lane with noise",
        skip("L01"),
        flood,
    ),
    by_member(
        "commitment-forged",
        "T10 T11",
        "seals a message so that it opens, with a commitment to another key",
        skip("L01"),
        commitment_forged,
    ),
    by_member(
        "lane-no-head",
        "T11",
        "seals something in a lane that is no head",
        skip("L02"),
        no_head,
    ),
    by_member(
        "lane-of-another",
        "T11",
        "writes a message into Ben's lane, signed by itself",
        skip("L03"),
        of_another,
    ),
    by_member("lane-wrong-place", "T11", "names another place in its lane", skip("L04"), place),
    by_member(
        "lane-parts-late",
        "T11",
        "stores the parts of a long message after its head",
        skip("L05"),
        parts_late,
    ),
    by_member(
        "lane-parts-other",
        "T11",
        "stores other parts than the head of a long message names",
        skip("L05"),
        parts_other,
    ),
    by_member(
        "lane-no-mls",
        "T10 T11",
        "signs a message whose MLS bytes are none",
        skip("L06"),
        no_mls,
    ),
    by_member(
        "lane-copied",
        "T10 T11",
        "writes MLS bytes of Ben's into its own lane before Ben's own cell is read",
        skip("L07"),
        copied,
    ),
    by_member(
        "lane-other-body",
        "T11",
        "commits to another body than the one that it sends",
        skip("L08"),
        other_body,
    ),
    by_member(
        "lane-astray",
        "T10 T11",
        "sends a message that names another conversation",
        skip("L09"),
        astray,
    ),
    by_member(
        "lane-too-early",
        "T11",
        "writes into the second slot of its lane and leaves the first one empty",
        Expected::NoEffect("the lane ends at the hole: nobody reads beyond it, nothing else waits"),
        too_early,
    ),
];

/// Chloe does this to a lane, and it is told by which check all skip it.
fn cell(deed: impl FnOnce(&mut Stage, &mut Twice)) -> Outcome {
    chloe(deed).skipped()
}

fn noise() -> Cell {
    Cell::from_array([7; 2048])
}

/// The lane of Ben, as Chloe counts them.
fn bens(stage: &mut Stage, chloe: &Twice) -> u32 {
    let ben = stage.identity(BEN);
    chloe.insider.index_of(&ben).expect("a member")
}

fn junk() -> Outcome {
    cell(|stage, chloe| {
        let ben = bens(stage, chloe);
        stage.put(&chloe.insider.lane(ben, 0), noise());
    })
}

fn flood() -> Outcome {
    cell(|stage, chloe| {
        let ben = bens(stage, chloe);
        (0..30).for_each(|ahead| stage.put(&chloe.insider.lane(ben, ahead), noise()));
    })
}

fn text(stage: &mut Stage, text: &str) -> Vec<u8> {
    let chat = stage.desk(CHLOE);
    let account = &stage.world.devices[CHLOE].account;
    fuzzing::text_of(account, chat, NEXT_NUMBER, text).expect("a live group")
}

/// As an honest device would, with the head beside it.
fn encrypt(stage: &mut Stage, chloe: &Twice, body: &[u8]) -> Vec<u8> {
    let head = chloe.head(stage);
    chloe.encrypt(stage, body, &head)
}

fn commitment_forged() -> Outcome {
    cell(|stage, chloe| {
        let body = text(stage, "two contents in one");
        let (mls, keys) = (encrypt(stage, chloe, &body), chloe.own_slot());
        let said = chloe.insider.honest(&body);
        let content = chloe.insider.sign(&keys, said, &Carried::Inline(&mls));
        let mut bytes = *chloe.seal(stage, &keys, &content).as_bytes();
        bytes[..32].fill(7);
        stage.put(&keys, Cell::from_array(bytes));
    })
}

fn no_head() -> Outcome {
    cell(|stage, chloe| chloe.put(stage, &chloe.own_slot(), b"no head"))
}

fn of_another() -> Outcome {
    cell(|stage, chloe| {
        let body = text(stage, "I am Ben");
        let (ben, mls) = (bens(stage, chloe), encrypt(stage, chloe, &body));
        let keys = chloe.insider.lane(ben, 0);
        let identity = stage.identity(BEN);
        let leaf = chloe.insider.leaf_of(&identity).expect("a member");
        let said = Said { leaf, ..chloe.insider.honest(&body) };
        chloe.put_signed(stage, &keys, said, &Carried::Inline(&mls));
    })
}

fn place() -> Outcome {
    cell(|stage, chloe| {
        let body = text(stage, "not here");
        let said = Said { place: 7, ..chloe.insider.honest(&body) };
        let head = chloe.head(stage);
        chloe.send(stage, &body, &head, said);
    })
}

fn parts_late() -> Outcome {
    cell(|stage, chloe| {
        let body = text(stage, &"a long story ".repeat(300));
        let (mls, keys) = (encrypt(stage, chloe, &body), chloe.own_slot());
        let (parts, said) = (chloe.parcel(stage, &mls), chloe.insider.honest(&body));
        chloe.put_signed(stage, &keys, said, &Carried::Parcel(&parts));
        chloe.store(stage, &parts);
    })
}

fn parts_other() -> Outcome {
    cell(|stage, chloe| {
        let body = text(stage, &"a long story ".repeat(300));
        let (mls, keys) = (encrypt(stage, chloe, &body), chloe.own_slot());
        let (mut parts, said) = (chloe.parcel(stage, &mls), chloe.insider.honest(&body));
        let (part, cell) = parts.cells[0].clone();
        let content = undertone_crypto::cell::open(&part, &cell).expect("one's own");
        parts.cells[0].1 = chloe.seal(stage, &part, &content);
        chloe.store(stage, &parts);
        chloe.put_signed(stage, &keys, said, &Carried::Parcel(&parts));
    })
}

fn no_mls() -> Outcome {
    cell(|stage, chloe| {
        let said = chloe.insider.honest(b"x");
        chloe.put_signed(stage, &chloe.own_slot(), said, &Carried::Inline(b"not an MLS message"));
    })
}

fn copied() -> Outcome {
    cell(|stage, chloe| {
        let (desk, body) = (stage.desk(BEN), text(stage, "mine"));
        let head = chloe.head(stage);
        let ben = &mut stage.world.devices[BEN].account;
        let mls = fuzzing::encrypt(ben, desk, &head, &body).expect("a live group");
        let said = chloe.insider.honest(&body);
        chloe.put_signed(stage, &chloe.own_slot(), said, &Carried::Inline(&mls));
    })
}

fn other_body() -> Outcome {
    cell(|stage, chloe| {
        let (sent, signed) = (text(stage, "what is sent"), text(stage, "what is signed"));
        let said = chloe.insider.honest(&signed);
        let head = chloe.head(stage);
        chloe.send(stage, &sent, &head, said);
    })
}

fn astray() -> Outcome {
    cell(|stage, chloe| {
        let body = fuzzing::astray("of another room");
        let said = chloe.insider.honest(&body);
        let head = chloe.head(stage);
        chloe.send(stage, &body, &head, said);
    })
}

fn too_early() -> Outcome {
    cell(|stage, chloe| {
        let body = text(stage, "too early");
        let mls = encrypt(stage, chloe, &body);
        let keys = chloe.insider.lane(chloe.insider.own_index(), 1);
        let said = chloe.insider.honest(&body);
        chloe.put_signed(stage, &keys, said, &Carried::Inline(&mls));
        stage.say(ADA, "is Chloe here?");
    })
}
