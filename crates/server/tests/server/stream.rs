//! Digests as they are pushed.

use crate::support::{Client, Host, item, refusal, settings};
use undertone_wire::{
    Answer, DigestPage, HeadRef, KeyRing, Prefix, RefusalKind, Request, merkle::Frontier,
};

/// Walks pushes as a client does: no hole, no doubt, roots that fit.
struct Walk {
    next: u64,
    frontier: Frontier,
    seen: Vec<Prefix>,
}

impl Walk {
    fn from_the_start() -> Self {
        Self { next: 1, frontier: Frontier::default(), seen: Vec::new() }
    }

    fn take(&mut self, keys: &KeyRing, page: &DigestPage) -> HeadRef {
        for tick in &page.ticks {
            assert_eq!(tick.tick, self.next);
            self.next += 1;
            tick.leaf_hashes().into_iter().for_each(|leaf| self.frontier.append(leaf));
            self.seen.extend(&tick.prefixes);
        }
        let head = keys.verify(&page.head).expect("signed by the server");
        assert_eq!((head.tick, head.size), (self.next - 1, self.frontier.size()));
        assert_eq!(head.root, self.frontier.root());
        head.to_ref()
    }

    async fn until(&mut self, client: &mut Client, tick: u64) {
        while self.next <= tick {
            let page = client.push().await;
            self.take(&client.keys.clone(), &page);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_begins_in_the_past_and_goes_on() {
    let host = Host::start(settings()).await;
    let address = host.address();
    let (mut ada, mut ben) = (host.client().await, host.client().await);
    for n in 0..10 {
        ada.store(&item(&address, "Ada", n)).await;
    }
    let streaming = ben.ask(Request::Stream { from: 1 }).await;
    assert!(matches!(streaming, Answer::Streaming), "{streaming:?}");
    let mut walk = Walk::from_the_start();
    let mut last = 0;
    for n in 10..20 {
        last = ada.store(&item(&address, "Ada", n)).await.head.head.tick;
    }
    walk.until(&mut ben, last).await;
    let expected: Vec<_> = (0..20).map(|n| item(&address, "Ada", n).tag.prefix()).collect();
    assert_eq!(walk.seen, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_the_same() {
    let host = Host::start(settings()).await;
    let address = host.address();
    let mut ada = host.client().await;
    let mut readers = vec![host.client().await, host.client().await, host.client().await];
    for reader in &mut readers {
        reader.ask(Request::Stream { from: 1 }).await;
    }
    let last = ada.store(&item(&address, "Ada", 1)).await.head.head.tick;
    let mut pages = Vec::new();
    for reader in &mut readers {
        let page = reader.push().await;
        assert_eq!(page.head.head.tick, last);
        pages.push(page);
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_streams_show_a_signed_sign_of_life() {
    let mut config = settings();
    config.tick.heartbeat_ms = 20;
    let host = Host::start(config).await;
    let address = host.address();
    let mut ben = host.client().await;
    let tick = host.client().await.store(&item(&address, "Ada", 1)).await.head.head.tick;
    ben.ask(Request::Stream { from: tick + 1 }).await;
    for _ in 0..3 {
        let page = ben.push().await;
        assert!(page.ticks.is_empty());
        assert_eq!(ben.keys.verify(&page.head).expect("signed").tick, tick);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_from_the_future_is_refused() {
    let host = Host::start(settings()).await;
    let mut ben = host.client().await;
    let answer = ben.ask(Request::Stream { from: 1_000 }).await;
    assert_eq!(refusal(&answer), RefusalKind::Future);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_misses_nothing() {
    let host = Host::start(settings()).await;
    let address = host.address();
    let (mut ada, mut ben) = (host.client().await, host.client().await);
    ben.ask(Request::Stream { from: 1 }).await;
    // Far more ticks than the ring holds, while Ben looks away.
    let mut last = 0;
    for n in 0..300 {
        last = ada.store(&item(&address, "Ada", n)).await.head.head.tick;
    }
    let mut walk = Walk::from_the_start();
    walk.until(&mut ben, last).await;
    assert_eq!(walk.seen.len(), 300);
}
