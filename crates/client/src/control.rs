//! The way of other processes to a profile that one process holds.
//!
//! The holder listens on a Unix socket in the profile's folder (mode 0600, inside a folder of mode
//! 0700). A caller sends one request and gets lines until the last one; both are JSON and opaque
//! here: the verbs of the command line and what they print.
//!
//! Before that, each side proves that it has the database key, by a PRF of the other's challenge:
//! a caller without the right passphrase gets nothing, and a caller does not talk to a socket that
//! somebody else put there. Lines are bounded, and the proofs have a time limit.
//!
//! ```text
//! holder → {"undertone_control":1,"challenge":"…"}
//! caller → {"challenge":"…","proof":"…"}
//! holder → {"proof":"…"}              or it closes
//! caller → {"request":{…}}
//! holder → {"line":{…}}               any number
//! holder → {"done":{…}}
//! ```

mod caller;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod holder;
mod line;

pub use caller::Caller;
pub use holder::{Holder, Lines, Serve};
pub use line::LINE_BYTES_MAX;

use serde::{Deserialize, Serialize};

/// The version of this little protocol.
const VERSION: u32 = 1;

/// Why the holder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// This system has no such socket.
    #[error("using a profile from two processes at once is not supported on this system yet")]
    Unsupported,
    /// Nobody listens.
    #[error("the process that has the profile open takes no commands")]
    NobodyListens,
    /// The other side does not have the key, or speaks another version.
    #[error("the process that has the profile open is not one of this version and profile")]
    Stranger,
    /// The connection ended early.
    #[error("the process that has the profile open went away: {0}")]
    Broken(std::io::Error),
}

#[derive(Serialize, Deserialize)]
struct Hello {
    undertone_control: u32,
    challenge: String,
}

#[derive(Serialize, Deserialize)]
struct Claim {
    challenge: String,
    proof: String,
}

#[derive(Serialize, Deserialize)]
struct Counter {
    proof: String,
}

#[derive(Serialize, Deserialize)]
struct Request {
    request: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Response {
    Line(serde_json::Value),
    Done(serde_json::Value),
}

/// What each side proves; the roles keep one side's proof from serving the other's.
const CALLER: &str = "undertone control caller 1";
const HOLDER: &str = "undertone control holder 1";

fn challenge() -> Result<String, ControlError> {
    use rand::{TryRngCore, rngs::OsRng};
    let mut bytes = [0; 32];
    let filled = OsRng.try_fill_bytes(&mut bytes);
    filled.map_err(|error| ControlError::Broken(std::io::Error::other(error)))?;
    Ok(hex::encode(bytes))
}

/// The longest challenge that is answered, in bytes; one's own has 64.
const CHALLENGE_MAX: usize = 256;

/// This side's proof; `None` for a challenge that no version sends.
fn proof(key: &undertone_store::DatabaseKey, role: &str, challenge: &str) -> Option<[u8; 32]> {
    (challenge.len() <= CHALLENGE_MAX).then(|| key.proof(role, challenge.as_bytes()))
}

fn proves(key: &undertone_store::DatabaseKey, role: &str, challenge: &str, given: &str) -> bool {
    use subtle::ConstantTimeEq;
    let (expected, given) = (proof(key, role, challenge), hex::decode(given));
    expected.zip(given.ok()).is_some_and(|(expected, given)| given.ct_eq(&expected).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_crypto::Secret;
    use undertone_store::DatabaseKey;

    #[test]
    fn a_proof_answers_one_challenge_in_one_role() {
        let key = DatabaseKey::of(Secret::from_bytes([1; 32]));
        let (asked, other) = (challenge().expect("entropy"), challenge().expect("entropy"));
        let given = hex::encode(proof(&key, CALLER, &asked).expect("a short challenge"));
        assert!(proves(&key, CALLER, &asked, &given));
        assert!(!proves(&key, HOLDER, &asked, &given));
        assert!(!proves(&key, CALLER, &other, &given));
    }

    #[test]
    fn a_challenge_that_is_too_long_is_not_answered() {
        let key = DatabaseKey::of(Secret::from_bytes([1; 32]));
        assert!(proof(&key, CALLER, &"0".repeat(CHALLENGE_MAX)).is_some());
        assert_eq!(proof(&key, CALLER, &"0".repeat(CHALLENGE_MAX + 1)), None);
        // A key schedule's argument has at most 65,535 bytes.
        assert_eq!(proof(&key, CALLER, &"0".repeat(65_536)), None);
    }
}
