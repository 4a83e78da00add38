//! Opening a connection to servers that say something else than they should.

use crate::support::{ada_info, puppet};
use futures_util::SinkExt;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame as Piece,
        coding::{Data, OpCode},
    },
};
use undertone_puppet::public;
use undertone_transport::{Blame, ConnectError, Connection, Limits, Lost, Step};
use undertone_wire::{Answer, Frame, Info, Refusal, RefusalKind, Request, encode};

/// What a client makes of a server that gives this answer to its first question.
async fn told(answer: Answer) -> Result<Connection, ConnectError> {
    let puppet = puppet().await;
    let address = puppet.address();
    let server = tokio::spawn(async move {
        let mut visitor = puppet.accept().await;
        let Frame::Request { id, .. } = visitor.next().await else { panic!("no request") };
        visitor.send(&Frame::Answer { id, answer }).await;
        visitor
    });
    let opened = Connection::open(&address, None, &Limits::default()).await;
    server.await.unwrap();
    opened
}

#[tokio::test]
async fn a_server_that_says_who_it_is_is_connected() {
    let connection = told(Answer::Info(ada_info())).await.unwrap();
    assert_eq!(connection.info, ada_info());
}

#[tokio::test]
async fn versions_must_overlap() {
    let versions = |lowest, highest| {
        Answer::Info(Info { version_lowest: lowest, version_highest: highest, ..ada_info() })
    };
    assert!(told(versions(1, 7)).await.is_ok());
    assert!(told(versions(0, 1)).await.is_ok());
    for (lowest, highest) in [(2, 3), (0, 0), (3, 1)] {
        let error = told(versions(lowest, highest)).await.unwrap_err();
        assert_eq!(error.blame(), Blame::Version);
        let ConnectError::VersionUnsupported { server, client } = error else { panic!("{error}") };
        assert_eq!((server, client), (lowest..=highest, 1..=1));
    }
}

#[tokio::test]
async fn a_server_that_claims_to_be_another_is_refused() {
    let other = Info { server: public(2).server_id(), ..ada_info() };
    let key = Info { first_key: public(2), ..ada_info() };
    for wrong in [other, key] {
        let error = told(Answer::Info(wrong)).await.unwrap_err();
        assert!(matches!(error, ConnectError::WrongServer), "{error:?}");
    }
}

#[tokio::test]
async fn refusals_and_nonsense_are_told_apart() {
    let refusal = Refusal { kind: RefusalKind::Closing, message: Vec::new().into() };
    let error = told(Answer::Refused(refusal)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused(RefusalKind::Closing)), "{error:?}");
    let error = told(Answer::Streaming).await.unwrap_err();
    assert!(matches!(error, ConnectError::Protocol(_)), "{error:?}");
}

/// How a connection ends when the server sends this.
async fn sent(message: Message) -> Lost {
    let puppet = puppet().await;
    let address = puppet.address();
    let server = tokio::spawn(async move {
        let mut visitor = puppet.welcome().await;
        futures_util::SinkExt::send(&mut visitor.0, message).await.unwrap();
        visitor
    });
    let mut connection = Connection::open(&address, None, &Limits::default()).await.unwrap();
    let lost = connection.receiver.next().await.unwrap_err();
    server.await.unwrap();
    lost
}

#[tokio::test]
async fn what_is_no_frame_of_a_server_ends_the_connection() {
    let request = encode(&Frame::Request { id: 1, request: Request::Info });
    for message in [
        Message::Binary(vec![9, 9, 9].into()),
        Message::Binary(Vec::new().into()),
        Message::Binary(request.into()),
        Message::Text("hello".into()),
    ] {
        let lost = sent(message).await;
        assert!(matches!(lost, Lost::Protocol(_)), "{lost:?}");
    }
    assert!(matches!(sent(Message::Close(None)).await, Lost::Closed));
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let puppet = puppet().await;
    let address = puppet.address();
    let server = tokio::spawn(async move { puppet.welcome().await });
    let hasty = Limits { silence: Duration::from_millis(50), ..Limits::default() };
    let mut connection = Connection::open(&address, None, &hasty).await.unwrap();
    let visitor = server.await.unwrap();
    assert!(matches!(connection.receiver.next().await, Err(Lost::Silent)));
    drop(visitor);
}

#[tokio::test]
async fn a_server_that_only_pings_is_given_up() {
    let puppet = puppet().await;
    let address = puppet.address();
    let server = tokio::spawn(async move {
        let mut visitor = puppet.welcome().await;
        while visitor.0.send(Message::Ping(Vec::new().into())).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let hasty = Limits { silence: Duration::from_millis(50), ..Limits::default() };
    let mut connection = Connection::open(&address, None, &hasty).await.unwrap();
    assert!(matches!(connection.receiver.next().await, Err(Lost::Silent)));
    drop(connection);
    server.await.unwrap();
}

#[tokio::test]
async fn a_server_that_never_says_who_it_is_is_given_up() {
    let puppet = puppet().await;
    let address = puppet.address();
    let server = tokio::spawn(async move { puppet.accept().await });
    let hasty = Limits { answer: Duration::from_millis(300), ..Limits::default() };
    let error = Connection::open(&address, None, &hasty).await.unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut(Step::Open)), "{error:?}");
    drop(server.await);
}

#[tokio::test]
async fn a_long_message_on_a_slow_network_is_no_silence() {
    let puppet = puppet().await;
    let address = puppet.address();
    let server = tokio::spawn(async move {
        let mut visitor = puppet.welcome().await;
        let refusal = Refusal { kind: RefusalKind::Busy, message: vec![b'x'; 8_000].into() };
        let frame = encode(&Frame::Answer { id: 1, answer: Answer::Refused(refusal) });
        let piece = frame.len().div_ceil(5);
        let mut pieces = frame.chunks(piece).peekable();
        let mut kind = Data::Binary;
        while let Some(bytes) = pieces.next() {
            // The pieces are what is slow here; nothing is decided by how slow exactly.
            tokio::time::sleep(Duration::from_millis(400)).await;
            let last = pieces.peek().is_none();
            let piece = Piece::message(bytes.to_vec(), OpCode::Data(kind), last);
            visitor.0.send(Message::Frame(piece)).await.unwrap();
            kind = Data::Continue;
        }
        visitor
    });
    let limits = Limits { silence: Duration::from_millis(1_200), ..Limits::default() };
    let mut connection = Connection::open(&address, None, &limits).await.unwrap();
    let frame = connection.receiver.next().await.unwrap();
    assert!(matches!(frame, Frame::Answer { id: 1, .. }));
    server.await.unwrap();
}
