//! The wires between the devices and the server.

use crate::line::Line;
use crate::outcome::Wrong;
use crate::world::{Happening, World};
use rand::Rng;
use undertone_core::io::Input;
use undertone_server_core::Put;
use undertone_wire::{Answer, Refusal, Request, Tag};

/// The shortest time between two ticks, milliseconds.
const TICK_MS: u64 = 20;

/// Silence after which a server sends its newest head, milliseconds.
const HEARTBEAT_MS: u64 = 15_000;

/// A quiet world's heartbeats grow rarer, so that a month does not cost a day: the longest silence.
const SILENCE_MAX_MS: u64 = 12 * 3_600_000;

impl World {
    pub(crate) fn dial(&mut self, who: usize) {
        let person = &self.people[who];
        if person.line.is_some() || person.account.is_none() || person.away_until_ms > self.now_ms {
            return;
        }
        if !self.server.is_up() {
            let later_ms = self.now_ms + self.rng.random_range(500..5_000);
            return self.at(later_ms, Happening::Dial { who });
        }
        let line = self.next_line;
        self.next_line += 1;
        self.lines.insert(line, Line::new(who, self.people[who].life));
        let newest = self.server.newest();
        let person = &mut self.people[who];
        person.line = Some(line);
        person.walked = None;
        (person.newest, person.shown) = (newest, 0);
        person.presence.comes(self.now_ms);
        self.see_presence(who, true);
        self.feed(who, Input::Connected);
    }

    /// One way, milliseconds.
    fn latency(&mut self, who: usize) -> u64 {
        let (delay_ms, until_ms) = self.people[who].slow;
        let slow_ms = if until_ms > self.now_ms { delay_ms } else { 0 };
        slow_ms + self.rng.random_range(1..40)
    }

    /// A device sends a request; without a connection it is lost, as the engine expects.
    pub(crate) fn transmit(&mut self, who: usize, id: u32, request: Request) {
        if let Request::Put { tag, cell, .. } = &request
            && let Some(violation) = self.watch.on_put(who, *tag, cell)
            && !self.could_not_know(who, tag, violation.wrong)
        {
            self.wrong(violation.wrong, violation.text);
        }
        let Some(line) = self.people[who].line else { return };
        let once = matches!(request, Request::Stream { .. }) || self.people[who].twice == 0;
        self.people[who].twice = self.people[who].twice.saturating_sub(u32::from(!once));
        let copies = if once { 1 } else { 2 };
        for _ in 0..copies {
            let delay_ms = self.latency(who);
            let now_ms = self.now_ms;
            let Some(open) = self.lines.get_mut(&line) else { return };
            let at_ms = open.up_at(now_ms, delay_ms);
            let request = Box::new(request.clone());
            self.at(at_ms, Happening::Arrive { line, id, request });
        }
    }

    /// A profile that was put back knows nothing of a cell that it sent before, unless the server had
    /// listed it when this connection began.
    fn could_not_know(&mut self, who: usize, tag: &Tag, wrong: Wrong) -> bool {
        let person = &self.people[who];
        let walked = person.walked.unwrap_or_default();
        let excused = wrong == Wrong::SlotTwice
            && person.restored_ms.is_some()
            && self.server.listed(tag).is_none_or(|tick| tick > walked);
        if excused && let Some(first) = self.watch.first_put(who, tag) {
            self.people[who].collided.push((*tag, first));
        }
        excused
    }

    /// The server reads a request, if it still reads that connection.
    pub(crate) fn serve(&mut self, line: u64, id: u32, request: Request) {
        let Some(open) = self.lines.get(&line) else { return };
        if open.served_until_ms < self.now_ms || !self.server.is_up() {
            return;
        }
        let who = open.who;
        self.see_request(who, &request);
        match request {
            Request::Put { tag, write, cell, token } => {
                let put = Put { tag, write, cell, token };
                match self.server.submit(line, id, put) {
                    Ok(()) => self.schedule_seal(),
                    Err(refusal) => self.answer(line, id, Answer::Refused(refusal)),
                }
            }
            Request::Stream { from } => self.stream(line, id, from),
            other => {
                let Some(engine) = self.server.engine() else { return };
                let answer = engine.answer(&other);
                self.answer(line, id, answer);
            }
        }
    }

