//! What keeps a cell from counting, and what becomes of it where a test build has switched the check off.

use undertone_wire::checks::{Check, is_off};

/// A numbered check that a cell failed.
pub(super) trait Fault: Copy {
    /// Its number in `docs/protocol.md`.
    fn number(self) -> &'static str;

    /// The switch of a check whose failure leaves nothing to go on with; `None` where the check is
    /// switched off by itself, and the cell is judged on.
    fn switch(self) -> Option<Check>;

    /// Why this device stops at the cell instead of skipping it with all others: the check is switched
    /// off, and nobody can follow what fails it. `what` the cell is, in words.
    fn stops(self, what: &str) -> Option<String> {
        self.switch().filter(|check| is_off(*check))?;
        Some(format!("{what} fails {}", self.number()))
    }
}
