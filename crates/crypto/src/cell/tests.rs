use super::*;
use crate::{
    Slot,
    vectors::{Fixed, array, bytes, rng, vectors},
};
use proptest::prelude::*;
use undertone_wire::ServerId;

fn keys(secret: u8) -> SlotKeys {
    Slot::from_parts(0, [secret; 32]).keys(&ServerId([0x51; 32]))
}

#[test]
fn cells_are_the_known_ones() {
    let known = vectors();
    let slot = Slot::from_parts(1, array(&known["schedule"]["lane_3_1"]["slot"]));
    let keys = slot.keys(&ServerId(array(&known["schedule"]["server"])));
    for cell in known["cells"].as_array().expect("cells") {
        let (content, expected) = (bytes(&cell["content"]), bytes(&cell["cell"]));
        let sealed = seal(&keys, &content, &mut Fixed(bytes(&cell["nonce"]))).expect("it fits");
        assert_eq!(sealed.as_bytes()[..], expected);
        assert_eq!(open(&keys, &sealed), Ok(content));
    }
}

#[test]
fn a_cell_holds_1974_bytes_and_no_more() {
    assert_eq!(CONTENT_MAX, 1974);
    let mut rng = rng(1);
    let full = vec![7; CONTENT_MAX];
    let cell = seal(&keys(1), &full, &mut rng).expect("it fits");
    assert_eq!(open(&keys(1), &cell), Ok(full));
    for length in [CONTENT_MAX + 1, 65_535, 65_536 + 5] {
        assert_eq!(seal(&keys(1), &vec![7; length], &mut rng), Err(TooLong { length }));
    }
}

/// Every single bit counts.
#[test]
fn any_flipped_bit_is_refused() {
    let cell = seal(&keys(1), b"Hello Ben", &mut rng(2)).expect("it fits");
    for bit in 0..CELL_LEN * 8 {
        let mut changed = *cell.as_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&keys(1), &Cell::from_array(changed)), Err(NotOurs), "bit {bit}");
    }
}

/// A cell moved to another tag does not open, even for who knows its key.
#[test]
fn a_cell_belongs_to_its_tag() {
    let cell = seal(&keys(1), b"Hello", &mut rng(3)).expect("it fits");
    let moved = SlotKeys { tag: keys(2).tag, ..keys(1) };
    assert_eq!(open(&moved, &cell), Err(NotOurs));
}

/// The commitment is checked, not only the cipher: one that names another key is refused.
#[test]
fn the_commitment_binds_the_key() {
    let cell = seal(&keys(1), b"Hello", &mut rng(4)).expect("it fits");
    let mut bytes = *cell.as_bytes();
    let other = commit(&keys(2).cell, &bytes[COMMITMENT_LEN..PLAINTEXT_AT]);
    bytes[..COMMITMENT_LEN].copy_from_slice(other.dangerous_bytes());
    assert_eq!(open(&keys(1), &Cell::from_array(bytes)), Err(NotOurs));
    assert_eq!(open(&keys(2), &Cell::from_array(bytes)), Err(NotOurs));
}

#[test]
fn one_content_has_one_padding() {
    let padded = |length: u16, at: usize, byte: u8| {
        let mut plaintext = vec![0; CONTENT_MAX + 2];
        plaintext[..2].copy_from_slice(&length.to_be_bytes());
        plaintext[at] = byte;
        unpad(&plaintext)
    };
    assert_eq!(padded(1, 2, 9), Ok(vec![9]));
    assert_eq!(padded(1, 3, 9), Err(NotOurs));
    assert_eq!(padded(1, CONTENT_MAX + 1, 9), Err(NotOurs));
    assert_eq!(padded(1975, 2, 9), Err(NotOurs));
    assert_eq!(padded(u16::MAX, 2, 9), Err(NotOurs));
}

proptest! {
    #[test]
    fn what_is_sealed_opens(content in prop::collection::vec(any::<u8>(), 0..=CONTENT_MAX), seed: u8) {
        let cell = seal(&keys(1), &content, &mut rng(seed)).expect("it fits");
        prop_assert_eq!(open(&keys(1), &cell), Ok(content));
        prop_assert_eq!(open(&keys(2), &cell), Err(NotOurs));
    }

    #[test]
    fn noise_never_opens(noise in prop::collection::vec(any::<u8>(), CELL_LEN)) {
        let cell = Cell::from_slice(&noise).expect("a cell's length");
        prop_assert_eq!(open(&keys(1), &cell), Err(NotOurs));
    }
}
