//! Where things go.

use super::{Account, Purpose, Task};
use crate::cells::{CellEvent, Owner};
use crate::conversation::Conversation;
use crate::ids::ChatId;
use crate::io::Event;
use crate::log::{Ask, LogEvent};
use crate::mutant::{Mutant, planted};
use undertone_wire::{Answer, Cell, Tag};

impl Account {
    pub(super) fn on_connected(&mut self) {
        self.connected = true;
        self.log.connected();
    }

    pub(super) fn on_disconnected(&mut self) {
        self.connected = false;
        self.asks.clear();
        self.log.disconnected();
        self.cells.disconnected(self.clock.now_ms());
    }

    pub(super) fn on_answer(&mut self, id: u32, answer: Answer) {
        let purpose = self.asks.remove(&id);
        if purpose.is_some() {
            self.cells.hear();
        }
        if matches!((&purpose, &answer), (Some(Purpose::Log(Ask::Course)), Answer::Streaming)) {
            // A stream that cannot go on ends with a second answer.
            self.asks.insert(id, Purpose::Log(Ask::Stream));
        }
        match purpose {
            Some(Purpose::Log(ask)) => self.log.on_answer(ask, answer),
            Some(Purpose::Cell(ask)) => {
                self.cells.on_answer(self.clock.now_ms(), ask, answer, &mut self.log);
            }
            // An answer to a question of an earlier connection, or to none.
            None => {}
        }
    }

    /// Lets everything act on everything until nothing is left to do.
    pub(super) fn settle(&mut self) {
        loop {
            if let Some(event) = self.log.poll_event() {
                self.on_log_event(event);
            } else if let Some(event) = self.cells.poll_event() {
                self.on_cell_event(event);
            } else if let Some(task) = self.news.next_task() {
                self.on_task(task);
            } else if std::mem::take(&mut self.log_moved) {
                self.due.extend(self.conversations.keys().copied());
                self.watch_answers();
                self.judge_stored_answers();
                self.advance_joins();
                self.tell_doors();
                self.ask_back();
                // Only now: an answer that came in time outlives its link's end.
                if std::mem::take(&mut self.tend_due) {
                    self.tend_addresses();
                }
            } else if let Some(chat) = self.due.pop_first() {
                self.with(chat, Conversation::advance);
                self.has_gone_on(chat);
            } else if !self.contacts_are_read() {
                return;
            }
        }
    }

    fn on_log_event(&mut self, event: LogEvent) {
        match event {
            LogEvent::Walked { .. } | LogEvent::Rewound { .. } => {
                self.cells.keep_signed(&mut self.log);
                self.log_moved = true;
            }
            LogEvent::HeadAt { tick } => {
                self.cells.on_head(self.clock.now_ms(), tick, self.log.head_at(tick));
                self.cells.keep_signed(&mut self.log);
                self.log_moved = true;
            }
            LogEvent::NoHeadAt { tick } => {
                self.cells.on_head(self.clock.now_ms(), tick, None);
                self.opening_denied(tick);
                self.alarm(
                    "head_denied",
                    &format!(
                        "The server does not show the state of its log after tick {tick}; a \
                         conversation waits for it."
                    ),
                );
            }
            LogEvent::CaughtUp { tick } => {
                self.log_moved = true;
                self.read_contacts_first();
                self.tend_due = true;
                // What ended with its connection does not stop the next one.
                self.halted = None;
                self.news.event(Event::CaughtUp { tick });
            }
            LogEvent::Alarm(alarm) => {
                self.halted = Some((alarm.code.clone(), alarm.text.clone()));
                self.news.event(Event::Alarm { code: alarm.code, text: alarm.text });
            }
            LogEvent::Recovered { after, until } => self.on_recovered(after, until),
            LogEvent::Lost { after, until } => self.lose_track(after, until),
            LogEvent::VersionUnsupported { lowest, highest } => self.alarm(
                "version",
                &format!(
                    "The server speaks protocol versions {lowest} to {highest}, this program \
                     another. What is queued stays queued."
                ),
            ),
            LogEvent::RewindFailed { opening, expired } => self.join_failed(opening, expired),
        }
    }

    pub(super) fn alarm(&mut self, code: &str, text: &str) {
        self.news.event(Event::Alarm { code: code.to_owned(), text: text.to_owned() });
    }

    /// What lies between is older than the server keeps: conversations that lived then cannot be
    /// followed.
    fn lose_track(&mut self, after: u64, until: u64) {
        let why =
            format!("it was away for longer than the server keeps cells (ticks {after}–{until})");
        self.with_each(|conversation, ctx| conversation.lose_track(&why, ctx));
        self.log_moved = true;
    }

    fn on_cell_event(&mut self, event: CellEvent) {
        match event {
            CellEvent::Stored { owner, .. } => self.on_stored(owner),
            CellEvent::Taken { owner, .. } => self.on_taken(owner),
            CellEvent::Again { owner, outcome, .. } => self.on_again(owner, outcome),
            CellEvent::Refused { kind, .. } => self.alarm(
                "refused",
                &format!("The server refuses to store a message for good ({kind:?})."),
            ),
            CellEvent::Got { owner, cell, .. } => self.on_got(owner, cell),
            CellEvent::Absent { owner, tag, tick } => self.on_absent(owner, tag, tick),
            CellEvent::Withheld { owner, tries, .. } => self.on_withheld(owner, tries),
            CellEvent::Expired { owner, .. } => self.on_expired(owner),
        }
    }

