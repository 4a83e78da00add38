//! The second door: one frame by a plain HTTP `POST`, for tools, relays and tests.

use crate::{
    connection::{MESSAGE_LEN_MAX, secure_stream},
    dial::{Limits, Socks5, within},
    error::{ConnectError, Step},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use undertone_wire::{Frame, ServerAddress, decode, encode};

/// A response's head may be this long.
const HEAD_LEN_MAX: u64 = 4 << 10;

/// Sends `frame` to a server of which nothing but the address is known, over a connection of its own,
/// and returns the server's answer.
///
/// # Errors
/// [`ConnectError`], as for a [`Connection`](crate::Connection).
pub async fn post(
    address: &ServerAddress,
    proxy: Option<&Socks5>,
    limits: &Limits,
    frame: &Frame,
) -> Result<Frame, ConnectError> {
    let mut stream = secure_stream(address, &address.server().into(), proxy, limits).await?;
    let exchange = async {
        let lost = ConnectError::unreachable(Step::Open);
        stream.write_all(&request(address, frame)).await.map_err(lost)?;
        let mut response = Vec::new();
        let mut bounded = (&mut stream).take(HEAD_LEN_MAX + MESSAGE_LEN_MAX as u64);
        let lost = ConnectError::unreachable(Step::Open);
        bounded.read_to_end(&mut response).await.map_err(lost)?;
        parse_response(&response)
    };
    within(limits.answer, Step::Open, exchange).await
}

fn request(address: &ServerAddress, frame: &Frame) -> Vec<u8> {
    let body = encode(frame);
    let head = format!(
        "POST /undertone/1 HTTP/1.1\r\nhost: {}\r\ncontent-type: application/octet-stream\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        address.authority(),
        body.len(),
    );
    [head.as_bytes(), &body].concat()
}

pub(crate) fn parse_response(bytes: &[u8]) -> Result<Frame, ConnectError> {
    let not_http = ConnectError::Protocol("it does not speak HTTP");
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut response = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(head_len)) = response.parse(bytes) else {
        return Err(not_http);
    };
    match response.code {
        Some(200) => {}
        Some(status) => return Err(ConnectError::TurnedAway(status)),
        None => return Err(not_http),
    }
    let body = bytes.get(head_len..).unwrap_or_default();
    decode(body).map_err(|_| ConnectError::Protocol("it sent bytes that are not a frame"))
}
