//! One client's place in the stream of digests.
//!
//! A follower is *paging* until it has read up to the newest tick from the log, then *live*: it
//! takes the pushes that everybody takes. It leaves nothing out and says nothing twice, whatever
//! the ring dropped: a push that does not begin where the follower stands sends it back to paging.
//! So the backlog of a slow client is a number, not a queue.

use crate::hub::Push;
use tokio::sync::broadcast::{self, error::RecvError};

/// Where a streaming client stands.
#[derive(Debug)]
pub(crate) struct Follower {
    next: u64,
    behind: bool,
    pushes: broadcast::Receiver<Push>,
}

/// What is to be done next for a follower.
#[derive(Debug)]
pub(crate) enum Step {
    /// Read a page from this tick on and report it with [`Follower::paged`].
    Page(u64),
    /// Send these bytes.
    Send(Push),
}

impl Follower {
    /// A client that wants everything from tick `from` on.
    pub(crate) fn new(from: u64, pushes: broadcast::Receiver<Push>) -> Self {
        Self { next: from, behind: true, pushes }
    }

    /// Waits for the next thing to do; loses nothing when dropped early.
    ///
    /// `None` when there will never be a push again.
    pub(crate) async fn step(&mut self) -> Option<Step> {
        loop {
            if self.behind {
                return Some(Step::Page(self.next));
            }
            match self.pushes.recv().await {
                Ok(push) => {
                    if let Some(step) = self.judge(push) {
                        return Some(step);
                    }
                }
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Takes a push that continues this stream, skips an old one, and notices a hole.
    fn judge(&mut self, push: Push) -> Option<Step> {
        if push.first == self.next {
            self.next = push.last + 1;
            return Some(Step::Send(push));
        }
        self.behind = push.last >= self.next;
        None
    }

    /// A page up to tick `last` was sent; with nothing in it the client has caught up.
    pub(crate) fn paged(&mut self, last: u64) {
        match last >= self.next {
            true => self.next = last + 1,
            false => self.behind = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::ring;

    fn push(first: u64, last: u64) -> Push {
        Push { first, last, bytes: Vec::new().into() }
    }

    /// Follows a log that has `newest` ticks and hands on what a client would be sent.
    async fn seen(follower: &mut Follower, newest: u64, steps: usize) -> Vec<(u64, u64)> {
        let mut seen = Vec::new();
        for _ in 0..steps {
            match follower.step().await.unwrap() {
                Step::Page(from) => {
                    let last = newest.min(from + 1);
                    if from <= last {
                        seen.push((from, last));
                    }
                    follower.paged(last);
                }
                Step::Send(push) => seen.push((push.first, push.last)),
            }
        }
        seen
    }

    #[tokio::test]
    async fn pages_then_goes_live() {
        let ring = ring();
        let mut ada = Follower::new(3, ring.subscribe());
        assert_eq!(seen(&mut ada, 6, 3).await, [(3, 4), (5, 6)]);
        ring.send(push(7, 7)).unwrap();
        ring.send(push(8, 9)).unwrap();
        assert_eq!(seen(&mut ada, 9, 2).await, [(7, 7), (8, 9)]);
    }

    #[tokio::test]
    async fn skips_what_it_has_and_pages_over_a_hole() {
        let ring = ring();
        let mut ben = Follower::new(5, ring.subscribe());
        ring.send(push(3, 4)).unwrap();
        ring.send(push(4, 5)).unwrap();
        ring.send(push(6, 6)).unwrap();
        // Caught up to 4, the push of 4 to 5 overlaps: page 5, after which 6 fits.
        assert_eq!(seen(&mut ben, 4, 1).await, []);
        assert_eq!(seen(&mut ben, 5, 2).await, [(5, 5)]);
        assert_eq!(seen(&mut ben, 6, 1).await, [(6, 6)]);
    }

    #[tokio::test]
    async fn a_slow_client_pages_instead_of_queueing() {
        let ring = ring();
        let mut chloe = Follower::new(1, ring.subscribe());
        assert_eq!(seen(&mut chloe, 0, 1).await, []);
        for tick in 1..=200 {
            ring.send(push(tick, tick)).unwrap();
        }
        let all = seen(&mut chloe, 200, 101).await;
        assert_eq!(all.first(), Some(&(1, 2)));
        assert_eq!(all.last(), Some(&(199, 200)));
        assert!(all.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
    }

    #[tokio::test]
    async fn heartbeats_go_to_those_who_are_up_to_date() {
        let ring = ring();
        let mut ada = Follower::new(5, ring.subscribe());
        assert_eq!(seen(&mut ada, 4, 1).await, []);
        ring.send(push(5, 4)).unwrap();
        assert_eq!(seen(&mut ada, 4, 1).await, [(5, 4)]);
        ring.send(push(5, 5)).unwrap();
        assert_eq!(seen(&mut ada, 5, 1).await, [(5, 5)]);
    }
}