    fn stream(&mut self, line: u64, id: u32, from: u64) {
        if let Err(refusal) = self.server.may_stream(from) {
            return self.answer(line, id, Answer::Refused(refusal));
        }
        self.answer(line, id, Answer::Streaming);
        if let Some(open) = self.lines.get_mut(&line) {
            (open.follows, open.stream_id) = (Some(from), id);
        }
        self.schedule_push(line);
        self.arm_heartbeat();
    }

    fn answer(&mut self, line: u64, id: u32, answer: Answer) {
        self.send_down(line, Input::Answer { id, answer });
    }

    fn send_down(&mut self, line: u64, input: Input) {
        let Some(who) = self.lines.get(&line).map(|open| open.who) else { return };
        let (now_ms, delay_ms) = (self.now_ms, self.latency(who));
        let Some(open) = self.lines.get_mut(&line) else { return };
        let at_ms = open.down_at(now_ms, delay_ms);
        self.at(at_ms, Happening::Deliver { line, input: Box::new(input) });
    }

    /// Something arrives at a device. Answers of an earlier connection sometimes still come: the
    /// engine has to know them for what they are.
    pub(crate) fn deliver(&mut self, line: u64, input: Input) {
        let Some(open) = self.lines.get(&line) else { return };
        let (who, life) = (open.who, open.life);
        if self.people[who].line == Some(line) {
            let head = head_of(&input).unwrap_or_default();
            let person = &mut self.people[who];
            person.shown = person.shown.max(head);
            person.seen = person.seen.max(head);
            return self.feed_noted(who, life, input);
        }
        let same = self.people[who].life == life && self.people[who].account.is_some();
        if same && matches!(input, Input::Answer { .. }) && self.rng.random_bool(0.5) {
            self.coverage.count("stale-answer");
            // Which is as if it had not come: nothing is noted.
            self.feed(who, input);
        }
    }

    /// Notes what a device was told to be stored, if it lives on with it.
    fn feed_noted(&mut self, who: usize, life: u32, input: Input) {
        let receipt = match &input {
            Input::Answer { answer: Answer::Stored(receipt), .. } => Some(receipt.leaf.tick),
            _ => None,
        };
        self.feed(who, input);
        if self.people[who].life == life {
            self.people[who].receipts.extend(receipt);
        }
    }

    fn schedule_seal(&mut self) {
        if !self.server.sealing && self.server.pending() {
            self.server.sealing = true;
            let at_ms = (self.now_ms + 1).max(self.server.sealed_ms + TICK_MS);
            self.at(at_ms, Happening::Seal);
        }
    }

    pub(crate) fn seal(&mut self) {
        if !self.server.is_up() {
            return;
        }
        self.server.sealing = false;
        let tick = self.server.seal(self.now_ms);
        for (line, id, answer) in tick.answers {
            self.answer(line, id, answer);
        }
        if tick.failed {
            self.coverage.count("server-disk-failed");
            let down_ms = self.server.repair_ms;
            return self.crash_server(down_ms);
        }
        if tick.moved {
            self.show_tick();
        }
        self.schedule_seal();
    }

    /// Everybody who listens is sent the newest tick.
    pub(crate) fn show_tick(&mut self) {
        let streaming: Vec<u64> = self.streaming().collect();
        streaming.into_iter().for_each(|line| self.schedule_push(line));
        self.arm_heartbeat();
    }

