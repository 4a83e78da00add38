//! The follower's records in the space `log`. Each value begins with its version.
//!
//! | key | value |
//! |---|---|
//! | `trust` | the server's keys, and the evidence of a breach |
//! | `course` | walked head and frontier, boundary head, followed recovery |
//! | `floor` | the tick above which listings are known |
//! | `run ` ‖ first tick | consecutive ticks with what they list |
//! | `mark ` ‖ tick | a head that is in no run |
//! | `lives` | the holes that declared recoveries left in the numbers |
//! | `waiting` | heads named in messages, not walked to yet |

use super::{
    Evidence, LogFollower,
    course::Course,
    heads::{Heads, Source},
    listing::{Changes, FLOOR_KEY, MARK_KEY, RUN_KEY},
    lives::Lives,
    run::Run,
    trust::Trust,
    walker::Walker,
};
use crate::stored::{LoadError, from_bytes, to_bytes};
use serde::{Deserialize, Serialize};
use tls_codec::{DeserializeBytes, TlsDeserializeBytes, TlsSerialize, TlsSize};
use undertone_wire::{HeadRef, KeySuccession, ServerKey, SignedHead, decode, encode, merkle::Hash};

const VERSION: u8 = 1;
const TRUST_KEY: &[u8] = b"trust";
const COURSE_KEY: &[u8] = b"course";
const WAITING_KEY: &[u8] = b"waiting";
const LIVES_KEY: &[u8] = b"lives";

#[derive(Serialize, Deserialize)]
struct TrustRecord {
    /// [`KeysRecord`] as its bytes.
    keys: Option<Vec<u8>>,
    evidence: Option<Evidence>,
}

#[derive(TlsSize, TlsSerialize, TlsDeserializeBytes)]
struct KeysRecord {
    first: ServerKey,
    succession: Vec<KeySuccession>,
}

#[derive(TlsSize, TlsSerialize, TlsDeserializeBytes)]
struct CourseRecord {
    head: SignedHead,
    frontier: Vec<Hash>,
    boundary: Option<HeadRef>,
    recovered: Option<u64>,
}

pub(super) fn save_trust(trust: &Trust, changes: &mut Changes) {
    let keys = trust
        .keys()
        .map(|keys| encode(&KeysRecord { first: keys.first, succession: keys.succession.clone() }));
    let record = TrustRecord { keys, evidence: trust.evidence().cloned() };
    changes.insert(TRUST_KEY.to_vec(), Some(to_bytes(&record)));
}

pub(super) fn save_course(course: &Course, changes: &mut Changes) {
    let Some(walker) = &course.walker else { return };
    let Some(head) = walker.signed() else { return };
    let record = CourseRecord {
        head: head.clone(),
        frontier: walker.frontier().to_vec(),
        boundary: course.boundary,
        recovered: course.recovered,
    };
    changes.insert(COURSE_KEY.to_vec(), Some(versioned(&record)));
}

pub(super) fn save_waiting(heads: &Heads, changes: &mut Changes) {
    changes.insert(WAITING_KEY.to_vec(), Some(versioned(&heads.named())));
}

pub(super) fn save_lives(lives: &Lives, changes: &mut Changes) {
    changes.insert(LIVES_KEY.to_vec(), Some(versioned(&lives.holes().to_vec())));
}

pub(super) fn load(follower: &mut LogFollower, key: &[u8], bytes: &[u8]) -> Result<(), LoadError> {
    match key {
        TRUST_KEY => load_trust(&mut follower.trust, bytes)?,
        COURSE_KEY => load_course(&mut follower.course, bytes)?,
        FLOOR_KEY => follower.listing.restore_floor(unversioned(bytes)?),
        LIVES_KEY => follower.lives.restore(unversioned(bytes)?),
        WAITING_KEY => {
            let waiting: Vec<SignedHead> = unversioned(bytes)?;
            for head in waiting {
                follower.heads.wait(head, Source::Message);
            }
        }
        key if key.starts_with(RUN_KEY) => follower.listing.restore_run(Run::from_record(bytes)?),
        key if key.starts_with(MARK_KEY) => follower.listing.restore_mark(unversioned(bytes)?),
        _ => return Err(damaged("a record of the log with an unknown key")),
    }
    Ok(())
}

fn load_trust(trust: &mut Trust, bytes: &[u8]) -> Result<(), LoadError> {
    let TrustRecord { keys, evidence } = from_bytes(bytes)?;
    let keys: Option<KeysRecord> =
        keys.map(|keys| decode(&keys)).transpose().map_err(|_| damaged("the server's keys"))?;
    let keys = keys.map(|keys| (keys.first, keys.succession));
    trust.restore(keys, evidence).map_err(|_| damaged("the server's keys"))
}

fn load_course(course: &mut Course, bytes: &[u8]) -> Result<(), LoadError> {
    let record: CourseRecord = unversioned(bytes)?;
    let walker = Walker::from_parts(record.head, record.frontier);
    course.walker = Some(walker.ok_or_else(|| damaged("the walked head"))?);
    course.boundary = record.boundary;
    course.recovered = record.recovered;
    Ok(())
}

/// The bytes of a record.
pub(super) fn versioned<T: tls_codec::Serialize>(value: &T) -> Vec<u8> {
    [vec![VERSION], encode(value)].concat()
}

/// The value of a record.
pub(super) fn unversioned<T: DeserializeBytes>(bytes: &[u8]) -> Result<T, LoadError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => decode(rest).map_err(|error| damaged(&error.to_string())),
        Some((&version, _)) => Err(LoadError::Newer(version)),
        None => Err(damaged("an empty record of the log")),
    }
}

fn damaged(what: &str) -> LoadError {
    LoadError::Damaged(what.to_owned())
}
