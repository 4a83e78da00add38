//! The driver's loop: persist before release, one output at a time.

use crate::outcome::Wrong;
use crate::world::{Happening, World};
use rand::Rng;
use std::collections::BTreeSet;
use undertone_core::io::{Changes, ChatState, Event, Input, Output};
use undertone_core::{Account, ChatId};
use undertone_wire::Request;

/// How long a process is down after its disk had no room and has again, in milliseconds.
const RESTART_MS: u64 = 2_000;

impl World {
    /// Gives an input to a device and does what it wants.
    pub(crate) fn feed(&mut self, who: usize, input: Input) {
        let now_ms = self.people[who].clock_ms(self.now_ms);
        let Some(account) = &mut self.people[who].account else { return };
        account.handle(now_ms, input);
        self.perform(who);
    }

    /// Acts on outputs in their order. A crash may fall before any of them.
    pub(crate) fn perform(&mut self, who: usize) {
        let mut touched = BTreeSet::new();
        let mut persisted = false;
        let mut put = false;
        while let Some(output) = self.people[who].account.as_mut().and_then(Account::poll) {
            if let Some(down_ms) = self.dies_now(who) {
                self.hear_kept(who, persisted, output);
                return self.stop(who, down_ms, "dies");
            }
            if matches!(output, Output::Persist(_)) && self.disk_is_full(who) {
                let left_ms = self.people[who].disk_full_until_ms - self.now_ms;
                self.coverage.count("disk-full");
                return self.stop(who, left_ms + RESTART_MS, "has no room on its disk");
            }
            match output {
                Output::Persist(changes) => {
                    persisted = true;
                    touched.extend(changed_chats(&changes));
                    self.people[who].disk.commit(changes);
                }
                Output::Transmit { id, request } => {
                    put |= matches!(request, Request::Put { .. });
                    self.transmit(who, id, request);
                }
                Output::Event(event) => self.hear(who, &event),
                Output::Reply { ticket, result } => self.on_reply(who, ticket, result),
                Output::Deadline(at_ms) => self.set_deadline(who, at_ms),
            }
        }
        // The news of having walked comes at the end of the step that walked.
        if put && !self.has_walked(who) {
            self.wrong(Wrong::Unwalked, format!("{} puts a cell", self.name(who)));
        }
        for chat in touched {
            self.observe(who, chat);
        }
        if self.people[who].walked.is_some()
            && let Some(ms) = self.people[who].glimpse_ms.take()
        {
            self.go_away(who, ms);
        }
    }

    /// Whether a device says that it has walked, and has at least been shown as far as the server had
    /// come when this connection began.
    fn has_walked(&self, who: usize) -> bool {
        let person = &self.people[who];
        person.line.is_none() || (person.walked.is_some() && person.shown >= person.newest)
    }

    /// Counts down to a death that was ordered.
    fn dies_now(&mut self, who: usize) -> Option<u64> {
        let (left, down_ms) = self.people[who].dies.as_mut()?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        let down_ms = *down_ms;
        self.people[who].dies = None;
        Some(down_ms)
    }

    fn disk_is_full(&self, who: usize) -> bool {
        self.people[who].disk_full_until_ms > self.now_ms
    }

    /// The driver commits a step's events with its changes: what was told in a step that is
    /// persisted is shown, although the process died before it could be said aloud.
    fn hear_kept(&mut self, who: usize, persisted: bool, first: Output) {
        if !persisted {
            return;
        }
        let mut next = Some(first);
        while let Some(output) = next {
            if let Output::Event(event) = output {
                self.hear(who, &event);
            }
            next = self.people[who].account.as_mut().and_then(Account::poll);
        }
    }

    fn hear(&mut self, who: usize, event: &Event) {
        if let Event::Message(row) = event
            && !self.people[who].disk.announces(row)
        {
            return;
        }
        if matches!(event, Event::Gap { .. } | Event::Stuck { .. } | Event::Alarm { .. }) {
            self.note(|world| format!("{} is told {event:?}", world.name(who)));
        }
        if let Event::CaughtUp { tick } = event {
            self.on_caught_up(who, *tick);
        }
        if let Event::Member { chat, text } = event {
            self.on_membership(who, *chat, text);
        }
        let now_ms = self.now_ms;
        self.people[who].told.hear(event, now_ms);
        self.check_shown_once(who, event);
        self.check_alarm(who, event);
    }

    fn on_caught_up(&mut self, who: usize, tick: u64) {
        self.note(|world| format!("{} has walked to tick {tick}", world.name(who)));
        let person = &mut self.people[who];
        person.walked = Some(tick);
        let newest = person.newest;
        if tick < newest {
            let text = format!("{} calls {tick} the newest, not {newest}", self.name(who));
            self.wrong(Wrong::Unwalked, text);
        }
    }

