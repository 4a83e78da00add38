//! Cells of the control lane.

use super::{Twice, by_member, chloe, sign, skip};
use crate::row::{Expected, Outcome, Row};
use crate::stage::{ADA, BEN, CHLOE, NAMES, Stage};
use undertone_core::fuzzing::{Carried, Said};
use undertone_hostile::world::Fate;
use undertone_wire::Cell;

pub(super) const ROWS: &[Row] = &[
    by_member("control-junk", "T06", "fills a control slot with noise", skip("C01"), junk),
    by_member(
        "control-no-head",
        "T06",
        "seals something in a control slot that is no head",
        skip("C02"),
        no_head,
    ),
    by_member("commit-inline", "T06", "writes a commit without parts", skip("C03"), inline),
    by_member(
        "commit-parts-late",
        "T06 T11",
        "stores the parts of a commit after its head",
        skip("C04"),
        parts_late,
    ),
    by_member(
        "commit-parts-other",
        "T06",
        "stores other parts than the head of a commit names",
        skip("C05"),
        parts_other,
    ),
    by_member("commit-no-leaf", "T06", "commits as a leaf that is not there", skip("C06"), no_leaf),
    by_member("commit-as-another", "T06", "commits in Ben's name", skip("C07"), as_another),
    by_member(
        "commit-other-change",
        "T06",
        "signs another change than the commit carries",
        skip("C08"),
        other_change,
    ),
    by_member("commit-no-right", "T06", "removes Ben, without the right to", skip("C09"), no_right),
    by_member(
        "commit-no-right-no-mls",
        "T06",
        "removes Ben, without the right to, with MLS bytes that are none",
        skip("C09"),
        no_right_no_mls,
    ),
    by_member(
        "control-flood",
        "T06 T11",
        "fills ten control slots in a row with noise",
        skip("C01"),
        flood,
    ),
    by_member(
        "control-flood-for-ever",
        "T06",
        "fills every control slot, as soon as it is free, for as long as anybody looks",
        Expected::NoEffect(
            "messages flow on; the owner's doctor offers to begin the group anew, without whoever \
             does it",
        ),
        flood_for_ever,
    ),
    by_member(
        "commit-half-valid",
        "T06",
        "commits what it has the right to, with MLS bytes that are none",
        sign(&["Ada", "Ben"], "stuck", 1),
        half_valid,
    ),
    by_member(
        "commit-does-otherwise",
        "T06",
        "declares one change and commits another",
        sign(&["Ada", "Ben"], "stuck", 1),
        does_otherwise,
    ),
];

fn noise() -> Cell {
    Cell::from_array([7; 2048])
}

fn junk() -> Outcome {
    chloe(|stage, chloe| stage.put(&chloe.insider.control(0), noise())).skipped()
}

fn no_head() -> Outcome {
    chloe(|stage, chloe| chloe.put(stage, &chloe.insider.control(0), b"no head")).skipped()
}

fn inline() -> Outcome {
    let deed = |stage: &mut Stage, chloe: &mut Twice| {
        let keys = chloe.insider.control(0);
        let said = Said { place: 0, ..chloe.insider.honest(&[]) };
        chloe.put_signed(stage, &keys, said, &Carried::Inline(b"commit"));
    };
    chloe(deed).skipped()
}

/// A commit that everybody could follow, but for its parts.
fn parts_late() -> Outcome {
    let deed = |stage: &mut Stage, chloe: &mut Twice| {
        let mls = chloe.mls_commit(stage);
        let (payload, change) = chloe.insider.commit(&[], &mls);
        let parts = chloe.parcel(stage, &payload);
        let said = Said { place: 0, change, body: [0; 32], ..chloe.insider.honest(&[]) };
        chloe.put_signed(stage, &chloe.insider.control(0), said, &Carried::Parcel(&parts));
        chloe.store(stage, &parts);
    };
    chloe(deed).skipped()
}

fn parts_other() -> Outcome {
    let deed = |stage: &mut Stage, chloe: &mut Twice| {
        let mls = chloe.mls_commit(stage);
        let (payload, change) = chloe.insider.commit(&[], &mls);
        let mut parts = chloe.parcel(stage, &payload);
        let (keys, _) = parts.cells[0].clone();
        let content = undertone_crypto::cell::open(&keys, &parts.cells[0].1).expect("one's own");
        // The same content under another nonce: all but the root would fit.
        parts.cells[0].1 = chloe.seal(stage, &keys, &content);
        chloe.store(stage, &parts);
        let said = Said { place: 0, change, body: [0; 32], ..chloe.insider.honest(&[]) };
        chloe.put_signed(stage, &chloe.insider.control(0), said, &Carried::Parcel(&parts));
    };
    chloe(deed).skipped()
}

