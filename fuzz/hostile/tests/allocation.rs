//! Reading takes memory in proportion to what was read, whatever lengths the bytes claim.
//!
//! An allocator counts what this thread holds. For each decoder, of plain noise and of hostile
//! lengths (2^30 items behind a prefix, and the like) in front of it: the peak stays below a fixed
//! amount and a multiple of the input's length.

use proptest::prelude::*;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};
use undertone_hostile as hostile;

struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // While a thread ends there is nothing to count.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call is handed to the system's allocator as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises are those of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promises are those of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `run` held at once beyond what was held before, in bytes; without what it makes
/// once and keeps.
fn peak(run: fn(&[u8]), bytes: &[u8]) -> usize {
    run(&[]);
    let before = HELD.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    run(bytes);
    usize::try_from(PEAK.with(Cell::get) - before).unwrap_or(0)
}

/// A decoder, with what it may hold: so many bytes, and so many for each byte that it reads.
struct Bound {
    name: &'static str,
    run: fn(&[u8]),
    fixed: usize,
    per_byte: usize,
}

const fn bound(name: &'static str, run: fn(&[u8]), fixed: usize, per_byte: usize) -> Bound {
    Bound { name, run, fixed, per_byte }
}

/// An empty vector is one byte on the wire and twenty-four in memory, and a list grows by doubling:
/// hence the factors.
const BOUNDS: [Bound; 17] = [
    bound("frame", hostile::frame, 16 << 10, 64),
    bound("parts", hostile::parts, 16 << 10, 64),
    bound("proofs", hostile::proofs, 16 << 10, 64),
    bound("texts", hostile::texts, 64 << 10, 64),
    bound("head", hostile::head, 64 << 10, 64),
    bound("body", hostile::body, 16 << 10, 128),
    bound("commit", hostile::commit, 16 << 10, 64),
    bound("policy", hostile::policy, 16 << 10, 64),
    bound("link", hostile::link, 16 << 10, 64),
    bound("offer", hostile::offer, 64 << 10, 64),
    bound("answer", hostile::answer, 64 << 10, 64),
    bound("device_list", hostile::device_list, 16 << 10, 64),
    bound("key_package", hostile::key_package, 64 << 10, 256),
    bound("profile_header", hostile::profile_header, 16 << 10, 64),
    bound("settings", hostile::settings, 64 << 10, 256),
    bound("control_lines", hostile::control_lines, 16 << 10, 256),
    bound("http", hostile::http, 16 << 10, 64),
];

fn holds(bytes: &[u8]) {
    for Bound { name, run, fixed, per_byte } in &BOUNDS {
        let (held, allowed) = (peak(*run, bytes), fixed + per_byte * bytes.len());
        assert!(held <= allowed, "{name}: {held} bytes held for {} read", bytes.len());
    }
}

/// Every seed with every length in it made huge: as the prefixes of RFC 9420, of serde's formats,
/// and as plain integers.
#[test]
fn huge_lengths_anywhere_take_nothing() {
    let claims: [&[u8]; 5] = [
        &[0xbf, 0xff, 0xff, 0xff],
        &[0x80, 0, 0xff, 0xff],
        &[0x7f, 0xff],
        &[0xff; 8],
        &[0x9b, 0x7f],
    ];
    for bound in &BOUNDS {
        for (_, seed) in hostile::seeds().iter().filter(|(target, _)| *target == bound.name) {
            for at in 0..seed.len().min(400) {
                for claim in claims {
                    let mut bytes = seed.clone();
                    bytes.splice(at..(at + claim.len()).min(seed.len()), claim.iter().copied());
                    let held = peak(bound.run, &bytes);
                    let allowed = bound.fixed + bound.per_byte * bytes.len();
                    assert!(held <= allowed, "{} at {at}: {held} bytes held", bound.name);
                }
            }
        }
    }
}

#[test]
fn the_allocator_counts() {
    let held = peak(|bytes| drop(std::hint::black_box(bytes.repeat(1_000))), &[1; 100]);
    assert!((100_000..110_000).contains(&held), "{held}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_takes_in_proportion(bytes in proptest::collection::vec(any::<u8>(), 0..20_000)) {
        holds(&bytes);
    }

    #[test]
    fn a_claimed_length_takes_in_proportion(
        front in proptest::collection::vec(any::<u8>(), 0..40),
        claim in prop_oneof![Just(0xbfff_ffff_u32), Just(0x8000_0000), Just(0xffff_ffff), any::<u32>()],
        fill in any::<u8>(),
        length in 0..60_000_usize,
    ) {
        holds(&[&front[..], &claim.to_be_bytes(), &vec![fill; length]].concat());
    }
}