    /// Looks at a conversation that has changed.
    fn observe(&mut self, who: usize, chat: ChatId) {
        let Some(account) = &mut self.people[who].account else { return };
        let Some(standing) = account.standing(chat) else { return };
        let violation = self.watch.on_standing(&self.people[who].name, &standing);
        let entered = standing.epoch.as_ref().map(|epoch| (standing.group, epoch.number));
        self.people[who].entered.extend(entered);
        self.people[who].note_group(&standing);
        if standing.state != ChatState::Stuck {
            self.people[who].told.find_again(chat, self.now_ms);
        }
        let before = self.people[who].standings.insert(chat, standing);
        self.tell_epoch(who, chat, before.and_then(|before| Some(before.epoch?.number)));
        if let Some(violation) = violation {
            self.wrong(violation.wrong, violation.text);
        }
    }

    fn tell_epoch(&mut self, who: usize, chat: ChatId, before: Option<u64>) {
        let standing = &self.people[who].standings[&chat];
        let now = standing.epoch.as_ref().map(|epoch| epoch.number);
        if now == before {
            return;
        }
        self.note(|world| {
            let standing = &world.people[who].standings[&chat];
            let what = if standing.title.is_empty() { "a contact" } else { &standing.title };
            let seats = standing.epoch.as_ref().map(|epoch| world.names_of(&epoch.seats));
            let (name, state) = (world.name(who), standing.state);
            format!("{name} is in epoch {now:?} of {what}: {seats:?} ({state:?}, {chat})")
        });
    }

    /// The process ends; what was not done yet never is.
    pub(crate) fn stop(&mut self, who: usize, down_ms: u64, why: &str) {
        self.note(|world| format!("{} {why}", world.name(who)));
        self.coverage.count("process-ends");
        let linger_ms = self.rng.random_range(0..2_000);
        let person = &mut self.people[who];
        person.account = None;
        person.life += 1;
        person.deadline_ms = None;
        person.dies = None;
        let life = person.life;
        person.presence.goes(self.now_ms);
        if let Some(line) = person.line.take() {
            self.close(line, linger_ms);
        }
        self.at(self.now_ms + down_ms, Happening::Start { who, life });
    }

    /// The process starts from what it persisted; people ask again what was not answered.
    pub(crate) fn start(&mut self, who: usize, life: u32) {
        if self.people[who].life != life || self.people[who].account.is_some() {
            return;
        }
        let (server, seed) = (self.server.address(), self.seed());
        match self.people[who].disk.load(server, seed) {
            Ok(account) => self.people[who].account = Some(account),
            Err(why) => {
                let text = format!("{} cannot start: {why}", self.name(who));
                return self.wrong(Wrong::Unloadable, text);
            }
        }
        self.note(|world| format!("{} starts again", world.name(who)));
        let chats: Vec<_> = self.chats_of(who);
        self.people[who].standings.retain(|chat, _| chats.contains(chat));
        for chat in chats {
            self.observe(who, chat);
        }
        let open: Vec<u64> = self.people[who].asked.keys().copied().collect();
        for ticket in open {
            self.issue(who, ticket);
        }
        self.soon(Happening::Dial { who });
    }

    pub(crate) fn chats_of(&self, who: usize) -> Vec<ChatId> {
        self.people[who].account.iter().flat_map(Account::chat_ids).collect()
    }

    fn set_deadline(&mut self, who: usize, at_ms: u64) {
        self.people[who].deadline_ms = Some(at_ms);
        self.schedule_wake(who);
    }

    /// The device sleeps until its own clock says so.
    pub(crate) fn schedule_wake(&mut self, who: usize) {
        let person = &self.people[who];
        let Some(at_ms) = person.deadline_ms else { return };
        let (life, left_ms) = (person.life, at_ms.saturating_sub(person.clock_ms(self.now_ms)));
        self.at(self.now_ms.saturating_add(left_ms), Happening::Wake { who, life, at_ms });
    }

    pub(crate) fn wake(&mut self, who: usize, life: u32, at_ms: u64) {
        let now_ms = self.now_ms;
        let person = &mut self.people[who];
        let due = person.deadline_ms == Some(at_ms) && person.clock_ms(now_ms) >= at_ms;
        if person.life == life && due {
            person.deadline_ms = None;
            self.feed(who, Input::Wake);
        }
    }
}

/// The conversations whose records a step writes.
fn changed_chats(changes: &Changes) -> impl Iterator<Item = ChatId> + '_ {
    let chats = changes.records.keys().filter(|(space, _)| *space == "chat");
    chats.filter_map(|(_, key)| key.as_slice().try_into().ok().map(ChatId))
}
