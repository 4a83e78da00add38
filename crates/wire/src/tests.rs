//! Round trips, golden bytes, and what hostile bytes get.

mod golden;
mod samples;

use crate::*;
use proptest::prelude::*;
use samples::*;
use std::fmt::Debug;
use tls_codec::{DeserializeBytes, Serialize};

/// Reads back as itself; cut at any byte or with one more it is an error.
fn holds<T: Serialize + DeserializeBytes + PartialEq + Debug>(value: &T) {
    let bytes = encode(value);
    assert_eq!(decode::<T>(&bytes).as_ref(), Ok(value));
    for length in 0..bytes.len() {
        assert!(decode::<T>(&bytes[..length]).is_err(), "cut to {length}");
    }
    assert!(decode::<T>(&[&bytes[..], &[0]].concat()).is_err(), "one byte more");
}

#[test]
fn every_structure_reads_back_and_no_part_of_it_does() {
    requests().iter().for_each(|(_, request)| holds(request));
    answers().iter().for_each(|(_, answer)| holds(answer));
    frames().iter().for_each(|(_, frame)| holds(frame));
    holds(&signed_head());
    holds(&Leaf::Tick(tick_leaf()));
    holds(&Leaf::Segment(segment_leaf()));
    holds(&binding());
    holds(&info());
}

#[test]
fn a_hostile_length_is_refused_before_anything_is_allocated() {
    // A page whose vector of ticks claims 2^30 - 1 bytes.
    let claim = [3, 0xbf, 0xff, 0xff, 0xff];
    assert!(decode::<Frame>(&claim).is_err());
    // A vector whose length is not in its shortest form.
    assert!(decode::<TickDigest>(&[&[0x40, 0x00][..], &[0; 49]].concat()).is_err());
}

#[test]
fn unknown_kinds_are_refused() {
    for kind in [0u8, 4, 255] {
        assert!(decode::<Frame>(&[kind, 0, 0, 0, 1, 6]).is_err());
    }
    assert!(decode::<Request>(&[7]).is_err());
    assert!(decode::<Answer>(&[11]).is_err());
    assert_eq!(decode::<Request>(&[9]).unwrap_err().to_string(), "these bytes are not a Request");
}

#[test]
fn nothing_that_grants_or_links_is_printed() {
    let shown = format!("{:?}", requests());
    assert!(shown.contains("Tag(…)") && shown.contains("WriteKey(…)") && shown.contains("Cell(…)"));
    assert!(!shown.contains("[1, 1"));
}

#[test]
fn a_signature_serves_one_purpose_only() {
    let message = b"message";
    let signature = sign(&signing_key(1), b"undertone head 1", message);
    let key = server_key(1);
    assert!(key.verifies(b"undertone head 1", message, &signature));
    assert!(!key.verifies(b"undertone head 2", message, &signature));
    assert!(!key.verifies(b"undertone head ", b"1message", &signature));
    assert!(!server_key(2).verifies(b"undertone head 1", message, &signature));
}

#[test]
fn heads_verify_under_the_key_of_their_tick() {
    let ring = ring();
    let signed = |tick, key| {
        let head = Head { tick, ..signed_head().head };
        head.sign(&signing_key(key))
    };
    assert!(ring.verify(&signed(9, 1)).is_some());
    assert!(ring.verify(&signed(10, 1)).is_none());
    assert!(ring.verify(&signed(10, 2)).is_some());
    assert!(ring.verify(&signed(9, 2)).is_none());
    let other = Head { server: ServerId([0; 32]), ..signed_head().head };
    assert!(ring.verify(&other.sign(&signing_key(1))).is_none());
}

#[test]
fn keys_follow_only_by_signed_succession() {
    let (first, server) = (server_key(1), server_key(1).server_id());
    let other = server_key(2).server_id();
    assert_eq!(KeyRing::new(&other, first, &[]), Err(BadKeys::OtherServer));
    let by_itself = KeySuccession::sign(&signing_key(2), &server, server_key(2), 10);
    assert_eq!(KeyRing::new(&server, first, &[by_itself]), Err(BadKeys::Succession(1)));
    let good = KeySuccession::sign(&signing_key(1), &server, server_key(2), 10);
    let elsewhere = KeySuccession::sign(&signing_key(1), &other, server_key(2), 10);
    assert_eq!(KeyRing::new(&server, first, &[elsewhere]), Err(BadKeys::Succession(1)));
    let back = KeySuccession::sign(&signing_key(2), &server, server_key(3), 10);
    assert_eq!(KeyRing::new(&server, first, &[good.clone(), back]), Err(BadKeys::Succession(2)));
    let moved = KeySuccession { from_tick: 11, ..good.clone() };
    assert_eq!(KeyRing::new(&server, first, &[moved]), Err(BadKeys::Succession(1)));
    let many = vec![good; KeyRing::SUCCESSIONS_MAX + 1];
    assert_eq!(KeyRing::new(&server, first, &many), Err(BadKeys::TooMany));
}

