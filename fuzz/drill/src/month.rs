//! A month in which nobody does harm, and everything else goes wrong.

use crate::row::{Expected, Outcome, Play, Row, Who};
use undertone_sim::{Plan, Shape, run};

pub(crate) fn rows() -> Vec<Row> {
    vec![Row {
        id: "honest-month",
        threats: "",
        who: Who::Nobody,
        what: "crashes, cuts, delays, repetitions, full disks, wrong clocks, absences: thirty days of \
               the simulator's lossy worlds, without a misdeed",
        expected: Expected::NoEffect(
            "0 false alarms, 0 false gaps, and nothing else that is wrong",
        ),
        play: Play::Here(honest_month),
    }]
}

const MONTH_MS: u64 = 30 * 86_400_000;

/// The standard world, more faults than usual.
const LOSSY: Shape = Shape { acts: 30, faults: 60, ..Shape::STANDARD };

fn honest_month() -> Outcome {
    let mut passed_ms = 0;
    for seed in 1.. {
        let outcome = run(&Plan::of_shape(seed, LOSSY), false);
        if let Some(wrong) = outcome.violations.first() {
            return Outcome::Broken(format!("seed {seed}: {wrong}"));
        }
        passed_ms += outcome.simulated_ms;
        if passed_ms >= MONTH_MS {
            break;
        }
    }
    Outcome::Nothing
}