fn no_leaf() -> Outcome {
    chloe(|stage, chloe| chloe.commit(stage, &[], b"junk", |said| said.leaf = 99)).skipped()
}

fn as_another() -> Outcome {
    let deed = |stage: &mut Stage, chloe: &mut Twice| {
        let ben = stage.identity(BEN);
        let leaf = chloe.insider.leaf_of(&ben).expect("a member");
        chloe.commit(stage, &[], b"junk", |said| said.leaf = leaf);
    };
    chloe(deed).skipped()
}

fn other_change() -> Outcome {
    let deed = |stage: &mut Stage, chloe: &mut Twice| {
        let mls = chloe.mls_commit(stage);
        chloe.commit(stage, &[], &mls, |said| said.change = [1; 32]);
    };
    chloe(deed).skipped()
}

fn no_right() -> Outcome {
    let deed = |stage: &mut Stage, chloe: &mut Twice| {
        let ben = stage.identity(BEN);
        let leaf = chloe.insider.leaf_of(&ben).expect("a member");
        let change = chloe.insider.removal_of(&ben).expect("a member");
        let mls = chloe.mls_removal(stage, vec![leaf]);
        chloe.commit(stage, &change, &mls, |_| {});
    };
    chloe(deed).skipped()
}

/// Whoever asked MLS first would be stuck.
fn no_right_no_mls() -> Outcome {
    let deed = |stage: &mut Stage, chloe: &mut Twice| {
        let ben = stage.identity(BEN);
        let change = chloe.insider.removal_of(&ben).expect("a member");
        chloe.commit(stage, &change, b"junk", |_| {});
    };
    chloe(deed).skipped()
}

fn flood() -> Outcome {
    let deed = |stage: &mut Stage, chloe: &mut Twice| {
        (0..10).for_each(|ahead| stage.put(&chloe.insider.control(ahead), noise()));
    };
    chloe(deed).skipped()
}

/// Whatever slot Ada's change comes to, Chloe was there before.
fn flood_for_ever() -> Outcome {
    const SLOTS: u8 = 30;
    let mut stage = chloe(|_, _| {});
    let chloe = Twice::of(&mut stage, CHLOE);
    let tags: Vec<_> = (0..=SLOTS).map(|ahead| chloe.insider.control(ahead).tag).collect();
    let last = tags[usize::from(SLOTS)];
    stage.world.fate = Some(Box::new(move |_, put| match tags.contains(&put.tag) {
        // Nobody looks for ever.
        true if put.tag == last => Fate::Lost,
        true => Fate::TooLate,
        false => Fate::Arrives,
    }));
    stage.rename(ADA, "Newsroom");
    stage.say(ADA, "we go on");
    stage.wait(2);
    if !stage.reads(BEN, "we go on") {
        return Outcome::Broken("messages do not flow".to_owned());
    }
    let seen = stage.seen();
    if stage.may_restart(ADA) { seen } else { Outcome::Broken("no way out".to_owned()) }
}

fn half_valid() -> Outcome {
    let mut stage = chloe(|stage, chloe| chloe.commit(stage, &[], b"junk", |_| {}));
    stuck(&mut stage)
}

fn does_otherwise() -> Outcome {
    let mut stage = chloe(|stage, chloe| {
        let (change, mls) = (chloe.insider.own_leaf_again(), chloe.mls_commit(stage));
        chloe.commit(stage, &change, &mls, |_| {});
    });
    stuck(&mut stage)
}

/// Who is stuck sends nothing more in the group, and its owner is offered to begin it anew.
fn stuck(stage: &mut Stage) -> Outcome {
    let seen = stage.seen();
    for who in [ADA, BEN] {
        stage.say(who, "into the void");
        if stage.reads(who, "into the void") {
            return Outcome::Broken(format!("{} goes on sending", NAMES[who]));
        }
    }
    if stage.may_restart(ADA) { seen } else { Outcome::Broken("no way out".to_owned()) }
}
