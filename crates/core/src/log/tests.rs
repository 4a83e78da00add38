//! The follower against a real engine: what it finds, and every breach by its number.

mod breaches;
mod listings;
mod lives;
mod paths;
mod storms;
