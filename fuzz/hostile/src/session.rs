//! The server's whole door, from the first byte behind TLS to the end of the connection, at a
//! client that says anything.

use crate::input::Input;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use undertone_server::fuzzing::Host;
use undertone_server_core::MemFiles;

const START_MS: u64 = 1_790_000_000_000;
const CHUNKS_MAX: usize = 64;

/// What opens the WebSocket.
pub(crate) const UPGRADE: &[u8] = b"GET /undertone/1 HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\n\
    connection: upgrade\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// One client. An even first byte: the input is what it sends. An odd one: it opens the WebSocket,
/// and the input is chunks, each a message, a raw frame, or a tick of the server.
pub(crate) fn session(bytes: &[u8]) {
    // Time stands still but while everybody waits: no limit of the server takes real time.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without sockets takes nothing of the system");
    runtime.block_on(visit(Input::new(bytes)));
}

async fn visit(mut input: Input<'_>) {
    let host = Host::open(MemFiles::default(), &[1; 32], START_MS).expect("an empty folder");
    let (near, far) = duplex(16 << 10);
    let client = async {
        let (mut from, mut to) = tokio::io::split(near);
        let speaking = async {
            // The server may hang up at any byte.
            speak(&host, &mut input, &mut to).await.ok();
            to.shutdown().await.ok();
        };
        let hearing = async {
            let mut buffer = [0; 4096];
            while from.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
        };
        tokio::join!(speaking, hearing);
    };
    tokio::join!(host.serve(far), client);
}

type Sink = tokio::io::WriteHalf<DuplexStream>;

async fn speak(host: &Host, input: &mut Input<'_>, to: &mut Sink) -> std::io::Result<()> {
    if input.u8().is_multiple_of(2) {
        return to.write_all(input.rest()).await;
    }
    to.write_all(UPGRADE).await?;
    for tick in 0..CHUNKS_MAX as u64 {
        if input.is_empty() {
            break;
        }
        match input.u8() % 8 {
            0 => to.write_all(input.bytes()).await?,
            1 => to.write_all(&message(0x80 | (input.u8() % 16), input.bytes())).await?,
            2 => host.seal(START_MS + tick),
            3 => tokio::time::sleep(std::time::Duration::from_secs(input.u8().into())).await,
            _ => to.write_all(&message(0x82, input.bytes())).await?,
        }
        to.flush().await?;
        tokio::task::yield_now().await;
    }
    host.seal(START_MS + 100);
    tokio::task::yield_now().await;
    if input.u8() % 2 == 1 {
        host.close();
    }
    Ok(())
}

/// A WebSocket frame of a client (RFC 6455 section 5.2), under a mask of zeros.
pub(crate) fn message(head: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("chunks are short").to_be_bytes();
    [&[head, 0x80 | 126], &length[..], &[0; 4], payload].concat()
}
