//! Fetches of a tag whose prefix another tag shares.

use super::{lane, refused};
use crate::cells::CellEvent;
use crate::log::rig::{self, Client, START_MS, Server};
use undertone_wire::dangerous_short_prefixes::{Shortened, shorten};
use undertone_wire::{Answer, RefusalKind, Request, Tag};

/// The cell that is wanted.
const OWN: u64 = 2;

/// A server, a device, the tag of cell 2 and the number of another cell of its prefix.
struct Colliding {
    server: Server,
    ada: Client,
    tag: Tag,
    decoy: u64,
    _short: Shortened,
}

impl Colliding {
    fn new() -> Self {
        let _short = shorten(16);
        let mut server = Server::new();
        let ada = Client::of(&mut server);
        let tag = server.tag(OWN);
        let decoy = rig::decoy(&server.id(), &tag);
        Self { server, ada, tag, decoy, _short }
    }

    /// These cells, a tick each, are walked.
    fn listing(cells: impl FnOnce(u64) -> Vec<u64>) -> Self {
        let mut this = Self::new();
        for number in cells(this.decoy) {
            this.server.tick(&[number]);
        }
        this.ada.run(&mut this.server);
        this
    }

    /// As `listing`, but all that is known of the ticks is a segment.
    fn in_a_segment(cells: impl FnOnce(u64) -> Vec<u64>) -> Self {
        let mut this = Self::new();
        for number in cells(this.decoy) {
            this.server.tick(&[number]);
        }
        this.server.now_ms = START_MS + 3_600_000;
        this.server.ticks(10_000, 300);
        this.ada.connect(&mut this.server);
        assert_eq!(this.ada.log.head_at(1), None, "a segment shows no heads of its ticks");
        this
    }

    fn get(&mut self, tick: u64) {
        self.ada.cells.get(self.tag, Some(tick), lane(OWN));
    }

    /// What comes of the wish for the cell that this tick lists.
    fn fetched(&mut self, tick: u64) -> Vec<CellEvent> {
        self.get(tick);
        self.ada.run(&mut self.server);
        assert_eq!(self.ada.alarms(), [""; 0]);
        std::mem::take(&mut self.ada.cell_events)
    }

    fn absent(&self, tick: u64) -> CellEvent {
        CellEvent::Absent { owner: lane(OWN), tag: self.tag, tick: Some(tick) }
    }

    fn got(&self, tick: u64) -> CellEvent {
        CellEvent::Got { owner: lane(OWN), tag: self.tag, cell: rig::cell(OWN), tick }
    }

    fn withheld(&self) -> CellEvent {
        CellEvent::Withheld { owner: lane(OWN), tag: self.tag, tries: 3 }
    }
}

#[test]
fn a_listing_before_ones_own_is_proved_to_be_anothers() {
    let mut it = Colliding::listing(|decoy| vec![decoy, OWN, 3]);
    assert_eq!(it.fetched(1), [it.absent(1)]);
    assert_eq!(it.fetched(2), [it.got(2)]);
}

#[test]
fn two_tags_of_one_prefix_in_one_tick_are_told_apart() {
    let mut it = Colliding::new();
    it.server.tick(&[it.decoy, OWN]);
    it.server.tick(&[3]);
    it.ada.run(&mut it.server);
    assert_eq!(it.fetched(1), [it.got(1)]);
}

#[test]
fn whoever_asks_later_comes_to_the_same() {
    let mut it = Colliding::listing(|decoy| vec![decoy, 3]);
    assert_eq!(it.fetched(1), [it.absent(1)], "nothing stands under the tag");
    // It is stored, and not walked to: the tree that is asked does not hold it.
    it.server.tick(&[OWN]);
    it.get(1);
    let (ask, request) = it.ada.cells.poll_request(it.ada.now_ms, &it.ada.log).expect("a GET");
    let answer = it.server.answer(&request);
    assert!(matches!(&answer, Answer::None { colliding } if colliding.len() == 1));
    it.ada.cells.on_answer(it.ada.now_ms, ask, answer, &mut it.ada.log);
    it.ada.collect();
    assert_eq!(std::mem::take(&mut it.ada.cell_events), [it.absent(1)]);
    it.ada.run(&mut it.server);
    assert_eq!(it.fetched(1), [it.absent(1)], "now it stands there");
    assert_eq!(it.fetched(3), [it.got(3)]);
}

#[test]
fn a_cell_that_stands_before_the_listing_shows_that_to_be_anothers() {
    let mut it = Colliding::listing(|decoy| vec![OWN, 3, decoy]);
    assert_eq!(it.fetched(3), [it.absent(3)]);
}

#[test]
fn the_head_of_a_skipped_tick_is_fetched_first() {
    let mut it = Colliding::in_a_segment(|decoy| vec![decoy, OWN]);
    assert_eq!(it.fetched(1), [it.absent(1)]);
    assert_eq!(it.fetched(2), [it.got(2)]);
    let gets = it.ada.asked.iter().filter(|request| matches!(request, Request::Get { .. }));
    assert_eq!(gets.count(), 3);
}

#[test]
fn a_head_that_the_server_will_not_show_withholds_the_cell() {
    let mut it = Colliding::in_a_segment(|decoy| vec![decoy, OWN]);
    it.get(1);
    let denied = |request: &Request, answer| match request {
        Request::Proof { to_tick: 1, .. } => refused(RefusalKind::Expired),
        _ => answer,
    };
    for _ in 0..5 {
        it.ada.run_bent(&mut it.server, &mut { denied });
        it.ada.now_ms = it.ada.cells.next_deadline(it.ada.now_ms).expect("it is tried again");
    }
    assert_eq!(std::mem::take(&mut it.ada.cell_events), [it.withheld()]);
    it.ada.connect(&mut it.server);
    assert_eq!(it.ada.cell_events, [it.absent(1)], "and learned when it comes");
}

#[test]
fn a_head_that_does_not_come_withholds_the_cell() {
    let mut it = Colliding::in_a_segment(|decoy| vec![decoy, OWN]);
    it.get(1);
    while it.ada.cell_events.is_empty() {
        while let Some((ask, request)) = it.ada.cells.poll_request(it.ada.now_ms, &it.ada.log) {
            let answer = it.server.answer(&request);
            it.ada.cells.on_answer(it.ada.now_ms, ask, answer, &mut it.ada.log);
        }
        it.ada.collect();
        it.ada.now_ms = it.ada.cells.next_deadline(it.ada.now_ms).unwrap_or(it.ada.now_ms);
    }
    assert_eq!(it.ada.cell_events, [it.withheld()]);
}

#[test]
fn a_connection_that_breaks_before_the_head_comes_costs_nothing() {
    let mut it = Colliding::in_a_segment(|decoy| vec![decoy, OWN]);
    it.get(1);
    let (ask, request) = it.ada.cells.poll_request(it.ada.now_ms, &it.ada.log).expect("a GET");
    let answer = it.server.answer(&request);
    it.ada.cells.on_answer(it.ada.now_ms, ask, answer, &mut it.ada.log);
    it.ada.connect(&mut it.server);
    assert_eq!(it.ada.cell_events, [it.absent(1)]);
}

#[test]
fn two_who_go_by_different_listings_are_answered_apart() {
    let mut it = Colliding::listing(|decoy| vec![OWN, 3, decoy]);
    it.get(1);
    it.ada.cells.get(it.tag, Some(3), lane(7));
    it.ada.run(&mut it.server);
    let absent = CellEvent::Absent { owner: lane(7), tag: it.tag, tick: Some(3) };
    assert_eq!(it.ada.cell_events, [it.got(1), absent]);
}
