//! The script, step by step: what people ask of their devices, and what they are answered.

use crate::act::{Act, Place, What};
use crate::person::{Asked, Wish};
use crate::wishes::Change;
use crate::world::{Happening, Text, World};
use undertone_core::io::{ChatKind, ChatState, Command, MessageState, Refused, Reply, Role};
use undertone_core::{ChatId, Name};

/// The tickets of questions that nobody in the script asks.
pub(crate) const WHOAMI: u64 = u64::MAX;
pub(crate) const HEALTH: u64 = u64::MAX - 1;

/// How long a link is good for, milliseconds.
const LINK_MS: u64 = 86_400_000;

impl World {
    /// Plays one step and puts the next on the agenda.
    pub(crate) fn step(&mut self, index: usize) {
        self.watch.played = index;
        let Some(step) = self.steps.get(index).cloned() else { return };
        self.note(|_| format!("== {step}"));
        let mut pause_ms = 0;
        match step.what {
            What::Act(Act::Wait { ms }) => pause_ms = ms,
            What::Act(act) => self.act(act),
            What::Fault(fault) => self.fault(fault),
        }
        let next = index + 1;
        let after_ms = self.steps.get(next).map_or(0, |step| step.after_ms);
        self.at(self.now_ms + pause_ms + after_ms, Happening::Step(next));
        self.watch.played = if self.steps.len() == next { next } else { index };
    }

    fn act(&mut self, act: Act) {
        let word = What::Act(act.clone()).word();
        let done = match act {
            Act::Meet { inviter, guest } => self.meet(inviter, guest),
            Act::Group { who, group, members } => self.found(who, group, &members),
            Act::Send { who, place, count, length } => self.write(who, place, count, length),
            Act::Add { who, group, whom } => self.add(who, group, whom),
            Act::Remove { who, group, whom } => self.remove(who, group, whom),
            Act::Leave { who, group } => {
                let who = self.able(who, group, Role::Member);
                let leave = |chat, group| Some((Command::Leave { chat }, Wish::Leave { group }));
                self.change(who, group, leave)
            }
            Act::Rename { who, group } => self.rename(who, group),
            Act::Role { who, group, whom, role } => {
                let who = self.able(who, group, Role::Owner);
                let member = self.people[self.seated(who, group, whom)].identity;
                let change = Change::Role(member, role);
                self.change(who, group, |chat, group| {
                    let command = Command::SetRole { chat, member, role };
                    Some((command, Wish::Change { group, change }))
                })
            }
            Act::Restart { who, group } => self.begin_anew(who, group),
            Act::Offline { who, ms } => self.go_away(who, ms),
            Act::Online { who } => {
                self.people[who].away_until_ms = self.now_ms;
                self.soon(Happening::Dial { who });
                Some(())
            }
            Act::Glimpse { who, ms } => {
                self.people[who].away_until_ms = self.now_ms;
                self.people[who].glimpse_ms = Some(ms);
                self.soon(Happening::Dial { who });
                Some(())
            }
            Act::Wait { .. } => Some(()),
        };
        match done {
            Some(()) => self.coverage.count(word),
            None => self.coverage.count("skipped"),
        }
    }

    fn ask(&mut self, who: usize, command: Command, wish: Wish) {
        self.order(who, Asked { command, wish });
    }

    fn meet(&mut self, inviter: usize, guest: usize) -> Option<()> {
        let peer = self.people[guest].identity;
        if self.people[inviter].contact_with(&peer).is_some() {
            return None;
        }
        let expires_ms = self.people[inviter].clock_ms(self.now_ms) + LINK_MS;
        let command = Command::CreateLink { expires_ms, reusable: false };
        self.ask(inviter, command, Wish::Link { guest });
        Some(())
    }

    fn found(&mut self, who: usize, group: usize, members: &[usize]) -> Option<()> {
        let known =
            |whom: &&usize| self.people[who].contact_with(&self.people[**whom].identity).is_some();
        let known: Vec<_> = members.iter().filter(known).collect();
        let members = known.into_iter().map(|whom| self.people[*whom].identity).collect();
        let title = format!("Group {group}");
        let name = Name::parse(&title).expect("a plain name");
        self.ask(who, Command::CreateGroup { name, members }, Wish::Group { group, title });
        Some(())
    }

