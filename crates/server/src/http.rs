//! The head of the one HTTP request that opens either door.
//!
//! `GET /undertone/1` with an upgrade opens the WebSocket, `POST /undertone/1` carries one frame.
//! There is no other route: everything else is 404, and what is not HTTP is 400 (T09). The parser
//! is pure; it sees at most [`HEAD_LEN_MAX`] bytes.

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The longest request head.
pub(crate) const HEAD_LEN_MAX: usize = 4096;
const HEADERS_MAX: usize = 32;
const PATH: &str = "/undertone/1";

/// What the client wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The WebSocket; holds the value of `Sec-WebSocket-Accept`.
    WebSocket(String),
    /// One frame.
    Post {
        /// Bytes of the body.
        body_len: usize,
        /// Whether another request may follow.
        keep_alive: bool,
    },
}

/// Why a request is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// Not HTTP, or not as this server speaks it.
    BadRequest,
    /// No such route.
    NotFound,
    /// The body is longer than any request.
    TooLarge,
    /// Too many answers wait to be taken.
    Busy,
}

/// A parsed head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// What is wanted.
    pub(crate) door: Door,
    /// Bytes that it took.
    pub(crate) len: usize,
}

/// Parses a head; `None` while it is incomplete.
pub(crate) fn parse_head(bytes: &[u8], body_max: usize) -> Result<Option<Head>, TurnedAway> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let len = match request.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_LEN_MAX => return Ok(None),
        Ok(httparse::Status::Partial) | Err(_) => return Err(TurnedAway::BadRequest),
    };
    if request.path != Some(PATH) {
        return Err(TurnedAway::NotFound);
    }
    let door = match request.method {
        Some("GET") => websocket(request.headers)?,
        Some("POST") => post(request.headers, request.version == Some(1), body_max)?,
        _ => return Err(TurnedAway::NotFound),
    };
    Ok(Some(Head { door, len }))
}

/// RFC 6455 section 4.2.1.
fn websocket(headers: &[httparse::Header<'_>]) -> Result<Door, TurnedAway> {
    let upgrades = lists(headers, "upgrade", "websocket")
        && lists(headers, "connection", "upgrade")
        && value(headers, "sec-websocket-version")? == Some("13");
    match value(headers, "sec-websocket-key")? {
        Some(key) if upgrades && key.len() == 24 => {
            Ok(Door::WebSocket(derive_accept_key(key.as_bytes())))
        }
        _ => Err(TurnedAway::BadRequest),
    }
}

/// Only a plain length is taken: two ways to end a body are one too many.
fn post(
    headers: &[httparse::Header<'_>],
    http_1_1: bool,
    body_max: usize,
) -> Result<Door, TurnedAway> {
    if value(headers, "transfer-encoding")?.is_some() {
        return Err(TurnedAway::BadRequest);
    }
    let length = value(headers, "content-length")?.ok_or(TurnedAway::BadRequest)?;
    if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TurnedAway::BadRequest);
    }
    match length.parse() {
        Ok(body_len) if body_len <= body_max => {
            let keep_alive = http_1_1 && !lists(headers, "connection", "close");
            Ok(Door::Post { body_len, keep_alive })
        }
        _ => Err(TurnedAway::TooLarge),
    }
}

/// The value of a header that may stand once.
fn value<'a>(headers: &[httparse::Header<'a>], name: &str) -> Result<Option<&'a str>, TurnedAway> {
    let mut found = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    let first = found.next();
    if found.next().is_some() {
        return Err(TurnedAway::BadRequest);
    }
    first
        .map(|header| std::str::from_utf8(header.value).map(str::trim))
        .transpose()
        .map_err(|_| TurnedAway::BadRequest)
}

/// Whether a comma-separated header contains `word`, in any case.
fn lists(headers: &[httparse::Header<'_>], name: &str, word: &str) -> bool {
    headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case(name))
        .filter_map(|header| std::str::from_utf8(header.value).ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(word))
}

/// The answer that opens the WebSocket.
pub(crate) fn switching(accept: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    )
}

/// The head before the frame that answers a `POST`.
pub(crate) fn answer_head(body_len: usize, keep_alive: bool) -> String {
    let connection = if keep_alive { "keep-alive" } else { "close" };
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncache-control: no-store\r\n\
         connection: {connection}\r\ncontent-length: {body_len}\r\n\r\n"
    )
}

impl TurnedAway {
    /// The whole response.
    pub(crate) fn response(self) -> &'static str {
        match self {
            Self::BadRequest => {
                "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            }
            Self::NotFound => {
                "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            }
            Self::Busy => {
                "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            }
            Self::TooLarge => {
                "HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UPGRADE: &str = "GET /undertone/1 HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    fn parse(text: &str) -> Result<Option<Head>, TurnedAway> {
        parse_head(text.as_bytes(), 100)
    }

    #[test]
    fn the_websocket_opens_with_the_key_of_rfc_6455() {
        let door = Door::WebSocket("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into());
        assert_eq!(parse(UPGRADE), Ok(Some(Head { door, len: UPGRADE.len() })));
    }

    #[test]
    fn a_head_cut_anywhere_is_incomplete() {
        for end in 0..UPGRADE.len() {
            assert_eq!(parse(&UPGRADE[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn upgrades_that_lack_anything_are_bad() {
        for part in [
            "Upgrade: WebSocket\r\n",
            "Sec-WebSocket-Version: 13\r\n",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "Connection: keep-alive, Upgrade\r\n",
        ] {
            assert_eq!(parse(&UPGRADE.replace(part, "")), Err(TurnedAway::BadRequest), "{part}");
        }
        let twice = UPGRADE.replace("Host: h\r\n", "Sec-WebSocket-Version: 13\r\n");
        assert_eq!(parse(&twice), Err(TurnedAway::BadRequest));
    }

    #[test]
    fn posts_carry_a_plain_length() {
        let post = |headers: &str| parse(&format!("POST /undertone/1 HTTP/1.1\r\n{headers}\r\n"));
        let door = |text| post(text).map(|head| head.map(|head| head.door));
        let keep = Door::Post { body_len: 100, keep_alive: true };
        assert_eq!(door("content-length: 100\r\n"), Ok(Some(keep)));
        let last = Door::Post { body_len: 0, keep_alive: false };
        assert_eq!(door("content-length: 0\r\nconnection: close\r\n"), Ok(Some(last)));
        assert_eq!(post("content-length: 101\r\n"), Err(TurnedAway::TooLarge));
        let huge = "content-length: 99999999999999999999999\r\n";
        assert_eq!(post(huge), Err(TurnedAway::TooLarge));
        for bad in [
            "",
            "content-length: +1\r\n",
            "content-length:\r\n",
            "content-length: 1\r\ncontent-length: 1\r\n",
            "content-length: 1\r\ntransfer-encoding: chunked\r\n",
        ] {
            assert_eq!(post(bad), Err(TurnedAway::BadRequest), "{bad:?}");
        }
    }

    #[test]
    fn there_is_no_other_route() {
        for line in
            ["GET /", "GET /undertone/1/", "GET /undertone/1?x", "PUT /undertone/1", "GET /metrics"]
        {
            let text = format!("{line} HTTP/1.1\r\n\r\n");
            assert_eq!(parse(&text), Err(TurnedAway::NotFound), "{line}");
        }
    }

    #[test]
    fn endless_heads_are_bad() {
        let endless = format!("GET /undertone/1 HTTP/1.1\r\na: {}", "b".repeat(HEAD_LEN_MAX));
        assert_eq!(parse(&endless), Err(TurnedAway::BadRequest));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse_head(&bytes, 100);
        }
    }
}
