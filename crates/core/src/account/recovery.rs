//! A server that was restored from a backup: what it lost is put again (ADR 0010).

use super::Account;
use crate::cells::{Owner, Restored};
use undertone_wire::{Cell, Tag};

impl Account {
    /// The log goes on in a new life.
    pub(super) fn on_recovered(&mut self, after: u64, until: u64) {
        let cells = self.cells.restore(&self.log);
        self.cells.keep_undone_heads(&mut self.log);
        self.with_each(|to, ctx| to.wait_for_the_lost(until, ctx));
        self.log_moved = true;
        let again = match cells {
            0 => "Nothing that this device wrote or followed is among it.".to_owned(),
            1 => "One cell of it that this device has kept is put again.".to_owned(),
            _ => format!("{cells} cells of it that this device has kept are put again."),
        };
        self.alarm(
            "server_recovered",
            &format!(
                "The server says that it was restored from a backup and lost what it stored \
                 after tick {after}. {again} What others have written meanwhile comes back when \
                 they are back."
            ),
        );
    }

    /// A cell that the server had lost was put again, or could not be.
    pub(super) fn on_again(&mut self, owner: Owner, outcome: Restored) {
        self.log_moved |= !self.cells.is_restoring();
        match (owner, outcome) {
            (Owner::Control { chat, epoch, .. }, Restored::Late | Restored::Lost) => {
                self.with(chat, |to, ctx| to.on_lost_change(epoch, ctx));
            }
            (Owner::Lane { .. }, Restored::Lost) => self.alarm(
                "not_restored",
                "A message that the server had lost could not be put again: another cell stands in \
                 its place. Who had not read it does not get it.",
            ),
            _ => {}
        }
    }

    /// The evidence of where a cell was first listed has come.
    pub(super) fn on_evidence(&mut self, of: Tag, cell: &Cell) {
        if let Err(breach) = self.cells.take_evidence(of, cell, &mut self.log) {
            self.log.accuse(breach);
        }
        self.look_anew();
    }

    /// There is none.
    pub(super) fn on_no_evidence(&mut self, of: Tag) {
        self.cells.no_evidence(of);
        self.look_anew();
    }

    fn look_anew(&mut self) {
        self.conversations.values_mut().for_each(|chat| chat.look_again());
        self.log_moved = true;
    }
}
