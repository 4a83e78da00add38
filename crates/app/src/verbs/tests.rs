//! Verbs on a session whose engine says what the test wants: what they ask, wait for and answer.

use super::{accept, chats, config, read, send, watch};
use crate::{
    Exit, Failure,
    context::{Context, Timeout},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use tokio::sync::mpsc;
use undertone_client::{Engine, Running, Wires, start};
use undertone_core::{
    ChatId, MessageId, Name,
    io::{
        Changes, ChatKind, ChatState, ChatView, Command, Event, Health, HistoryRow, Input,
        MessageState, Output, Reply,
    },
};
use undertone_crypto::IdentityKey;
use undertone_store::Memory;
use undertone_transport::{ConnectError, Down, LinkEvent, Outgoing, Step};

const BEN: ChatId = ChatId([0xb0; 16]);
const CHLOE: ChatId = ChatId([0xc0; 16]);
const NEWSDESK: ChatId = ChatId([0xd0; 16]);
const SENT: MessageId = MessageId([1; 16]);

/// Ada's engine: two contacts, and one fate for everything that is sent or accepted.
struct Ada {
    /// The states that a sent message goes through.
    fate: Vec<MessageState>,
    /// Events that follow the acceptance of a link.
    after_accept: Vec<Event>,
    /// What the list of conversations is.
    chats: Vec<ChatView>,
    /// Conversations to which others have added this person; read after connecting.
    news: Vec<ChatView>,
    /// After how many lists of conversations the news is read; without a number, on connecting.
    looks_before_news: Option<u32>,
    out: VecDeque<Output>,
}

impl Engine for Ada {
    fn handle(&mut self, _: u64, input: Input) {
        if matches!(input, Input::Connected) && self.looks_before_news.is_none() {
            self.read_news();
        }
        let Input::Command { ticket, command } = input else { return };
        let mut more = Vec::new();
        let reply = match command {
            Command::Chats => {
                let listed = self.chats.clone();
                self.looks_before_news =
                    self.looks_before_news.map(|looks| looks.saturating_sub(1));
                if self.looks_before_news == Some(0) {
                    self.read_news();
                }
                Reply::Chats(listed)
            }
            Command::Health => Reply::Health(health()),
            Command::GroupCares => Reply::GroupCares(Vec::new()),
            Command::Members { .. } => Reply::Members(Vec::new()),
            Command::Names { .. } => Reply::Names(BTreeMap::new()),
            Command::Accept { .. } => {
                more.extend(self.after_accept.drain(..).map(Output::Event));
                Reply::Chat(ChatView { state: ChatState::Requested, ..contact(BEN, "Ben") })
            }
            Command::Send { text, .. } => {
                for state in &self.fate {
                    let row = HistoryRow { own: true, state: *state, ..row(BEN, SENT, &text, 9) };
                    more.push(history(vec![row]));
                    more.push(Output::Event(Event::State {
                        chat: BEN,
                        message: SENT,
                        state: *state,
                    }));
                }
                Reply::Message { message: SENT, state: MessageState::Queued }
            }
            other => panic!("nobody asks for {other:?} here"),
        };
        self.out.extend(more);
        self.out.push_back(Output::Reply { ticket, result: Ok(reply) });
    }

    fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }
}

impl Ada {
    fn read_news(&mut self) {
        self.chats.append(&mut self.news);
        self.out.push_back(history(vec![row(NEWSDESK, MessageId([9; 16]), "welcome", 9)]));
        self.out.push_back(Output::Event(Event::CaughtUp { tick: 1 }));
    }
}

fn contact(chat: ChatId, name: &str) -> ChatView {
    let identity = IdentityKey([chat.0[0]; 32]);
    ChatView {
        chat,
        name: Name::parse(name).unwrap(),
        kind: ChatKind::Contact,
        state: ChatState::Open,
        verified: false,
        named_here: false,
        contact: Some(identity),
    }
}