    /// The conversation that a place is for somebody, if they have it.
    fn resolve(&self, who: usize, place: Place) -> Option<(ChatId, [u8; 32])> {
        let person = &self.people[who];
        let standing = match place {
            Place::Contact(peer) => person.contact_with(&self.people[peer].identity),
            Place::Group(group) => self.standing_in(who, group),
        };
        standing.map(|standing| (standing.chat, standing.group))
    }

    /// The first person from `who` on who is in a group with that role: a script does not know who
    /// that is when the time has come. Now and then it is just `who`, so that refusals are tried too.
    fn able(&self, who: usize, group: usize, least: Role) -> usize {
        let fits = |other: &usize| self.role_in(*other, group).is_some_and(|role| role >= least);
        let tried = self.watch.happened.is_multiple_of(8);
        if tried { who } else { self.round(who).find(fits).unwrap_or(who) }
    }

    /// The first from `whom` on, but not `who`, who sits in the group as `who` sees it.
    fn seated(&self, who: usize, group: usize, whom: usize) -> usize {
        let sits = |other: &usize| *other != who && self.sits(who, group, *other);
        self.round(whom).find(sits).unwrap_or(whom)
    }

    fn round(&self, from: usize) -> impl Iterator<Item = usize> + use<> {
        let people = self.people.len();
        (from..people).chain(0..from)
    }

    fn role_in(&self, who: usize, group: usize) -> Option<Role> {
        let person = &self.people[who];
        let standing = self.standing_in(who, group)?;
        let seats = standing.epoch.as_ref().filter(|_| standing.state == ChatState::Open)?;
        let seat = seats.seats.iter().find(|seat| seat.identity == person.identity)?;
        Some(seat.role)
    }

    fn sits(&self, who: usize, group: usize, whom: usize) -> bool {
        let standing = self.standing_in(who, group);
        let epoch = standing.and_then(|standing| standing.epoch.as_ref());
        let whom = &self.people[whom].identity;
        epoch.is_some_and(|epoch| epoch.seats.iter().any(|seat| seat.identity == *whom))
    }

    fn write(&mut self, who: usize, place: Place, count: usize, length: usize) -> Option<()> {
        let who = match place {
            Place::Contact(_) => who,
            Place::Group(group) => self.able(who, group, Role::Member),
        };
        let (chat, group) = self.resolve(who, place)?;
        for _ in 0..count {
            let number = self.texts.len();
            let text = format!("{} {number} {}", self.name(who), ".".repeat(length));
            let epoch = self.epoch_number(who, &group);
            self.texts.push(Text::new((who, self.now_ms), (group, epoch), text.clone()));
            let key = Some(number.to_string());
            let command = Command::Send { chat, text, key, anyway: false };
            self.ask(who, command, Wish::Send { text: number });
        }
        Some(())
    }

    fn change(
        &mut self,
        who: usize,
        group: usize,
        command: impl FnOnce(ChatId, [u8; 32]) -> Option<(Command, Wish)>,
    ) -> Option<()> {
        let (chat, group) = self.resolve(who, Place::Group(group))?;
        let (command, wish) = command(chat, group)?;
        self.ask(who, command, wish);
        Some(())
    }

    fn add(&mut self, who: usize, group: usize, whom: usize) -> Option<()> {
        let who = self.able(who, group, Role::Admin);
        let outside = |other: &usize| {
            let known = self.people[who].contact_with(&self.people[*other].identity).is_some();
            known && !self.sits(who, group, *other)
        };
        let whom = self.people[self.round(whom).find(outside)?].identity;
        self.change(who, group, |chat, group| {
            let change = Change::In(whom);
            Some((Command::Add { chat, members: vec![whom] }, Wish::Change { group, change }))
        })
    }

    fn remove(&mut self, who: usize, group: usize, whom: usize) -> Option<()> {
        let who = self.able(who, group, Role::Admin);
        let whom = self.people[self.seated(who, group, whom)].identity;
        self.change(who, group, |chat, group| {
            let change = Change::Out(whom);
            Some((Command::Remove { chat, members: vec![whom] }, Wish::Change { group, change }))
        })
    }

    fn rename(&mut self, who: usize, group: usize) -> Option<()> {
        let who = self.able(who, group, Role::Admin);
        let title = format!("Renamed {}", self.watch.happened);
        let name = Name::parse(&title).expect("a plain name");
        let change = Change::Named(title);
        self.change(who, group, |chat, group| {
            Some((Command::Rename { chat, name }, Wish::Change { group, change }))
        })
    }

