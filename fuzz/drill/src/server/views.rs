//! Two logs: what one server shows to some and not to others.

use super::{alarm, by_server, changed, sign};
use crate::member::Twice;
use crate::row::{Expected, Outcome, Row};
use crate::stage::{ADA, BEN, CHLOE, Stage};
use undertone_core::io::MessageState;
use undertone_hostile::{
    engine::{Server, open},
    world::Word,
};
use undertone_server_core::{Put, Ticket};
use undertone_wire::{Answer, DigestPage, Request, TickDigest, merkle::Frontier};

pub(super) const ROWS: &[Row] = &[
    by_server(
        "dropped-after-answer",
        "T11",
        "acknowledges a cell and goes on with a log that never had it",
        alarm(&["Ada"], "alarm split_view L10", 4, true),
        dropped_after_answer,
    ),
    by_server(
        "receipt-of-another-log",
        "T11",
        "acknowledges a cell with the receipt of another log, signed by its true key",
        alarm(&["Ada"], "alarm split_view L08", 4, true),
        receipt_of_another_log,
    ),
    by_server(
        "forked-while-listening",
        "T11",
        "shows one client another tick than the one it was promised",
        alarm(&["Ben"], "alarm split_view L08", 4, true),
        forked_while_listening,
    ),
    by_server(
        "split-view",
        "T06 T11",
        "shows two logs, and passes on between them what is written",
        alarm(&["Ben"], "alarm split_view L13", 2, true),
        split_view,
    ),
    by_server(
        "two-winners",
        "T06 T11",
        "lets each of two changes of a group win before another half of it",
        alarm(&["Ben"], "alarm split_view L13", 10, true),
        two_winners,
    ),
    by_server(
        "kept-apart",
        "T06",
        "shows two logs and lets nothing pass between them, ever",
        Expected::Hidden(
            "each half sees the other fall silent, as if it were offline; what would show it are \
             heads from outside (witnesses, or people who compare) and those do not exist yet",
        ),
        kept_apart,
    ),
    by_server(
        "rolled-back",
        "T11",
        "goes back to an older state of its log without saying so",
        alarm(&["Ada", "Ben", "Chloe"], "alarm log_rollback L09", 3, true),
        rolled_back,
    ),
    by_server(
        "rolled-back-and-on",
        "T11",
        "goes back to an older state of its log and goes on from there",
        alarm(&["Ada", "Ben", "Chloe"], "alarm split_view L10", 2, true),
        rolled_back_and_on,
    ),
    by_server(
        "head-replaced",
        "T11",
        "signs two heads for one tick and shows the second to who comes back",
        alarm(&["Ben"], "alarm split_view L08", 2, true),
        head_replaced,
    ),
    by_server(
        "filled-again",
        "T11",
        "withholds a cell until it has expired, and lets its address be filled again with other words",
        sign(&["Ben"], "gap", 10),
        filled_again,
    ),
    by_server(
        "view-frozen",
        "",
        "shows one client no tick any more, and lives on for the others",
        Expected::Hidden(
            "a frozen log looks like a quiet one until its client writes: what is written then stays \
             `queued` and is never shown as stored",
        ),
        view_frozen,
    ),
];

/// A page whose tick was changed, with the root and signature that fit the change: what a fork shows.
pub(super) fn refitted(
    server: &Server,
    page: &DigestPage,
    change: impl FnOnce(&mut TickDigest),
) -> DigestPage {
    let before = page.ticks[0].tick - 1;
    let Answer::Proof(proof) = server.proof(0, before) else { panic!("a tick of the log") };
    let tree = Frontier::from_parts(proof.head.head.size, proof.frontier);
    let mut tree = tree.expect("the right edge of a tree");
    changed(page, |page| {
        change(&mut page.ticks[0]);
        for tick in &page.ticks {
            tick.leaf_hashes().into_iter().for_each(|leaf| tree.append(leaf));
        }
        page.head.head.size = tree.size();
        page.head.head.root = tree.root();
    })
}

fn dropped_after_answer() -> Outcome {
    let mut stage = Stage::new();
    stage.misdeed();
    let files = stage.folder();
    stage.fork(ADA, files);
    stage.say(ADA, "is it stored?");
    stage.away(ADA);
    stage.world.forks.clear();
    (0..9).for_each(|number| stage.noise(number));
    stage.say(CHLOE, "good evening");
    stage.back(ADA);
    stage.wait(2);
    stage.seen()
}

fn receipt_of_another_log() -> Outcome {
    let mut stage = Stage::new();
    let other = open(stage.folder(), stage.world.now_ms).expect("a folder of this server");
    let later_ms = stage.world.now_ms + 5_000;
    stage.lie_to(ADA, move |_, word| match word {
        Word::Answer { id, request: Request::Put { tag, write, cell, token }, .. } => {
            let put = Put { tag, write, cell: cell.clone(), token: token.clone() };
            other.submit(Ticket(0), put).expect("the key fits");
            let answer = other.seal(later_ms).answers.remove(0).1;
            vec![Word::Answer { id, request: Request::Put { tag, write, cell, token }, answer }]
        }
        true_word => vec![true_word],
    });
    stage.say(ADA, "is it stored?");
    stage.wait(2);
    stage.seen()
}