#[test]
fn keys_are_continued_by_the_same_ones_and_by_more() {
    let (first, server) = (server_key(1), server_key(1).server_id());
    let step =
        |old, new, tick| KeySuccession::sign(&signing_key(old), &server, server_key(new), tick);
    let keys = |steps: &[KeySuccession]| KeyRing::new(&server, first, steps).unwrap();
    let (one, two) = (keys(&[]), keys(&[step(1, 2, 10)]));
    let three = keys(&[step(1, 2, 10), step(2, 3, 20)]);
    assert!(one.continues(&one) && two.continues(&one) && three.continues(&two));
    assert!(!one.continues(&two), "an older key is shown again");
    assert!(!keys(&[step(1, 4, 10)]).continues(&two), "another successor");
    assert!(!keys(&[step(1, 2, 11)]).continues(&two), "another tick");
    assert!(!keys(&[step(1, 2, 10), step(2, 4, 20)]).continues(&three));
    let stranger = KeyRing::new(&server_key(2).server_id(), server_key(2), &[]).unwrap();
    assert!(!stranger.continues(&one));
}

#[test]
fn a_certificate_is_bound_to_one_server_and_one_key() {
    let binding = binding();
    let server = server_key(1).server_id();
    assert_eq!(binding.verify(&server, b"spki"), Some(ring()));
    assert_eq!(binding.verify(&server, b"another"), None);
    assert_eq!(binding.verify(&server_key(2).server_id(), b"spki"), None);
    let old = TlsBinding::sign(&signing_key(1), binding.first_key, binding.succession, b"spki");
    assert_eq!(old.verify(&server, b"spki"), None, "an old key binds no certificate");
}

#[test]
fn a_receipt_proves_its_cell_and_nothing_else() {
    let (ring, tag, cell) = (ring(), stored_tag(), stored_cell());
    let receipt = receipt();
    assert_eq!(receipt.verify(&ring, &tag, &cell), Ok(&receipt.head.head));
    assert_eq!(receipt.verify(&ring, &Tag([9; 32]), &cell), Err(BadProof::Cell));
    let other = Cell::from_array([9; CELL_LEN]);
    assert_eq!(receipt.verify(&ring, &tag, &other), Err(BadProof::Cell));
    let mut forged = receipt.clone();
    forged.head.signature[0] ^= 1;
    assert_eq!(forged.verify(&ring, &tag, &cell), Err(BadProof::Signature));
    let mut forged = receipt.clone();
    forged.path[0][0] ^= 1;
    assert_eq!(forged.verify(&ring, &tag, &cell), Err(BadProof::Leaf));
    let mut forged = receipt;
    forged.leaf.time_ms += 1;
    assert_eq!(forged.verify(&ring, &tag, &cell), Err(BadProof::Mismatch));
}

#[test]
fn a_listing_proves_its_cell_in_its_tree() {
    let (proof, root) = (listed_proof(), signed_head().head.root);
    proof.verify_cell(&root, &stored_tag(), &stored_cell()).unwrap();
    assert_eq!(proof.verify_cell(&root, &Tag([9; 32]), &stored_cell()), Err(BadProof::Mismatch));
    assert_eq!(proof.verify(&[0; 32]), Err(BadProof::Leaf));
    let moved = ListedProof { leaf_index: 1, ..proof.clone() };
    assert_eq!(moved.verify(&root), Err(BadProof::Leaf));
    let beyond = ListedProof { leaf_index: 99, ..proof };
    assert_eq!(beyond.verify(&root), Err(BadProof::Leaf));
}

#[test]
fn a_segment_proves_all_its_entries() {
    let (ring, answer) = (ring(), segment_answer());
    answer.verify(&ring).unwrap();
    let mut missing = answer.clone();
    missing.entries.pop();
    assert_eq!(missing.verify(&ring), Err(BadProof::Mismatch));
    let mut swapped = answer.clone();
    swapped.entries.swap(0, 1);
    assert_eq!(swapped.verify(&ring), Err(BadProof::Unsorted));
    let mut moved = answer;
    moved.leaf_index += 1;
    assert_eq!(moved.verify(&ring), Err(BadProof::Leaf));
}

