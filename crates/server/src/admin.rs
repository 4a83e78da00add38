//! `undertone admin`: what an operator does to a data folder.
//!
//! Each function returns plain data that serialises to the JSON of `--json` and prints, by
//! `Display`, as the text for people. Reading commands work beside a running server; those that
//! change something need the folder for themselves ([`ServeError::InUse`] otherwise).

mod backup;
mod inspect;
mod rotate;

pub use backup::{Backup, backup};
pub use inspect::{Checked, Finding, HeldField, Holds, Status, check, holds, status};
pub use rotate::{Rotation, rotate_key};

use crate::ServeError;

/// `admin invite`: comes with tokens.
///
/// # Errors
/// Always [`ServeError::NotInThisRelease`].
pub fn invite(_count: u32) -> Result<(), ServeError> {
    Err(ServeError::NotInThisRelease("invitations"))
}

/// `admin revoke`: comes with tokens.
///
/// # Errors
/// Always [`ServeError::NotInThisRelease`].
pub fn revoke(_what: &str) -> Result<(), ServeError> {
    Err(ServeError::NotInThisRelease("revoking"))
}
