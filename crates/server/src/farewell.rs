//! The end of a stream whose last words are to arrive.
//!
//! A socket that is closed with unread bytes in it resets the connection, and a reset may overtake
//! what was written last: the status or close code that says why. So the writing side ends first,
//! and what the client still says is read and dropped, within limits.

use std::time::Duration;
use tokio::{
    io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// How long the end of a stream may take.
const TIME_MAX: Duration = Duration::from_secs(2);
/// How much is read and dropped.
const BYTES_MAX: u64 = 256 << 10;

/// Ends the writing side, then waits for the client to end its own.
pub(crate) async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let parting = async {
        stream.shutdown().await?;
        io::copy(&mut stream.take(BYTES_MAX), &mut io::sink()).await
    };
    // Whatever goes wrong here, the connection ends.
    timeout(TIME_MAX, parting).await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_waits_for_the_other_side_and_drops_what_comes() {
        let (mut near, mut far) = io::duplex(64);
        let client = tokio::spawn(async move {
            far.write_all(&[7; 1_000]).await.unwrap();
            let mut last = Vec::new();
            far.read_to_end(&mut last).await.unwrap();
            last
        });
        near.write_all(b"goodbye").await.unwrap();
        farewell(&mut near).await;
        assert_eq!(client.await.unwrap(), b"goodbye");
    }

    #[tokio::test(start_paused = true)]
    async fn it_does_not_wait_for_ever() {
        let (mut near, _far) = io::duplex(64);
        farewell(&mut near).await;
    }
}
