//! A failing script made shorter: steps are left out as long as the same rule is broken.

use crate::{Plan, Wrong, run};

/// Leaves out steps of a failing plan, halves first, then single ones, in at most `runs_max` runs.
/// The result breaks the same rule.
pub fn minimise(plan: &Plan, wrong: Wrong, runs_max: usize) -> Plan {
    let mut best = plan.clone();
    let mut runs = 0;
    let mut chunk = best.kept.len().div_ceil(2);
    while chunk > 0 && runs < runs_max {
        let mut start = 0;
        let mut shorter = false;
        while start < best.kept.len() && runs < runs_max {
            let mut tried = best.clone();
            let end = (start + chunk).min(tried.kept.len());
            tried.kept.drain(start..end);
            runs += 1;
            if breaks(&tried, wrong) {
                best = tried;
                shorter = true;
            } else {
                start += chunk;
            }
        }
        if chunk == 1 && !shorter {
            break;
        }
        chunk = if chunk == 1 { 1 } else { chunk / 2 };
    }
    best
}

fn breaks(plan: &Plan, wrong: Wrong) -> bool {
    run(plan, false).violations.first().is_some_and(|first| first.wrong == wrong)
}