    fn streaming(&self) -> impl Iterator<Item = u64> + '_ {
        let served = |line: &Line| line.served_until_ms >= self.now_ms;
        let open =
            self.lines.iter().filter(move |(_, line)| line.follows.is_some() && served(line));
        open.map(|(line, _)| *line)
    }

    fn schedule_push(&mut self, line: u64) {
        let pace_ms = self.rng.random_range(0..20);
        let Some(open) = self.lines.get_mut(&line).filter(|open| !open.pushing) else { return };
        open.pushing = true;
        let holds_until_ms = self.people[open.who].holds_until_ms;
        self.at((self.now_ms + pace_ms).max(holds_until_ms), Happening::Push { line });
    }

    /// Sends what a client has not been sent; a backlog is a number, not a queue.
    pub(crate) fn push(&mut self, line: u64) {
        let Some(open) = self.lines.get_mut(&line) else { return };
        open.pushing = false;
        let served = open.served_until_ms >= self.now_ms;
        let Some(mut from) = open.follows.filter(|_| served) else { return };
        let id = open.stream_id;
        loop {
            match self.server.page(from) {
                Ok(page) if page.ticks.is_empty() => break,
                Ok(page) => {
                    from = page.ticks.last().map_or(from, |last| last.tick + 1);
                    self.send_down(line, Input::Push(page));
                }
                // A stream that cannot go on is answered a second time.
                Err(refusal) => return self.end_stream(line, id, refusal),
            }
        }
        if let Some(open) = self.lines.get_mut(&line) {
            open.follows = Some(from);
        }
    }

    fn end_stream(&mut self, line: u64, id: u32, refusal: Refusal) {
        self.coverage.count("stream-ends");
        if let Some(open) = self.lines.get_mut(&line) {
            open.follows = None;
        }
        self.answer(line, id, Answer::Refused(refusal));
    }

    /// After a silence the newest head goes out.
    fn arm_heartbeat(&mut self) {
        let sealed_ms = self.server.sealed_ms;
        let beat = Happening::Heartbeat { silence_ms: HEARTBEAT_MS, sealed_ms };
        self.at(self.now_ms + HEARTBEAT_MS, beat);
    }

    pub(crate) fn heartbeat(&mut self, silence_ms: u64, sealed_ms: u64) {
        let due = sealed_ms == self.server.sealed_ms && self.watch.beat_ms < self.now_ms;
        let Some(page) = self.server.heartbeat(self.now_ms).filter(|_| due) else { return };
        self.watch.beat_ms = self.now_ms;
        let next = page.head.head.tick + 1;
        let streaming: Vec<u64> = self.streaming().collect();
        for line in streaming {
            if self.lines[&line].follows == Some(next) && !self.lines[&line].pushing {
                self.send_down(line, Input::Push(page.clone()));
            }
        }
        let silence_ms = (silence_ms * 2).min(SILENCE_MAX_MS);
        self.at(self.now_ms + silence_ms, Happening::Heartbeat { silence_ms, sealed_ms });
    }

    /// The server stops reading a connection after a while.
    pub(crate) fn close(&mut self, line: u64, linger_ms: u64) {
        let until_ms = self.now_ms + linger_ms;
        if let Some(open) = self.lines.get_mut(&line) {
            open.served_until_ms = open.served_until_ms.min(until_ms);
        }
    }

    /// A device sees its connection end.
    pub(crate) fn cut(&mut self, who: usize, linger_ms: u64) {
        let Some(line) = self.people[who].line.take() else { return };
        self.note(|world| format!("{} is disconnected", world.name(who)));
        self.people[who].presence.goes(self.now_ms);
        self.close(line, linger_ms);
        self.see_presence(who, false);
        self.feed(who, Input::Disconnected);
        let later_ms = self.now_ms + self.rng.random_range(50..3_000);
        self.at(later_ms, Happening::Dial { who });
    }

    pub(crate) fn notice(&mut self, who: usize, line: u64) {
        if self.people[who].line == Some(line) {
            self.cut(who, 0);
        }
    }

    pub(crate) fn crash_server(&mut self, down_ms: u64) {
        if !self.server.is_up() {
            return;
        }
        self.note(|_| "the server goes down".to_owned());
        self.server.crash();
        for who in 0..self.people.len() {
            if let Some(line) = self.people[who].line {
                self.close(line, 0);
                let at_ms = self.now_ms + self.rng.random_range(1..3_000);
                self.at(at_ms, Happening::Notice { who, line });
            }
        }
        self.at(self.now_ms + down_ms, Happening::StartServer);
    }

    pub(crate) fn start_server(&mut self) {
        if self.server.is_up() {
            return;
        }
        if let Err(why) = self.server.restart(self.now_ms) {
            return self.wrong(Wrong::ServerLost, format!("the server does not start: {why}"));
        }
        self.note(|_| "the server is up again".to_owned());
        self.check_promises();
    }

    /// What was acknowledged is there, but for what a recovery has declared lost.
    pub(crate) fn check_promises(&mut self) {
        let broken = self.server.broken_promises(self.now_ms).len();
        if broken > 0 {
            let text = format!("{broken} acknowledged cells are not there");
            self.wrong(Wrong::ServerLost, text);
        }
    }
}

/// The tick of the newest head that something from the server shows.
fn head_of(input: &Input) -> Option<u64> {
    let page = match input {
        Input::Push(page) | Input::Answer { answer: Answer::Page(page), .. } => page,
        Input::Answer { answer: Answer::Proof(proof), .. } => return Some(proof.head.head.tick),
        Input::Answer { answer: Answer::Segment(segment), .. } => {
            return Some(segment.head.head.tick);
        }
        _ => return None,
    };
    Some(page.head.head.tick)
}