#[test]
fn a_page_extends_a_follower_or_leaves_it_as_it_was() {
    let (ring, page) = (ring(), page());
    let mut frontier = merkle::Frontier::default();
    page.verify(&ring, 0, &mut frontier).unwrap();
    assert_eq!(frontier.root(), page.head.head.root);
    let grown = frontier.clone();
    assert_eq!(page.verify(&ring, 0, &mut frontier), Err(BadProof::Inconsistent));
    assert_eq!(page.verify(&ring, 2, &mut frontier), Err(BadProof::Mismatch));
    let mut unsorted = page.clone();
    unsorted.ticks[0].prefixes.reverse();
    let mut start = merkle::Frontier::default();
    assert_eq!(unsorted.verify(&ring, 0, &mut start), Err(BadProof::Unsorted));
    assert_eq!((frontier, start), (grown, merkle::Frontier::default()));
}

#[test]
fn a_rewritten_log_is_told_from_a_grown_one() {
    let (ring, proof) = (ring(), log_proof());
    let old = HeadRef { tick: 1, size: 1, root: merkle::root(&log_leaves()[..1]) };
    proof.verify(&ring, &old).unwrap();
    let other = HeadRef { root: [5; 32], ..old };
    assert_eq!(proof.verify(&ring, &other), Err(BadProof::Inconsistent));
    let mut edge = proof;
    edge.frontier[0][0] ^= 1;
    assert_eq!(edge.verify(&ring, &old), Err(BadProof::Mismatch));
}

#[test]
fn addresses_are_read_and_printed() {
    let id = server_key(1).server_id();
    for host in ["127.0.0.1:7443", "[::1]:1", "news.example.org:65535", "localhost:80"] {
        let text = format!("undertone://{host}/#{id}");
        let address: ServerAddress = text.parse().unwrap();
        assert_eq!((address.to_string(), address.server()), (text, id));
    }
    let six: ServerAddress = format!("undertone://[fe80::1]:9/#{id}").parse().unwrap();
    assert_eq!((six.host(), six.port(), six.authority().as_str()), ("fe80::1", 9, "[fe80::1]:9"));
}

#[test]
fn each_bad_address_says_what_is_bad() {
    let id = server_key(1).server_id();
    let parse = |text: String| text.parse::<ServerAddress>().unwrap_err();
    assert_eq!(parse(format!("https://host:1/#{id}")), BadAddress::Scheme);
    assert_eq!(parse("undertone://host:1".into()), BadAddress::NoFingerprint);
    assert_eq!(parse("undertone://host:1/#ab".into()), BadAddress::Fingerprint);
    assert_eq!(parse(format!("undertone://host:1/#{id}0")), BadAddress::Fingerprint);
    let upper = id.to_string().to_uppercase();
    assert_eq!(parse(format!("undertone://host:1/#{upper}")), BadAddress::Fingerprint);
    for host in ["", "a b", "a..b", "::1", "[host]", "ho/st", "user@host", "hö.example"] {
        assert_eq!(parse(format!("undertone://{host}:1/#{id}")), BadAddress::Host, "{host}");
    }
    for port in ["host", "host:", "host:0", "host:65536", "host:+1", "host:x", "[::1]", "[::1]9"] {
        assert_eq!(parse(format!("undertone://{port}/#{id}")), BadAddress::Port, "{port}");
    }
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode::<Frame>(&bytes);
        let _ = decode::<TlsBinding>(&bytes);
        let _ = decode::<SignedHead>(&bytes);
    }

    #[test]
    fn a_changed_frame_is_an_error_or_another_frame(pick: prop::sample::Index, bit in 0usize..8) {
        for (name, frame) in frames() {
            let mut bytes = encode(&frame);
            let at = pick.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_ne!(decode::<Frame>(&bytes), Ok(frame), "{}", name);
        }
    }

    #[test]
    fn pages_of_any_shape_read_back(ticks in prop::collection::vec((any::<u64>(), prop::collection::vec(any::<u64>(), 0..70)), 0..40)) {
        let ticks = ticks.into_iter().map(|(tick, prefixes)| TickDigest {
            closed: Vec::new(),
            tick,
            time_ms: tick,
            cells_root: [0; 32],
            prefixes: prefixes.into_iter().map(Prefix).collect(),
        });
        let page = DigestPage { ticks: ticks.collect(), head: signed_head() };
        prop_assert_eq!(decode(&encode(&page)), Ok(page));
    }

    #[test]
    fn any_text_is_an_address_or_an_error(text in "(undertone://)?[ -~]{0,80}") {
        if let Ok(address) = text.parse::<ServerAddress>() {
            prop_assert_eq!(address.to_string().parse::<ServerAddress>(), Ok(address));
        }
    }
}
