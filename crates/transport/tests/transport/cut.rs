//! Answers that end in the middle: a connection that breaks after every byte of every kind of frame.

use crate::support::puppet;
use std::{collections::HashSet, mem::discriminant, path::PathBuf};
use tokio::io::AsyncWriteExt;
use undertone_transport::{Connection, Limits, Lost};
use undertone_wire::{Frame, decode, encode};

/// A frame of each kind that a server sends: the vectors of the wire format.
fn frames() -> Vec<Frame> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/wire");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("frame_");
    let mut paths: Vec<_> = files.filter(named).collect();
    paths.sort();
    let frames = paths.iter().map(|path| {
        let vector: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        decode(&hex::decode(vector["hex"].as_str().unwrap()).unwrap()).unwrap()
    });
    frames.filter(|frame| !matches!(frame, Frame::Request { .. })).collect()
}

#[test]
fn there_is_a_frame_of_each_kind() {
    let frames = frames();
    let answers = frames.iter().filter_map(|frame| match frame {
        Frame::Answer { answer, .. } => Some(discriminant(answer)),
        _ => None,
    });
    assert_eq!(answers.collect::<HashSet<_>>().len(), 10);
    assert!(frames.iter().any(|frame| matches!(frame, Frame::Push(_))));
}

/// A server's WebSocket frame (RFC 6455 section 5.2) with this binary payload.
fn ws_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82];
    match payload.len() {
        len @ 0..=125 => frame.push(len as u8),
        len => {
            frame.push(126);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    [frame, payload.to_vec()].concat()
}

#[tokio::test]
async fn an_answer_cut_after_any_byte_is_a_broken_connection_and_no_answer() {
    let puppet = puppet().await;
    let address = puppet.address();
    for frame in frames() {
        let bytes = ws_frame(&encode(&frame));
        for cut in 0..bytes.len() {
            let serve = async {
                let mut visitor = puppet.welcome().await;
                let stream = visitor.0.get_mut();
                stream.write_all(&bytes[..cut]).await.unwrap();
                stream.flush().await.unwrap();
            };
            let ask = async {
                let mut connection =
                    Connection::open(&address, None, &Limits::default()).await.unwrap();
                connection.receiver.next().await
            };
            let ((), got) = tokio::join!(serve, ask);
            let broken = matches!(got, Err(Lost::Closed | Lost::Broken(_)));
            assert!(broken, "{frame:?} after {cut} bytes: {got:?}");
        }
    }
}
