//! Members are each other's witnesses: every MLS message shows, in its authenticated data, the newest
//! signed head that its author has verified, and each reader compares it with their own log.
//!
//! Only what the server signed is evidence against the server: a conflict then stops all sending. A
//! message without such a head counts like any other (whether a message counts must be the same for
//! all members, whatever each knows of the server), and its readers are told (ADR 0009).

use super::lanes::At;
use super::{Conversation, Ctx};
use crate::io::Event;
use undertone_wire::checks::{Check, is_off};
use undertone_wire::{SignedHead, decode};

/// Judges the head that a message carries; whether it carries one that the server signed.
pub(super) fn shows_its_log(aad: &[u8], ctx: &mut Ctx<'_>) -> bool {
    let signed = decode::<SignedHead>(aad);
    signed.is_ok_and(|head| ctx.log.check_foreign(&head).is_some())
}

impl Conversation {
    /// Tells that a member's message showed no genuine head.
    pub(super) fn tell_hidden_log(&mut self, at: At, leaf: u32, ctx: &mut Ctx<'_>) {
        if is_off(Check::HiddenLogTold) {
            return;
        }
        let who = self.author_name(at, leaf, ctx);
        let text = format!(
            "A message from {who} does not show which state of the server's log they see. Their \
             program may be altered; you would not learn from them that the server shows you \
             different things."
        );
        ctx.news.event(Event::Member { chat: self.chat, text });
    }
}