fn row(chat: ChatId, message: MessageId, text: &str, at: u8) -> HistoryRow {
    HistoryRow {
        chat,
        message,
        author: [7; 16],
        from: IdentityKey([chat.0[0]; 32]),
        own: false,
        order: vec![at],
        text: text.to_owned(),
        sent_ms: 1_000 * u64::from(at),
        stored_ms: Some(1_000 * u64::from(at)),
        state: MessageState::Received,
    }
}

fn history(messages: Vec<HistoryRow>) -> Output {
    Output::Persist(Changes { messages, ..Changes::default() })
}

struct Rig {
    running: Running,
    context: Context,
    lines: mpsc::Receiver<Value>,
    events: mpsc::Sender<LinkEvent>,
    _frames: mpsc::Receiver<Outgoing>,
}

fn rig(fate: &[MessageState], after_accept: Vec<Event>, before: Vec<Output>) -> Rig {
    rig_of(ada(fate, after_accept, before))
}

fn ada(fate: &[MessageState], after_accept: Vec<Event>, before: Vec<Output>) -> Ada {
    let chats = vec![contact(BEN, "Ben"), contact(CHLOE, "Chloe")];
    let news =
        vec![ChatView { kind: ChatKind::Group, contact: None, ..contact(NEWSDESK, "Newsdesk") }];
    Ada {
        fate: fate.to_vec(),
        after_accept,
        chats,
        news,
        looks_before_news: None,
        out: before.into(),
    }
}

fn rig_of(engine: Ada) -> Rig {
    let (events, events_out) = mpsc::channel(8);
    let (frames_in, _frames) = mpsc::channel(8);
    let wires = Wires::held(events_out, frames_in);
    let running = start(engine, Memory::default(), (), wires).unwrap();
    let (lines_in, lines) = mpsc::channel(64);
    let context = Context::new(running.session.clone(), lines_in, None);
    Rig { running, context, lines, events, _frames }
}

fn health() -> Health {
    Health {
        connected: true,
        tick: 1,
        server_ms: 1_000,
        queued: 0,
        waiting: 0,
        unsettled: 0,
        reading: 0,
        withheld: 0,
        skipped: BTreeMap::new(),
        stuck: Vec::new(),
        server_full: false,
        halted: None,
        copied: false,
        recovery: None,
    }
}

fn connected() -> LinkEvent {
    let info = undertone_puppet::info(&undertone_puppet::first(1));
    LinkEvent::Connected { connection: 1, info: Box::new(info) }
}

/// Every attempt fails, for as long as the rig stands.
fn never_connect(rig: &Rig) {
    let events = rig.events.clone();
    let down = |attempt| {
        let why = Down::NotOpened(ConnectError::TimedOut(Step::Connect));
        LinkEvent::Disconnected { attempt, why, retry_in: Duration::ZERO }
    };
    tokio::spawn(async move {
        let mut attempt = 1;
        while events.send(down(attempt)).await.is_ok() {
            attempt += 1;
        }
    });
}

fn sending(text: &str, no_wait: bool) -> send::Args {
    send::Args {
        chat: "Ben".to_owned(),
        text: Some(text.to_owned()),
        file: Vec::new(),
        reply: None,
        timer: None,
        no_wait,
        id: Some("key".to_owned()),
        anyway: false,
        timeout: Timeout::default(),
    }
}

async fn send_with(fate: &[MessageState], no_wait: bool) -> Result<Value, Failure> {
    let rig = rig(fate, Vec::new(), Vec::new());
    sending("hello", no_wait).run(&rig.context).await.map(|outcome| outcome.json)
}

#[tokio::test]
async fn a_message_is_done_when_it_is_stored() {
    let sent = send_with(&[MessageState::Queued, MessageState::Stored], false).await.unwrap();
    assert_eq!(sent, json!({ "message": SENT.to_string(), "state": "stored" }));
}

