//! Lines of JSON over a stream.

use serde::{Serialize, de::DeserializeOwned};
use std::io::{Error, ErrorKind};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest line: a text of 64 KiB with room for JSON's escapes, and a page of history.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// The next line; `None` at the end of the stream.
pub(super) async fn read<T, R>(stream: &mut R) -> std::io::Result<Option<T>>
where
    T: DeserializeOwned,
    R: AsyncBufRead + Unpin,
{
    let mut line = Vec::new();
    let limit = LINE_BYTES_MAX as u64;
    stream.take(limit).read_until(b'\n', &mut line).await?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => serde_json::from_slice(&line)
            .map(Some)
            .map_err(|_| Error::new(ErrorKind::InvalidData, "the line is not what was expected")),
        Some(_) if line.len() >= LINE_BYTES_MAX => {
            Err(Error::new(ErrorKind::InvalidData, "the line is too long"))
        }
        Some(_) => Err(ErrorKind::UnexpectedEof.into()),
    }
}

pub(super) async fn write<T, W>(stream: &mut W, value: &T) -> std::io::Result<()>
where
    T: Serialize,
    W: AsyncWrite + Unpin,
{
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_from(mut bytes: &[u8]) -> std::io::Result<Option<Vec<u32>>> {
        read(&mut bytes).await
    }

    #[tokio::test]
    async fn lines_are_read_whole_or_refused() {
        assert_eq!(read_from(b"[1,2]\n[3]\n").await.unwrap(), Some(vec![1, 2]));
        assert_eq!(read_from(b"").await.unwrap(), None);
        assert_eq!(read_from(b"[1,2]").await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(read_from(b"{}\n").await.unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_line_without_end_is_bounded() {
        let endless = vec![b' '; LINE_BYTES_MAX + 10];
        assert_eq!(read_from(&endless).await.unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