/// Ben is promised a head and then walked to another one of that tick.
fn forked_while_listening() -> Outcome {
    let mut stage = Stage::new();
    stage.away(BEN);
    stage.say(ADA, "one");
    stage.lie_to(BEN, |server, word| match word {
        Word::Push(page) if !page.ticks.is_empty() => {
            let forge = |tick: &mut TickDigest| tick.cells_root = [7; 32];
            vec![Word::Push(refitted(server, &page, forge))]
        }
        true_word => vec![true_word],
    });
    stage.back(BEN);
    stage.wait(2);
    stage.seen()
}

/// Ben is shown a log of his own; what anybody puts is put to both.
fn split() -> Stage {
    let mut stage = Stage::new();
    stage.misdeed();
    let files = stage.folder();
    stage.fork(BEN, files);
    stage.world.ahead_ms = 1;
    stage
}

fn split_view() -> Outcome {
    let mut stage = split();
    // A tick that only one side is shown parts the two logs.
    stage.say(CHLOE, "only for Ada");
    stage.world.relays = true;
    stage.say(ADA, "do you hear me?");
    stage.say(BEN, "I do");
    stage.wait(5);
    stage.seen()
}

fn two_winners() -> Outcome {
    let mut stage = split();
    stage.rename(ADA, "Ada's");
    stage.rename(BEN, "Ben's");
    stage.wait(2);
    let titles = [stage.title(ADA), stage.title(BEN)];
    if titles != ["Ada's", "Ben's"] {
        return Outcome::Broken(format!("the group is not split: {titles:?}"));
    }
    stage.world.relays = true;
    stage.whisper(ADA, BEN, "what is our group called?");
    stage.whisper(BEN, ADA, "Ben's");
    stage.wait(5);
    stage.seen()
}

fn kept_apart() -> Outcome {
    let mut stage = split();
    stage.rename(ADA, "Ada's");
    stage.rename(BEN, "Ben's");
    stage.say(ADA, "is Ben here?");
    stage.say(BEN, "is Ada here?");
    stage.wait(60);
    if stage.reads(BEN, "is Ben here?") || stage.reads(ADA, "is Ada here?") {
        return Outcome::Broken("something has passed".to_owned());
    }
    stage.seen()
}

fn roll_back(between: impl FnOnce(&mut Stage)) -> Outcome {
    let mut stage = Stage::new();
    let files = stage.folder();
    stage.say(ADA, "one");
    stage.say(BEN, "two");
    [ADA, BEN, CHLOE].into_iter().for_each(|who| stage.away(who));
    stage.misdeed();
    stage.serve(files);
    between(&mut stage);
    [ADA, BEN, CHLOE].into_iter().for_each(|who| stage.back(who));
    stage.wait(2);
    stage.seen()
}

fn rolled_back() -> Outcome {
    roll_back(|_| {})
}

fn rolled_back_and_on() -> Outcome {
    roll_back(|stage| (0..9).for_each(|number| stage.noise(number)))
}

/// As many ticks as Ben knows, the last of them another one.
fn head_replaced() -> Outcome {
    let mut stage = Stage::new();
    let files = stage.folder();
    stage.say(ADA, "one");
    stage.away(BEN);
    stage.misdeed();
    let known = stage.world.server.newest().head.tick;
    stage.fork(BEN, files);
    while stage.world.server_of(BEN).newest().head.tick < known {
        stage.noise_to(BEN);
    }
    stage.back(BEN);
    stage.wait(2);
    stage.seen()
}

/// Chloe's words are withheld from Ben until they have expired; then she fills their address with
/// other words.
fn filled_again() -> Outcome {
    const HOUR_MS: u64 = 3_600_000;
    let mut stage = Stage::new();
    let mut chloe = Twice::of(&mut stage, CHLOE);
    [ADA, BEN, CHLOE].into_iter().for_each(|who| stage.away(who));
    chloe.say(&mut stage, "yes");
    (0..29 * 24 + 12).for_each(|_| stage.world.pass(HOUR_MS));
    let tag = chloe.tag();
    stage.lie_to(BEN, move |_, word| match word {
        Word::Answer { id, request: request @ Request::Get { .. }, .. }
            if matches!(request, Request::Get { tag: asked, .. } if asked == tag) =>
        {
            vec![Word::Answer { id, request, answer: super::nothing() }]
        }
        true_word => vec![true_word],
    });
    stage.back(BEN);
    stage.wait(10);
    (0..13).for_each(|_| stage.world.pass(HOUR_MS));
    // Ben is away when the address is filled again, and goes on asking when he is back.
    stage.away(BEN);
    let now_ms = stage.world.now_ms;
    stage.world.server.expire(now_ms).expect("a disk in memory does not fail");
    chloe.say(&mut stage, "no");
    stage.world.lie = None;
    stage.back(BEN);
    stage.wait(120);
    if stage.reads(BEN, "no") {
        return Outcome::Broken("Ben reads the second cell".to_owned());
    }
    stage.seen()
}

fn view_frozen() -> Outcome {
    let mut stage = Stage::new();
    stage.lie_to(BEN, |_, word| match word {
        Word::Push(_) => Vec::new(),
        Word::Answer { request: Request::Put { .. }, .. } => vec![word],
        true_word => vec![true_word],
    });
    stage.say(ADA, "is Ben here?");
    stage.say(BEN, "where is everybody?");
    stage.wait(120);
    if stage.state(BEN, "where is everybody?") == Some(MessageState::Stored) {
        return Outcome::Broken("called stored although its tick was never shown".to_owned());
    }
    stage.seen()
}