    /// Its owner may, and nobody who is not to come any more comes along.
    fn begin_anew(&mut self, who: usize, group: usize) -> Option<()> {
        let who = self.able(who, group, Role::Owner);
        let number = group;
        self.change(who, group, |chat, old| {
            let command = Command::Restart { chat, without: Vec::new() };
            Some((command, Wish::Restart { group: number, old }))
        })
    }

    pub(crate) fn go_away(&mut self, who: usize, ms: u64) -> Option<()> {
        let until_ms = self.now_ms + ms;
        self.people[who].away_until_ms = until_ms;
        self.cut(who, 0);
        self.at(until_ms, Happening::Dial { who });
        Some(())
    }

    /// Something is asked of a device; while it is down it waits with its person.
    pub(crate) fn order(&mut self, who: usize, asked: Asked) {
        let person = &mut self.people[who];
        let ticket = person.next_ticket;
        person.next_ticket += 1;
        person.asked.insert(ticket, asked);
        if person.account.is_some() {
            self.issue(who, ticket);
        }
    }

    pub(crate) fn issue(&mut self, who: usize, ticket: u64) {
        let Some(Asked { command, wish }) = self.people[who].asked.get(&ticket).cloned() else {
            return;
        };
        match &wish {
            Wish::Group { group, title } if self.has_founded(who, *group, title) => {
                self.people[who].asked.remove(&ticket);
                return;
            }
            Wish::Restart { group, old } if self.has_begun_anew(who, &command, old) => {
                self.people[who].asked.remove(&ticket);
                return self.on_unheard_restart(who, *group, *old, &command);
            }
            Wish::Send { text } => self.show_audience(who, *text, &command),
            Wish::Leave { group } => {
                let epoch = self.epoch_number(who, group);
                self.people[who].left.push((*group, epoch));
            }
            _ => {}
        }
        self.feed(who, undertone_core::io::Input::Command { ticket, command });
    }

    /// Whether a group was made although the device died before it could say so.
    fn has_founded(&mut self, who: usize, group: usize, title: &str) -> bool {
        let made = self.people[who].standings.values().find(|standing| standing.title == title);
        if let Some(made) = made {
            self.groups.insert(group, vec![made.group]);
        }
        self.groups.contains_key(&group)
    }

    /// The people whom an author sees as readers while writing.
    fn show_audience(&mut self, who: usize, text: usize, command: &Command) {
        let Text { audience, text: words, .. } = &self.texts[text];
        let persisted = || self.people[who].disk.rows().any(|row| row.own && row.text == *words);
        if audience.is_some() && persisted() {
            return;
        }
        let Command::Send { chat, .. } = command else { return };
        let Some(group) = self.people[who].standings.get(chat).map(|it| it.group) else { return };
        let audience = self.audience(who, &group);
        let epoch = self.epoch_number(who, &group);
        let text = &mut self.texts[text];
        (text.group, text.epoch, text.audience) = (group, epoch, Some(audience));
    }

    pub(crate) fn on_reply(&mut self, who: usize, ticket: u64, result: Result<Reply, Refused>) {
        if [WHOAMI, HEALTH].contains(&ticket) {
            return result.into_iter().for_each(|reply| self.on_answered(who, reply));
        }
        let Some(Asked { wish, .. }) = self.people[who].asked.remove(&ticket) else { return };
        match (wish, result) {
            (wish, Err(refused)) => self.on_refused(who, &wish, &refused),
            (Wish::Link { guest }, Ok(Reply::Link(link))) => {
                let Some(link) = link.uri else { return };
                let command = Command::Accept { link, message: None };
                let asked = Box::new(Asked { command, wish: Wish::Accept });
                self.soon(Happening::Order { who: guest, asked });
            }
            (Wish::Group { group, .. }, Ok(Reply::Chat(view))) => {
                let account = self.people[who].account.as_mut();
                let standing = account.and_then(|account| account.standing(view.chat));
                self.groups.extend(standing.map(|standing| (group, vec![standing.group])));
            }
            (Wish::Send { text }, Ok(Reply::Message { .. })) => self.texts[text].accepted = true,
            (Wish::Change { group, change }, Ok(_)) => self.wish(who, group, change),
            (Wish::Restart { group, old }, Ok(Reply::Restarted { chat, left })) => {
                let left: Vec<_> = left.iter().map(|it| it.identity).collect();
                self.on_restarted(who, group, old, (chat.chat, &left));
            }
            _ => {}
        }
    }

