//! The log policy: nothing that comes from a client, and no address, in any event, span or field.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "server/support.rs"]
#[allow(dead_code, unreachable_pub)]
mod support;

use std::{
    fmt::{self, Write},
    sync::{Arc, Mutex},
};
use support::{Host, item, post_request, raw_exchange, settings};
use tokio::io::AsyncReadExt;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, Registry, layer::Context, layer::SubscriberExt};
use undertone_wire::{Answer, Cell, Request, WriteKey, encode};

/// Collects everything that is logged at any level.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

impl Everything {
    fn note(&self, record: impl FnOnce(&mut dyn Visit)) {
        let mut text = self.0.lock().unwrap();
        text.push('\n');
        record(&mut Fields(&mut text));
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl<S: Subscriber> Layer<S> for Everything {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.note(|visit| event.record(visit));
    }

    fn on_new_span(&self, span: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        self.note(|visit| span.record(visit));
    }

    fn on_record(&self, _: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        self.note(|visit| values.record(visit));
    }
}

/// Whether a text holds something like an IPv4 or IPv6 address.
fn address_like(text: &str) -> Option<&str> {
    text.split(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':'))).find(|word| {
        let word = word.trim_matches('.');
        let host = word.rsplit_once(':').map_or(word, |(host, _)| host);
        host.parse::<std::net::IpAddr>().is_ok()
            || word.trim_matches(':').parse::<std::net::IpAddr>().is_ok()
            || word.parse::<std::net::IpAddr>().is_ok()
    })
}

/// The ways in which bytes may stand in a text.
fn shapes(bytes: &[u8]) -> Vec<String> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let list = format!("{bytes:?}");
    vec![hex.clone(), hex.to_uppercase(), list.trim_matches(['[', ']']).to_owned()]
}

/// All kinds of traffic, the bad kinds too.
async fn traffic(planted: &[u8]) {
    let mut config = settings();
    config.limits.puts_in_flight = 2;
    config.limits.connections = 6;
    config.limits.handshake_ms = 200;
    config.limits.idle_ms = 30;
    let mut host = Host::start(config).await;
    let address = host.address();
    let mut ada = host.client().await;
    let mut hers = item(&address, "Ada", 1);
    let mut bytes = *hers.cell.as_bytes();
    bytes[..planted.len()].copy_from_slice(planted);
    hers.cell = Cell::from_array(bytes);
    ada.store(&hers).await;
    ada.ask(hers.get()).await;
    ada.ask(Request::Stream { from: 1 }).await;
    ada.push().await;
    let mut wrong = hers.clone();
    wrong.write = WriteKey([1; 32]);
    ada.ask(wrong.put()).await;
    for n in 0..20 {
        ada.send(item(&address, "Ada", n).put()).await;
    }
    let head = String::from_utf8_lossy(planted);
    for request in [
        format!("GET /{head} HTTP/1.1\r\nx-forwarded-for: 203.0.113.9\r\n\r\n"),
        format!("{head}\r\n\r\n"),
        "POST /undertone/1 HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc".to_owned(),
    ] {
        raw_exchange(&address, request.as_bytes()).await;
    }
    post_request(&address, hers.get()).await;
    // Cut off in the middle of the handshake, and more of them than there may be.
    let crowd: Vec<_> = (0..8)
        .map(|_| tokio::net::TcpStream::connect((address.host().to_owned(), address.port())))
        .collect();
    let crowd = futures_util::future::join_all(crowd).await;
    // Whoever left at once might be gone before the next is counted: it is the server that ends them.
    let ends = crowd.into_iter().map(|socket| async {
        let mut answer = Vec::new();
        // An alert, nothing, or a reset: what the server says to it is not looked at here.
        let _ended = socket.unwrap().read_to_end(&mut answer).await;
    });
    let ends = futures_util::future::join_all(ends);
    tokio::time::timeout(support::PATIENCE, ends).await.unwrap();
    host.break_disk(true);
    let refused = post_request(&address, item(&address, "Ben", 1).put());
    // The crowd may still fill the server.
    let refused = tokio::time::timeout(support::PATIENCE, refused).await.unwrap();
    assert!(matches!(refused, Answer::Refused(_)));
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_holds_an_address_or_a_byte_of_a_client() {
    let log = Everything::default();
    let subscriber = Registry::default().with(log.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let planted = b"PLANTED-Chloe-Canary";
    traffic(planted).await;

    let text = log.0.lock().unwrap().clone();
    for seen in ["a connection ended", "too many connections", "nothing is stored"] {
        assert!(text.contains(seen), "the layer sees the server: {text}");
    }
    assert_eq!(address_like(&text), None, "{text}");
    for name in ["PLANTED", "Chloe", "Ada", "Ben", "localhost", "203.0.113"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
    for shape in shapes(planted).iter().chain(&shapes(&encode(&WriteKey([1; 32])))) {
        assert!(!text.contains(shape.as_str()), "{text}");
    }
}

#[test]
fn the_oracle_knows_an_address_when_it_sees_one() {
    for text in ["peer=127.0.0.1:7443", "from 203.0.113.9.", "[2001:db8::1]:443", "x ::1 y"] {
        assert!(address_like(text).is_some(), "{text}");
    }
    for text in ["cells=12 newest=3", "retry_ms=250 kind=Other", "0.5 1.2.3"] {
        assert_eq!(address_like(text), None, "{text}");
    }
}