    fn on_stored(&mut self, owner: Owner) {
        match owner {
            Owner::Lane { chat, epoch, slot, .. } if planted(Mutant::StoredOnAnswer) => {
                self.with(chat, |to, ctx| to.believe_answer(epoch, slot, ctx));
                self.due.insert(chat);
            }
            Owner::Lane { chat, .. } | Owner::Control { chat, .. } => drop(self.due.insert(chat)),
            Owner::Link { link, post, .. } => self.on_letter_stored(link, post),
            _ => {}
        }
    }

    fn on_taken(&mut self, owner: Owner) {
        match owner {
            Owner::Link { link, post, .. } => self.on_letter_taken(link, post),
            Owner::Part { .. } => self.alarm(
                "part_taken",
                "The server stored other bytes at an address that nobody else can know. It is \
                 faulty, or lies.",
            ),
            // Lanes and control: the listing decides, when it is read.
            _ => {}
        }
    }

    fn on_got(&mut self, owner: Owner, cell: Cell) {
        match owner {
            Owner::Lane { chat, epoch, leaf, slot } => {
                self.deliver(chat, |to| to.on_lane_cell((epoch, leaf), slot, cell));
            }
            Owner::LanePart { chat, epoch, leaf, slot, index } => {
                self.deliver(chat, |to| to.on_lane_part((epoch, leaf), slot, index, cell));
            }
            Owner::Control { chat, epoch, slot } => {
                self.deliver(chat, |to| to.on_control_cell(epoch, slot, cell));
            }
            Owner::ControlPart { chat, epoch, parcel, index } => {
                self.deliver(chat, |to| to.on_control_part(epoch, parcel, index, cell));
            }
            Owner::Link { link, post, index } => self.on_letter_cell(link, post, index, cell),
            Owner::Join { join, what, index } => {
                self.on_join_part(join, what, index, cell);
            }
            Owner::Evidence { of } => self.on_evidence(Tag(of), &cell),
            Owner::Part { .. } => {}
        }
    }

    fn deliver(&mut self, chat: ChatId, step: impl FnOnce(&mut Conversation)) {
        if let Some(conversation) = self.conversations.get_mut(&chat) {
            step(conversation);
            self.due.insert(chat);
        }
    }

    /// Nothing stands under the tag. Where it was taken for listed, the listing is another tag's:
    /// members can make their own prefixes collide, so what is listed later decides.
    fn on_absent(&mut self, owner: Owner, tag: Tag, tick: Option<u64>) {
        // Conversations ask for listed cells only, and the proof is about that listing.
        let tick = tick.unwrap_or_default();
        match owner {
            Owner::Lane { chat, epoch, leaf, slot } => {
                self.deliver(chat, |to| to.on_lane_absent((epoch, leaf), slot, tag, tick));
            }
            Owner::LanePart { chat, .. } => {
                self.deliver(chat, |to| to.on_lane_part_absent(tag, tick));
            }
            Owner::Control { chat, .. } => {
                self.deliver(chat, |to| to.on_control_absent(tag, tick, false));
            }
            Owner::ControlPart { chat, .. } => {
                self.deliver(chat, |to| to.on_control_absent(tag, tick, true));
            }
            Owner::Link { link, post, index } => self.on_letter_absent(link, post, index),
            Owner::Join { join, .. } => self.retry_join(&join),
            Owner::Evidence { of } => self.on_no_evidence(Tag(of)),
            Owner::Part { .. } => {}
        }
    }

    fn on_withheld(&mut self, owner: Owner, tries: u32) {
        match owner {
            Owner::Lane { chat, epoch, leaf, slot }
            | Owner::LanePart { chat, epoch, leaf, slot, .. } => {
                self.with(chat, |to, ctx| to.on_lane_withheld((epoch, leaf), slot, ctx));
                self.due.insert(chat);
            }
            Owner::Link { link, post, index } => self.on_letter_withheld(link, post, index),
            Owner::Join { join, .. } => self.retry_join(&join),
            Owner::Control { .. }
            | Owner::ControlPart { .. }
            | Owner::Evidence { .. }
            | Owner::Part { .. } => self.alarm(
                "withheld",
                &format!(
                    "The server lists a change of a conversation and does not deliver it \
                     ({tries} attempts). The conversation waits for it."
                ),
            ),
        }
    }

    fn on_expired(&mut self, owner: Owner) {
        match owner {
            Owner::Lane { chat, epoch, leaf, slot }
            | Owner::LanePart { chat, epoch, leaf, slot, .. } => {
                self.deliver(chat, |to| to.on_lane_expired((epoch, leaf), slot));
            }
            Owner::Control { chat, .. } | Owner::ControlPart { chat, .. } => {
                let why = "a change of its members expired before this device could read it";
                self.with(chat, |to, ctx| to.lose_track(why, ctx));
            }
            Owner::Link { link, post, index } => self.on_letter_absent(link, post, index),
            Owner::Join { join, .. } => {
                self.drop_join(&join, "the invitation expired before this device could read it")
            }
            Owner::Evidence { of } => self.on_no_evidence(Tag(of)),
            Owner::Part { .. } => {}
        }
    }

    fn on_task(&mut self, task: Task) {
        match task {
            Task::Invite(invitation) => self.invite(&invitation),
            Task::Join { from, invite, tick } => self.begin_join(from, *invite, tick),
            Task::Lost { from, conversation, tick } => {
                self.on_lost_group(from, conversation, tick);
            }
            Task::Copied => self.on_copied(),
            Task::Failed { messages } => self.forget_keys(&messages),
            Task::ListChanged => {
                self.with_each(Conversation::recheck_lists);
                self.due.extend(self.conversations.keys().copied());
            }
            Task::Left { chat } => drop(self.with(chat, Conversation::end)),
        }
    }
}
