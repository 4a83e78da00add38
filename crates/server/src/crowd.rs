//! How many connections come from one place, so that one place cannot take all of them.
//!
//! Counted per IPv4 address and per IPv6 /64, which is what one household or host gets. Only open
//! connections are counted, in memory: a place is forgotten with its last connection. This
//! machine itself is not counted, for a relay or Tor comes from there with everybody.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// An IPv4 address, or the first half of an IPv6 one.
type Place = [u8; 8];

/// The open connections by place.
#[derive(Clone)]
pub(crate) struct Crowd {
    max: u32,
    open: Arc<Mutex<HashMap<Place, u32>>>,
}

impl Crowd {
    /// At most `max` from one place.
    pub(crate) fn new(max: u32) -> Self {
        Self { max, open: Arc::default() }
    }

    /// Counts one more connection until the value is dropped; `None` when there are too many.
    pub(crate) fn enter(&self, from: IpAddr) -> Option<OneOf> {
        let Some(place) = place(from) else { return Some(OneOf(None)) };
        let mut open = self.open();
        let count = open.entry(place).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        drop(open);
        Some(OneOf(Some((self.clone(), place))))
    }

    fn leave(&self, place: &Place) {
        let mut open = self.open();
        if let Some(count) = open.get_mut(place) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(place);
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Place, u32>> {
        // Every change is a single step, so a poisoned map is whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection of a crowd; leaves it when dropped.
pub(crate) struct OneOf(Option<(Crowd, Place)>);

impl Drop for OneOf {
    fn drop(&mut self) {
        if let Some((crowd, place)) = &self.0 {
            crowd.leave(place);
        }
    }
}

// Addresses stay out of every log line.
impl fmt::Debug for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneOf(…)")
    }
}

/// `None` for this machine itself.
fn place(from: IpAddr) -> Option<Place> {
    let from = from.to_canonical();
    if from.is_loopback() {
        return None;
    }
    let wide: Ipv6Addr = match from {
        // 2002::/16 holds an IPv4 address within its /48 and is not routed any more.
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 0)
        }
        IpAddr::V6(v6) => v6,
    };
    wide.octets().first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_place_cannot_take_all() {
        let crowd = Crowd::new(2);
        let first = crowd.enter(ip("192.0.2.1")).unwrap();
        let _second = crowd.enter(ip("::ffff:192.0.2.1")).unwrap();
        assert!(crowd.enter(ip("192.0.2.1")).is_none());
        crowd.enter(ip("192.0.2.2")).unwrap();
        drop(first);
        crowd.enter(ip("192.0.2.1")).unwrap();
    }

    #[test]
    fn an_ipv6_network_is_one_place() {
        let crowd = Crowd::new(1);
        let _one = crowd.enter(ip("2001:db8::1")).unwrap();
        assert!(crowd.enter(ip("2001:db8::ffff:1")).is_none());
        assert!(crowd.enter(ip("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn this_machine_is_not_counted_and_nobody_is_remembered() {
        let crowd = Crowd::new(1);
        let here: Vec<_> = (0..9).map(|_| crowd.enter(ip("127.0.0.1")).unwrap()).collect();
        let _here = crowd.enter(ip("::1")).unwrap();
        drop(crowd.enter(ip("192.0.2.1")).unwrap());
        assert_eq!((here.len(), crowd.open().len()), (9, 0));
        assert!(!format!("{:?}", crowd.enter(ip("192.0.2.1"))).contains(char::is_numeric));
    }
}