    fn on_refused(&mut self, who: usize, wish: &Wish, refused: &Refused) {
        self.note(|world| format!("{} is refused: {}", world.name(who), refused.message));
        self.coverage.count(&format!("refused: {}", refused.code));
        if let Wish::Leave { group } = wish {
            let asked = self.people[who].left.iter().rposition(|(of, _)| of == group);
            asked.map(|asked| self.people[who].left.remove(asked));
        }
    }

    /// The script is over.
    pub(crate) fn calm_down(&mut self) {
        self.note(|_| "== the script is over; everything works again".to_owned());
        for who in 0..self.people.len() {
            let person = &mut self.people[who];
            person.dies = None;
            person.disk_full_until_ms = 0;
            person.slow = (0, 0);
            person.holds_until_ms = 0;
            person.twice = 0;
            person.away_until_ms = 0;
            person.glimpse_ms = None;
            self.soon(Happening::Dial { who });
        }
    }

    /// Authors look at who has joined and send all the same.
    pub(crate) fn release_waiting(&mut self) {
        for number in 0..self.texts.len() {
            let Some(chat) = self.where_waiting(number) else { continue };
            let Text { author, text, .. } = self.texts[number].clone();
            let Some(group) = self.people[author].standings.get(&chat).map(|it| it.group) else {
                continue;
            };
            let audience = self.audience(author, &group);
            self.texts[number].released = true;
            self.texts[number].audience.get_or_insert_default().extend(audience);
            self.coverage.count("released");
            let command = Command::Send { chat, text, key: Some(number.to_string()), anyway: true };
            self.ask(author, command, Wish::Send { text: number });
        }
    }

    /// The chat in which a message waits for its author.
    fn where_waiting(&self, number: usize) -> Option<ChatId> {
        let text = &self.texts[number];
        let mut rows = self.people[text.author].disk.rows();
        let row = rows.find(|row| row.own && row.text == text.text)?;
        (row.state == MessageState::Waiting).then_some(row.chat)
    }

    /// Whether nothing that was asked for is undecided, and all who can agree on the epoch.
    pub(crate) fn is_settled(&mut self) -> bool {
        let here = |person: &crate::person::Person| {
            person.account.is_some() && person.line.is_some() && person.asked.is_empty()
        };
        if !self.people.iter().all(here) {
            return false;
        }
        self.refresh();
        self.unsettled().is_none()
    }

    /// Whether two who follow one group stand in different epochs of it just now.
    pub(crate) fn is_moving(&self) -> bool {
        let mut newest = std::collections::BTreeMap::new();
        let standings = self.people.iter().flat_map(|person| person.standings.values());
        let mut live = standings.filter(|it| it.state == ChatState::Open);
        live.any(|standing| {
            let number = standing.epoch.as_ref().map(|epoch| epoch.number);
            *newest.entry(standing.group).or_insert(number) != number
        })
    }

    /// Looks at every conversation of everybody anew.
    pub(crate) fn refresh(&mut self) {
        for who in 0..self.people.len() {
            for chat in self.chats_of(who) {
                let account = self.people[who].account.as_mut();
                if let Some(standing) = account.and_then(|account| account.standing(chat)) {
                    self.people[who].standings.insert(chat, standing);
                }
            }
        }
    }

    /// What is undecided, in words.
    pub(crate) fn unsettled(&self) -> Option<String> {
        self.unsettled_here().or_else(|| self.unmet())
    }

    /// What the devices themselves hold to be undecided.
    fn unsettled_here(&self) -> Option<String> {
        for person in &self.people {
            for standing in person.standings.values() {
                let live = matches!(standing.state, ChatState::Open | ChatState::Requested);
                if live && standing.unsettled > 0 {
                    let what = what_is(standing.kind, &standing.title);
                    let count = standing.unsettled;
                    return Some(format!("{} has {count} things undecided in {what}", person.name));
                }
            }
        }
        None
    }
}

pub(crate) fn what_is(kind: ChatKind, title: &str) -> String {
    match kind {
        ChatKind::Contact => "a conversation of two".to_owned(),
        ChatKind::Group => title.to_owned(),
    }
}

impl Text {
    fn new(
        (author, written_ms): (usize, u64),
        (group, epoch): ([u8; 32], u64),
        text: String,
    ) -> Self {
        let (audience, accepted, released) = (None, false, false);
        Self { author, group, epoch, written_ms, text, audience, accepted, released }
    }
}