#[tokio::test]
async fn who_does_not_wait_is_told_that_it_is_queued() {
    let sent = send_with(&[MessageState::Queued], true).await.unwrap();
    assert_eq!(sent, json!({ "message": SENT.to_string(), "state": "queued" }));
}

#[tokio::test]
async fn a_message_that_waits_for_its_author_is_refused_with_the_way_on() {
    let failure = send_with(&[MessageState::Waiting], false).await.unwrap_err();
    assert_eq!((failure.exit, failure.code.as_str()), (Exit::Refused, "roster_changed"));
    assert_eq!(failure.ids["message"], SENT.to_string());
    assert!(failure.hint.contains("--id key --anyway"), "{}", failure.hint);
}

#[tokio::test]
async fn a_message_that_never_goes_out_is_said_so() {
    let failure = send_with(&[MessageState::Failed], false).await.unwrap_err();
    assert_eq!((failure.exit, failure.code.as_str()), (Exit::Refused, "ended"));
}

#[tokio::test]
async fn without_a_server_a_message_is_queued_and_named() {
    let rig = rig(&[MessageState::Queued], Vec::new(), Vec::new());
    never_connect(&rig);
    let failure = sending("hello", false).run(&rig.context).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Unreachable);
    assert_eq!(failure.ids["message"], SENT.to_string());
    assert_eq!(failure.ids["state"], "queued");
}

fn sending_to(chat: &str) -> send::Args {
    send::Args { chat: chat.to_owned(), ..sending("hello", true) }
}

#[tokio::test]
async fn who_was_just_added_to_a_group_can_name_it() {
    let rig = rig(&[MessageState::Queued], Vec::new(), Vec::new());
    let context = rig.context.clone();
    let send = tokio::spawn(async move { sending_to("Newsdesk").run(&context).await });
    rig.events.send(connected()).await.unwrap();
    assert_eq!(send.await.unwrap().unwrap().json["state"], "queued");
}

