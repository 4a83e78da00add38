//! Prefixes that collide, for tests.
//!
//! Two tags of one prefix take 2^32 trials, which no test can afford and an attacker can. So a test
//! shortens the prefixes of its own thread. Both sides of the wire have to run there, from the first
//! tick on: a log lists what its server took for prefixes.
//!
//! Never a feature of a program: with short prefixes anybody's cells collide with anybody's. Where a
//! build for tests brings it in, nothing changes until [`shorten`] is called.

use crate::Prefix;
use std::{cell::Cell, marker::PhantomData};

thread_local! {
    static BITS: Cell<u32> = const { Cell::new(u64::BITS) };
}

/// Prefixes are short on this thread until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Shortened(PhantomData<*const ()>);

/// Leaves only the first `bits` bits of every prefix on this thread (at most 64); their order stays.
pub fn shorten(bits: u32) -> Shortened {
    BITS.set(bits.min(u64::BITS));
    Shortened(PhantomData)
}

impl Drop for Shortened {
    fn drop(&mut self) {
        BITS.set(u64::BITS);
    }
}

pub(crate) fn cut(prefix: Prefix) -> Prefix {
    Prefix(prefix.0 & u64::MAX.checked_shl(u64::BITS - BITS.get()).unwrap_or_default())
}
