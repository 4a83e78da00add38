//! The identity's secret, which opens under the passphrase alone.

use crate::{CommandError, SETTING_IDENTITY, Session, StorageError};
use std::sync::Arc;
use undertone_crypto::Secret;
use undertone_store::{
    StoreError,
    header::{Header, IDENTITY},
};

/// Opens the identity's secret: for a change of the device list and nothing else.
///
/// # Errors
/// [`StoreError::WrongPassphrase`]; [`StoreError::Damaged`] when the profile holds none.
pub async fn open_identity(session: &Session, passphrase: &str) -> Result<Secret, CommandError> {
    let failed = |error: StoreError| CommandError::Store(Arc::new(StorageError::Store(error)));
    let sealed = session.setting(SETTING_IDENTITY).await?;
    let sealed = sealed.ok_or_else(|| {
        failed(StoreError::Damaged("the profile holds no sealed identity".to_owned()))
    })?;
    let header = Header::from_bytes(sealed.as_bytes()).map_err(failed)?;
    let key = header.open(IDENTITY, passphrase).map_err(failed)?;
    Ok(key.dangerous_secret().clone())
}
