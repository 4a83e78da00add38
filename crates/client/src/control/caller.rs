//! The side that does not have the profile.

use super::ControlError;
use std::path::Path;
use undertone_store::DatabaseKey;

/// A proved connection to the holder, good for one request.
#[derive(Debug)]
pub struct Caller {
    #[cfg(unix)]
    stream: tokio::io::BufStream<tokio::net::UnixStream>,
}

#[cfg(not(unix))]
impl Caller {
    /// Not on this system.
    ///
    /// # Errors
    /// [`ControlError::Unsupported`].
    pub async fn connect(_: &Path, _: &DatabaseKey) -> Result<Self, ControlError> {
        Err(ControlError::Unsupported)
    }

    /// Not on this system.
    ///
    /// # Errors
    /// [`ControlError::Unsupported`].
    pub async fn call(
        self,
        _: serde_json::Value,
        _: impl FnMut(serde_json::Value),
    ) -> Result<serde_json::Value, ControlError> {
        Err(ControlError::Unsupported)
    }
}

#[cfg(unix)]
impl Caller {
    /// Reaches the process that holds the profile in `folder`.
    ///
    /// # Errors
    /// [`ControlError::NobodyListens`] when there is none, or it takes no commands;
    /// [`ControlError::Stranger`] when one side could not prove the key.
    pub async fn connect(folder: &Path, key: &DatabaseKey) -> Result<Self, ControlError> {
        use super::holder::socket_path;
        let (_folder, path) = socket_path(folder).map_err(ControlError::Broken)?;
        let stream =
            tokio::net::UnixStream::connect(path).await.map_err(|_| ControlError::NobodyListens)?;
        let mut stream = tokio::io::BufStream::new(stream);
        let proved = prove(&mut stream, key);
        tokio::time::timeout(super::holder::PROOF_TIME, proved)
            .await
            .map_err(|_| ControlError::NobodyListens)??;
        Ok(Self { stream })
    }

    /// Sends the request; `line` gets every line before the last, which is returned.
    ///
    /// # Errors
    /// [`ControlError::Broken`] when the holder ends before it is done.
    pub async fn call(
        mut self,
        request: serde_json::Value,
        mut line: impl FnMut(serde_json::Value),
    ) -> Result<serde_json::Value, ControlError> {
        use super::{Request, Response, line as lines};
        let sent = lines::write(&mut self.stream, &Request { request }).await;
        sent.map_err(ControlError::Broken)?;
        loop {
            match lines::read(&mut self.stream).await.map_err(ControlError::Broken)? {
                Some(Response::Line(value)) => line(value),
                Some(Response::Done(value)) => return Ok(value),
                None => {
                    let ended = std::io::ErrorKind::UnexpectedEof;
                    return Err(ControlError::Broken(ended.into()));
                }
            }
        }
    }
}

#[cfg(unix)]
async fn prove(
    stream: &mut tokio::io::BufStream<tokio::net::UnixStream>,
    key: &DatabaseKey,
) -> Result<(), ControlError> {
    use super::{CALLER, Claim, Counter, HOLDER, Hello, VERSION, challenge, line, proof, proves};
    let hello: Option<Hello> = line::read(stream).await.map_err(ControlError::Broken)?;
    // It closed while this caller stood at the door.
    let hello = hello.ok_or(ControlError::NobodyListens)?;
    if hello.undertone_control != VERSION {
        return Err(ControlError::Stranger);
    }
    let claim = proof(key, CALLER, &hello.challenge).ok_or(ControlError::Stranger)?;
    let (challenge, proof) = (challenge()?, hex::encode(claim));
    let claim = Claim { challenge: challenge.clone(), proof };
    line::write(stream, &claim).await.map_err(ControlError::Broken)?;
    let counter: Option<Counter> = line::read(stream).await.map_err(ControlError::Broken)?;
    match counter {
        Some(counter) if proves(key, HOLDER, &challenge, &counter.proof) => Ok(()),
        _ => Err(ControlError::Stranger),
    }
}
