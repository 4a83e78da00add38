//! The engine as the driver sees it.

use undertone_core::{
    Account,
    io::{Input, Output},
};

/// A sans-IO machine. The one that matters is `undertone_core::Account`; tests script others.
pub trait Engine: Send + 'static {
    /// Takes one input. `now_ms` is Unix milliseconds.
    fn handle(&mut self, now_ms: u64, input: Input);

    /// The next output; `None` when there is nothing more until the next input.
    fn poll(&mut self) -> Option<Output>;
}

impl Engine for Account {
    fn handle(&mut self, now_ms: u64, input: Input) {
        Self::handle(self, now_ms, input);
    }

    fn poll(&mut self) -> Option<Output> {
        Self::poll(self)
    }
}
