//! MLS groups through the crate's public face: people, groups, hostile members, an independent peer.

mod commits;
mod hostile;
mod noise;
mod peer;
mod people;
mod records;
mod talk;