#[tokio::test]
async fn what_is_read_between_two_looks_is_seen() {
    let queued = ada(&[MessageState::Queued], Vec::new(), Vec::new());
    let rig = rig_of(Ada { looks_before_news: Some(2), ..queued });
    let sent = sending_to("Newsdesk").run(&rig.context).await.unwrap();
    assert_eq!(sent.json["state"], "queued");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_not_found_once_there_is_no_more_news() {
    let mut rig = rig(&[], Vec::new(), Vec::new());
    rig.context.news_time = Duration::from_secs(3600);
    rig.events.send(connected()).await.unwrap();
    let failure = sending_to("Nobody").run(&rig.context).await.unwrap_err();
    assert_eq!((failure.exit, failure.code.as_str()), (Exit::NotFound, "not_found"));
    assert!(failure.hint.contains("undertone chats"), "{}", failure.hint);
}

#[tokio::test]
async fn without_a_server_an_unknown_name_is_not_found_and_says_that_there_was_no_news() {
    let rig = rig(&[], Vec::new(), Vec::new());
    never_connect(&rig);
    let failure = sending_to("Newsdesk").run(&rig.context).await.unwrap_err();
    assert_eq!((failure.exit, failure.code.as_str()), (Exit::NotFound, "not_found"));
    assert!(failure.hint.contains("could not be asked"), "{}", failure.hint);
}

#[tokio::test]
async fn a_link_that_somebody_else_has_used_is_told() {
    let failed = Event::LinkFailed { chat: BEN, code: "link_used" };
    let rig = rig(&[], vec![failed], Vec::new());
    let (link, message, timeout) = ("undertone:x".to_owned(), None, Timeout::default());
    let args = accept::Args { link, message, timeout };
    let failure = args.run(&rig.context).await.unwrap_err();
    assert_eq!((failure.exit, failure.code.as_str()), (Exit::Refused, "link_used"));
    assert_eq!(failure.ids["chat"], BEN.to_string());
}

#[tokio::test]
async fn chats_stand_newest_first_and_reading_marks_only_when_asked() {
    let messages =
        vec![row(BEN, MessageId([2; 16]), "old", 1), row(CHLOE, MessageId([3; 16]), "new", 2)];
    let rig = rig(&[], Vec::new(), vec![history(messages)]);
    // A command's reply comes after what was committed before it.
    rig.running.session.command(Command::Chats).await.unwrap();
    let list = async || chats::Args {}.run(&rig.context).await.unwrap().json["chats"].clone();
    let listed = list().await;
    assert_eq!((&listed[0]["name"], &listed[1]["name"]), (&json!("Chloe"), &json!("Ben")));
    assert_eq!(listed[1]["unread"], 1);
    for (mark, unread) in [(false, 1), (true, 0)] {
        let args = read::Args { chat: "Ben".to_owned(), limit: 5, before: None, mark };
        let shown = args.run(&rig.context).await.unwrap();
        assert_eq!(shown.json["messages"][0]["text"], "old");
        assert_eq!(shown.json["messages"][0]["from"], "Ben");
        assert_eq!(list().await[1]["unread"], unread);
    }
}

#[tokio::test]
async fn watching_begins_with_ready_and_shows_what_came_since() {
    let message = MessageId([4; 16]);
    let hi = row(CHLOE, message, "hi", 1);
    let before = vec![
        history(vec![hi.clone()]),
        Output::Event(Event::Gap { chat: BEN, text: "one is missing".to_owned() }),
        Output::Event(Event::Message(hi.name())),
    ];
    let mut rig = rig(&[], Vec::new(), before);
    rig.running.session.newest_event().wait_for(|newest| *newest == 2).await.unwrap();
    let args =
        watch::Args { chat: Some("Chloe".to_owned()), since: Some(0), ..watch::Args::default() };
    let context = rig.context.clone();
    let watching = tokio::spawn(async move { args.run(&context).await });
    assert_eq!(rig.lines.recv().await.unwrap(), json!({ "event": "ready", "seq": 0 }));
    let line = rig.lines.recv().await.unwrap();
    assert_eq!((&line["event"], &line["seq"]), (&json!("message"), &json!(2)));
    assert_eq!((&line["text"], &line["from"]), (&json!("hi"), &json!("Chloe")));
    assert!(watch::to_human(&line).ends_with("Chloe: hi"));
    watching.abort();
}

#[tokio::test]
async fn events_that_are_forgotten_are_a_gap_and_no_silence() {
    let gap = || Output::Event(Event::Gap { chat: BEN, text: "one is missing".to_owned() });
    let forgotten = 3;
    let count = undertone_store::EVENTS_KEPT + forgotten;
    let mut rig = rig(&[], Vec::new(), (0..count).map(|_| gap()).collect());
    rig.running.session.newest_event().wait_for(|newest| *newest == count).await.unwrap();
    let args = watch::Args { since: Some(1), ..watch::Args::default() };
    let context = rig.context.clone();
    let watching = tokio::spawn(async move { args.run(&context).await });
    assert_eq!(rig.lines.recv().await.unwrap(), json!({ "event": "ready", "seq": 1 }));
    let line = rig.lines.recv().await.unwrap();
    assert_eq!((&line["event"], &line["seq"]), (&json!("gap"), &json!(forgotten)));
    assert!(watch::to_human(&line).starts_with("gap: 2 older events"), "{line}");
    assert_eq!(rig.lines.recv().await.unwrap()["seq"], forgotten + 1);
    watching.abort();
}

#[tokio::test]
async fn a_setting_that_a_running_process_does_not_use_yet_says_so() {
    let online = rig(&[], Vec::new(), Vec::new());
    let set = config::Args { key: config::Key::Proxy, value: Some("none".to_owned()) };
    let told = set.run(&online.context).await.unwrap();
    assert_eq!(told.json["takes_effect"], "next_start");
    assert!(told.human.contains("until it is started again"), "{}", told.human);
    let shown = config::Args { value: None, ..set };
    assert!(shown.run(&online.context).await.unwrap().json.get("takes_effect").is_none());
}
