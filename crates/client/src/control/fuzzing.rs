//! The door for the fuzz targets (`fuzz/`), behind the feature `fuzzing`, which no program has.

use super::{Claim, Counter, Hello, Request, Response, line};
use serde::de::DeserializeOwned;

/// Reads these bytes as every kind of line that either side may be sent.
pub async fn lines(bytes: &[u8]) {
    all::<Hello>(bytes).await;
    all::<Claim>(bytes).await;
    all::<Counter>(bytes).await;
    all::<Request>(bytes).await;
    all::<Response>(bytes).await;
}

async fn all<T: DeserializeOwned>(mut bytes: &[u8]) {
    while let Ok(Some(_)) = line::read::<T, _>(&mut bytes).await {}
}

/// Whether this proof answers this challenge; neither has to be of any form.
pub fn proves(key: &undertone_store::DatabaseKey, challenge: &str, proof: &str) -> bool {
    super::proves(key, super::CALLER, challenge, proof)
}
